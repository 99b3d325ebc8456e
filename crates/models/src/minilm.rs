use std::path::Path;

use adit_embedding::{Embedding, Space, TextEmbedder};

use crate::{
    Device, Error, Placement, Result, SentenceEncoder,
    bert::{self, BertConfig, Family},
    checkpoint::Checkpoint,
    digest,
    tokens::SentenceTokenizer,
};

/// Components of an embedding.
const DIMENSION: usize = 384;

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
    encoder: SentenceEncoder,
}

impl MiniLm {
    /// The model's folder below a folder of models, as `scripts/fetch-models` lays it out.
    pub const FOLDER: &str = "all-MiniLM-L6-v2";
    /// The space's name.
    pub(crate) const SPACE: &str = "minilm-l6-v2";
    /// Tokens of a sequence, its two special ones included; the rest is cut.
    pub(crate) const LONGEST_SEQUENCE: usize = 256;

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
    pub fn load(folder: &Path, placement: impl Into<Placement>) -> Result<Self> {
        let placement = placement.into();
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
        let network = bert::load(&mut checkpoint, &config, placement)?;
        digest::verify(&weights_path, WEIGHTS_DIGEST)?;
        let tokenizer_path = folder.join("tokenizer.json");
        digest::verify(&tokenizer_path, TOKENIZER_DIGEST)?;
        let tokenizer = SentenceTokenizer::load(
            &tokenizer_path,
            Self::LONGEST_SEQUENCE,
            config.vocabulary,
            false,
        )?;
        let space = Space::new(Self::SPACE, DIMENSION)?;
        tracing::debug!(folder = %folder.display(), %placement, "MiniLM loaded");
        Ok(Self {
            encoder: SentenceEncoder::new(space, placement, tokenizer, network),
        })
    }

    /// Whether files of these SHA-256 are the published ones.
    pub(crate) fn is_published(weights: &str, tokenizer: &str) -> bool {
        weights == WEIGHTS_DIGEST && tokenizer == TOKENIZER_DIGEST
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.encoder.device()
    }

    /// The WordPiece ids of a text as the network sees them: 2 to 256 of them, each below 30,522,
    /// the first and the last special.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn token_ids(&self, text: &str) -> Result<Vec<u32>> {
        self.encoder.token_ids(text)
    }
}

impl TextEmbedder for MiniLm {
    fn space(&self) -> &Space {
        self.encoder.space()
    }

    fn embed_texts(&self, texts: &[&str]) -> adit_embedding::Result<Vec<Embedding>> {
        self.encoder.embed_texts(texts)
    }
}

/// How a configuration differs from the model's, if it does.
fn difference(config: &BertConfig) -> Option<String> {
    if config.family != Family::Bert {
        return Some(format!(
            "model_type is {:?}, the model's is \"bert\"",
            config.model_type
        ));
    }
    let numbers = [
        ("vocab_size", config.vocabulary, 30_522),
        ("max_position_embeddings", config.positions, 512),
        ("type_vocab_size", config.types.unwrap_or_default(), 2),
        ("hidden_size", config.hidden, DIMENSION),
        ("intermediate_size", config.wide, 1_536),
        ("num_hidden_layers", config.layers, 6),
        ("num_attention_heads", config.heads, 12),
    ];
    for (name, found, expected) in numbers {
        if found != expected {
            return Some(format!("{name} is {found}, the model's is {expected}"));
        }
    }
    (config.epsilon != 1e-12)
        .then(|| format!("layer_norm_eps is {}, the model's is 1e-12", config.epsilon))
}
