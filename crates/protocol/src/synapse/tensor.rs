use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{fault::SynapseError, msgpack};

/// Greatest number of dimensions (numpy's own is 64).
const MOST_DIMENSIONS: usize = 32;

/// `bittensor.Tensor` as a field of a synapse: base64 of a msgpack map that msgpack-numpy writes,
/// beside the name of the type and the shape.
///
/// ```
/// use adit_protocol::synapse::{NumericArray, NumericType, Tensor};
///
/// let array = NumericArray::from_f32(vec![3], &[1.0, 2.0, 3.0])?;
/// let tensor = Tensor::from_array(&array);
/// assert_eq!((tensor.dtype.as_str(), tensor.shape.as_slice()), ("float32", [3].as_slice()));
/// assert_eq!(tensor.array(1 << 20)?.to_f64(), [1.0, 2.0, 3.0]);
/// # assert_eq!(array.kind(), NumericType::Float32);
/// # Ok::<(), adit_protocol::synapse::SynapseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tensor {
    /// Base64 of the map.
    pub buffer: String,
    /// Name of the type, such as `float32`, or `torch.float32`.
    pub dtype: String,
    /// The shape; `[0]` for a single number.
    pub shape: Vec<u64>,
}

/// The types of numbers in a [`Tensor`]; all little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum NumericType {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float16,
    Float32,
    Float64,
}

const TYPES: [(NumericType, &str, &str, usize); 12] = [
    (NumericType::Bool, "bool", "|b1", 1),
    (NumericType::Int8, "int8", "|i1", 1),
    (NumericType::Int16, "int16", "<i2", 2),
    (NumericType::Int32, "int32", "<i4", 4),
    (NumericType::Int64, "int64", "<i8", 8),
    (NumericType::Uint8, "uint8", "|u1", 1),
    (NumericType::Uint16, "uint16", "<u2", 2),
    (NumericType::Uint32, "uint32", "<u4", 4),
    (NumericType::Uint64, "uint64", "<u8", 8),
    (NumericType::Float16, "float16", "<f2", 2),
    (NumericType::Float32, "float32", "<f4", 4),
    (NumericType::Float64, "float64", "<f8", 8),
];

impl NumericType {
    fn row(self) -> (&'static str, &'static str, usize) {
        TYPES
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or(("bool", "|b1", 1), |(_, name, code, size)| {
                (name, code, *size)
            })
    }

    /// numpy's name, such as `float32`.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Bytes of one number.
    pub fn size(self) -> usize {
        self.row().2
    }

    fn of_code(code: &[u8]) -> Option<Self> {
        let found = TYPES
            .iter()
            .find(|(_, _, known, _)| known.as_bytes() == code);
        found.map(|(kind, ..)| *kind)
    }
}

/// Numbers of one type in a shape, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumericArray {
    kind: NumericType,
    shape: Vec<u64>,
    bytes: Vec<u8>,
}

impl NumericArray {
    /// Wraps little-endian bytes; an empty shape is a single number.
    ///
    /// # Errors
    /// [`SynapseError::Tensor`] when the bytes do not fill the shape.
    pub fn new(kind: NumericType, shape: Vec<u64>, bytes: Vec<u8>) -> Result<Self, SynapseError> {
        let refused = |reason| SynapseError::Tensor { reason };
        if shape.len() > MOST_DIMENSIONS {
            return Err(refused("too many dimensions"));
        }
        let wanted = shape.iter().try_fold(kind.size(), |product, side| {
            product.checked_mul(usize::try_from(*side).ok()?)
        });
        if wanted != Some(bytes.len()) {
            return Err(refused("the data does not fill the shape"));
        }
        Ok(Self { kind, shape, bytes })
    }

    /// Packs single-precision numbers.
    ///
    /// # Errors
    /// [`SynapseError::Tensor`] when they do not fill the shape.
    pub fn from_f32(shape: Vec<u64>, values: &[f32]) -> Result<Self, SynapseError> {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        Self::new(NumericType::Float32, shape, bytes)
    }

    /// Type of the numbers.
    pub fn kind(&self) -> NumericType {
        self.kind
    }

    /// Sides; none for a single number.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The numbers' bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The numbers as doubles, row by row; 64-bit integers are rounded.
    pub fn to_f64(&self) -> Vec<f64> {
        fn all<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|chunk| read(*chunk))
                .collect()
        }
        let bytes = &self.bytes;
        match self.kind {
            NumericType::Bool => all(bytes, |[byte]| f64::from(u8::from(byte != 0))),
            NumericType::Int8 => all(bytes, |b| f64::from(i8::from_le_bytes(b))),
            NumericType::Int16 => all(bytes, |b| f64::from(i16::from_le_bytes(b))),
            NumericType::Int32 => all(bytes, |b| f64::from(i32::from_le_bytes(b))),
            NumericType::Int64 => all(bytes, |b| i64::from_le_bytes(b) as f64),
            NumericType::Uint8 => all(bytes, |b| f64::from(u8::from_le_bytes(b))),
            NumericType::Uint16 => all(bytes, |b| f64::from(u16::from_le_bytes(b))),
            NumericType::Uint32 => all(bytes, |b| f64::from(u32::from_le_bytes(b))),
            NumericType::Uint64 => all(bytes, |b| u64::from_le_bytes(b) as f64),
            NumericType::Float16 => all(bytes, |b| half::f16::from_le_bytes(b).to_f64()),
            NumericType::Float32 => all(bytes, |b| f64::from(f32::from_le_bytes(b))),
            NumericType::Float64 => all(bytes, f64::from_le_bytes),
        }
    }
}

impl Tensor {
    /// Packs an array as msgpack-numpy does.
    pub fn from_array(array: &NumericArray) -> Self {
        let (name, code, _) = array.kind.row();
        let buffer = msgpack::write_array(code, &array.shape, &array.bytes);
        let single = array.shape.is_empty();
        Self {
            buffer: STANDARD.encode(buffer),
            dtype: name.to_owned(),
            shape: if single { vec![0] } else { array.shape.clone() },
        }
    }

    /// Unpacks the buffer, which alone counts: `dtype` and `shape` beside it are not believed.
    /// Nothing above `most_bytes` is decoded.
    ///
    /// # Errors
    /// [`SynapseError::Tensor`].
    pub fn array(&self, most_bytes: usize) -> Result<NumericArray, SynapseError> {
        let refused = |reason| SynapseError::Tensor { reason };
        if self.buffer.len() / 4 * 3 > most_bytes {
            return Err(refused("the buffer is too large"));
        }
        let packed = STANDARD
            .decode(&self.buffer)
            .map_err(|_| refused("the buffer is no base64"))?;
        let parts = msgpack::read_array(&packed).map_err(refused)?;
        let kind = NumericType::of_code(parts.code).ok_or_else(|| refused("unknown type"))?;
        NumericArray::new(kind, parts.shape, parts.data.to_vec())
    }
}
