/// The share of the most frequent label among the labels, 0 to 1; 0 for none. Of `affirmative` and
/// `negative` answers it says how far they agree. O(n log n).
///
/// ```
/// use adit_scoring::inference::polarity_agreement;
///
/// assert_eq!(polarity_agreement(&["yes", "no", "yes", "yes"]), 0.75);
/// assert_eq!(polarity_agreement::<&str>(&[]), 0.0);
/// ```
pub fn polarity_agreement<T: Ord>(labels: &[T]) -> f64 {
    let mut sorted: Vec<&T> = labels.iter().collect();
    sorted.sort_unstable();
    let most = sorted
        .chunk_by(|left, right| left == right)
        .map(<[_]>::len)
        .max();
    most.map_or(0.0, |most| most as f64 / labels.len() as f64)
}
