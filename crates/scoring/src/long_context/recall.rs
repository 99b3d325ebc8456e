//! Repeating one of several like texts out of a long context (OpenAI's MRCR).

use super::code::TextRatio;
use crate::characters::is_space;

/// Characters at the start of the reference that the prediction must repeat.
const PREFIX: usize = 10;

/// Likeness of a prediction to the reference, 0 to 1, where it begins with the reference's first ten
/// characters; else, and where either is empty, 0 (MRCR's grading, as the subnet in the field has
/// it). Compared is what follows them, without white space at the ends.
///
/// The original compares by [`TextRatio::Blocks`], which sees next to no likeness between long texts
/// ([`super::matching_blocks::block_ratio`]).
///
/// ```
/// use adit_scoring::long_context::{code::TextRatio, recall::recall_score};
///
/// let score = |answer| recall_score(answer, "a1b2c3d4e5 the poem", TextRatio::Blocks);
/// assert_eq!(score("a1b2c3d4e5 the poem"), 1.0);
/// assert_eq!(score("the poem"), 0.0);
/// ```
pub fn recall_score(prediction: &str, reference: &str, ratio: TextRatio) -> f64 {
    if prediction.is_empty() || reference.is_empty() {
        return 0.0;
    }
    let (told, prediction) = split(prediction);
    let (asked, reference) = split(reference);
    if told != asked {
        return 0.0;
    }
    ratio.of(
        prediction.trim_matches(is_space),
        reference.trim_matches(is_space),
    )
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .char_indices()
        .nth(PREFIX)
        .map_or(text.len(), |(at, _)| at);
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rest_is_compared() {
        let score = |a, b| recall_score(a, b, TextRatio::Blocks);
        assert_eq!(score("", "x"), 0.0);
        assert_eq!(score("short", "short"), 1.0);
        assert_eq!(score("0123456789", "0123456789 "), 1.0);
        assert_eq!(score("0123456789 hello", "0123456789\u{1f}hallo\n"), 0.8);
        assert_eq!(
            score("一二三四五六七八九十甲", "一二三四五六七八九十甲"),
            1.0
        );
    }
}
