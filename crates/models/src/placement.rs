//! Where a network runs and in which number format, decided at run time among what was compiled.

use std::{fmt, str::FromStr};

use burn_flex::{Flex, FlexDevice};
use burn_tensor::{FloatDType, backend::Backend};

use crate::{Device, Error, Result};

/// The number format of a network's weights and of what flows between its layers.
///
/// ```
/// use adit_models::Precision;
///
/// assert_eq!("bf16".parse(), Ok(Precision::Bf16));
/// assert_eq!(Precision::default().to_string(), "f32");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits, what the references are computed in.
    #[default]
    F32,
    /// 16 bits with 11 significant ones; overflows beyond 65,504.
    F16,
    /// 16 bits with the range of [`Self::F32`] and 8 significant ones.
    Bf16,
}

impl Precision {
    pub(crate) fn dtype(self) -> FloatDType {
        match self {
            Self::F32 => FloatDType::F32,
            Self::F16 => FloatDType::F16,
            Self::Bf16 => FloatDType::BF16,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        })
    }
}

/// A text names no precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no precision; write f32, f16 or bf16")]
pub struct ParsePrecisionError {
    /// The text, cut at 40 characters.
    pub text: String,
}

impl FromStr for Precision {
    type Err = ParsePrecisionError;

    fn from_str(text: &str) -> Result<Self, ParsePrecisionError> {
        match text {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "bf16" => Ok(Self::Bf16),
            _ => Err(ParsePrecisionError {
                text: text.chars().take(40).collect(),
            }),
        }
    }
}

/// Where a network runs and in which number format. A [`Device`] alone means [`Precision::F32`].
///
/// ```
/// use adit_models::{Device, Placement, Precision};
///
/// let placement = Placement::from(Device::Cuda(0)).with_precision(Precision::Bf16);
/// assert_eq!(placement.to_string(), "cuda:0 in bf16");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// Where.
    pub device: Device,
    /// In which number format.
    pub precision: Precision,
}

impl Placement {
    /// The same place with another number format.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }
}

impl From<Device> for Placement {
    fn from(device: Device) -> Self {
        Self {
            device,
            precision: Precision::default(),
        }
    }
}

impl From<&Device> for Placement {
    fn from(device: &Device) -> Self {
        Self::from(*device)
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.device, self.precision)
    }
}

/// What builds a network on whichever backend the device asks for.
pub(crate) trait Build {
    /// What models see of the network: an object-safe trait without burn's types.
    type Network: ?Sized;

    /// Builds it; `dtype` is the format of its weights and activations.
    fn build<B: Backend>(self, device: &B::Device, dtype: FloatDType)
    -> Result<Box<Self::Network>>;
}

/// Builds a network where it is to run.
///
/// # Errors
/// [`Error::DeviceUnavailable`] for a device that is not compiled in or not there; the builder's own.
pub(crate) fn place<T: Build>(placement: Placement, network: T) -> Result<Box<T::Network>> {
    let dtype = placement.precision.dtype();
    match placement.device {
        Device::Cpu => network.build::<Flex>(&FlexDevice, dtype),
        #[cfg(feature = "cuda")]
        Device::Cuda(index) => {
            let device = burn_cuda::CudaDevice { index };
            // The driver's loader panics where there is no driver or no such device.
            let build = || network.build::<burn_cuda::Cuda>(&device, dtype);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(build)).map_err(|_| {
                Error::DeviceUnavailable {
                    device: placement.device,
                    reason: "CUDA did not start; its own message stands in the log".to_owned(),
                }
            })?
        }
        #[cfg(not(feature = "cuda"))]
        Device::Cuda(_) => Err(Error::DeviceUnavailable {
            device: placement.device,
            reason: "this build lacks the feature cuda".to_owned(),
        }),
    }
}
