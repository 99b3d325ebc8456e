use super::order::better;

/// The best `count` entries from the best down, equal scores by key; all of them where there are
/// fewer. `O(n + k log k)`.
///
/// ```
/// use adit_primitives::Uid;
/// use adit_scoring::rank::top_k;
///
/// let scores = [(Uid(2), 0.1), (Uid(1), 0.8), (Uid(0), 0.8), (Uid(3), f64::NAN)];
/// assert_eq!(top_k(&scores, 2), [(Uid(0), 0.8), (Uid(1), 0.8)]);
/// ```
pub fn top_k<K: Ord + Copy>(scores: &[(K, f64)], count: usize) -> Vec<(K, f64)> {
    let mut best = scores.to_vec();
    if count < best.len() {
        if count > 0 {
            best.select_nth_unstable_by(count - 1, better);
        }
        best.truncate(count);
    }
    best.sort_unstable_by(better);
    best
}
