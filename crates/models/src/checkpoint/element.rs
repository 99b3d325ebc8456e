//! The number formats of checkpoints, and those of networks.

use burn_tensor::{Element as BurnElement, bf16, f16};
use half::slice::HalfFloatSliceExt;

/// The element type of a tensor in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    F16,
    Bf16,
    F32,
    F64,
    /// One that no network takes; it can be copied.
    Other {
        name: &'static str,
        bytes: u64,
    },
}

/// Those that are no floats, under the names of safetensors.
const OTHERS: [(&str, u64); 12] = [
    ("BOOL", 1),
    ("U8", 1),
    ("I8", 1),
    ("F8_E4M3", 1),
    ("F8_E5M2", 1),
    ("U16", 2),
    ("I16", 2),
    ("U32", 4),
    ("I32", 4),
    ("U64", 8),
    ("I64", 8),
    ("C64", 8),
];

impl Element {
    /// The element type of this name in safetensors.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "F16" => Some(Self::F16),
            "BF16" => Some(Self::Bf16),
            "F32" => Some(Self::F32),
            "F64" => Some(Self::F64),
            _ => OTHERS
                .into_iter()
                .find(|(other, _)| *other == name)
                .map(|(name, bytes)| Self::Other { name, bytes }),
        }
    }

    /// Its name in safetensors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::Other { name, .. } => name,
        }
    }

    /// Bytes of one element.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other { bytes, .. } => bytes,
        }
    }

    pub(crate) fn is_float(self) -> bool {
        !matches!(self, Self::Other { .. })
    }
}

/// A number format of networks.
pub(crate) trait Number: BurnElement + Copy {
    /// The same format in a file.
    const ELEMENT: Element;
    const ZERO: Self;
    /// Appends what stands in a file in this very format.
    fn copied(bytes: &[u8], into: &mut Vec<Self>);
    /// Appends converted values.
    fn rounded(values: &[f32], into: &mut Vec<Self>);
    fn rounded_once(value: f64) -> Self;
    fn finite(self) -> bool;
}

impl Number for f32 {
    const ELEMENT: Element = Element::F32;
    const ZERO: Self = 0.0;

    fn copied(bytes: &[u8], into: &mut Vec<Self>) {
        into.extend(
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|four| Self::from_le_bytes(*four)),
        );
    }

    fn rounded(values: &[f32], into: &mut Vec<Self>) {
        into.extend_from_slice(values);
    }

    fn rounded_once(value: f64) -> Self {
        value as Self
    }

    fn finite(self) -> bool {
        self.is_finite()
    }
}

/// What the two half formats have in common but for their names.
macro_rules! half_number {
    ($format:ident, $element:ident) => {
        impl Number for $format {
            const ELEMENT: Element = Element::$element;
            const ZERO: Self = Self::ZERO;

            fn copied(bytes: &[u8], into: &mut Vec<Self>) {
                into.extend(
                    bytes
                        .as_chunks()
                        .0
                        .iter()
                        .map(|two| Self::from_le_bytes(*two)),
                );
            }

            fn rounded(values: &[f32], into: &mut Vec<Self>) {
                let before = into.len();
                into.resize(before + values.len(), Self::ZERO);
                if let Some(places) = into.get_mut(before..) {
                    places.convert_from_f32_slice(values);
                }
            }

            fn rounded_once(value: f64) -> Self {
                // The crate's own conversion drops the lower half of a double.
                Self::from_f32(to_odd(value))
            }

            fn finite(self) -> bool {
                self.is_finite()
            }
        }
    };
}

half_number!(f16, F16);
half_number!(bf16, Bf16);

/// Converts the bytes of a file's floats; others give nothing. `wide` is kept from call to call.
pub(crate) fn convert<T: Number>(
    element: Element,
    bytes: &[u8],
    wide: &mut Vec<f32>,
    into: &mut Vec<T>,
) {
    if element == T::ELEMENT {
        return T::copied(bytes, into);
    }
    wide.clear();
    match element {
        Element::F32 => f32::copied(bytes, wide),
        Element::F16 => widen::<f16>(bytes, wide),
        Element::Bf16 => widen::<bf16>(bytes, wide),
        Element::F64 => {
            // Rounded once: by way of 32 bits a half could be rounded twice.
            let eights = bytes.as_chunks().0.iter();
            into.extend(eights.map(|eight| T::rounded_once(f64::from_le_bytes(*eight))));
            return;
        }
        Element::Other { .. } => return,
    }
    T::rounded(wide, into);
}

/// A double at 32 bits, cut rather than rounded, with the last bit set if that lost anything: rounding
/// that once more gives what rounding the double once would.
fn to_odd(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) == value || !nearest.is_finite() {
        return nearest;
    }
    let beyond = f64::from(nearest).abs() > value.abs();
    let cut = nearest.to_bits() - u32::from(beyond);
    f32::from_bits(cut | 1)
}

/// Whether the float at an index of a file's bytes is finite.
pub(crate) fn finite_at(element: Element, bytes: &[u8], index: usize) -> bool {
    let width = element.bytes() as usize;
    let own = bytes
        .get(index * width..(index + 1) * width)
        .unwrap_or_default();
    if element == Element::F64 {
        // Its own format: 32 bits may not hold it.
        return own
            .as_chunks()
            .0
            .iter()
            .all(|eight| f64::from_le_bytes(*eight).is_finite());
    }
    let mut value = Vec::new();
    convert::<f32>(element, own, &mut Vec::new(), &mut value);
    value.iter().all(|value| value.is_finite())
}

fn widen<H: Number>(bytes: &[u8], wide: &mut Vec<f32>)
where
    [H]: HalfFloatSliceExt,
{
    let mut halves = Vec::with_capacity(bytes.len() / 2);
    H::copied(bytes, &mut halves);
    wide.resize(halves.len(), 0.0);
    halves.convert_to_f32_slice(wide);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<T: Number>(element: Element, bytes: &[u8]) -> Vec<T> {
        let mut into = Vec::new();
        convert(element, bytes, &mut Vec::new(), &mut into);
        into
    }

    #[test]
    fn formats_convert_into_each_other() {
        let values = [1.5_f32, -0.25, 65_504.0];
        let f32s: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let f64s: Vec<u8> = values
            .iter()
            .flat_map(|v| f64::from(*v).to_le_bytes())
            .collect();
        let f16s: Vec<u8> = values
            .iter()
            .flat_map(|v| f16::from_f32(*v).to_le_bytes())
            .collect();
        for (element, bytes) in [
            (Element::F32, &f32s),
            (Element::F64, &f64s),
            (Element::F16, &f16s),
        ] {
            assert_eq!(of::<f32>(element, bytes), values);
            assert_eq!(of::<f16>(element, bytes), values.map(f16::from_f32));
            assert_eq!(of::<bf16>(element, bytes), values.map(bf16::from_f32));
        }
        let halves: Vec<u8> = values
            .iter()
            .flat_map(|v| bf16::from_f32(*v).to_le_bytes())
            .collect();
        assert_eq!(
            of::<f32>(Element::Bf16, &halves),
            values.map(|v| bf16::from_f32(v).to_f32())
        );
        // What a half cannot hold is no longer finite.
        let large = of::<f16>(Element::F32, &70_000_f32.to_le_bytes());
        assert!(!large.iter().all(|value| value.finite()));
    }

    /// 1 + 2^-11 + 2^-40 lies above the middle of two halves; by way of f32 it would fall on it.
    #[test]
    fn doubles_are_rounded_once() {
        let value = 1.0 + 2_f64.powi(-11) + 2_f64.powi(-40);
        let found = of::<f16>(Element::F64, &value.to_le_bytes());
        assert_eq!(found, [f16::from_f32(1.0 + 2_f32.powi(-10))]);
    }
}
