//! Sentence encoders: BERT and its family by their own configuration.

mod layout;

use std::{fmt, path::Path};

use adit_embedding::{Embedding, Space, TextEmbedder};
use rayon::prelude::*;

use crate::{
    Device, Error, MiniLm, Placement, Result,
    bert::{self, BertConfig, SentenceNetwork},
    checkpoint::Checkpoint,
    digest,
    tokens::SentenceTokenizer,
};
use layout::SentenceLayout;

/// How the last layer's states become one vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SentencePooling {
    /// The mean over all tokens, special ones included.
    #[default]
    Mean,
    /// The first token's state.
    Cls,
}

impl fmt::Display for SentencePooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
        })
    }
}

/// What a caller chooses instead of what the model's folder says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SentenceOptions {
    /// How the states become one vector. The folder's choice is in `1_Pooling/config.json`; without it
    /// the mean.
    pub pooling: Option<SentencePooling>,
    /// Tokens of a sequence, special ones included, at most those the network has positions for; the
    /// rest of a text is cut. The folder's choice is in `sentence_bert_config.json` or
    /// `tokenizer_config.json`; without it as many as the network has positions for.
    pub longest: Option<usize>,
    /// Whether [`SentenceEncoder::vectors_of_texts`] scales to length 1. The folder's choice is the
    /// module `Normalize`; without `modules.json` it does.
    pub normalise: Option<bool>,
}

/// A sentence encoder of BERT's family, of whatever size its folder says: texts to unit vectors.
///
/// It loads what sentence-transformers and transformers save: `config.json` of the `model_type`s
/// bert, distilbert, roberta, xlm-roberta, camembert and mpnet, `model.safetensors`,
/// `tokenizer.json`, and what there is of `modules.json`, `1_Pooling/config.json`, `2_Normalize`,
/// `sentence_bert_config.json` and `tokenizer_config.json`. So all-mpnet-base-v2, thenlper/gte-*,
/// BAAI/bge-*, intfloat/e5-* and multilingual-e5-* are among what it loads. The vectors equal
/// sentence-transformers' to 1e-4 in every component at f32.
///
/// - Texts are embedded as they are: what a model wants before them («query: »), the caller writes.
/// - Empty text is sound input: it embeds as the special tokens around it, as in the original.
/// - Only the first 128 bytes for each token of the longest sequence are read of a text (32 KiB for
///   256 tokens), cut at a character's boundary; ordinary text reaches the longest sequence in a
///   sixteenth of that.
/// - Batches may have any size and any mix of lengths; the order of the texts does not matter beyond
///   rounding (about 1e-7).
///
/// The space is named after what makes the vectors: the `model_type`, the first 16 digits of the
/// weights' SHA-256, the pooling and the longest sequence, for instance
/// `mpnet-0123456789abcdef-mean-384/768`. The published all-MiniLM-L6-v2, prepared as [`MiniLm`] does,
/// has its space.
///
/// The model is shared freely between threads. On the CPU a call spreads over rayon's global pool; it
/// blocks the calling thread, so call it from `spawn_blocking` in async code.
///
/// ```
/// use std::path::Path;
/// use adit_models::{Device, SentenceEncoder};
///
/// let error = SentenceEncoder::load(Path::new("no-such-folder"), Device::Cpu).unwrap_err();
/// assert!(error.to_string().contains("config.json"));
/// ```
#[derive(Debug)]
pub struct SentenceEncoder {
    space: Space,
    placement: Placement,
    pooling: SentencePooling,
    normalise: bool,
    tokenizer: SentenceTokenizer,
    network: Box<dyn SentenceNetwork>,
}

impl SentenceEncoder {
    /// Loads a folder as it is.
    ///
    /// # Errors
    /// As [`Self::load_with`].
    pub fn load(folder: &Path, placement: impl Into<Placement>) -> Result<Self> {
        Self::load_with(folder, placement, SentenceOptions::default())
    }

    /// Loads a folder, with the caller's choices.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`], [`Error::Oversized`] for the files themselves.
    /// - [`Error::Config`], [`Error::Header`] for what they declare: a `model_type`, an activation or a
    ///   way of pooling that is not supported is named.
    /// - [`Error::Input`] for a longest sequence that the network has no positions for.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names.
    /// - [`Error::Tokenizer`] when the tokenizer cannot be built, or has tokens the network lacks.
    /// - [`Error::DeviceUnavailable`] for a device that is not compiled in or not there.
    pub fn load_with(
        folder: &Path,
        placement: impl Into<Placement>,
        options: SentenceOptions,
    ) -> Result<Self> {
        let placement = placement.into();
        let layout = SentenceLayout::read(folder)?;
        let config_path = layout.network.join("config.json");
        let config = BertConfig::load(&config_path)?;
        let longest = longest(&config, &layout, options.longest, &config_path)?;
        let weights = layout.network.join("model.safetensors");
        let mut checkpoint = Checkpoint::open(&weights)?;
        let network = bert::load(&mut checkpoint, &config, placement)?;
        let tokenizer = layout.network.join("tokenizer.json");
        let pooling = options.pooling.unwrap_or(layout.pooling);
        let weights = digest::of(&weights)?;
        let published = longest == MiniLm::LONGEST_SEQUENCE
            && pooling == SentencePooling::Mean
            && !layout.lowercase
            && MiniLm::is_published(&weights, &digest::of(&tokenizer)?);
        let name = if published {
            MiniLm::SPACE.to_owned()
        } else {
            let digits = weights.get(..16).unwrap_or_default();
            format!("{}-{digits}-{pooling}-{longest}", config.model_type)
        };
        let encoder = Self {
            space: Space::new(&name, config.hidden)?,
            placement,
            pooling,
            normalise: options.normalise.unwrap_or(layout.normalise),
            tokenizer: SentenceTokenizer::load(
                &tokenizer,
                longest,
                config.vocabulary,
                layout.lowercase,
            )?,
            network,
        };
        tracing::debug!(folder = %folder.display(), %placement, space = name, "sentence encoder loaded");
        Ok(encoder)
    }

    /// Of parts that were loaded already.
    pub(crate) fn new(
        space: Space,
        placement: Placement,
        tokenizer: SentenceTokenizer,
        network: Box<dyn SentenceNetwork>,
    ) -> Self {
        Self {
            space,
            placement,
            pooling: SentencePooling::Mean,
            normalise: true,
            tokenizer,
            network,
        }
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.placement.device
    }

    /// How the last layer's states become one vector.
    pub fn pooling(&self) -> SentencePooling {
        self.pooling
    }

    /// Tokens of the longest sequence, special ones included.
    pub fn longest(&self) -> usize {
        self.tokenizer.longest()
    }

    /// The ids of a text as the network sees them, special ones included: at least one of them and at
    /// most [`Self::longest`].
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn token_ids(&self, text: &str) -> Result<Vec<u32>> {
        self.tokenizer.ids(text)
    }

    /// One vector per text, in their order, of the length that the network gives it, or of length 1
    /// where the model or [`SentenceOptions::normalise`] says so.
    ///
    /// # Errors
    /// - [`Error::Tokenizer`] when the tokenizer refuses a text.
    /// - [`Error::Embedding`] when a vector is not finite, or has no direction to normalise.
    pub fn vectors_of_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        if self.normalise {
            let unit = self.embed(texts)?;
            return Ok(unit.iter().map(|one| one.values().to_vec()).collect());
        }
        let pooled = self.pooled(texts)?;
        for vector in &pooled {
            if let Some(index) = vector.iter().position(|value| !value.is_finite()) {
                let space = self.space.clone();
                return Err(adit_embedding::Error::NotFinite { space, index }.into());
            }
        }
        Ok(pooled)
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Embedding>> {
        let unit = |vector| Ok(Embedding::new(self.space.clone(), vector)?);
        self.pooled(texts)?.into_iter().map(unit).collect()
    }

    fn pooled(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let ids = texts
            .par_iter()
            .map(|text| self.tokenizer.ids(text))
            .collect::<Result<Vec<_>>>()?;
        let sequences: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        Ok(self.network.pooled(&sequences, self.pooling))
    }
}

impl TextEmbedder for SentenceEncoder {
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

/// The longest sequence: the caller's choice, the folder's, or what the network has positions for.
fn longest(
    config: &BertConfig,
    layout: &SentenceLayout,
    chosen: Option<usize>,
    path: &Path,
) -> Result<usize> {
    let most = config.longest();
    match (chosen, layout.longest) {
        (Some(longest), _) if longest == 0 || longest > most => Err(Error::Input {
            reason: format!("sequences of {longest} tokens, only of 1 to {most}"),
        }),
        (Some(longest), _) => Ok(longest),
        (None, Some(longest)) if longest == 0 || longest > most => Err(Error::Config {
            path: path.to_owned(),
            reason: format!(
                "it has positions for {most} tokens, the longest sequence is said to have {longest}"
            ),
        }),
        (None, Some(longest)) => Ok(longest),
        (None, None) => Ok(layout.tokenizer_longest.unwrap_or(most).min(most)),
    }
}
