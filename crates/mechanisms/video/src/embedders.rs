#[cfg(feature = "models")]
mod models;

use std::{path::Path, sync::Arc};

use adit_embedding::{
    AudioEmbedder, AudioSamples, Embedding, Frame, FrameScaling, Space, TextEmbedder,
    VideoEmbedder, VideoFrames,
    perceptual::{PerceptualAudio, PerceptualVideo},
};
use adit_media::Media;
use adit_storage::DatasetSpaces;
use tokio::task::spawn_blocking;

use crate::{Error, Result};

#[cfg(feature = "models")]
pub use models::{ModelChoice, ModelSet};

/// The space of the standard set's texts, and its dimension.
const STANDARD_TEXT: (&str, usize) = ("minilm-l6-v2", 384);

/// The three embedders a neuron uses, each in its own space or all in one, and the media children that
/// feed them.
#[derive(Debug, Clone)]
pub struct Embedders {
    /// For topics and descriptions.
    pub text: Arc<dyn TextEmbedder>,
    /// For frames.
    pub video: Arc<dyn VideoEmbedder>,
    /// For sound.
    pub audio: Arc<dyn AudioEmbedder>,
    /// Decodes what they see and hear.
    pub media: Media,
}

/// What the embedders make of one clip.
#[derive(Debug, Clone)]
pub struct ClipVectors {
    /// Of its frames.
    pub video: Embedding,
    /// Of its sound; `None` when the source has no audio stream.
    pub audio: Option<Embedding>,
}

impl Embedders {
    /// The spaces they embed in. Miners and validators of a subnet, and its dataset, must have the same.
    pub fn spaces(&self) -> DatasetSpaces {
        DatasetSpaces {
            video: self.video.space().clone(),
            audio: self.audio.space().clone(),
            text: self.text.space().clone(),
        }
    }

    /// The spaces of the standard set, which needs no loading to be known.
    ///
    /// # Errors
    /// [`Error::Embedding`], should a descriptor refuse its own constants.
    pub fn standard_spaces() -> Result<DatasetSpaces> {
        let (name, dimension) = STANDARD_TEXT;
        Ok(DatasetSpaces {
            video: PerceptualVideo::new()?.space().clone(),
            audio: PerceptualAudio::new()?.space().clone(),
            text: Space::new(name, dimension)?,
        })
    }

    /// Embeds texts on a blocking thread.
    ///
    /// # Errors
    /// [`Error::Embedding`] from the model; [`Error::Interrupted`] when its thread died.
    pub async fn texts(&self, texts: Vec<String>) -> Result<Vec<Embedding>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let model = Arc::clone(&self.text);
        let embedded = spawn_blocking(move || {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            model.embed_texts(&texts)
        });
        Ok(embedded
            .await
            .map_err(|_| Error::Interrupted("text model"))??)
    }

    /// Decodes and embeds the clip `[start_ms, end_ms)` of a local file.
    ///
    /// # Errors
    /// [`Error::Media`] when it cannot be decoded, [`Error::Embedding`] when it cannot be embedded.
    pub async fn clip(&self, path: &Path, start_ms: u64, end_ms: u64) -> Result<ClipVectors> {
        let plan = self.video.frame_plan(end_ms.saturating_sub(start_ms));
        let (frames, sound) = tokio::join!(
            self.media.frames(path, start_ms, end_ms, &plan),
            self.media
                .pcm(path, start_ms, end_ms, self.audio.sample_rate())
        );
        let (frames, sound) = (frames?, sound?);
        let (video, audio) = (Arc::clone(&self.video), Arc::clone(&self.audio));
        let embedded = spawn_blocking(move || -> adit_embedding::Result<ClipVectors> {
            let one = |mut batch: Vec<Embedding>, model: &str| {
                batch.pop().ok_or_else(|| adit_embedding::Error::Model {
                    model: model.to_owned(),
                    reason: "no embedding came back".to_owned(),
                })
            };
            let audio = match sound {
                Some(sound) => Some(one(audio.embed_sounds(&[sound])?, audio.space().name())?),
                None => None,
            };
            Ok(ClipVectors {
                video: one(video.embed_clips(&[frames])?, video.space().name())?,
                audio,
            })
        });
        Ok(embedded
            .await
            .map_err(|_| Error::Interrupted("video or audio model"))??)
    }
}

impl Embedders {
    /// Whether all of it works on input that is surely sound, to tell a broken machine from a
    /// hostile clip.
    ///
    /// # Errors
    /// What does not work.
    pub async fn self_check(&self) -> Result<()> {
        self.media.self_check().await?;
        self.texts(vec!["a river under a bridge".to_owned()])
            .await?;
        let (video, audio) = (Arc::clone(&self.video), Arc::clone(&self.audio));
        let checked = spawn_blocking(move || -> adit_embedding::Result<()> {
            let plan = video.frame_plan(1_000);
            let (width, height) = match plan.scaling {
                FrameScaling::Exact { width, height } => (width, height),
                FrameScaling::ShortSide(side) => (side, side),
            };
            let ramp = (0..width as usize * height as usize * 3).map(|byte| byte as u8);
            let frame = Frame {
                width,
                height,
                rgb: ramp.collect(),
            };
            video.embed_clips(&[VideoFrames {
                frames: vec![frame; plan.times_ms.len()],
                times_ms: plan.times_ms,
            }])?;
            let sample_rate = audio.sample_rate();
            let saw = (0..sample_rate).map(|at| (at % 64) as f32 / 128.0);
            audio.embed_sounds(&[AudioSamples {
                sample_rate,
                samples: saw.collect(),
            }])?;
            Ok(())
        });
        Ok(checked
            .await
            .map_err(|_| Error::Interrupted("video or audio model"))??)
    }
}

/// A fetcher of sources and catalogues with a cache folder.
///
/// # Errors
/// [`Error::Media`] when the folder cannot be made or no HTTP client can be set up.
pub fn source_fetcher(cache: &Path, allow_private_origins: bool) -> Result<adit_media::Fetcher> {
    Ok(adit_media::Fetcher::new(adit_media::FetchConfig {
        allow_private_origins,
        cache_dir: cache.to_owned(),
        ..adit_media::FetchConfig::default()
    })?)
}
