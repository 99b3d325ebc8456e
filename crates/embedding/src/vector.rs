use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Space, kernels};

/// A unit vector in a [`Space`]. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Embedding {
    space: Space,
    values: Arc<[f32]>,
}

#[derive(Serialize, Deserialize)]
struct Raw {
    space: Space,
    values: Vec<f32>,
}

impl Embedding {
    /// Scales `values` to unit length; values that have it already stay as they are, to the last bit.
    ///
    /// # Errors
    /// [`Error::Dimension`], [`Error::NotFinite`] or [`Error::Zero`].
    pub fn new(space: Space, mut values: Vec<f32>) -> Result<Self> {
        if values.len() != space.dimension() {
            return Err(Error::Dimension {
                expected: space.dimension(),
                found: values.len(),
                space,
            });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { space, index });
        }
        // In f64 neither the largest nor the smallest f32 squares out of range.
        let norm = values
            .iter()
            .map(|value| f64::from(*value).powi(2))
            .sum::<f64>()
            .sqrt();
        if norm == 0.0 {
            return Err(Error::Zero { space });
        }
        // Within rounding of unit length a vector stays as it is, so that a stored one reads back bit
        // for bit: rounding to f32 (2⁻²⁴) moves the length by less than 6e-8.
        if (norm - 1.0).abs() > 1e-7 {
            for value in &mut values {
                *value = (f64::from(*value) / norm) as f32;
            }
        }
        Ok(Self {
            space,
            values: values.into(),
        })
    }

    /// The space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The components; their squares sum to 1.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl TryFrom<Raw> for Embedding {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self> {
        Self::new(raw.space, raw.values)
    }
}

impl From<Embedding> for Raw {
    fn from(embedding: Embedding) -> Self {
        Self {
            space: embedding.space,
            values: embedding.values.to_vec(),
        }
    }
}

/// Cosine similarity of two embeddings, −1 to 1.
///
/// # Errors
/// [`Error::SpaceMismatch`] when they live in different spaces.
pub fn cosine(left: &Embedding, right: &Embedding) -> Result<f32> {
    if left.space != right.space {
        return Err(Error::SpaceMismatch {
            left: left.space.clone(),
            right: right.space.clone(),
        });
    }
    let dot = kernels::dot(&left.values, &right.values)?;
    Ok(dot.clamp(-1.0, 1.0))
}
