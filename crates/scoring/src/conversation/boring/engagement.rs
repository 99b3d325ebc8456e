use std::collections::BTreeMap;

/// `½ · H / ln(speakers) + ½ · turns / (lines − 1)`, with `H` the entropy of the shares of lines and
/// `turns` how often the speaker changes. `speakers` names the speaker of each line. 0 for a
/// monologue, and for fewer than two lines; 1 when all speak alike and nobody twice in a row.
///
/// ```
/// use adit_scoring::conversation::boring::engagement;
///
/// assert_eq!(engagement(&["a", "b", "a", "b"]), 1.0);
/// assert_eq!(engagement(&["a", "a", "a"]), 0.0);
/// ```
pub fn engagement<S: Ord>(speakers: &[S]) -> f64 {
    let mut lines: BTreeMap<&S, usize> = BTreeMap::new();
    for speaker in speakers {
        *lines.entry(speaker).or_default() += 1;
    }
    if lines.len() < 2 {
        return 0.0;
    }
    let count = speakers.len() as f64;
    let entropy: f64 = lines
        .values()
        .map(|lines| *lines as f64 / count)
        .map(|share| -share * share.ln())
        .sum();
    let pairs = speakers.iter().zip(speakers.iter().skip(1));
    let turns = pairs.filter(|(speaker, next)| speaker != next).count();
    let evenness = (entropy / (lines.len() as f64).ln()).min(1.0);
    0.5 * evenness + 0.5 * turns as f64 / (count - 1.0)
}
