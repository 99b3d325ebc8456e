use std::path::Path;

use tokenizers::Tokenizer;

use crate::{Error, Result, digest::read_bounded};

/// Largest `tokenizer.json`, in bytes.
const LARGEST_FILE: u64 = 64 << 20;
/// What stands in a decoded text for bytes that are no character (yet).
const REPLACEMENT: char = '\u{FFFD}';
/// Replacements at the end of a text that may still become a character.
const LONGEST_BEGINNING: usize = 3;
/// Tokens after which what is held back is told all the same: no text has so many without a character.
const LONGEST_HELD: usize = 64;

/// Texts to tokens and back, by a model's `tokenizer.json`.
///
/// Chat templates are not applied: what is encoded is the text itself, in which special tokens such as
/// `<|im_start|>` are recognised.
#[derive(Debug)]
pub struct CausalTokenizer {
    inner: Tokenizer,
}

impl CausalTokenizer {
    /// Longest text that is encoded, in bytes.
    pub const LONGEST_TEXT: usize = 16 << 20;

    /// Reads `tokenizer.json` of a folder.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Read`], [`Error::Oversized`] for the file;
    /// [`Error::Tokenizer`] for what it holds.
    pub fn load(folder: &Path) -> Result<Self> {
        let bytes = read_bounded(&folder.join("tokenizer.json"), LARGEST_FILE)?;
        let mut inner =
            Tokenizer::from_bytes(bytes).map_err(|source| Error::Tokenizer { source })?;
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|source| Error::Tokenizer { source })?;
        Ok(Self { inner })
    }

    /// How many tokens it knows, those added to the vocabulary included.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The tokens of a text, with those that the tokenizer puts before and after a text (Llama's
    /// `<|begin_of_text|>`) when `opening` says so.
    ///
    /// # Errors
    /// [`Error::Input`] for a text longer than [`Self::LONGEST_TEXT`]; [`Error::Tokenizer`].
    pub fn encode(&self, text: &str, opening: bool) -> Result<Vec<u32>> {
        if text.len() > Self::LONGEST_TEXT {
            return Err(Error::Input {
                reason: format!(
                    "a text of {} bytes, at most {}",
                    text.len(),
                    Self::LONGEST_TEXT
                ),
            });
        }
        let encoding = self
            .inner
            .encode_fast(text, opening)
            .map_err(|source| Error::Tokenizer { source })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of tokens, without the special ones. Bytes that make no character become `U+FFFD`;
    /// tokens beyond the vocabulary give nothing.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn decode(&self, tokens: &[u32]) -> Result<String> {
        self.inner
            .decode(tokens, true)
            .map_err(|source| Error::Tokenizer { source })
    }

    /// Decodes tokens as they come.
    pub fn stream(&self) -> TokenStream<'_> {
        TokenStream {
            tokenizer: self,
            tokens: Vec::new(),
            seen: 0,
            told: 0,
        }
    }
}

/// Decodes tokens as they come, whole characters only: a character of several tokens is held back
/// until its last one. What it gives, together with [`Self::finish`], is [`CausalTokenizer::decode`]
/// of all tokens.
#[derive(Debug)]
pub struct TokenStream<'a> {
    tokenizer: &'a CausalTokenizer,
    /// The tokens of the text told last, without which those after it may read differently (spaces
    /// at the start of a text), and those after it.
    tokens: Vec<u32>,
    /// How many of them are those of the text told last.
    seen: usize,
    /// Bytes of their text that are told.
    told: usize,
}

impl TokenStream<'_> {
    /// The text that the next token completes, which may be empty.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn push(&mut self, token: u32) -> Result<String> {
        self.tokens.push(token);
        let all = self.tokenizer.decode(&self.tokens)?;
        let held = all.chars().rev().take(LONGEST_BEGINNING);
        let held = held.take_while(|last| *last == REPLACEMENT).count();
        let whole = held == 0 || self.tokens.len() > LONGEST_HELD;
        let end = if whole {
            all.len()
        } else {
            all.len() - held * REPLACEMENT.len_utf8()
        };
        let new = all.get(self.told..end).unwrap_or_default().to_owned();
        self.told = self.told.max(end);
        // Special tokens leave no text: those before them still decide how the next one reads.
        if whole && !new.is_empty() {
            self.tokens.drain(..self.seen);
            self.seen = self.tokens.len();
            self.told = self.tokenizer.decode(&self.tokens)?.len();
        }
        Ok(new)
    }

    /// What was held back, as far as it is text.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn finish(self) -> Result<String> {
        let all = self.tokenizer.decode(&self.tokens)?;
        Ok(all.get(self.told..).unwrap_or_default().to_owned())
    }
}
