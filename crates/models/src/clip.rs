//! CLIP's texts: cleaning, byte pairs, sequences for the text trunk, chunks of long texts.

mod chunks;
mod clean;
mod entities;
mod merges;

use regex::Regex;

use crate::{Error, Result};
use merges::Merges;

/// The marks of start and end as a text spells them; there they are tokens of their own.
const MARKS: [(&str, u32); 2] = [
    ("<|startoftext|>", ClipTokenizer::START),
    ("<|endoftext|>", ClipTokenizer::END),
];

/// Words: the marks, English endings, runs of letters, single digits, runs of anything else.
const WORDS: &str = concat!(
    r"(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d",
    r"|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+",
);

/// The tokenizer of CLIP and ImageBind: 49,408 tokens, sequences of 77. Its vocabulary is compiled in.
///
/// Ids equal those of the original (`SimpleTokenizer`): text is cleaned (glitches repaired as the
/// Python package `ftfy` 6.3 does, HTML entities resolved, blanks joined, lower case), split into
/// words, and each word's bytes are merged pair by pair, the most frequent pair of the training text
/// first.
///
/// One repair of `ftfy` is not done: UTF-8 that was once read as another encoding («donâ€™t») stays as
/// it is.
///
/// ```
/// use adit_models::ClipTokenizer;
///
/// let tokenizer = ClipTokenizer::new()?;
/// assert_eq!(tokenizer.encode("A diagram"), [320, 22697]);
/// assert_eq!(tokenizer.decode(&[320, 22697])?, "a diagram ");
/// let sequence = tokenizer.sequence("A diagram");
/// assert_eq!(sequence[..5], [49406, 320, 22697, 49407, 0]);
/// # Ok::<(), adit_models::Error>(())
/// ```
#[derive(Debug)]
pub struct ClipTokenizer {
    merges: Merges,
    words: Regex,
    cleaner: clean::Cleaner,
}

impl ClipTokenizer {
    /// Tokens of a sequence, marks and padding included.
    pub const CONTEXT: usize = 77;
    /// The token that opens a sequence.
    pub const START: u32 = 49_406;
    /// The token that ends a text; the text trunk reads its answer there.
    pub const END: u32 = 49_407;
    /// The token that pads. It is also the token `!` inside a word.
    pub const PADDING: u32 = 0;
    /// Number of tokens.
    pub const VOCABULARY: usize = 49_408;

    /// Builds the tables from the compiled-in vocabulary: some 20 ms and 15 MB, so keep and share it.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the vocabulary compiled in is damaged.
    pub fn new() -> Result<Self> {
        let expression = |text: &str| {
            Regex::new(text).map_err(|error| Error::Tokenizer {
                source: Box::new(error),
            })
        };
        Ok(Self {
            merges: Merges::parse(include_str!("../vocabularies/clip_merges.txt"))?,
            words: expression(WORDS)?,
            cleaner: clean::Cleaner::new(&expression)?,
        })
    }

    /// The tokens of a text without marks, none for a blank one. Time grows with the text's length
    /// `n` as `n log n` at most.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let cleaned = self.cleaner.clean(text);
        let mut tokens = Vec::new();
        for word in self.words.find_iter(&cleaned) {
            match MARKS.iter().find(|(mark, _)| *mark == word.as_str()) {
                Some((_, token)) => tokens.push(*token),
                None => self.merges.merge(word.as_str(), &mut tokens),
            }
        }
        tokens
    }

    /// The text of tokens: cleaned, with a blank after each word. Bytes that are no UTF-8 become
    /// U+FFFD.
    ///
    /// # Errors
    /// [`Error::TokenUnknown`] for a token outside the vocabulary.
    pub fn decode(&self, tokens: &[u32]) -> Result<String> {
        let mut bytes = Vec::new();
        for token in tokens {
            match MARKS.iter().find(|(_, mark)| mark == token) {
                Some((mark, _)) => bytes.extend_from_slice(mark.as_bytes()),
                None => bytes.extend_from_slice(self.merges.bytes(*token)?),
            }
        }
        Ok(String::from_utf8_lossy(&bytes).replace("</w>", " "))
    }

    /// The sequence of a text: start, its first 75 tokens, end, padding.
    ///
    /// The end is always there. The wrapper in the field appends it before it cuts, so that a text of
    /// 76 or more tokens loses it; the trunk then reads its answer at the start, and all such texts
    /// have one and the same embedding.
    pub fn sequence(&self, text: &str) -> [u32; Self::CONTEXT] {
        framed(&self.encode(text))
    }
}

/// Start, as many tokens as fit, end, padding.
fn framed(tokens: &[u32]) -> [u32; ClipTokenizer::CONTEXT] {
    let mut sequence = [ClipTokenizer::PADDING; ClipTokenizer::CONTEXT];
    let kept = tokens.iter().take(ClipTokenizer::CONTEXT - 2).copied();
    let all = std::iter::once(ClipTokenizer::START)
        .chain(kept)
        .chain(std::iter::once(ClipTokenizer::END));
    for (place, token) in sequence.iter_mut().zip(all) {
        *place = token;
    }
    sequence
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ClipTokenizer;

    fn tokenizer() -> &'static ClipTokenizer {
        static TOKENIZER: std::sync::LazyLock<ClipTokenizer> =
            std::sync::LazyLock::new(|| ClipTokenizer::new().unwrap());
        &TOKENIZER
    }

    #[test]
    fn the_end_of_a_long_text_is_kept() {
        for words in [74, 75, 76, 77, 500] {
            let sequence = tokenizer().sequence(&"cat ".repeat(words));
            assert_eq!(sequence[0], ClipTokenizer::START);
            assert_eq!(sequence[1 + words.min(75)], ClipTokenizer::END);
        }
    }

    #[test]
    fn only_the_exact_mark_is_one() {
        let tokens = |text| tokenizer().encode(text);
        assert_eq!(tokens("<|ENDOFTEXT|>"), [49_407]);
        // A long s is an s in this alphabet without case, but the word is not the mark.
        assert!(!tokens("<|\u{17f}tartoftext|>").contains(&49_406));
        assert!(tokenizer().decode(&[49_408]).is_err());
    }

    #[test]
    fn one_megabyte_is_encoded_in_bounded_time() {
        assert!(tokenizer().encode(&"ab".repeat(1 << 19)).len() > 1 << 17);
        assert!(tokenizer().encode(&" \n".repeat(1 << 19)).is_empty());
        assert!(tokenizer().encode(&"&amp".repeat(1 << 18)).len() > 1 << 16);
    }

    proptest! {
        #[test]
        fn decoding_gives_the_cleaned_text_back(text in "[a-z ]{0,60}") {
            let tokens = tokenizer().encode(&text);
            let decoded = tokenizer().decode(&tokens).unwrap();
            let words: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(decoded.trim_end(), words.join(" "));
        }

        #[test]
        fn any_text_has_tokens_of_the_vocabulary(text in any::<String>()) {
            let tokens = tokenizer().encode(&text);
            prop_assert!(tokens.iter().all(|token| *token < 49_408));
            prop_assert!(tokenizer().decode(&tokens).is_ok());
            prop_assert!(tokenizer().sequence(&text).contains(&ClipTokenizer::END));
        }
    }
}
