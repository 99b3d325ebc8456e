//! Fakes for tests of code that needs an embedder but no model.

use crate::{Embedding, Result, Space, TextEmbedder};

/// Hashes words into a vector: equal texts are equal, texts that share words are near. It knows no
/// meaning and must never judge real answers.
#[derive(Debug, Clone)]
pub struct HashEmbedder {
    space: Space,
}

impl HashEmbedder {
    /// An embedder of the given dimension, in a space of its own.
    ///
    /// # Errors
    /// [`crate::Error::Space`] when the dimension is out of range.
    pub fn new(dimension: usize) -> Result<Self> {
        Ok(Self {
            space: Space::new("testing-hash-v1", dimension)?,
        })
    }
}

impl TextEmbedder for HashEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>> {
        let embed = |text: &&str| {
            let mut values = vec![1e-6_f32; self.space.dimension()];
            for word in text.split_whitespace() {
                // FNV-1a: stable across platforms and releases.
                let hash = word
                    .to_lowercase()
                    .bytes()
                    .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
                    });
                let place = (hash % values.len() as u64) as usize;
                values[place] += if hash >> 63 == 0 { 1.0 } else { -1.0 };
            }
            Embedding::new(self.space.clone(), values)
        };
        texts.iter().map(embed).collect()
    }
}
