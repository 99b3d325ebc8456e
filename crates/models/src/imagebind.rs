//! ImageBind: texts, pictures and sound in one space.

mod config;
mod embedders;
mod layers;
mod network;
mod parameters;
mod patches;

use std::path::Path;

use adit_embedding::Space;
use burn_flex::{Flex, FlexDevice};

use crate::{ClipTokenizer, Device, Error, MelBank, Result, checkpoint::Checkpoint, digest};
use config::ImageBindConfig;
use network::Joint;
use patches::{AUDIO, VISION};

/// Inputs in one pass on the CPU; attention over one view of the huge model takes some 20 MB.
const CPU_PASS: usize = 8;
/// Inputs in one pass on CUDA.
#[cfg(feature = "cuda")]
const CUDA_PASS: usize = 64;

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
/// let error = ImageBind::load(Path::new("no-such-folder"), &Device::Cpu).unwrap_err();
/// assert!(error.to_string().contains("config.json"));
/// ```
#[derive(Debug)]
pub struct ImageBind {
    space: Space,
    device: Device,
    tokenizer: ClipTokenizer,
    bank: MelBank,
    vocabulary: usize,
    network: Network,
}

#[derive(Debug)]
enum Network {
    Cpu(Box<Joint<Flex>>),
    #[cfg(feature = "cuda")]
    Cuda(Box<Joint<burn_cuda::Cuda>>),
}

impl ImageBind {
    /// Values of a view of a video: three colours, two frames, 224 rows, 224 columns.
    pub const VIEW: usize = 3 * config::TUBELET * crate::crops::SIDE * crate::crops::SIDE;

    /// Loads `config.json` and `model.safetensors` from a folder. The configuration has the names of the
    /// original's constructor (`vision_embed_dim` and so on); the tensors have the original's names, and
    /// those of its other modalities may be there.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`], [`Error::Oversized`] for the files themselves.
    /// - [`Error::Config`], [`Error::Header`] for what they declare.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names.
    /// - [`Error::DeviceUnavailable`] for a device that is not compiled in or not there.
    pub fn load(folder: &Path, device: &Device) -> Result<Self> {
        let config = ImageBindConfig::load(&folder.join("config.json"))?;
        let weights = folder.join("model.safetensors");
        let mut checkpoint = Checkpoint::open(&weights)?;
        let network = Network::load(&mut checkpoint, &config, device)?;
        let digest = digest::of(&weights)?;
        let name = format!("imagebind-{}", digest.get(..16).unwrap_or_default());
        tracing::debug!(folder = %folder.display(), %device, space = name, "ImageBind loaded");
        Ok(Self {
            space: Space::new(&name, config.out_embed_dim)?,
            device: *device,
            tokenizer: ClipTokenizer::new()?,
            bank: MelBank::new(),
            vocabulary: config.vocab_size,
            network,
        })
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.device
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
        Ok(self.network.sequences(&sequences))
    }

    /// One vector per view of [`Self::VIEW`] values: for each colour, both frames, normalised as by
    /// [`crate::CropPlan`]. A picture is a view of twice the same frame.
    ///
    /// # Errors
    /// [`Error::Input`] for another number of values, or one that is not finite.
    pub fn vectors_of_views(&self, views: &[&[f32]]) -> Result<Vec<Vec<f32>>> {
        check(views, "view", VISION.values())?;
        Ok(self.network.views(views))
    }

    /// One vector per spectrogram of [`MelBank`].
    ///
    /// # Errors
    /// [`Error::Input`] for another number of values, or one that is not finite.
    pub fn vectors_of_spectrograms(&self, spectrograms: &[&[f32]]) -> Result<Vec<Vec<f32>>> {
        check(spectrograms, "spectrogram", AUDIO.values())?;
        Ok(self.network.spectrograms(spectrograms))
    }
}

impl Network {
    fn load(
        checkpoint: &mut Checkpoint,
        config: &ImageBindConfig,
        device: &Device,
    ) -> Result<Self> {
        match device {
            Device::Cpu => {
                Joint::load(checkpoint, config, &FlexDevice).map(|joint| Self::Cpu(Box::new(joint)))
            }
            #[cfg(feature = "cuda")]
            Device::Cuda(index) => {
                let place = burn_cuda::CudaDevice { index: *index };
                // The driver's loader panics where there is no driver or no such device.
                let load = || Joint::load(checkpoint, config, &place);
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(load))
                    .map_err(|_| Error::DeviceUnavailable {
                        device: *device,
                        reason: "CUDA did not start; its own message stands in the log".to_owned(),
                    })?
                    .map(|joint| Self::Cuda(Box::new(joint)))
            }
            #[cfg(not(feature = "cuda"))]
            Device::Cuda(_) => Err(Error::DeviceUnavailable {
                device: *device,
                reason: "this build lacks the feature cuda".to_owned(),
            }),
        }
    }

    fn sequences(&self, sequences: &[&[u32]]) -> Vec<Vec<f32>> {
        match self {
            Self::Cpu(joint) => passes(sequences, CPU_PASS, |pass| joint.sequences(pass)),
            #[cfg(feature = "cuda")]
            Self::Cuda(joint) => passes(sequences, CUDA_PASS, |pass| joint.sequences(pass)),
        }
    }

    fn views(&self, views: &[&[f32]]) -> Vec<Vec<f32>> {
        match self {
            Self::Cpu(joint) => passes(views, CPU_PASS, |pass| joint.views(pass)),
            #[cfg(feature = "cuda")]
            Self::Cuda(joint) => passes(views, CUDA_PASS, |pass| joint.views(pass)),
        }
    }

    fn spectrograms(&self, inputs: &[&[f32]]) -> Vec<Vec<f32>> {
        match self {
            Self::Cpu(joint) => passes(inputs, CPU_PASS, |pass| joint.spectrograms(pass)),
            #[cfg(feature = "cuda")]
            Self::Cuda(joint) => passes(inputs, CUDA_PASS, |pass| joint.spectrograms(pass)),
        }
    }
}

/// Runs inputs a few at a time, so that memory is bounded whatever the batch.
fn passes<T>(inputs: &[T], size: usize, run: impl Fn(&[T]) -> Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    inputs.chunks(size).flat_map(run).collect()
}

fn check(inputs: &[&[f32]], what: &str, values: usize) -> Result<()> {
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
