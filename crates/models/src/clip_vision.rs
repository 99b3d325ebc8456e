//! CLIP's picture tower.

mod bicubic;
mod config;
mod embedder;
mod network;
mod picture;

use std::path::Path;

use adit_embedding::{Embedding, Frame, Space};

use crate::{
    Device, Error, Placement, Result,
    batches::{at_once, passes},
    checkpoint::Checkpoint,
    digest,
    imagebind::check,
    placement::place,
};
use config::ClipVisionConfig;
use network::{Tower, TowerParts};
pub use picture::CentreCrop;

/// CLIP's picture tower, of whatever size the configuration says: ViT-B/32, ViT-L/14, ….
///
/// It equals Hugging Face's `CLIPVisionModelWithProjection` in PyTorch to 1e-4 in every component at
/// f32. [`Self::vectors_of_views`] gives its `image_embeds`, which have a length of their own; the
/// embeddings have length 1. Of a tower without projection (`CLIPVisionModel`) the answer is its
/// `pooler_output`.
///
/// A video is one frame a second, 64 at most; its embedding is the mean of theirs.
///
/// The space is named after the SHA-256 of the weights, `clip-vision-` and its first 16 digits: other
/// weights are another space.
///
/// ```
/// use std::path::Path;
/// use adit_models::{ClipVision, Device};
///
/// let error = ClipVision::load(Path::new("no-such-folder"), Device::Cpu).unwrap_err();
/// assert!(error.to_string().contains("config.json"));
/// ```
#[derive(Debug)]
pub struct ClipVision {
    space: Space,
    placement: Placement,
    side: usize,
    tower: Box<dyn Tower>,
}

impl ClipVision {
    /// Loads `config.json` and `model.safetensors` from a folder, of the tower alone or of a whole
    /// CLIP: both as Hugging Face saves them.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`], [`Error::Oversized`] for the files themselves.
    /// - [`Error::Config`], [`Error::Header`] for what they declare.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names.
    /// - [`Error::DeviceUnavailable`] for a device that is not compiled in or not there.
    pub fn load(folder: &Path, placement: impl Into<Placement>) -> Result<Self> {
        let placement = placement.into();
        let path = folder.join("config.json");
        let config = ClipVisionConfig::load(&path)?;
        let activation = config.activation().ok_or_else(|| Error::Config {
            path,
            reason: "hidden_act is unknown".to_owned(),
        })?;
        let weights = folder.join("model.safetensors");
        let mut checkpoint = Checkpoint::open(&weights)?;
        let parts = TowerParts {
            checkpoint: &mut checkpoint,
            config: &config,
            activation,
        };
        let tower = place(placement, parts)?;
        let digest = digest::of(&weights)?;
        let name = format!("clip-vision-{}", digest.get(..16).unwrap_or_default());
        tracing::debug!(folder = %folder.display(), %placement, space = name, "CLIP loaded");
        Ok(Self {
            space: Space::new(&name, config.dimension())?,
            placement,
            side: config.image_size,
            tower,
        })
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.placement.device
    }

    /// Side of the square that it looks at, in pixels.
    pub fn side(&self) -> usize {
        self.side
    }

    /// One vector per view of 3 × side × side values, such as [`CentreCrop::values`] gives.
    ///
    /// # Errors
    /// [`Error::Input`] for another number of values, or one that is not finite.
    pub fn vectors_of_views(&self, views: &[&[f32]]) -> Result<Vec<Vec<f32>>> {
        check(views, "view", 3 * self.side * self.side)?;
        Ok(passes(self.device(), views, |pass| self.tower.views(pass)))
    }

    /// One embedding per picture of any size, in order.
    ///
    /// # Errors
    /// [`Error::Input`] for a picture that [`CentreCrop`] refuses.
    pub fn embed_pictures(&self, pictures: &[Frame]) -> Result<Vec<Embedding>> {
        let mut embeddings = Vec::with_capacity(pictures.len());
        for pass in pictures.chunks(at_once(self.device())) {
            let views = pass
                .iter()
                .map(|picture| self.view(picture))
                .collect::<Result<Vec<_>>>()?;
            let views: Vec<&[f32]> = views.iter().map(Vec::as_slice).collect();
            for vector in self.vectors_of_views(&views)? {
                embeddings.push(Embedding::new(self.space.clone(), vector)?);
            }
        }
        Ok(embeddings)
    }

    fn view(&self, picture: &Frame) -> Result<Vec<f32>> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        CentreCrop::new(width, height, self.side)?.values(&picture.rgb)
    }
}
