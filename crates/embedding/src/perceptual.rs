//! Descriptors of footage and sound that need no trained weights.
//!
//! [`PerceptualVideo`] and [`PerceptualAudio`] tell whether two clips show or sound the same: they
//! are stable when footage is re-encoded or scaled (cosine above 0.95) and differ between different
//! footage (below 0.8, unrelated footage mostly between −0.3 and 0.6). They know nothing of meaning;
//! a description cannot be compared with them. Each lives in its own space.
//!
//! Every descriptor is a chain of blocks (colour, gradients, …). Each block is centred on what
//! unrelated material has in common and divided by its length plus a floor below which it is noise,
//! then weighted. One component is constant, so that material without any structure (black frames,
//! silence) has a direction too: all of it falls into the same one.
//!
//! ```
//! use adit_embedding::{AudioEmbedder, AudioSamples, cosine, perceptual::PerceptualAudio};
//!
//! let embedder = PerceptualAudio::new()?;
//! let tone = |pitch: f32| AudioSamples {
//!     sample_rate: 16_000,
//!     samples: (0..16_000).map(|i| (i as f32 * pitch / 2546.5).sin() * 0.3).collect(),
//! };
//! let sounds = embedder.embed_sounds(&[tone(220.0), tone(220.5), tone(1_800.0)])?;
//! assert!(cosine(&sounds[0], &sounds[1])? > 0.95);
//! assert!(cosine(&sounds[0], &sounds[2])? < 0.6);
//! # Ok::<(), adit_embedding::Error>(())
//! ```

mod audio;
mod block;
mod cosine_transform;
mod gradient;
mod mel;
mod video;

pub use audio::PerceptualAudio;
pub use video::PerceptualVideo;
