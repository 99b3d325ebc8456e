//! ImageBind: texts, pictures and sound in one space.

mod config;
mod embedders;
mod network;
mod parameters;
pub(crate) mod patches;

use std::path::Path;

use adit_embedding::Space;
use burn_tensor::{FloatDType, backend::Backend};

use crate::{
    ClipTokenizer, Device, Error, MelBank, Placement, Result,
    batches::passes,
    checkpoint::Checkpoint,
    placement::{Build, place},
};
use config::ImageBindConfig;
use network::{Joint, Trunks};
use patches::{AUDIO, VISION};

/// What training puts before all names.
const WRAPPERS: [&str; 3] = ["state_dict.", "model.", "module."];

/// ImageBind's vision, audio and text trunks: vectors of one space, of whatever size the configuration
/// says (the published «huge» has 1,024 dimensions).
///
/// It equals the original in PyTorch to 1e-4 in every component at f32. [`Self::vectors_of_sequences`]
/// and its kin give what the original's post-processors give: vectors of a length of their own for each
/// modality (pictures 1, sound about 20, text up to 100). The embedder traits average an input's views
/// after that, as the original does, and scale the mean to length 1.
///
/// - Texts of any length are embedded by [`ClipTokenizer::chunks`].
/// - A video is five clips of two seconds, two frames each, three crops each: 15 views. It is asked for
///   by time, so that the second frame of a clip is the last within two seconds, as in the original.
/// - Sound is three clips of two seconds at 16 kHz.
///
/// The space is named after the SHA-256 of the weights, `imagebind-` and its first 16 digits: other
/// weights are another space.
///
/// The code here is ours; Meta's weights are CC BY-NC-SA 4.0: not for commercial use.
///
/// ```
/// use std::path::Path;
/// use adit_models::{Device, ImageBind};
///
/// let error = ImageBind::load(Path::new("no-such-folder"), Device::Cpu).unwrap_err();
/// assert!(error.to_string().contains("config.json"));
/// ```
#[derive(Debug)]
pub struct ImageBind {
    space: Space,
    placement: Placement,
    tokenizer: ClipTokenizer,
    bank: MelBank,
    vocabulary: usize,
    trunks: Box<dyn Trunks>,
}

impl ImageBind {
    /// Values of a view of a video: three colours, two frames, 224 rows, 224 columns.
    pub const VIEW: usize = 3 * config::TUBELET * crate::crops::SIDE * crate::crops::SIDE;

    /// Loads the weights of a folder, or of a file, after the `config.json` beside them. The configuration
    /// has the names of the original's constructor (`vision_embed_dim` and so on); without one the
    /// weights must be those of the published `imagebind_huge`. The tensors have the original's names,
    /// and those of its other modalities may be there.
    ///
    /// The weights are `model.safetensors`, several files beside `model.safetensors.index.json`, or what
    /// PyTorch saves, such as `imagebind_huge.pth`, of 16, 32 or 64 bits a number.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`], [`Error::Oversized`] for the files themselves.
    /// - [`Error::Config`], [`Error::Header`], [`Error::Pytorch`], [`Error::PickleRefused`],
    ///   [`Error::ShardIndex`] for what they declare.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names.
    /// - [`Error::DeviceUnavailable`] for a device that is not compiled in or not there.
    pub fn load(weights: &Path, placement: impl Into<Placement>) -> Result<Self> {
        let placement = placement.into();
        let config = ImageBindConfig::beside(weights)?;
        let mut checkpoint = Checkpoint::open(weights)?;
        checkpoint.strip(&WRAPPERS);
        let identity = checkpoint.identity();
        let parts = JointParts {
            checkpoint: &mut checkpoint,
            config: &config,
        };
        let (trunks, digest) = rayon::join(|| place(placement, parts), || identity.digest());
        let (trunks, digest) = (trunks?, digest?);
        let name = format!("imagebind-{}", digest.get(..16).unwrap_or_default());
        tracing::debug!(weights = %weights.display(), %placement, space = name, "ImageBind loaded");
        Ok(Self {
            space: Space::new(&name, config.out_embed_dim)?,
            placement,
            tokenizer: ClipTokenizer::new()?,
            bank: MelBank::new(),
            vocabulary: config.vocab_size,
            trunks,
        })
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.placement.device
    }

    /// One vector per sequence of tokens, such as [`ClipTokenizer::sequence`] gives.
    ///
    /// # Errors
    /// [`Error::TokenUnknown`] for a token that the text trunk lacks.
    pub fn vectors_of_sequences(
        &self,
        sequences: &[[u32; ClipTokenizer::CONTEXT]],
    ) -> Result<Vec<Vec<f32>>> {
        let tokens = sequences.iter().flatten();
        if let Some(token) = tokens
            .copied()
            .find(|token| *token as usize >= self.vocabulary)
        {
            return Err(Error::TokenUnknown { token });
        }
        let sequences: Vec<&[u32]> = sequences.iter().map(<[u32; _]>::as_slice).collect();
        Ok(passes(self.device(), &sequences, |pass| {
            self.trunks.sequences(pass)
        }))
    }

    /// One vector per view of [`Self::VIEW`] values: for each colour, both frames, normalised as by
    /// [`crate::CropPlan`]. A picture is a view of twice the same frame.
    ///
    /// # Errors
    /// [`Error::Input`] for another number of values, or one that is not finite.
    pub fn vectors_of_views(&self, views: &[&[f32]]) -> Result<Vec<Vec<f32>>> {
        check(views, "view", VISION.values())?;
        Ok(passes(self.device(), views, |pass| self.trunks.views(pass)))
    }

    /// One vector per spectrogram of [`MelBank`].
    ///
    /// # Errors
    /// [`Error::Input`] for another number of values, or one that is not finite.
    pub fn vectors_of_spectrograms(&self, spectrograms: &[&[f32]]) -> Result<Vec<Vec<f32>>> {
        check(spectrograms, "spectrogram", AUDIO.values())?;
        Ok(passes(self.device(), spectrograms, |pass| {
            self.trunks.spectrograms(pass)
        }))
    }
}

/// What the trunks are built of.
struct JointParts<'a> {
    checkpoint: &'a mut Checkpoint,
    config: &'a ImageBindConfig,
}

impl Build for JointParts<'_> {
    type Network = dyn Trunks;

    fn build<B: Backend>(self, device: &B::Device, dtype: FloatDType) -> Result<Box<dyn Trunks>> {
        let joint = Joint::<B>::load(self.checkpoint, self.config, device, dtype)?;
        Ok(Box::new(joint))
    }
}

/// Refuses inputs that are not `values` finite values.
pub(crate) fn check(inputs: &[&[f32]], what: &str, values: usize) -> Result<()> {
    for input in inputs {
        if input.len() != values {
            return Err(Error::Input {
                reason: format!("a {what} of {} values, not {values}", input.len()),
            });
        }
        if let Some(index) = input.iter().position(|value| !value.is_finite()) {
            return Err(Error::Input {
                reason: format!("a {what} whose value {index} is not finite"),
            });
        }
    }
    Ok(())
}
