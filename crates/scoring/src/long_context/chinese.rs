//! Chinese text: its words, and the metrics over them (feature `chinese`).

use jieba_rs::Jieba;

use super::{
    normalise::normalise_chinese_answer,
    overlap::token_f1,
    rouge::{RougeScore, rouge_l},
};
use crate::Result;

/// Cuts Chinese text into words as jieba 0.42.1 does in its precise mode, with its own dictionary
/// and its hidden Markov model for words outside it.
///
/// `jieba-rs` has the same dictionary and method; three of its rules differ, and are undone here:
/// it counts one dictionary line less, it takes more ideographs for Chinese, and it holds names such
/// as `WES-5.4` together. Its emission probabilities are rounded to six decimals, so a run of
/// characters outside the dictionary could be cut differently where two readings are equally likely
/// to about 1e-6.
///
/// Building takes some tenths of a second and some tens of megabytes: build one and keep it.
#[derive(Debug, Clone)]
pub struct ChineseSegmenter {
    jieba: Jieba,
}

impl Default for ChineseSegmenter {
    fn default() -> Self {
        Self::new()
    }
}

impl ChineseSegmenter {
    /// Reads the dictionary, which is compiled in.
    pub fn new() -> Self {
        let mut jieba = Jieba::new();
        // The original dictionary has one word twice, and counts both lines in the total by which
        // frequencies are divided. A character that is in no word makes up for the second.
        jieba.add_word("\0", Some(REPEATED_FREQUENCY), None);
        Self { jieba }
    }

    /// The words of a text, in order; together they are the text. Time is linear in the length, but
    /// for the longest words of the dictionary.
    ///
    /// ```
    /// use adit_scoring::long_context::chinese::ChineseSegmenter;
    ///
    /// let segmenter = ChineseSegmenter::new();
    /// assert_eq!(segmenter.words("我们去北京"), ["我们", "去", "北京"]);
    /// ```
    pub fn words<'text>(&self, text: &'text str) -> Vec<&'text str> {
        let mut words = Vec::with_capacity(text.len() / 4);
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(is_beyond).unwrap_or(rest.len());
            let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            for token in self.jieba.cut(part, true) {
                if is_joined(token.word) {
                    push_parts(token.word, &mut words);
                } else {
                    words.push(token.word);
                }
            }
            let length = after.chars().next().map_or(0, char::len_utf8);
            let (character, after) = after.split_at_checked(length).unwrap_or_default();
            if !character.is_empty() {
                words.push(character);
            }
            rest = after;
        }
        words
    }

    /// F1 of the words of two Chinese answers, 0 to 1: [`token_f1`] of their words, each after
    /// [`normalise_chinese_answer`], empty ones left out (LongBench's `qa_f1_zh_score`).
    pub fn answer_f1(&self, prediction: &str, reference: &str) -> f64 {
        let tokens = |text| {
            let words = self.words(text).into_iter().map(normalise_chinese_answer);
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>()
        };
        token_f1(&tokens(prediction), &tokens(reference))
    }

    /// [`rouge_l`] of two Chinese texts, their words set apart by spaces (LongBench's
    /// `rouge_zh_score`, which takes 0 for an error). The Chinese full stop ends no sentence.
    ///
    /// # Errors
    /// [`crate::Error::Empty`] when a text has no character but `.`.
    pub fn rouge_l(&self, prediction: &str, reference: &str) -> Result<RougeScore> {
        let spaced = |text| self.words(text).join(" ");
        rouge_l(&spaced(prediction), &spaced(reference))
    }
}

/// Frequency of the word that the original dictionary has twice.
const REPEATED_FREQUENCY: usize = 3;

/// Ideographs that the original leaves alone, one by one, and `jieba-rs` does not.
fn is_beyond(character: char) -> bool {
    matches!(character,
        '\u{3400}'..='\u{4dbf}'
            | '\u{9fd6}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{2ebef}'
            | '\u{2f800}'..='\u{2fa1f}')
}

/// Whether a word is one that `jieba-rs` joins at `.`, `_` and `-`. None of the dictionary is.
fn is_joined(word: &str) -> bool {
    word.len() > 2
        && word.starts_with(|first: char| first.is_ascii_alphanumeric())
        && word.contains(['.', '_', '-'])
}

/// The parts that the original makes of it: letters and digits, which take a following decimal
/// fraction and a percent sign, and the signs between.
fn push_parts<'text>(mut word: &'text str, words: &mut Vec<&'text str>) {
    let run = |text: &str, has: fn(&char) -> bool| text.chars().take_while(has).count();
    while !word.is_empty() {
        // All is ASCII, so that a character is a byte.
        let mut end = run(word, char::is_ascii_alphanumeric);
        if end == 0 {
            end = 1;
        } else {
            let fraction = word.get(end..).and_then(|after| after.strip_prefix('.'));
            let digits = fraction.map_or(0, |digits| run(digits, char::is_ascii_digit));
            if digits > 0 {
                end += 1 + digits;
            }
            if word.get(end..).is_some_and(|after| after.starts_with('%')) {
                end += 1;
            }
        }
        let (part, after) = word.split_at_checked(end).unwrap_or((word, ""));
        words.push(part);
        word = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_names_come_apart_as_in_the_original() {
        let parts = |word| {
            let mut words = Vec::new();
            push_parts(word, &mut words);
            words
        };
        assert_eq!(parts("1.2.3"), ["1.2", ".", "3"]);
        assert_eq!(parts("1.2b%"), ["1.2", "b%"]);
        assert_eq!(parts("WES-5.4.5"), ["WES", "-", "5.4", ".", "5"]);
        assert_eq!(parts("a-5%"), ["a", "-", "5%"]);
    }

    #[test]
    fn words_are_those_of_the_original() {
        let segmenter = ChineseSegmenter::default();
        let cut = |text| segmenter.words(text);
        assert_eq!(
            cut("型号WES-5.4.5的"),
            ["型号", "WES", "-", "5.4", ".", "5", "的"]
        );
        assert_eq!(
            cut("a\r\nb 㐀㐁鿿"),
            ["a", "\r\n", "b", " ", "㐀", "㐁", "鿿"]
        );
        assert_eq!(cut(""), [] as [&str; 0]);
    }
}
