mod single;

use burn_flex::{Flex, FlexTensor};
use burn_tensor::{Tensor, TensorData, TensorPrimitive};
use pulp::Arch;
use rayon::prelude::*;

use super::{
    kernels::weigh,
    pages::{PAGE, Pages},
};

/// Causal attention of new tokens over all tokens so far, page by page: the softmax is summed up as
/// pages come (Milakov and Gimelshein, «Online normalizer calculation for softmax», 2018), so that
/// memory does not grow with the product of both lengths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attention<'a> {
    /// Queries first, then what the pages hold already.
    pub(super) projected: &'a [f32],
    pub(super) pages: &'a Pages,
    /// Tokens before these.
    pub(super) past: usize,
    /// Heads of queries.
    pub(super) heads: usize,
    pub(super) window: Option<usize>,
}

/// What is summed up for a query.
#[derive(Clone, Copy)]
struct Sums {
    greatest: f32,
    sum: f32,
    /// Of the sums over the pages before.
    factor: f32,
}

impl Attention<'_> {
    /// The heads' outputs side by side, a row for each token.
    pub(super) fn apply(self) -> Vec<f32> {
        let (groups, head) = (self.pages.groups, self.pages.head);
        let group = self.heads / groups;
        let width = (self.heads + 2 * groups) * head;
        let count = self.projected.len() / width;
        if count == 1 {
            return self.of_one();
        }
        let total = self.past + count;
        let queries = matrices(self.queries(width, count), [groups, group * count, head]);
        let start = Sums {
            greatest: f32::NEG_INFINITY,
            sum: 0.0,
            factor: 1.0,
        };
        let mut sums = vec![start; self.heads * count];
        let mut mixed = vec![0.0_f32; self.heads * count * head];
        let first = self.first_seen(self.past) / PAGE;
        // Pages of a text that was longer once may lie behind.
        let pages = self.pages.pages.iter().take(total.div_ceil(PAGE));
        for (index, page) in pages.enumerate().skip(first) {
            let start = index * PAGE;
            let keys = PAGE.min(total - start);
            let part = |page: &FlexTensor| floats(page.clone()).narrow(1, 0, keys);
            let mut scores = memory(queries.clone().matmul(part(&page.keys).swap_dims(1, 2)));
            scores
                .storage_mut::<f32>()
                .par_chunks_mut(count * keys)
                .zip(sums.par_chunks_mut(count))
                .for_each(|(scores, sums)| {
                    Arch::new().dispatch(|| {
                        let rows = scores.chunks_exact_mut(keys).zip(sums).enumerate();
                        for (row, (scores, sums)) in rows {
                            let here = self.past + row;
                            let seen = self.first_seen(here).saturating_sub(start).min(keys)
                                ..(here + 1).saturating_sub(start).min(keys);
                            sums.factor = weigh(scores, seen, &mut sums.greatest, &mut sums.sum);
                        }
                    });
                });
            let more = memory(floats(scores).matmul(part(&page.values)));
            mixed
                .par_chunks_mut(count * head)
                .zip(more.storage::<f32>().par_chunks(count * head))
                .zip(sums.par_chunks(count))
                .for_each(|((mixed, more), sums)| {
                    let rows = mixed.chunks_exact_mut(head).zip(more.chunks_exact(head));
                    for ((mixed, more), sums) in rows.zip(sums) {
                        for (mixed, more) in mixed.iter_mut().zip(more) {
                            *mixed = mixed.mul_add(sums.factor, *more);
                        }
                    }
                });
        }
        self.side_by_side(&mixed, &sums, count)
    }

    /// The first token that the token at a place sees.
    fn first_seen(&self, place: usize) -> usize {
        self.window
            .map_or(0, |window| (place + 1).saturating_sub(window))
    }

    /// The queries head by head, scaled by the root of a head's size.
    fn queries(&self, width: usize, count: usize) -> Vec<f32> {
        let head = self.pages.head;
        let scale = 1.0 / (head as f32).sqrt();
        let mut queries = vec![0.0; self.heads * count * head];
        for (row, projected) in self.projected.chunks_exact(width).enumerate() {
            let heads = queries.chunks_exact_mut(count * head);
            for (queries, query) in heads.zip(projected.chunks_exact(head)) {
                let places = queries[row * head..].iter_mut();
                for (place, value) in places.zip(query) {
                    *place = value * scale;
                }
            }
        }
        queries
    }

    fn side_by_side(&self, mixed: &[f32], sums: &[Sums], count: usize) -> Vec<f32> {
        let head = self.pages.head;
        let width = self.heads * head;
        let mut rows = vec![0.0; count * width];
        for (row, places) in rows.chunks_exact_mut(width).enumerate() {
            for (index, place) in places.chunks_exact_mut(head).enumerate() {
                let from = index * count + row;
                let share = 1.0 / sums.get(from).map_or(1.0, |sums| sums.sum);
                let values = mixed[from * head..].iter();
                for (place, value) in place.iter_mut().zip(values) {
                    *place = value * share;
                }
            }
        }
        rows
    }
}

fn matrices(values: Vec<f32>, shape: [usize; 3]) -> Tensor<Flex, 3> {
    floats(FlexTensor::from_data(TensorData::new(values, shape)))
}

fn floats(memory: FlexTensor) -> Tensor<Flex, 3> {
    Tensor::from_primitive(TensorPrimitive::Float(memory))
}

fn memory(tensor: Tensor<Flex, 3>) -> FlexTensor {
    tensor.into_primitive().tensor()
}
