use std::{cmp::Ordering, collections::BinaryHeap};

/// A row and its similarity to the query. Better ones are smaller, so that a heap's root is its worst
/// and a sorted list starts with the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The inner product of row and query.
    pub similarity: f32,
    /// The row's number.
    pub row: u32,
}

impl Eq for Neighbour {}

impl Ord for Neighbour {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .similarity
            .total_cmp(&self.similarity)
            .then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Neighbour {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best `k` of what it was offered. Which they are does not depend on the order of offers.
#[derive(Debug, Clone)]
pub struct TopK {
    k: usize,
    heap: BinaryHeap<Neighbour>,
}

impl TopK {
    /// Holds up to `k`, none yet.
    pub fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::new(),
        }
    }

    /// Offers of a smaller similarity than this cannot enter.
    pub fn threshold(&self) -> f32 {
        if self.heap.len() < self.k {
            return f32::NEG_INFINITY;
        }
        self.heap
            .peek()
            .map_or(f32::INFINITY, |worst| worst.similarity)
    }

    /// Takes the candidate if it is better than the worst held, or if there is room.
    pub fn offer(&mut self, candidate: Neighbour) {
        if self.heap.len() < self.k {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    /// Offers all that another holds.
    pub fn merge(&mut self, other: Self) {
        other
            .heap
            .into_iter()
            .for_each(|candidate| self.offer(candidate));
    }

    /// Nearest first.
    pub fn into_sorted(self) -> Vec<Neighbour> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_are_kept_in_any_order_of_offers(
            similarities in prop::collection::vec(prop_oneof![Just(0.5_f32), -1.0_f32..1.0], 0..60),
            k in 0_usize..9,
            split in 0_usize..60,
        ) {
            let mut all: Vec<Neighbour> = similarities
                .iter()
                .zip(0..)
                .map(|(similarity, row)| Neighbour { similarity: *similarity, row })
                .collect();
            let (first, second) = all.split_at(split.min(all.len()));
            let mut top = TopK::new(k);
            let mut other = TopK::new(k);
            second.iter().rev().for_each(|candidate| top.offer(*candidate));
            first.iter().for_each(|candidate| other.offer(*candidate));
            top.merge(other);
            all.sort();
            all.truncate(k);
            prop_assert_eq!(top.into_sorted(), all);
        }
    }
}
