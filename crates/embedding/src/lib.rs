//! Embeddings that know which space they live in.
//!
//! An [`Embedding`] is a unit vector tagged with its [`Space`]; a cosine between two spaces is a
//! typed error, never a number. The traits [`TextEmbedder`], [`VideoEmbedder`] and
//! [`AudioEmbedder`] are the seam behind which models live: `adit-models` implements them on burn,
//! and [`testing::HashEmbedder`] is the fake for tests. [`perceptual`] holds descriptors of footage and
//! sound that need no weights, [`kernels`] the inner products,
//! [`nearest`] the nearest rows of many. Nothing here loads a model or decodes
//! media.
//!
//! ```
//! use adit_embedding::{Embedding, Space, cosine};
//!
//! let space = Space::new("example-v1", 3)?;
//! let a = Embedding::new(space.clone(), vec![1.0, 2.0, 2.0])?;
//! let b = Embedding::new(space, vec![2.0, 4.0, 4.0])?;
//! assert!((cosine(&a, &b)? - 1.0).abs() < 1e-6);
//!
//! let elsewhere = Embedding::new(Space::new("other-v1", 3)?, vec![1.0, 0.0, 0.0])?;
//! assert!(cosine(&a, &elsewhere).is_err());
//! # Ok::<(), adit_embedding::Error>(())
//! ```

mod embedder;
mod error;
pub mod kernels;
pub mod nearest;
pub mod perceptual;
mod space;
pub mod testing;
mod vector;

pub use embedder::{
    AudioEmbedder, AudioSamples, Frame, FramePlan, FrameScaling, TextEmbedder, VideoEmbedder,
    VideoFrames,
};
pub use error::{Error, Result};
pub use space::Space;
pub use vector::{Embedding, cosine};
