//! Vectors on the wire: packed little-endian numbers with their space, never decimals.

use adit_embedding::{Embedding, Space};
use bytes::{Bytes, BytesMut};
use half::f16;

use crate::{Error, Result, v1};

/// How the components of a vector are packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum VectorEncoding {
    /// 4 bytes a component, lossless.
    #[default]
    F32,
    /// 2 bytes a component, IEEE 754 binary16; unit vectors keep about three decimals.
    F16,
}

impl VectorEncoding {
    /// Bytes of one component.
    pub const fn width(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

/// Packs an embedding.
///
/// ```
/// use adit_embedding::{Embedding, Space};
/// use adit_protocol::vector::{VectorEncoding, decode, encode};
///
/// let space = Space::new("example", 2)?;
/// let embedding = Embedding::new(space.clone(), vec![3.0, 4.0])?;
/// let packed = encode(&embedding, VectorEncoding::F32);
/// assert_eq!(packed.values.len(), 8);
/// assert_eq!(decode(&packed, &space)?, embedding);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode(embedding: &Embedding, encoding: VectorEncoding) -> v1::Vector {
    let space = embedding.space();
    let components = embedding.values();
    let mut packed = BytesMut::with_capacity(components.len() * encoding.width());
    for &component in components {
        match encoding {
            VectorEncoding::F32 => packed.extend_from_slice(&component.to_le_bytes()),
            VectorEncoding::F16 => {
                packed.extend_from_slice(&f16::from_f32(component).to_le_bytes());
            }
        }
    }
    v1::Vector {
        space: space.to_string(),
        // A space has at most 16,384 dimensions.
        dimension: u32::try_from(space.dimension()).unwrap_or(u32::MAX),
        encoding: match encoding {
            VectorEncoding::F32 => v1::vector::Encoding::F32,
            VectorEncoding::F16 => v1::vector::Encoding::F16,
        }
        .into(),
        values: packed.freeze(),
    }
}

/// Unpacks a vector that must lie in `expected`, and scales it to unit length.
///
/// All sizes are checked before anything is allocated.
///
/// # Errors
/// In this order: [`Error::VectorEncoding`], [`Error::VectorSpace`], [`Error::VectorDimension`],
/// [`Error::VectorLength`], [`Error::VectorNotFinite`], [`Error::VectorZero`].
pub fn decode(vector: &v1::Vector, expected: &Space) -> Result<Embedding> {
    let encoding = match v1::vector::Encoding::try_from(vector.encoding) {
        Ok(v1::vector::Encoding::F32) => VectorEncoding::F32,
        Ok(v1::vector::Encoding::F16) => VectorEncoding::F16,
        Ok(v1::vector::Encoding::Unspecified) | Err(_) => {
            return Err(Error::VectorEncoding {
                found: vector.encoding,
            });
        }
    };
    if vector.space != expected.to_string() {
        return Err(Error::VectorSpace {
            expected: expected.clone(),
            found: vector.space.chars().take(80).collect(),
        });
    }
    let dimension = expected.dimension();
    if usize::try_from(vector.dimension) != Ok(dimension) {
        return Err(Error::VectorDimension {
            expected: expected.clone(),
            found: vector.dimension,
        });
    }
    if vector.values.len() != dimension * encoding.width() {
        return Err(Error::VectorLength {
            expected: dimension * encoding.width(),
            found: vector.values.len(),
        });
    }
    let components = unpack(&vector.values, encoding);
    Embedding::new(expected.clone(), components).map_err(|error| match error {
        adit_embedding::Error::NotFinite { index, .. } => Error::VectorNotFinite { index },
        adit_embedding::Error::Zero { .. } => Error::VectorZero,
        other => Error::Vector(other),
    })
}

fn unpack(packed: &Bytes, encoding: VectorEncoding) -> Vec<f32> {
    match encoding {
        VectorEncoding::F32 => packed
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
        VectorEncoding::F16 => packed
            .as_chunks::<2>()
            .0
            .iter()
            .map(|bytes| f16::from_le_bytes(*bytes).to_f32())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn space() -> Space {
        Space::new("test-v1", 3).unwrap()
    }

    fn packed(components: [f32; 3]) -> v1::Vector {
        v1::Vector {
            space: "test-v1/3".into(),
            dimension: 3,
            encoding: v1::vector::Encoding::F32.into(),
            values: components
                .iter()
                .flat_map(|component| component.to_le_bytes())
                .collect(),
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        let sound = packed([1.0, 2.0, 2.0]);
        assert!(decode(&sound, &space()).is_ok());
        let fault = |change: fn(&mut v1::Vector)| {
            let mut vector = sound.clone();
            change(&mut vector);
            decode(&vector, &space()).unwrap_err()
        };
        for encoding in [0, 3, -1] {
            let mut vector = sound.clone();
            vector.encoding = encoding;
            let error = decode(&vector, &space()).unwrap_err();
            assert!(matches!(error, Error::VectorEncoding { found } if found == encoding));
        }
        assert!(matches!(
            fault(|vector| vector.space = "other-v1/3".into()),
            Error::VectorSpace { .. }
        ));
        assert!(matches!(
            fault(|vector| vector.dimension = 4),
            Error::VectorDimension { found: 4, .. }
        ));
        assert!(matches!(
            fault(|vector| vector.values = vector.values.slice(1..)),
            Error::VectorLength {
                expected: 12,
                found: 11
            }
        ));
        assert!(matches!(
            fault(|vector| vector.encoding = v1::vector::Encoding::F16.into()),
            Error::VectorLength {
                expected: 6,
                found: 12
            }
        ));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(matches!(
                decode(&packed([1.0, bad, 0.0]), &space()),
                Err(Error::VectorNotFinite { index: 1 })
            ));
        }
        assert!(matches!(
            decode(&packed([0.0; 3]), &space()),
            Err(Error::VectorZero)
        ));
    }

    proptest! {
        #[test]
        fn embeddings_survive_both_encodings(
            components in proptest::collection::vec(-1.0_f32..1.0, 3)
                .prop_filter("a direction", |all| all.iter().any(|one| one.abs() > 0.01)),
        ) {
            let embedding = Embedding::new(space(), components).unwrap();
            for (encoding, tolerance) in [(VectorEncoding::F32, 1e-6), (VectorEncoding::F16, 2e-3)] {
                let back = decode(&encode(&embedding, encoding), &space()).unwrap();
                for (sent, received) in embedding.values().iter().zip(back.values()) {
                    prop_assert!((sent - received).abs() <= tolerance);
                }
            }
        }

        #[test]
        fn no_vector_panics(
            space_text in ".{0,20}",
            dimension: u32,
            encoding in -1_i32..4,
            values: Vec<u8>,
        ) {
            let vector = v1::Vector { space: space_text, dimension, encoding, values: values.into() };
            prop_assert!(decode(&vector, &space()).is_err());
        }
    }
}
