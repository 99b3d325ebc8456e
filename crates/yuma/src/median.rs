use crate::{fixed::Fixed, sparse::Rows, vector::normalize};

/// For each column, the largest weight that a `kappa` share of the active stake supports: the
/// stake-weighted median over the rows with stake, absent cells counting as zero.
pub(crate) fn consensus(
    active_stake: &[Fixed],
    weights: &Rows,
    columns: usize,
    kappa: Fixed,
) -> Vec<Fixed> {
    let rows: Vec<usize> = (0..active_stake.len())
        .filter(|&row| active_stake[row].is_positive())
        .collect();
    let mut stake: Vec<Fixed> = rows.iter().map(|&row| active_stake[row]).collect();
    normalize(&mut stake);
    let total: Fixed = stake.iter().copied().sum();
    let minority = total.minus(kappa);
    let mut by_column = vec![Vec::new(); columns];
    for (position, &row) in rows.iter().enumerate() {
        for &(column, weight) in &weights[row] {
            by_column[column].push((position, weight));
        }
    }
    let mut scores = vec![Fixed::ZERO; rows.len()];
    by_column
        .iter()
        .map(|cells| {
            scores.fill(Fixed::ZERO);
            for &(position, weight) in cells {
                scores[position] = weight;
            }
            weighted_median(&stake, &scores, minority, total)
        })
        .collect()
}

/// The score at which the stake below reaches `minority`, by partitioning around pivots.
///
/// The pivot is the score in the middle of the remaining *list* and nothing is sorted, which
/// decides ties as the chain does.
pub(crate) fn weighted_median(
    stake: &[Fixed],
    scores: &[Fixed],
    minority: Fixed,
    total: Fixed,
) -> Fixed {
    let mut remaining: Vec<usize> = (0..scores.len()).collect();
    let (mut low, mut high) = (Fixed::ZERO, total);
    // Every turn sheds at least the pivot, so there are at most as many as scores.
    for _ in 0..scores.len() {
        let pivot = scores[remaining[remaining.len() / 2]];
        if remaining.len() == 1 {
            return pivot;
        }
        let stake_of = |part: &[usize]| part.iter().map(|&index| stake[index]).sum::<Fixed>();
        let lower = select(&remaining, |index| scores[index] < pivot);
        let upper = select(&remaining, |index| scores[index] > pivot);
        let up_to_pivot = low.plus(stake_of(&lower));
        let from_pivot = high.minus(stake_of(&upper));
        if minority < up_to_pivot && !lower.is_empty() {
            high = up_to_pivot;
            remaining = lower;
        } else if from_pivot <= minority && !upper.is_empty() {
            low = from_pivot;
            remaining = upper;
        } else {
            return pivot;
        }
    }
    Fixed::ZERO
}

fn select(indices: &[usize], keep: impl Fn(usize) -> bool) -> Vec<usize> {
    indices
        .iter()
        .copied()
        .filter(|&index| keep(index))
        .collect()
}
