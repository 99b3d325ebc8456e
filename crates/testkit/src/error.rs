use std::{io, path::PathBuf};

/// Why a fixture could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is missing or unreadable.
    #[error("cannot read fixture {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not the JSON that was asked for.
    #[error("fixture {} has another shape", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
    /// The file is JSON, but no list of golden cases.
    #[error("fixture {} is not laid out as golden cases", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
    },
    /// The rules of deviation cannot be read.
    #[error("cannot read the rules in {}", path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// Where they differ.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The file is no safetensors file.
    #[error("fixture {} is no safetensors file", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
    },
    /// A report or another file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
