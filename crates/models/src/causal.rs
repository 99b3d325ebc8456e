//! Decoder-only language models: Llama, Qwen2 and Qwen3.

mod backend;
mod config;
mod decoder;
mod generation;
mod host;
mod sampler;
mod session;
mod tensors;
#[cfg(test)]
mod tests;
mod tokenizer;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{Device, Error, Placement, Result, checkpoint::Checkpoint, placement::place};
use backend::BackendParts;
use config::CausalConfig;
use decoder::Decoder;
use host::HostDecoder;
use sampler::likeliest;

pub use generation::{Generation, GenerationEnd, GenerationOptions};
pub use sampler::TokenSampling;
pub use session::CausalSession;
pub use tokenizer::{CausalTokenizer, TokenStream};

/// Most logits that one call gives: 4 GiB.
const MOST_LOGITS: usize = 1 << 30;

/// A decoder-only language model of the Llama, Qwen2 or Qwen3 family, by its `config.json`.
///
/// It equals `transformers` to 1e-4 in every logit at f32. Rotary embeddings may be stretched
/// (`linear`, `llama3`, `yarn`; others are refused by name), attention may be grouped and windowed.
/// Tokens go in and out; [`CausalTokenizer`] makes them of texts.
///
/// **Memory.** A [`CausalSession`] grows with its tokens alone, by [`Self::cache_bytes`]; prompts run
/// in passes of 512 tokens, and attention page by page, so that no memory grows with the product of two
/// lengths: 128k tokens fit wherever their keys and values do.
///
/// **On the CPU** the weights are kept in the placement's number format and everything is computed and
/// remembered in f32, so that half precision halves the weights' memory and rounds nothing else.
///
/// ```no_run
/// use std::path::Path;
/// use adit_models::{CausalModel, CausalTokenizer, Device, GenerationOptions};
/// use rand::SeedableRng;
///
/// let folder = Path::new("models/Qwen2.5-0.5B-Instruct");
/// let model = CausalModel::load(folder, Device::Cpu)?;
/// let tokenizer = CausalTokenizer::load(folder)?;
/// let prompt = tokenizer.encode("The capital of France is", true)?;
/// let options = GenerationOptions { most_tokens: 20, ..GenerationOptions::default() };
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
/// let generation = model.generate(&prompt, &options, &mut rng)?;
/// println!("{}", tokenizer.decode(&generation.tokens)?);
/// # Ok::<(), adit_models::Error>(())
/// ```
#[derive(Debug)]
pub struct CausalModel {
    /// What tells its sessions from those of others.
    number: u64,
    placement: Placement,
    folder: PathBuf,
    vocabulary: usize,
    context: usize,
    ends: Vec<u32>,
    decoder: Box<dyn Decoder>,
}

impl CausalModel {
    /// Loads `config.json`, `generation_config.json` where there is one (it may say which tokens end a
    /// text), and the weights from a folder: safetensors in one file or several with their index, or what
    /// PyTorch saved, in any float format.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`], [`Error::Oversized`] for the files themselves.
    /// - [`Error::Config`], [`Error::Header`], [`Error::ShardIndex`], [`Error::Pytorch`] for what they
    ///   declare. What is not supported is named.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names. Shapes are
    ///   checked against the file before anything of their size is allocated.
    /// - [`Error::DeviceUnavailable`] for a device that is not compiled in or not there.
    pub fn load(folder: &Path, placement: impl Into<Placement>) -> Result<Self> {
        static LOADED: AtomicU64 = AtomicU64::new(0);
        let placement = placement.into();
        let config = CausalConfig::load(folder)?;
        let mut checkpoint = Checkpoint::open(folder)?;
        let decoder: Box<dyn Decoder> = match placement.device {
            Device::Cpu => Box::new(HostDecoder::load(
                &mut checkpoint,
                &config,
                placement.precision,
            )?),
            Device::Cuda(_) => place(
                placement,
                BackendParts {
                    checkpoint: &mut checkpoint,
                    config: &config,
                },
            )?,
        };
        tracing::debug!(folder = %folder.display(), %placement, "language model loaded");
        Ok(Self {
            number: LOADED.fetch_add(1, Ordering::Relaxed),
            placement,
            folder: folder.to_owned(),
            vocabulary: config.vocabulary,
            context: config.context,
            ends: config.ends,
            decoder,
        })
    }

    /// Where it runs and in which number format.
    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// The folder it was loaded from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tokens that it knows: each lies below.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Most tokens of a text, prompt and answer together.
    pub fn context(&self) -> usize {
        self.context
    }

    /// The tokens that end a text, by the model's own files.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Bytes that a session of so many tokens takes, known before it is made.
    pub fn cache_bytes(&self, tokens: usize) -> u64 {
        self.decoder.cache_bytes(tokens)
    }

    /// A text without tokens.
    pub fn session(&self) -> CausalSession {
        CausalSession {
            model: self.number,
            length: 0,
            cache: self.decoder.cache(),
        }
    }

    /// Appends tokens to a text and gives the logits of what comes next, one for each token of the
    /// vocabulary. A prompt may come in several pieces.
    ///
    /// # Errors
    /// - [`Error::Input`] for no tokens, or a session of another model.
    /// - [`Error::TokenUnknown`] for a token beyond the vocabulary.
    /// - [`Error::ContextFull`] for more tokens than [`Self::context`].
    ///
    /// The session stays as it was.
    pub fn prefill(&self, session: &mut CausalSession, tokens: &[u32]) -> Result<Vec<f32>> {
        self.extend(session, tokens, &[tokens.len().saturating_sub(1)])
    }

    /// Appends one token: [`Self::prefill`] of it.
    ///
    /// # Errors
    /// As [`Self::prefill`].
    pub fn step(&self, session: &mut CausalSession, token: u32) -> Result<Vec<f32>> {
        self.prefill(session, &[token])
    }

    /// The logits after some of a text's tokens, counted from 0 in ascending order: what comes next after
    /// each. This is how tokens that another has generated are verified: one pass over all of them, and
    /// a look at any step, whether or not a tie once fell the other way.
    ///
    /// # Errors
    /// As [`Self::prefill`]; [`Error::Input`] for places beyond the text, not ascending, or so many that
    /// their logits take more than 4 GiB.
    pub fn logits(&self, tokens: &[u32], places: &[usize]) -> Result<Vec<Vec<f32>>> {
        let refuse = |reason: String| Error::Input { reason };
        if let Some(place) = places.iter().find(|place| **place >= tokens.len()) {
            return Err(refuse(format!(
                "place {place} of a text of {} tokens",
                tokens.len()
            )));
        }
        if !places.is_sorted_by(|a, b| a < b) {
            return Err(refuse("places that are not ascending".to_owned()));
        }
        if places.len().saturating_mul(self.vocabulary) > MOST_LOGITS {
            return Err(refuse(format!("{} places at once", places.len())));
        }
        let logits = self.extend(&mut self.session(), tokens, places)?;
        let rows = logits.chunks_exact(self.vocabulary);
        Ok(rows.map(<[f32]>::to_vec).collect())
    }

    /// The logits before the token of a step is chosen, where each is the likeliest: step 1 is what the
    /// prompt alone gives, step 2 after the first chosen token, and so on. Tokens that end a text do not
    /// end it here. This is what the «Quasar» validator compares.
    ///
    /// # Errors
    /// As [`Self::prefill`]; [`Error::Input`] for step 0, or logits that are not finite.
    pub fn logits_at_step(&self, prompt: &[u32], step: usize) -> Result<Vec<f32>> {
        if step == 0 {
            return Err(Error::Input {
                reason: "step 0: the first is 1".to_owned(),
            });
        }
        self.check_length(prompt.len().saturating_add(step - 1))?;
        let mut session = self.session();
        let mut logits = self.prefill(&mut session, prompt)?;
        for _ in 1..step {
            let token = likeliest(&logits).unwrap_or_default() as u32;
            logits = self.step(&mut session, token)?;
        }
        Ok(logits)
    }

    fn check_length(&self, tokens: usize) -> Result<()> {
        if tokens > self.context {
            return Err(Error::ContextFull {
                tokens,
                limit: self.context,
            });
        }
        Ok(())
    }

    fn extend(
        &self,
        session: &mut CausalSession,
        tokens: &[u32],
        wanted: &[usize],
    ) -> Result<Vec<f32>> {
        let refuse = |reason: &str| Error::Input {
            reason: reason.to_owned(),
        };
        if session.model != self.number {
            return Err(refuse("a session of another model"));
        }
        if tokens.is_empty() {
            return Err(refuse("a text without tokens"));
        }
        let known = |token: &&u32| (**token as usize) < self.vocabulary;
        if let Some(token) = tokens.iter().find(|token| !known(token)) {
            return Err(Error::TokenUnknown { token: *token });
        }
        let length = session.length.saturating_add(tokens.len());
        self.check_length(length)?;
        let logits = self
            .decoder
            .extend(session.cache.as_mut(), session.length, tokens, wanted)
            .ok_or_else(|| refuse("a session of another model"))?;
        session.length = length;
        Ok(logits)
    }
}
