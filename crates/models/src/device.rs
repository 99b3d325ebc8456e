use std::{fmt, str::FromStr};

/// Where a model runs.
///
/// Text form `cpu`, `cuda` (the first one) or `cuda:INDEX`:
///
/// ```
/// use adit_models::Device;
///
/// assert_eq!("cuda:1".parse(), Ok(Device::Cuda(1)));
/// assert_eq!(Device::Cpu.to_string(), "cpu");
/// assert!("tpu".parse::<Device>().is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// The CPU, on the threads of rayon's global pool (`RAYON_NUM_THREADS` bounds them).
    #[default]
    Cpu,
    /// The CUDA device of this index, counted from 0. Needs the feature `cuda`.
    Cuda(usize),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// A text names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no device; write cpu, cuda or cuda:INDEX")]
pub struct ParseDeviceError {
    /// The text, cut at 40 characters.
    pub text: String,
}

impl FromStr for Device {
    type Err = ParseDeviceError;

    fn from_str(text: &str) -> Result<Self, ParseDeviceError> {
        let refuse = || ParseDeviceError {
            text: text.chars().take(40).collect(),
        };
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(refuse),
        }
    }
}
