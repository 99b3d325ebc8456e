//! Likeness of a line of code to the right one.

use rapidfuzz::distance::indel;
use serde::{Deserialize, Serialize};

use super::matching_blocks::block_ratio;

/// How like two texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextRatio {
    /// [`indel_ratio`], as the package `fuzzywuzzy` has it where `python-Levenshtein` is installed.
    Indel,
    /// [`block_ratio`], as it has it elsewhere.
    Blocks,
}

impl TextRatio {
    /// The likeness, 0 to 1.
    pub fn of(self, first: &str, second: &str) -> f64 {
        match self {
            Self::Indel => indel_ratio(first, second),
            Self::Blocks => block_ratio(first, second),
        }
    }
}

/// `1 - d / (n + m)`, 0 to 1: `d` is the number of characters to insert and delete to get from one
/// text to the other, `n` and `m` their lengths in characters; 1 for two empty texts
/// (`Levenshtein.ratio`). Time is `n · m / 64`.
///
/// ```
/// use adit_scoring::long_context::code::indel_ratio;
///
/// assert_eq!(indel_ratio("abxcd", "abcd"), 1.0 - 1.0 / 9.0);
/// ```
pub fn indel_ratio(first: &str, second: &str) -> f64 {
    let length = first.chars().count() + second.chars().count();
    if length == 0 {
        return 1.0;
    }
    1.0 - indel::distance(first.chars(), second.chars()) as f64 / length as f64
}

/// The likeness in whole hundredths, 0 to 1: 1 for equal texts, else 0 when one is empty, else the
/// ratio rounded, half to even (`fuzzywuzzy` 0.18, `fuzz.ratio` over 100).
///
/// ```
/// use adit_scoring::long_context::code::{TextRatio, rounded_ratio};
///
/// assert_eq!(rounded_ratio("abxcd", "abcd", TextRatio::Indel), 0.89);
/// assert_eq!(rounded_ratio("", "", TextRatio::Blocks), 1.0);
/// ```
pub fn rounded_ratio(first: &str, second: &str, ratio: TextRatio) -> f64 {
    if first == second {
        return 1.0;
    }
    if first.is_empty() || second.is_empty() {
        return 0.0;
    }
    (100.0 * ratio.of(first, second)).round_ties_even() / 100.0
}

/// Which part of a prediction is compared. A line is clean when it has neither a backtick, nor `#`,
/// nor `//`; newlines before the text do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeLine {
    /// The first clean line, be it empty; nothing where none is clean (LongBench).
    FirstClean,
    /// The same, but the whole prediction where that line is empty or there is none (the subnet in
    /// the field).
    FirstCleanOrAll,
    /// The first clean line that is not blank; nothing where there is none.
    FirstFilled,
}

impl CodeLine {
    /// That part of the prediction.
    pub fn of(self, prediction: &str) -> &str {
        let mut lines = prediction.trim_start_matches('\n').split('\n');
        let is_clean = |line: &&str| !line.contains(['`', '#']) && !line.contains("//");
        match self {
            Self::FirstClean => lines.find(is_clean).unwrap_or_default(),
            Self::FirstCleanOrAll => lines
                .find(is_clean)
                .filter(|line| !line.is_empty())
                .unwrap_or(prediction),
            Self::FirstFilled => lines
                .find(|line| is_clean(line) && !line.trim().is_empty())
                .unwrap_or_default(),
        }
    }
}

/// Likeness of a predicted line of code to the right one, in whole hundredths, 0 to 1 (LongBench's
/// `code_sim_score`).
///
/// ```
/// use adit_scoring::long_context::code::{CodeLine, TextRatio, code_similarity};
///
/// let answer = "```python\nreturn valuye\n```";
/// let score = code_similarity(answer, "return value", CodeLine::FirstClean, TextRatio::Indel);
/// assert_eq!(score, 0.96);
/// ```
pub fn code_similarity(prediction: &str, reference: &str, line: CodeLine, ratio: TextRatio) -> f64 {
    rounded_ratio(line.of(prediction), reference, ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_chosen_by_the_rule() {
        let lines = [
            CodeLine::FirstClean,
            CodeLine::FirstCleanOrAll,
            CodeLine::FirstFilled,
        ];
        let chosen = |text: &'static str| lines.map(|line| line.of(text));
        assert_eq!(chosen("\n\nx\ny"), ["x", "x", "x"]);
        assert_eq!(chosen("# c\n\nreal"), ["", "# c\n\nreal", "real"]);
        assert_eq!(chosen("`a`\n// b"), ["", "`a`\n// b", ""]);
        assert_eq!(chosen(""), ["", "", ""]);
        assert_eq!(chosen("a / b\r\n"), ["a / b\r", "a / b\r", "a / b\r"]);
    }

    #[test]
    fn halves_go_to_the_even_hundredth() {
        // 1 - 7/8 is exactly 12.5 hundredths.
        assert_eq!(
            rounded_ratio("a", "abcdefghijklmno", TextRatio::Indel),
            0.12
        );
        assert_eq!(
            rounded_ratio("abc", "abcdefghijklm", TextRatio::Indel),
            0.38
        );
    }
}
