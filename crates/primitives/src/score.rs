use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, Result};

/// A finite score. The scale is the mechanism's own; most use 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Score(f64);

impl Score {
    /// Nothing earned.
    pub const ZERO: Self = Self(0.0);

    /// Wraps a number.
    ///
    /// # Errors
    /// [`Error::ScoreNotFinite`] for NaN and infinities.
    pub fn new(value: f64) -> Result<Self> {
        if value.is_finite() {
            Ok(Self(value))
        } else {
            Err(Error::ScoreNotFinite { value })
        }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
