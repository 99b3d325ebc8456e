use std::path::PathBuf;

/// Why a part of the video mechanism fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Media cannot be fetched or decoded.
    #[error("media: {0}")]
    Media(#[from] adit_media::Error),
    /// Something cannot be embedded.
    #[error("embedding: {0}")]
    Embedding(#[from] adit_embedding::Error),
    /// A model cannot be loaded.
    #[cfg(feature = "models")]
    #[error("the model in {} cannot be loaded", place.display())]
    Model {
        /// The folder or file looked in.
        place: PathBuf,
        /// What is wrong.
        #[source]
        source: adit_models::Error,
    },
    /// The choice of models contradicts itself, or names no device or number format.
    #[cfg(feature = "models")]
    #[error("{reason}")]
    ModelChoice {
        /// What is wrong.
        reason: String,
    },
    /// The dataset's state cannot be read or written.
    #[error("storage: {0}")]
    Storage(#[from] adit_storage::Error),
    /// The wire layer failed.
    #[error("protocol: {0}")]
    Protocol(#[from] adit_protocol::Error),
    /// The thread of a model died.
    #[error("the thread of the {0} died")]
    Interrupted(&'static str),
    /// A catalogue cannot be read.
    #[error("catalogue {place}: {reason}")]
    Catalogue {
        /// Its path or URL.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The list of topics cannot be used.
    #[error("topics file {path}: {reason}")]
    Topics {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A folder or file of the dataset cannot be made or removed.
    #[error("cannot prepare {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A record of a submitted batch is unsound.
    #[error("record {place} of the batch: {reason}")]
    Record {
        /// Its place in the batch.
        place: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// Who is to blame.
    pub fn fault(&self) -> adit_media::Fault {
        match self {
            Self::Media(error) => error.fault(),
            Self::Embedding(error) if error.is_input() => adit_media::Fault::Media,
            _ => adit_media::Fault::Local,
        }
    }
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
