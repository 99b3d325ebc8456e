//! Classes of context length, and the two rules of thumb that turn text into tokens.
//!
//! The system in the field measures length in three units that disagree: words times 1.3, characters
//! divided by 4, and plain characters. Its bounds of classes, leagues and difficulties are stated in
//! "tokens" throughout. Ours are too, and the caller says where its count comes from: a tokeniser's
//! count where there is one, [`estimate_tokens_by_words`] otherwise.

use super::needle::Difficulty;
use crate::characters::words;

/// How long a context is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ContextClass {
    /// Below 2,000 tokens.
    Short,
    /// 2,000 to 7,999.
    Medium,
    /// 8,000 to 31,999.
    Long,
    /// 32,000 to 99,999; for a task, everything from 32,000 on.
    UltraLong,
    /// 100,000 and more.
    Infinite,
}

impl ContextClass {
    /// The class of a request to a miner; none for 0, which stands for "not counted".
    pub const fn of_request(tokens: u64) -> Option<Self> {
        match tokens {
            0 => None,
            100_000.. => Some(Self::Infinite),
            counted => Some(Self::of_task(counted)),
        }
    }

    /// The class of a benchmark task: 0 is short, and nothing is beyond [`ContextClass::UltraLong`].
    pub const fn of_task(tokens: u64) -> Self {
        match tokens {
            0..2_000 => Self::Short,
            2_000..8_000 => Self::Medium,
            8_000..32_000 => Self::Long,
            _ => Self::UltraLong,
        }
    }

    /// The name on the wire: `short`, `medium`, `long`, `ultra_long` or `infinite`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
            Self::UltraLong => "ultra_long",
            Self::Infinite => "infinite",
        }
    }
}

/// Whether a task asks for memory beyond an ordinary context window: more than 16,000 tokens, or
/// [`Difficulty::Extreme`].
pub fn needs_infinite_context(tokens: u64, difficulty: Difficulty) -> bool {
    tokens > 16_000 || difficulty == Difficulty::Extreme
}

/// Tokens of a text by its words: `⌊1.3 · words⌋`, words being separated by white space. Time grows
/// with the text.
///
/// ```
/// use adit_scoring::long_context::length::estimate_tokens_by_words;
///
/// assert_eq!(estimate_tokens_by_words("one two three"), 3);
/// assert_eq!(estimate_tokens_by_words(&"word ".repeat(10)), 13);
/// ```
pub fn estimate_tokens_by_words(text: &str) -> u64 {
    (words(text).count() as f64 * 1.3) as u64
}

/// Tokens of a text by its characters (code points): a quarter, rounded down.
pub fn estimate_tokens_by_characters(text: &str) -> u64 {
    text.chars().count() as u64 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_meet_at_their_bounds() {
        let names = |tokens: &[u64]| -> Vec<&str> {
            let class =
                |tokens: &u64| ContextClass::of_request(*tokens).map_or("-", ContextClass::name);
            tokens.iter().map(class).collect()
        };
        assert_eq!(
            names(&[0, 1, 1_999, 2_000, 7_999, 8_000]),
            ["-", "short", "short", "medium", "medium", "long"]
        );
        assert_eq!(
            names(&[31_999, 32_000, 99_999, 100_000, u64::MAX]),
            ["long", "ultra_long", "ultra_long", "infinite", "infinite"]
        );
        assert_eq!(ContextClass::of_task(0), ContextClass::Short);
        assert_eq!(ContextClass::of_task(u64::MAX), ContextClass::UltraLong);
    }

    #[test]
    fn words_are_split_as_the_originals_do() {
        assert_eq!(
            estimate_tokens_by_words("a\u{1c}b\u{85}c\u{3000}d e\u{200b}f"),
            6
        );
        assert_eq!(estimate_tokens_by_words(" \n\t"), 0);
        assert_eq!(estimate_tokens_by_characters("你好你好你"), 1);
    }
}
