use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// An embedding space: vectors of one space, and only those, can be compared.
///
/// Text form `name/dimension`, for instance `minilm-l6-v2/384`. A new model, or another way of
/// preparing its input, is a new space with a new name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Space {
    name: Arc<str>,
    dimension: u32,
}

impl Space {
    /// Longest name, in bytes.
    pub const LONGEST_NAME: usize = 64;
    /// Largest dimension.
    pub const LARGEST_DIMENSION: usize = 16_384;

    /// Names a space.
    ///
    /// # Errors
    /// [`Error::Space`] unless the name has 1 to 64 characters of `a-z 0-9 . -` and the dimension
    /// lies in 1 to 16,384.
    pub fn new(name: &str, dimension: usize) -> Result<Self> {
        let refuse = |reason| Error::Space {
            name: name.chars().take(80).collect(),
            dimension,
            reason,
        };
        if name.is_empty() || name.len() > Self::LONGEST_NAME {
            return Err(refuse("the name must have 1 to 64 characters"));
        }
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
        };
        if !name.bytes().all(allowed) {
            return Err(refuse("the name may contain a-z, 0-9, '.' and '-' only"));
        }
        match u32::try_from(dimension) {
            Ok(dimension) if (1..=Self::LARGEST_DIMENSION as u32).contains(&dimension) => {
                Ok(Self {
                    name: name.into(),
                    dimension,
                })
            }
            _ => Err(refuse("the dimension must lie in 1 to 16384")),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Components of a vector of this space.
    pub fn dimension(&self) -> usize {
        self.dimension as usize
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.dimension)
    }
}

impl TryFrom<String> for Space {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let parts = text
            .rsplit_once('/')
            .and_then(|(name, dimension)| Some((name, dimension.parse().ok()?)));
        match parts {
            Some((name, dimension)) => Self::new(name, dimension),
            None => Err(Error::Space {
                name: text.chars().take(80).collect(),
                dimension: 0,
                reason: "the text form is name/dimension",
            }),
        }
    }
}

impl From<Space> for String {
    fn from(space: Space) -> Self {
        space.to_string()
    }
}
