//! Texts to token ids.

use std::path::Path;

use tokenizers::{PostProcessor, Tokenizer, TruncationParams};

use crate::{Error, Result, digest::read_bounded};

/// Largest `tokenizer.json`, in bytes. Those of a quarter of a million tokens have 17 MB.
const LARGEST_FILE: u64 = 64 << 20;
/// Most bytes of a text that are read for each token of the longest sequence. Ordinary language takes
/// less than 8.
const BYTES_PER_TOKEN: usize = 128;

/// A tokenizer with truncation and without padding.
#[derive(Debug)]
pub(crate) struct SentenceTokenizer {
    inner: Tokenizer,
    longest: usize,
    vocabulary: usize,
    lowercase: bool,
}

impl SentenceTokenizer {
    /// Reads `tokenizer.json`. Token sequences are cut at `longest` ids, special ones included; all
    /// ids lie below `vocabulary`. `lowercase` lower-cases texts before the tokenizer's own rules.
    pub(crate) fn load(
        path: &Path,
        longest: usize,
        vocabulary: usize,
        lowercase: bool,
    ) -> Result<Self> {
        let refuse = |source: String| Error::Tokenizer {
            source: source.into(),
        };
        let mut inner = Tokenizer::from_bytes(read_bounded(path, LARGEST_FILE)?)
            .map_err(|source| Error::Tokenizer { source })?;
        let found = inner.get_vocab_size(true);
        if found > vocabulary {
            return Err(refuse(format!(
                "it has {found} tokens, the model {vocabulary}"
            )));
        }
        let last = inner.get_vocab(true).into_values().max();
        if let Some(last) = last.filter(|id| *id as usize >= vocabulary) {
            return Err(refuse(format!(
                "it has the token {last}, the model {vocabulary} tokens"
            )));
        }
        // Without them a sequence could be empty; and the library subtracts them from the longest
        // sequence unchecked.
        let around = inner
            .get_post_processor()
            .map_or(0, |post| post.added_tokens(false));
        if around == 0 || around >= longest {
            return Err(refuse(format!(
                "it puts {around} special tokens around a text, of at most {longest} tokens"
            )));
        }
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams {
                max_length: longest,
                ..TruncationParams::default()
            }))
            .map_err(|source| Error::Tokenizer { source })?;
        let tokenizer = Self {
            inner,
            longest,
            vocabulary,
            lowercase,
        };
        // The special tokens stand in a list of their own, with whatever numbers.
        tokenizer.ids("")?;
        Ok(tokenizer)
    }

    /// Tokens at which a sequence is cut.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// The ids of one text, with the special tokens around it.
    pub(crate) fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let read = text.floor_char_boundary(self.longest.saturating_mul(BYTES_PER_TOKEN));
        let text = text.get(..read).unwrap_or_default();
        let encoding = if self.lowercase {
            self.inner.encode_fast(text.to_lowercase(), true)
        } else {
            self.inner.encode_fast(text, true)
        };
        let encoding = encoding.map_err(|source| Error::Tokenizer { source })?;
        let ids = encoding.get_ids();
        match ids.iter().find(|id| **id as usize >= self.vocabulary) {
            Some(token) => Err(Error::TokenUnknown { token: *token }),
            None => Ok(ids.to_vec()),
        }
    }
}
