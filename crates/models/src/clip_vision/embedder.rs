//! Videos as the mean of their pictures.

use adit_embedding::{
    Embedding, Error as EmbeddingError, FramePlan, FrameScaling, Result, Space, VideoEmbedder,
    VideoFrames,
};

use super::ClipVision;
use crate::Error;

/// Most frames of a video.
const MOST_FRAMES: u64 = 64;
/// From one frame to the next, in milliseconds, of a video that is not too long for that.
const STEP_MS: u64 = 1_000;

impl VideoEmbedder for ClipVision {
    fn space(&self) -> &Space {
        &self.space
    }

    fn frame_plan(&self, duration_ms: u64) -> FramePlan {
        let step = duration_ms.div_ceil(MOST_FRAMES).max(STEP_MS);
        let times = (0..MOST_FRAMES).map(|index| index * step);
        FramePlan {
            times_ms: times
                .take_while(|time| *time < duration_ms.max(1))
                .collect(),
            scaling: FrameScaling::ShortSide(self.side as u32),
        }
    }

    fn embed_clips(&self, clips: &[VideoFrames]) -> Result<Vec<Embedding>> {
        clips.iter().map(|clip| self.mean(clip)).collect()
    }
}

impl ClipVision {
    /// The mean of a clip's pictures, which count the same whatever their vectors' lengths.
    fn mean(&self, clip: &VideoFrames) -> Result<Embedding> {
        if clip.frames.is_empty() {
            return Err(EmbeddingError::Input {
                what: "a clip",
                reason: "no frames".to_owned(),
            });
        }
        let pictures = self
            .embed_pictures(&clip.frames)
            .map_err(|error| match error {
                Error::Input { reason } => EmbeddingError::Input {
                    what: "a clip",
                    reason,
                },
                Error::Embedding(error) => error,
                other => EmbeddingError::Model {
                    model: self.space.to_string(),
                    reason: other.to_string(),
                },
            })?;
        let mut sum = vec![0.0; self.space.dimension()];
        for picture in &pictures {
            for (sum, value) in sum.iter_mut().zip(picture.values()) {
                *sum += value;
            }
        }
        // The length of the mean does not matter: an embedding has length 1.
        Embedding::new(self.space.clone(), sum)
    }
}
