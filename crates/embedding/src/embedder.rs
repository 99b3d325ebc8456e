use std::fmt::Debug;

use crate::{Embedding, Result, Space};

/// One decoded picture: `width × height` pixels of three bytes, red, green, blue, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width · height · 3` bytes.
    pub rgb: Vec<u8>,
}

/// The frames sampled from one clip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VideoFrames {
    /// Frames in time order.
    pub frames: Vec<Frame>,
    /// For each frame, milliseconds from the clip's start.
    pub times_ms: Vec<u64>,
}

/// Mono sound.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AudioSamples {
    /// Samples per second.
    pub sample_rate: u32,
    /// Samples in −1 to 1.
    pub samples: Vec<f32>,
}

/// How frames are scaled before an embedder sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameScaling {
    /// Exactly this width and height, whatever the aspect ratio.
    Exact {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The shorter side has this many pixels, the longer one follows the aspect ratio.
    ShortSide(u32),
}

/// Which frames of a clip an embedder wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramePlan {
    /// Milliseconds from the clip's start, ascending.
    pub times_ms: Vec<u64>,
    /// Scaling of each frame.
    pub scaling: FrameScaling,
}

/// Turns texts into embeddings of one space.
pub trait TextEmbedder: Send + Sync + Debug {
    /// The space of its embeddings.
    fn space(&self) -> &Space;

    /// Embeds a batch; the answer has one embedding per text, in order. Blocking: call it from a
    /// blocking thread.
    ///
    /// # Errors
    /// [`crate::Error::Model`] when the model fails; [`crate::Error::Input`] for a text it cannot take.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>>;
}

/// Turns the frames of clips into embeddings of one space.
pub trait VideoEmbedder: Send + Sync + Debug {
    /// The space of its embeddings.
    fn space(&self) -> &Space;

    /// The frames it wants of a clip that lasts `duration_ms` milliseconds.
    fn frame_plan(&self, duration_ms: u64) -> FramePlan;

    /// Embeds a batch of clips; the answer has one embedding per clip, in order. Blocking.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for clips without frames or with frames of the wrong size;
    /// [`crate::Error::Model`] when the model fails.
    fn embed_clips(&self, clips: &[VideoFrames]) -> Result<Vec<Embedding>>;
}

/// Turns sound into embeddings of one space.
pub trait AudioEmbedder: Send + Sync + Debug {
    /// The space of its embeddings.
    fn space(&self) -> &Space;

    /// The sample rate it wants, in samples per second.
    fn sample_rate(&self) -> u32;

    /// Embeds a batch of sounds; the answer has one embedding per sound, in order. Blocking.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for empty sound or another sample rate; [`crate::Error::Model`] when
    /// the model fails.
    fn embed_sounds(&self, sounds: &[AudioSamples]) -> Result<Vec<Embedding>>;
}
