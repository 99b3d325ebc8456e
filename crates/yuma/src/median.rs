use crate::{number::Number, vector::normalize};

/// The voters of an epoch: rows with active stake, their shares of it, and how much of it a
/// consensus may leave aside.
pub(crate) struct Voters<N> {
    /// Indices of the rows.
    pub(crate) rows: Vec<usize>,
    /// Their stake, normalised among them.
    pub(crate) stake: Vec<N>,
    minority: N,
    total: N,
}

impl<N: Number> Voters<N> {
    /// Those with positive `stake`; `kappa` is the share that must support a weight.
    pub(crate) fn of(stake: &[N], kappa: N) -> Self {
        let rows: Vec<usize> = (0..stake.len())
            .filter(|&row| stake[row].is_positive())
            .collect();
        let mut stake: Vec<N> = rows.iter().map(|&row| stake[row]).collect();
        normalize(&mut stake);
        let total: N = stake.iter().copied().sum();
        Self {
            rows,
            stake,
            minority: total.minus(kappa),
            total,
        }
    }

    /// The largest weight that enough stake supports, of each voter's `weight`.
    pub(crate) fn consensus(&self, median: &mut Median<N>, weights: impl Iterator<Item = N>) -> N {
        median.fill(weights.zip(self.stake.iter().copied()));
        median.find(self.minority, self.total)
    }
}

/// The memory that one weighted median after the other works in.
pub(crate) struct Median<N> {
    /// What remains, as `(score, stake)`; only the first `count`.
    remaining: Vec<(N, N)>,
    count: usize,
    lower: Vec<(N, N)>,
    upper: Vec<(N, N)>,
}

/// How a pivot divides what remains: how many lie below and above it, and their stake.
struct Parts<N> {
    lower: usize,
    below: N,
    upper: usize,
    above: N,
}

impl<N: Number> Median<N> {
    pub(crate) fn new() -> Self {
        Self {
            remaining: Vec::new(),
            count: 0,
            lower: Vec::new(),
            upper: Vec::new(),
        }
    }

    pub(crate) fn fill(&mut self, cells: impl Iterator<Item = (N, N)>) {
        self.remaining.clear();
        self.remaining.extend(cells);
        self.count = self.remaining.len();
        // The buffers change places, so all are as long.
        let empty = (N::ZERO, N::ZERO);
        let length = self.count.max(self.lower.len()).max(self.upper.len());
        for buffer in [&mut self.remaining, &mut self.lower, &mut self.upper] {
            buffer.resize(length, empty);
        }
    }

    /// The score at which the stake below reaches `minority`, by partitioning around pivots; zero
    /// without scores.
    ///
    /// The pivot is the score in the middle of the remaining *list* and nothing is sorted, as on
    /// the chain. Every turn sheds at least the pivot: n²/2 steps at worst, about 3 n as a rule.
    pub(crate) fn find(&mut self, minority: N, total: N) -> N {
        let (mut low, mut high) = (N::ZERO, total);
        loop {
            if self.count == 0 {
                return N::ZERO;
            }
            let pivot = self.remaining[self.count / 2].0;
            if self.count == 1 {
                return pivot;
            }
            let parts = self.partition(pivot);
            let up_to_pivot = low.plus(parts.below);
            let from_pivot = high.minus(parts.above);
            if minority < up_to_pivot && parts.lower > 0 {
                high = up_to_pivot;
                std::mem::swap(&mut self.remaining, &mut self.lower);
                self.count = parts.lower;
            } else if from_pivot <= minority && parts.upper > 0 {
                low = from_pivot;
                std::mem::swap(&mut self.remaining, &mut self.upper);
                self.count = parts.upper;
            } else {
                return pivot;
            }
        }
    }

    /// Puts what lies below and above the pivot aside, in order.
    fn partition(&mut self, pivot: N) -> Parts<N> {
        let mut parts = Parts {
            lower: 0,
            below: N::ZERO,
            upper: 0,
            above: N::ZERO,
        };
        for &(score, stake) in &self.remaining[..self.count] {
            // Written to both, kept by advancing: which way a score goes cannot be predicted.
            self.lower[parts.lower] = (score, stake);
            self.upper[parts.upper] = (score, stake);
            let (is_lower, is_upper) = (score < pivot, score > pivot);
            parts.lower += usize::from(is_lower);
            parts.upper += usize::from(is_upper);
            parts.below = parts.below.plus(if is_lower { stake } else { N::ZERO });
            parts.above = parts.above.plus(if is_upper { stake } else { N::ZERO });
        }
        parts
    }
}
