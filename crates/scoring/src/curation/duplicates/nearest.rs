use adit_embedding::kernels;

use super::{ComparedWith, DuplicatePolicy};

/// Rows compared with each earlier row while that one is at hand: they should fit the second cache.
const BLOCK: usize = 64;

/// The earlier vector one is most like.
#[derive(Clone, Copy)]
pub(super) struct Nearest {
    pub(super) place: usize,
    pub(super) score: f32,
}

/// For each row, in the given order, the most like of those before it.
pub(super) fn among_earlier(
    policy: &DuplicatePolicy,
    rows: &[f32],
    dimension: usize,
    order: &[usize],
) -> Vec<Nearest> {
    let row = |place: usize| {
        rows.get(place * dimension..(place + 1) * dimension)
            .unwrap_or(&[])
    };
    let mut found: Vec<Nearest> = Vec::with_capacity(order.len());
    // Rows that later ones are compared with.
    let mut references: Vec<usize> = Vec::with_capacity(order.len());
    for block in order.chunks(BLOCK) {
        let begin = found.len();
        found.extend(block.iter().map(|&place| Nearest {
            place,
            score: policy.score_least,
        }));
        let Some(open) = found.get_mut(begin..) else {
            break;
        };
        for &earlier in &references {
            let reference = row(earlier);
            for (best, &place) in open.iter_mut().zip(block) {
                compare(best, earlier, reference, row(place));
            }
        }
        let within = references.len();
        for (best, &place) in open.iter_mut().zip(block) {
            for &earlier in references.get(within..).unwrap_or(&[]) {
                compare(best, earlier, row(earlier), row(place));
            }
            if references.is_empty() {
                best.score = 0.0;
            }
            if policy.compared_with == ComparedWith::Everything || !policy.drops(best.score) {
                references.push(place);
            }
        }
    }
    found
}

/// Among equally like ones the first counts.
fn compare(best: &mut Nearest, earlier: usize, reference: &[f32], row: &[f32]) {
    // Rows are equally long, so that there always is a product.
    let cosine = kernels::dot(reference, row).unwrap_or(f32::NEG_INFINITY);
    if cosine > best.score {
        *best = Nearest {
            place: earlier,
            score: cosine,
        };
    }
}
