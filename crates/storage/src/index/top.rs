use std::{cmp::Ordering, collections::BinaryHeap};

/// A row and its cosine. Better ones are smaller, so that a heap's root is its worst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) cosine: f32,
    pub(super) row: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .cosine
            .total_cmp(&self.cosine)
            .then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best `k` of what it was offered. Which they are does not depend on the order of offers.
#[derive(Debug, Clone)]
pub(super) struct Top {
    k: usize,
    heap: BinaryHeap<Candidate>,
}

impl Top {
    pub(super) fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::new(),
        }
    }

    /// Offers with a smaller cosine than this cannot enter.
    pub(super) fn threshold(&self) -> f32 {
        if self.heap.len() < self.k {
            return f32::NEG_INFINITY;
        }
        self.heap.peek().map_or(f32::INFINITY, |worst| worst.cosine)
    }

    pub(super) fn offer(&mut self, candidate: Candidate) {
        if self.heap.len() < self.k {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        other
            .heap
            .into_iter()
            .for_each(|candidate| self.offer(candidate));
    }

    /// Best first.
    pub(super) fn into_sorted(self) -> Vec<Candidate> {
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
            cosines in prop::collection::vec(prop_oneof![Just(0.5_f32), -1.0_f32..1.0], 0..60),
            k in 0_usize..9,
            split in 0_usize..60,
        ) {
            let mut all: Vec<Candidate> =
                cosines.iter().zip(0..).map(|(cosine, row)| Candidate { cosine: *cosine, row }).collect();
            let (first, second) = all.split_at(split.min(all.len()));
            let mut top = Top::new(k);
            let mut other = Top::new(k);
            second.iter().rev().for_each(|candidate| top.offer(*candidate));
            first.iter().for_each(|candidate| other.offer(*candidate));
            top.merge(other);
            all.sort();
            all.truncate(k);
            prop_assert_eq!(top.into_sorted(), all);
        }
    }
}
