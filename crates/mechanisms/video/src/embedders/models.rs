//! Which networks embed, loaded once and shared by every task.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use adit_embedding::{
    AudioEmbedder, TextEmbedder, VideoEmbedder,
    perceptual::{PerceptualAudio, PerceptualVideo},
};
use adit_media::{Media, MediaConfig};
use adit_models::{
    BatchedAudio, BatchedText, BatchedVideo, BatcherConfig, Device, ImageBind, MiniLm, Placement,
    Precision,
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::Embedders;
use crate::{Error, Result};

/// Clips or sounds in one pass of ImageBind: each is many views.
const VIEWS_PASS: usize = 8;

/// A set of networks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelSet {
    /// all-MiniLM-L6-v2 for texts and weight-free descriptors for frames and sound: three spaces.
    #[default]
    Standard,
    /// ImageBind for all three: one space, named after its weights.
    Imagebind,
}

impl ModelSet {
    const NAMES: [(Self, &str); 2] = [(Self::Standard, "standard"), (Self::Imagebind, "imagebind")];
}

impl fmt::Display for ModelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(set, _)| set == self);
        f.write_str(named.map_or("unknown", |(_, name)| name))
    }
}

impl FromStr for ModelSet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Self::NAMES.iter().find(|(_, name)| *name == text);
        named.map(|(set, _)| *set).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            Error::ModelChoice {
                reason: format!("{text:?} is no set of models; write standard or imagebind"),
            }
        })
    }
}

/// Which networks embed, where they lie and where they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelChoice {
    /// The set.
    pub set: ModelSet,
    /// Folder of the standard set's text model.
    pub model: PathBuf,
    /// Weights of ImageBind; the standard set takes none.
    pub weights: Option<PathBuf>,
    /// `cpu`, `cuda` or `cuda:INDEX`.
    pub device: String,
    /// `f32`, `f16` or `bf16`; the standard set has `f32` only.
    pub precision: String,
}

impl ModelChoice {
    /// A set on the CPU.
    pub fn on_cpu(set: ModelSet, model: &Path, weights: Option<&Path>) -> Self {
        Self {
            set,
            model: model.to_owned(),
            weights: weights.map(Path::to_owned),
            device: Device::Cpu.to_string(),
            precision: Precision::F32.to_string(),
        }
    }

    fn placement(&self) -> Result<Placement> {
        let refuse = |reason: String| Error::ModelChoice { reason };
        let device: Device = self
            .device
            .parse()
            .map_err(|error| refuse(format!("device: {error}")))?;
        let precision: Precision = self
            .precision
            .parse()
            .map_err(|error| refuse(format!("precision: {error}")))?;
        Ok(Placement::from(device).with_precision(precision))
    }

    /// What lies where nobody would read it.
    fn check(&self, placement: Placement) -> Result<()> {
        let fault = match (self.set, &self.weights) {
            (ModelSet::Standard, Some(_)) => {
                "weights are given, but models is standard, which takes none"
            }
            (ModelSet::Standard, None) if placement.precision != Precision::F32 => {
                "precision is for imagebind; the standard models are f32"
            }
            (ModelSet::Imagebind, None) => {
                "models is imagebind, but weights is not set: where do they lie?"
            }
            _ => return Ok(()),
        };
        Err(Error::ModelChoice {
            reason: fault.to_owned(),
        })
    }
}

impl Embedders {
    /// Loads a set of networks, with ffmpeg in its default bounds. Whatever tasks embed at the same time
    /// shares passes of the networks.
    ///
    /// # Errors
    /// [`Error::ModelChoice`] for a choice that contradicts itself; [`Error::Model`] when a network is
    /// missing or broken; [`Error::Media`] when ffmpeg cannot be found.
    pub async fn load(choice: &ModelChoice) -> Result<Self> {
        let placement = choice.placement()?;
        choice.check(placement)?;
        let embedders = match (choice.set, &choice.weights) {
            (ModelSet::Imagebind, Some(weights)) => imagebind(weights, placement).await?,
            _ => standard(&choice.model, placement.device).await?,
        };
        let spaces = embedders.spaces();
        tracing::info!(
            event = "models",
            set = %choice.set,
            %placement,
            video = %spaces.video,
            audio = %spaces.audio,
            text = %spaces.text,
            "models are ready"
        );
        Ok(embedders)
    }
}

async fn standard(folder: &Path, device: Device) -> Result<Embedders> {
    let text = load(folder, move |folder| MiniLm::load(folder, device)).await?;
    let text = BatchedText::start(text, BatcherConfig::named("minilm"));
    Ok(Embedders {
        text: Arc::new(text.map_err(failed(folder))?),
        video: Arc::new(PerceptualVideo::new()?),
        audio: Arc::new(PerceptualAudio::new()?),
        media: Media::new(MediaConfig::default())?,
    })
}

async fn imagebind(weights: &Path, placement: Placement) -> Result<Embedders> {
    let model = load(weights, move |weights| ImageBind::load(weights, placement)).await?;
    let views = |name| BatcherConfig {
        pass_items: VIEWS_PASS,
        ..BatcherConfig::named(name)
    };
    let text = BatchedText::start(
        Arc::clone(&model) as Arc<dyn TextEmbedder>,
        BatcherConfig::named("imagebind-text"),
    );
    let video = BatchedVideo::start(
        Arc::clone(&model) as Arc<dyn VideoEmbedder>,
        views("imagebind-video"),
    );
    let audio = BatchedAudio::start(model as Arc<dyn AudioEmbedder>, views("imagebind-audio"));
    Ok(Embedders {
        text: Arc::new(text.map_err(failed(weights))?),
        video: Arc::new(video.map_err(failed(weights))?),
        audio: Arc::new(audio.map_err(failed(weights))?),
        media: Media::new(MediaConfig::default())?,
    })
}

/// Loads a network on a blocking thread.
async fn load<M: Send + 'static>(
    place: &Path,
    load: impl FnOnce(&Path) -> adit_models::Result<M> + Send + 'static,
) -> Result<Arc<M>> {
    let path = place.to_owned();
    let loaded = spawn_blocking(move || load(&path)).await;
    let loaded = loaded.map_err(|_| Error::Interrupted("loader of models"))?;
    loaded.map(Arc::new).map_err(failed(place))
}

fn failed(place: &Path) -> impl FnOnce(adit_models::Error) -> Error {
    let place = place.to_owned();
    move |source| Error::Model { place, source }
}
