//! The three embedder traits over one space.

use adit_embedding::{
    AudioEmbedder, AudioSamples, Embedding, Error as EmbeddingError, FramePlan, FrameScaling,
    Space, TextEmbedder, VideoEmbedder, VideoFrames,
};

use super::ImageBind;
use crate::{ClipSampling, CropPlan, Error, MelBank, batches::at_once, crops::SIDE};

/// Views of a video: three crops of each of five clips.
const VIEWS: usize = 15;

type Answer<T> = adit_embedding::Result<T>;

impl ImageBind {
    /// What failed, in the traits' words: inputs that cannot be prepared, and all else.
    fn told(&self, what: &'static str, error: &Error) -> EmbeddingError {
        match error {
            Error::Input { reason } => EmbeddingError::Input {
                what,
                reason: reason.clone(),
            },
            other => EmbeddingError::Model {
                model: self.space.to_string(),
                reason: other.to_string(),
            },
        }
    }

    /// The mean of each input's vectors; input `i` has the next `counts[i]` of them.
    fn means(&self, counts: &[usize], vectors: &[Vec<f32>]) -> Answer<Vec<Embedding>> {
        let mut rest = vectors;
        let mut mean = |count: &usize| {
            let (own, others) = rest.split_at((*count).min(rest.len()));
            rest = others;
            let mut sum = vec![0.0; self.space.dimension()];
            for vector in own {
                for (sum, value) in sum.iter_mut().zip(vector) {
                    *sum += value;
                }
            }
            // The length of the mean does not matter: an embedding has length 1.
            Embedding::new(self.space.clone(), sum)
        };
        counts.iter().map(&mut mean).collect()
    }
}

impl TextEmbedder for ImageBind {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed_texts(&self, texts: &[&str]) -> Answer<Vec<Embedding>> {
        let chunks: Vec<_> = texts
            .iter()
            .map(|text| self.tokenizer.chunks(text))
            .collect();
        let counts: Vec<usize> = chunks.iter().map(Vec::len).collect();
        let vectors = self
            .vectors_of_sequences(&chunks.concat())
            .map_err(|error| self.told("a text", &error))?;
        self.means(&counts, &vectors)
    }
}

impl AudioEmbedder for ImageBind {
    fn space(&self) -> &Space {
        &self.space
    }

    fn sample_rate(&self) -> u32 {
        MelBank::SAMPLE_RATE
    }

    fn embed_sounds(&self, sounds: &[AudioSamples]) -> Answer<Vec<Embedding>> {
        let told = |error| self.told("a sound", &error);
        let mut spectrograms = Vec::new();
        for sound in sounds {
            if sound.sample_rate != MelBank::SAMPLE_RATE {
                return Err(told(Error::Input {
                    reason: format!(
                        "{} samples per second, not {}",
                        sound.sample_rate,
                        MelBank::SAMPLE_RATE
                    ),
                }));
            }
            let windows = ClipSampling::AUDIO
                .samples(sound.samples.len(), sound.sample_rate)
                .map_err(told)?;
            for window in windows {
                let samples = sound.samples.get(window).unwrap_or_default();
                spectrograms.push(self.bank.spectrogram(samples).map_err(told)?);
            }
        }
        let inputs: Vec<&[f32]> = spectrograms.iter().map(Vec::as_slice).collect();
        let vectors = self.vectors_of_spectrograms(&inputs).map_err(told)?;
        self.means(&vec![ClipSampling::AUDIO.clips(); sounds.len()], &vectors)
    }
}

impl VideoEmbedder for ImageBind {
    fn space(&self) -> &Space {
        &self.space
    }

    fn frame_plan(&self, duration_ms: u64) -> FramePlan {
        let mut times_ms: Vec<u64> = moments(duration_ms).into_iter().flatten().collect();
        times_ms.sort_unstable();
        times_ms.dedup();
        FramePlan {
            times_ms,
            scaling: FrameScaling::ShortSide(SIDE as u32),
        }
    }

    fn embed_clips(&self, clips: &[VideoFrames]) -> Answer<Vec<Embedding>> {
        let told = |error| self.told("a clip", &error);
        let mut embeddings = Vec::with_capacity(clips.len());
        // As many clips as a device takes at once, at least one: the views of each take 18 MB.
        for clips in clips.chunks((at_once(self.device()) / VIEWS).max(1)) {
            let views = clips.iter().map(views).collect::<Result<Vec<_>, _>>();
            let views = views.map_err(told)?;
            let counts: Vec<usize> = views.iter().map(Vec::len).collect();
            let inputs: Vec<&[f32]> = views.iter().flatten().map(Vec::as_slice).collect();
            let vectors = self.vectors_of_views(&inputs).map_err(told)?;
            embeddings.extend(self.means(&counts, &vectors)?);
        }
        Ok(embeddings)
    }
}

/// The first and the last moment of each clip, in milliseconds.
fn moments(duration_ms: u64) -> Vec<[u64; 2]> {
    let last = duration_ms.saturating_sub(1);
    let times = ClipSampling::VIDEO.times(duration_ms as f64 / 1_000.0);
    let milliseconds = |seconds: f64| (seconds * 1_000.0).round() as u64;
    times
        .unwrap_or_default()
        .into_iter()
        .map(|time| {
            let end = milliseconds(time.end).saturating_sub(1);
            [milliseconds(time.start).min(last), end.min(last)]
        })
        .collect()
}

/// The 15 views of a video. Its last frame is the plan's last, so it tells how long the video is; each
/// moment of the plan is shown by the frame nearest to it.
fn views(clip: &VideoFrames) -> Result<Vec<Vec<f32>>, Error> {
    let refuse = |reason: String| Error::Input { reason };
    if clip.frames.len() != clip.times_ms.len() {
        return Err(refuse(format!(
            "{} frames with {} times",
            clip.frames.len(),
            clip.times_ms.len()
        )));
    }
    let last = clip.times_ms.iter().max();
    let last = *last.ok_or_else(|| refuse("no frames".to_owned()))?;
    let nearest = |moment: u64| {
        let frames = clip.times_ms.iter().zip(&clip.frames);
        let nearest = frames.min_by_key(|(time, _)| time.abs_diff(moment));
        nearest.map(|(_, frame)| frame)
    };
    let mut views = Vec::new();
    for [first, second] in moments(last.saturating_add(1)) {
        let mut frames = Vec::with_capacity(2);
        for frame in [first, second].into_iter().filter_map(nearest) {
            let plan = CropPlan::new(frame.width as usize, frame.height as usize)?;
            frames.push(plan.crops(&frame.rgb)?);
        }
        let [first, second] = frames.as_slice() else {
            continue;
        };
        for (first, second) in first.iter().zip(second) {
            let mut view = Vec::with_capacity(ImageBind::VIEW);
            let plane = SIDE * SIDE;
            for (first, second) in first.chunks_exact(plane).zip(second.chunks_exact(plane)) {
                view.extend_from_slice(first);
                view.extend_from_slice(second);
            }
            views.push(view);
        }
    }
    if views.is_empty() {
        return Err(refuse("a video that is too long".to_owned()));
    }
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::moments;

    #[test]
    fn moments_are_those_of_the_original_at_a_thousand_frames_per_second() {
        for duration in [1_u64, 900, 2_000, 10_000, 56_250] {
            let frames = crate::ClipSampling::VIDEO
                .frames(duration as usize, 1_000.0)
                .unwrap();
            for (found, expected) in moments(duration).iter().zip(frames) {
                assert!(found[0].abs_diff(expected[0] as u64) <= 1);
                assert!(found[1].abs_diff(expected[1] as u64) <= 1);
            }
        }
    }
}
