use std::path::Path;

use adit_embedding::{Embedding, Space, TextEmbedder};
use burn_flex::{Flex, FlexDevice};
use rayon::prelude::*;

use crate::{
    Device, Error, Result,
    batches::group_by_length,
    bert::{Bert, BertConfig},
    checkpoint::Checkpoint,
    digest,
    tokens::SentenceTokenizer,
};

/// Tokens of a sequence, its two special ones included; the rest is cut.
const LONGEST_SEQUENCE: usize = 256;
/// Components of an embedding.
const DIMENSION: usize = 384;
/// Tokens in one pass on the CPU: more of them no longer fit its nearer caches.
const PASS_TOKENS: usize = 512;
/// Fewest tokens worth a pass of their own.
const LEAST_PASS_TOKENS: usize = 64;
/// Tokens in one pass on CUDA, padding included.
#[cfg(feature = "cuda")]
const CUDA_PASS_TOKENS: usize = 1 << 16;

/// SHA-256 of the published weights.
pub(crate) const WEIGHTS_DIGEST: &str =
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
/// SHA-256 of the published tokenizer.
pub(crate) const TOKENIZER_DIGEST: &str =
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037";

/// The sentence encoder all-MiniLM-L6-v2: texts to unit vectors of 384 dimensions in the space
/// `minilm-l6-v2/384`.
///
/// A BERT of 6 layers and 12 heads over WordPiece tokens, the mean of the last layer over a text's
/// tokens, scaled to length 1. It equals the Python package `sentence-transformers` to 1e-4 in
/// every component and has the same token ids: texts are lower-cased and cut after 256 tokens,
/// the two special ones included.
///
/// - Empty text is sound input: it embeds as the two special tokens, as in the original.
/// - Only the first 32 KiB of a text are read, cut at a character's boundary. 254 word pieces of any
///   ordinary text stand in its first 2 KiB, so nothing changes for them; a text whose words are
///   longer than 128 bytes on average, or that opens with 32 KiB of blanks, embeds as its beginning.
/// - Batches may have any size and any mix of lengths; the order of the texts does not matter
///   beyond rounding (about 1e-7).
///
/// Loading takes 91 MB of memory and a fraction of a second. The model is shared freely between
/// threads. On the CPU a call spreads over rayon's global pool; it blocks the calling thread, so
/// call it from `spawn_blocking` in async code.
///
/// Model: <https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2>, Apache-2.0.
#[derive(Debug)]
pub struct MiniLm {
    space: Space,
    device: Device,
    tokenizer: SentenceTokenizer,
    network: Network,
}

#[derive(Debug)]
enum Network {
    Cpu(Box<Bert<Flex>>),
    #[cfg(feature = "cuda")]
    Cuda(Box<Bert<burn_cuda::Cuda>>),
}

impl MiniLm {
    /// The model's folder below a folder of models, as `scripts/fetch-models` lays it out.
    pub const FOLDER: &str = "all-MiniLM-L6-v2";

    /// Loads `config.json`, `model.safetensors` and `tokenizer.json` from a folder.
    ///
    /// The files must be the published ones, because the space's name promises it. What is wrong
    /// with other files is found from the cheap to the costly: the configuration, the checkpoint's
    /// header, names and shapes, non-finite values, and last the digests.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`], [`Error::Oversized`] for the files themselves.
    /// - [`Error::Config`], [`Error::Header`] for what they declare.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names.
    /// - [`Error::Digest`] for sound files that are not the published ones.
    /// - [`Error::Tokenizer`] when the tokenizer cannot be built.
    /// - [`Error::DeviceUnavailable`] for a device that is not compiled in or not there.
    pub fn load(folder: &Path, device: &Device) -> Result<Self> {
        let config_path = folder.join("config.json");
        let config = BertConfig::load(&config_path)?;
        if let Some(reason) = difference(&config) {
            return Err(Error::Config {
                path: config_path,
                reason,
            });
        }
        let weights_path = folder.join("model.safetensors");
        let mut checkpoint = Checkpoint::open(&weights_path)?;
        let network = Network::load(&mut checkpoint, &config, device)?;
        digest::verify(&weights_path, WEIGHTS_DIGEST)?;
        let tokenizer_path = folder.join("tokenizer.json");
        digest::verify(&tokenizer_path, TOKENIZER_DIGEST)?;
        let tokenizer =
            SentenceTokenizer::load(&tokenizer_path, LONGEST_SEQUENCE, config.vocab_size)?;
        tracing::debug!(folder = %folder.display(), %device, "MiniLM loaded");
        Ok(Self {
            space: Space::new("minilm-l6-v2", DIMENSION)?,
            device: *device,
            tokenizer,
            network,
        })
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The WordPiece ids of a text as the network sees them: 2 to 256 of them, each below 30,522,
    /// the first and the last special.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn token_ids(&self, text: &str) -> Result<Vec<u32>> {
        self.tokenizer.ids(text)
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Embedding>> {
        let ids = texts
            .par_iter()
            .map(|text| self.tokenizer.ids(text))
            .collect::<Result<Vec<_>>>()?;
        let sequences: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let lengths: Vec<usize> = ids.iter().map(Vec::len).collect();
        let groups = group_by_length(&lengths, self.network.pass_tokens(lengths.iter().sum()));
        let pooled = self.network.run(&sequences, &groups);
        let mut embeddings: Vec<Option<Embedding>> = vec![None; texts.len()];
        for (index, values) in groups.into_iter().flatten().zip(pooled) {
            if let Some(place) = embeddings.get_mut(index) {
                *place = Some(Embedding::new(self.space.clone(), values)?);
            }
        }
        Ok(embeddings.into_iter().flatten().collect())
    }
}

impl TextEmbedder for MiniLm {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed_texts(&self, texts: &[&str]) -> adit_embedding::Result<Vec<Embedding>> {
        // No text is unsound input, so whatever fails is ours.
        self.embed(texts)
            .map_err(|error| adit_embedding::Error::Model {
                model: self.space.to_string(),
                reason: error.to_string(),
            })
    }
}

impl Network {
    fn load(checkpoint: &mut Checkpoint, config: &BertConfig, device: &Device) -> Result<Self> {
        match device {
            Device::Cpu => {
                Bert::load(checkpoint, config, &FlexDevice).map(|bert| Self::Cpu(Box::new(bert)))
            }
            #[cfg(feature = "cuda")]
            Device::Cuda(index) => {
                let place = burn_cuda::CudaDevice { index: *index };
                // The driver's loader panics where there is no driver or no such device.
                let load = || Bert::load(checkpoint, config, &place);
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(load))
                    .map_err(|_| Error::DeviceUnavailable {
                        device: *device,
                        reason: "CUDA did not start; its own message stands in the log".to_owned(),
                    })?
                    .map(|bert| Self::Cuda(Box::new(bert)))
            }
            #[cfg(not(feature = "cuda"))]
            Device::Cuda(_) => Err(Error::DeviceUnavailable {
                device: *device,
                reason: "this build lacks the feature cuda".to_owned(),
            }),
        }
    }

    /// Most tokens in one pass over a batch of `all` tokens.
    fn pass_tokens(&self, all: usize) -> usize {
        match self {
            // Each thread makes passes of its own, so all of them should get one.
            Self::Cpu(_) => all
                .div_ceil(rayon::current_num_threads())
                .clamp(LEAST_PASS_TOKENS, PASS_TOKENS),
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => CUDA_PASS_TOKENS,
        }
    }

    /// The pooled states of the groups' sequences, in the groups' order.
    fn run(&self, sequences: &[&[u32]], groups: &[Vec<usize>]) -> Vec<Vec<f32>> {
        let gather = |group: &Vec<usize>| -> Vec<&[u32]> {
            group
                .iter()
                .filter_map(|index| sequences.get(*index).copied())
                .collect()
        };
        match self {
            Self::Cpu(bert) => groups
                .par_iter()
                .flat_map_iter(|group| bert.pooled_packed(&gather(group)))
                .collect(),
            #[cfg(feature = "cuda")]
            Self::Cuda(bert) => groups
                .iter()
                .flat_map(|group| bert.pooled_padded(&gather(group)))
                .collect(),
        }
    }
}

/// How a configuration differs from the model's, if it does.
fn difference(config: &BertConfig) -> Option<String> {
    let words = [
        ("model_type", config.model_type.as_str(), "bert"),
        ("hidden_act", &config.hidden_act, "gelu"),
        (
            "position_embedding_type",
            &config.position_embedding_type,
            "absolute",
        ),
    ];
    for (name, found, expected) in words {
        if found != expected {
            let found: String = found.chars().take(40).collect();
            return Some(format!("{name} is {found:?}, the model's is {expected:?}"));
        }
    }
    let numbers = [
        ("vocab_size", config.vocab_size, 30_522),
        (
            "max_position_embeddings",
            config.max_position_embeddings,
            512,
        ),
        ("type_vocab_size", config.type_vocab_size, 2),
        ("hidden_size", config.hidden_size, DIMENSION),
        ("intermediate_size", config.intermediate_size, 1_536),
        ("num_hidden_layers", config.num_hidden_layers, 6),
        ("num_attention_heads", config.num_attention_heads, 12),
    ];
    for (name, found, expected) in numbers {
        if found != expected {
            return Some(format!("{name} is {found}, the model's is {expected}"));
        }
    }
    (config.layer_norm_eps != 1e-12).then(|| {
        format!(
            "layer_norm_eps is {}, the model's is 1e-12",
            config.layer_norm_eps
        )
    })
}
