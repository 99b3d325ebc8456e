//! Texts to token ids.

use std::path::Path;

use tokenizers::{Tokenizer, TruncationParams};

use crate::{Error, Result, digest::read_bounded};

/// Largest `tokenizer.json`, in bytes.
const LARGEST_FILE: u64 = 16 << 20;

/// Most bytes of a text that are read. 254 WordPieces of ordinary language take less than 2 KiB.
pub(crate) const LONGEST_TEXT: usize = 32 << 10;

/// A WordPiece tokenizer with truncation and without padding.
#[derive(Debug)]
pub(crate) struct SentenceTokenizer {
    inner: Tokenizer,
}

impl SentenceTokenizer {
    /// Reads `tokenizer.json`. Token sequences are cut at `longest` ids, special ones included; all
    /// ids lie below `vocabulary`.
    pub(crate) fn load(path: &Path, longest: usize, vocabulary: usize) -> Result<Self> {
        let mut inner = Tokenizer::from_bytes(read_bounded(path, LARGEST_FILE)?)
            .map_err(|source| Error::Tokenizer { source })?;
        let found = inner.get_vocab_size(true);
        if found > vocabulary {
            return Err(Error::Tokenizer {
                source: format!("it has {found} tokens, the model {vocabulary}").into(),
            });
        }
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams {
                max_length: longest,
                ..TruncationParams::default()
            }))
            .map_err(|source| Error::Tokenizer { source })?;
        Ok(Self { inner })
    }

    /// The ids of one text, with the special tokens at both ends; at least these two.
    pub(crate) fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let read = text.floor_char_boundary(LONGEST_TEXT);
        let encoding = self
            .inner
            .encode_fast(text.get(..read).unwrap_or_default(), true)
            .map_err(|source| Error::Tokenizer { source })?;
        Ok(encoding.get_ids().to_vec())
    }
}
