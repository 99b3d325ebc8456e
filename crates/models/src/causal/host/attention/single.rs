use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use super::{
    super::{
        kernels::{dot_by, weigh},
        pages::{PAGE, Page},
    },
    Attention,
};

/// What a page adds to the queries of a group.
struct Share {
    greatest: Vec<f32>,
    sums: Vec<f32>,
    /// `queries × head`.
    mixed: Vec<f32>,
}

impl Attention<'_> {
    /// Attention of one token: bound by memory, every key and value is read once. Groups and pages are
    /// shared out over the threads, and then added up.
    pub(super) fn of_one(self) -> Vec<f32> {
        let head = self.pages.head;
        let group = self.heads / self.pages.groups * head;
        let scale = 1.0 / (head as f32).sqrt();
        let queries = self.projected.iter().take(self.heads * head);
        let queries: Vec<f32> = queries.map(|value| value * scale).collect();
        let first = self.first_seen(self.past);
        let pages = self.pages.pages.iter().enumerate();
        let pages: Vec<(usize, &Page)> = pages
            .take(self.past / PAGE + 1)
            .skip(first / PAGE)
            .collect();
        let mut context = vec![0.0; self.heads * head];
        context
            .par_chunks_mut(group)
            .zip(queries.par_chunks(group))
            .enumerate()
            .for_each(|(index, (context, queries))| {
                let shares: Vec<Share> = pages
                    .par_iter()
                    .map(|(place, page)| {
                        let start = place * PAGE;
                        let seen = first.saturating_sub(start)..(self.past + 1 - start).min(PAGE);
                        share(queries, page, index * PAGE * head, seen, head)
                    })
                    .collect();
                add_up(&shares, context, head);
            });
        context
    }
}

/// What the keys `seen` of a page add; those of the group begin at `from`.
fn share(queries: &[f32], page: &Page, from: usize, seen: Range<usize>, head: usize) -> Share {
    let count = queries.len() / head;
    let range = from + seen.start * head..from + seen.end * head;
    let (keys, values) = (page.keys.storage::<f32>(), page.values.storage::<f32>());
    let (keys, values) = (&keys[range.clone()], &values[range]);
    let size = seen.len();
    let mut scores = vec![0.0; count * size];
    let mut share = Share {
        greatest: vec![f32::NEG_INFINITY; count],
        sums: vec![0.0; count],
        mixed: vec![0.0; queries.len()],
    };
    Arch::new().dispatch(|| {
        for (index, key) in keys.chunks_exact(head).enumerate() {
            let places = scores.iter_mut().skip(index).step_by(size);
            for (place, query) in places.zip(queries.chunks_exact(head)) {
                *place = dot_by(query, key, |value| value);
            }
        }
        let sums = share.greatest.iter_mut().zip(&mut share.sums);
        for (scores, (greatest, sum)) in scores.chunks_exact_mut(size).zip(sums) {
            weigh(scores, 0..size, greatest, sum);
        }
        for (index, value) in values.chunks_exact(head).enumerate() {
            let weights = scores.iter().skip(index).step_by(size);
            for (mixed, weight) in share.mixed.chunks_exact_mut(head).zip(weights) {
                for (mixed, value) in mixed.iter_mut().zip(value) {
                    *mixed = weight.mul_add(*value, *mixed);
                }
            }
        }
    });
    share
}

/// The queries' outputs, of what the pages add to them.
fn add_up(shares: &[Share], context: &mut [f32], head: usize) {
    for (query, context) in context.chunks_exact_mut(head).enumerate() {
        let of = |values: &[f32]| values.get(query).copied().unwrap_or_default();
        let tops = shares.iter().map(|share| of(&share.greatest));
        let top = tops.fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for share in shares {
            let factor = (of(&share.greatest) - top).exp();
            sum += of(&share.sums) * factor;
            let mixed = share.mixed[query * head..].iter();
            for (place, value) in context.iter_mut().zip(mixed) {
                *place += value * factor;
            }
        }
        for place in context {
            *place /= sum;
        }
    }
}
