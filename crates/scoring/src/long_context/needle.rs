//! Needles in a haystack: how hard one is to find, and whether an answer found it.

use serde::{Deserialize, Serialize};

use crate::characters::words as raw_words;

/// How hard a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difficulty {
    /// The least.
    Easy,
    /// More.
    Medium,
    /// Much.
    Hard,
    /// The most.
    Extreme,
}

impl Difficulty {
    /// The difficulty of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "easy" => Some(Self::Easy),
            "medium" => Some(Self::Medium),
            "hard" => Some(Self::Hard),
            "extreme" => Some(Self::Extreme),
            _ => None,
        }
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
            Self::Extreme => "extreme",
        }
    }

    const fn raised(self) -> Self {
        match self {
            Self::Easy => Self::Medium,
            Self::Medium => Self::Hard,
            Self::Hard | Self::Extreme => Self::Extreme,
        }
    }
}

/// Where in a context the needle lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedlePosition {
    /// Among the first words.
    Beginning,
    /// In the second half of the first fifth or so.
    Early,
    /// Around the middle.
    Middle,
    /// In the last quarter.
    Late,
    /// Among the last words.
    End,
}

impl NeedlePosition {
    /// The position of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "beginning" => Some(Self::Beginning),
            "early" => Some(Self::Early),
            "middle" => Some(Self::Middle),
            "late" => Some(Self::Late),
            "end" => Some(Self::End),
            _ => None,
        }
    }
}

/// How hard a needle is to find: by length (easy up to 16,000 tokens, medium up to 32,000, hard up to
/// 64,000, extreme beyond), raised one level for a needle early or late and two for one in the middle.
pub const fn difficulty(tokens: u64, position: NeedlePosition) -> Difficulty {
    let by_length = match tokens {
        0..=16_000 => Difficulty::Easy,
        16_001..=32_000 => Difficulty::Medium,
        32_001..=64_000 => Difficulty::Hard,
        _ => Difficulty::Extreme,
    };
    match position {
        NeedlePosition::Beginning | NeedlePosition::End => by_length,
        NeedlePosition::Early | NeedlePosition::Late => by_length.raised(),
        NeedlePosition::Middle => by_length.raised().raised(),
    }
}

/// What an answer made of a needle. All three lie in 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NeedleGrade {
    /// 1 if the answer is the needle and nothing else, up to case, punctuation and articles; else 0.
    pub exact: f64,
    /// 1 if the answer contains the needle as whole words in order; else 0.
    pub retrieved: f64,
    /// [`NeedleGrade::retrieved`], divided by how many times longer the answer is than it may be: an
    /// answer that repeats the whole context contains every needle and has found none.
    pub found: f64,
}

/// Grades an answer against the needle.
///
/// Both are lowered, punctuation other than that inside numbers is dropped, as are the articles `a`,
/// `an` and `the`, and what is left is compared word by word. With `n` words in the needle and `m` in
/// the answer, `found = retrieved · min(1, (n + slack) / m)`: up to `slack` words around the needle
/// are free ("The access code is 48213." for the needle 48213).
///
/// An empty needle is never found. Time grows with the product of both lengths in the worst case and
/// with their sum for text; the answer is read up to `MOST_WORDS` words, beyond which it is refused
/// as not having found anything.
///
/// ```
/// use adit_scoring::long_context::needle::grade;
///
/// let grade = grade("48213", "The access code is 48213.", 12);
/// assert_eq!((grade.exact, grade.retrieved, grade.found), (0.0, 1.0, 1.0));
/// ```
pub fn grade(needle: &str, answer: &str, slack: usize) -> NeedleGrade {
    /// No needle is asked for with an answer of more words.
    const MOST_WORDS: usize = 100_000;
    const MOST_NEEDLE_WORDS: usize = 1_000;
    let none = NeedleGrade {
        exact: 0.0,
        retrieved: 0.0,
        found: 0.0,
    };
    let needle: Vec<String> = words(needle).take(MOST_NEEDLE_WORDS + 1).collect();
    let answer: Vec<String> = words(answer).take(MOST_WORDS + 1).collect();
    if needle.is_empty() || needle.len() > MOST_NEEDLE_WORDS || answer.len() > MOST_WORDS {
        return none;
    }
    if !answer.windows(needle.len()).any(|window| window == needle) {
        return none;
    }
    let free = needle.len().saturating_add(slack);
    NeedleGrade {
        exact: if answer == needle { 1.0 } else { 0.0 },
        retrieved: 1.0,
        found: (free as f64 / answer.len() as f64).min(1.0),
    }
}

/// Lowered words without punctuation and articles. A full stop, comma, slash, colon or hyphen between
/// two digits stays, so that `1.5`, `10:30` and `7/4/1921` are one word each.
fn words(text: &str) -> impl Iterator<Item = String> {
    raw_words(text).filter_map(|raw| {
        let mut word = String::with_capacity(raw.len());
        let mut before = None;
        let mut characters = raw.chars().peekable();
        while let Some(character) = characters.next() {
            let digits_around = before.is_some_and(char::is_numeric)
                && characters.peek().is_some_and(|next| next.is_numeric());
            if character.is_alphanumeric() || (digits_around && ".,/:-".contains(character)) {
                word.extend(character.to_lowercase());
            }
            before = Some(character);
        }
        (!word.is_empty() && !matches!(word.as_str(), "a" | "an" | "the")).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_must_be_found_as_whole_words() {
        let found = |needle: &str, answer: &str| grade(needle, answer, 8).retrieved;
        assert_eq!(found("482", "It is 48213"), 0.0);
        assert_eq!(found("Blue Harbor", "the blue harbor!"), 1.0);
        assert_eq!(found("Blue Harbor", "the harbor is blue"), 0.0);
        assert_eq!(found("7/4/1921", "on 7/4/1921."), 1.0);
        assert_eq!(found("", "anything"), 0.0);
        assert_eq!(found("the", "the"), 0.0);
        assert_eq!(grade("The Eiffel Tower", "Eiffel tower.", 0).exact, 1.0);
    }

    #[test]
    fn repeating_the_context_finds_nothing() {
        let haystack = format!(
            "{} code 48213 {}",
            "hay ".repeat(5_000),
            "hay ".repeat(5_000)
        );
        let grade = grade("48213", &haystack, 12);
        assert_eq!(grade.retrieved, 1.0);
        assert!(grade.found < 0.002, "{grade:?}");
    }

    #[test]
    fn positions_raise_the_difficulty() {
        assert_eq!(difficulty(0, NeedlePosition::Middle), Difficulty::Hard);
        assert_eq!(
            difficulty(32_001, NeedlePosition::Early),
            Difficulty::Extreme
        );
        assert_eq!(difficulty(64_000, NeedlePosition::End), Difficulty::Hard);
    }
}
