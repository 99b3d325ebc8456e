use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{Error, Result};

/// A task's id: a ULID, so that ids sort by the time they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(Ulid);

impl TaskId {
    /// An id from its time (milliseconds since the Unix epoch, 48 bits) and 80 bits of chance.
    pub fn from_parts(unix_millis: u64, chance: u128) -> Self {
        Self(Ulid::from_parts(unix_millis, chance))
    }

    /// When it was made, in milliseconds since the Unix epoch.
    pub fn unix_millis(&self) -> u64 {
        self.0.timestamp_ms()
    }

    /// The sixteen bytes, big-endian.
    pub fn to_bytes(&self) -> [u8; 16] {
        self.0.to_bytes()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for TaskId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ulid::from_string(text)
            .map(Self)
            .map_err(|_| Error::TaskId {
                text: text.chars().take(80).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_text() {
        let (early, late) = (TaskId::from_parts(1, u128::MAX), TaskId::from_parts(2, 0));
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(late.to_string().parse::<TaskId>().unwrap(), late);
        assert_eq!(late.unix_millis(), 2);
        assert!("no".parse::<TaskId>().is_err());
    }
}
