use std::{error::Error as StdError, io, path::PathBuf};

use crate::Device;

/// Why a model cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the model is not there.
    #[error("{} is missing; scripts/fetch-models fetches it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file of the model cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of a model cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file, or the folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is larger than any file of this kind may be.
    #[error("{} has {size} bytes, at most {limit} are allowed", path.display())]
    Oversized {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        size: u64,
        /// Most bytes allowed.
        limit: u64,
    },
    /// `config.json` does not describe this model.
    #[error("{} does not describe the model: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The header of a safetensors file lies or cannot be parsed.
    #[error("{} has no sound safetensors header: {reason}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file that should be what PyTorch saves is not, or lies.
    #[error("{} is no sound PyTorch checkpoint: {reason}", path.display())]
    Pytorch {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The pickle in a PyTorch checkpoint asks for more than tensors. It is not executed.
    #[error("the pickle in {} asks for {what}, which no tensor needs; pickles are not executed", path.display())]
    PickleRefused {
        /// The file.
        path: PathBuf,
        /// The instruction, or the name of Python's.
        what: String,
    },
    /// The index of a checkpoint in several files lies or cannot be parsed.
    #[error("{} is no sound index of a checkpoint: {reason}", path.display())]
    ShardIndex {
        /// The index.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Tensors that the model needs are not in the checkpoint.
    #[error("{} lacks the tensors {}", path.display(), names.join(", "))]
    TensorsMissing {
        /// The file.
        path: PathBuf,
        /// The tensors, in alphabetical order.
        names: Vec<String>,
    },
    /// The checkpoint holds tensors that the model does not know.
    #[error("{} holds unexpected tensors {}", path.display(), names.join(", "))]
    TensorsUnexpected {
        /// The file.
        path: PathBuf,
        /// The tensors, in alphabetical order; at most 20.
        names: Vec<String>,
    },
    /// A tensor has another shape than the model's.
    #[error("tensor {name} has the shape {found:?}, the model needs {expected:?}")]
    TensorShape {
        /// The tensor.
        name: String,
        /// The model's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// A tensor has another element type than the model's.
    #[error("tensor {name} holds {found}, the model needs {expected}")]
    TensorElement {
        /// The tensor.
        name: String,
        /// The model's element type.
        expected: &'static str,
        /// The file's element type.
        found: String,
    },
    /// A tensor holds a NaN or an infinity.
    #[error("element {index} of tensor {name} is not finite")]
    TensorNotFinite {
        /// The tensor.
        name: String,
        /// The first such element, counted row by row.
        index: usize,
    },
    /// A sound file with other bytes than the published ones: its embeddings would live in another
    /// space.
    #[error("{} has the sha256 {found}, not the published {expected}; scripts/fetch-models replaces it", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// SHA-256 of the published file, in hexadecimal.
        expected: &'static str,
        /// SHA-256 of this file, in hexadecimal.
        found: String,
    },
    /// The tokenizer cannot be built, or refuses a text.
    #[error("the tokenizer failed")]
    Tokenizer {
        /// What it said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A token that the vocabulary lacks.
    #[error("the vocabulary has no token {token}")]
    TokenUnknown {
        /// The token.
        token: u32,
    },
    /// More tokens than the model's context takes.
    #[error("{tokens} tokens, the model's context takes {limit}")]
    ContextFull {
        /// The tokens, those of the text so far included.
        tokens: usize,
        /// Most tokens.
        limit: usize,
    },
    /// What was to be prepared for a model is no text, frame or sound that it can take.
    #[error("the model cannot take {reason}")]
    Input {
        /// What is wrong with it.
        reason: String,
    },
    /// This build has no backend for the device, or the machine no such device.
    #[error("no device {device}: {reason}")]
    DeviceUnavailable {
        /// The device.
        device: Device,
        /// Why not.
        reason: String,
    },
    /// The device's memory does not hold the inputs of one pass, nor half of them.
    #[error("the device's memory does not hold {inputs} inputs at once: {reason}")]
    OutOfMemory {
        /// Inputs of the pass that failed last.
        inputs: usize,
        /// What the device said.
        reason: String,
    },
    /// The model panicked over an input.
    #[error("the model panicked: {message}")]
    Panicked {
        /// The panic's message, cut at 300 characters.
        message: String,
    },
    /// The model gave another number of answers than it was given inputs.
    #[error("the model gave {found} answers to {inputs} inputs")]
    AnswerCount {
        /// Inputs of the pass.
        inputs: usize,
        /// Answers to it.
        found: usize,
    },
    /// A [`crate::Batcher`]'s queue has no room now.
    #[error("{queued} inputs wait already, there is no room for one more of cost {cost}")]
    QueueFull {
        /// Inputs that wait or are being worked on.
        queued: usize,
        /// Cost of the input that was refused.
        cost: usize,
    },
    /// An input costs more than a [`crate::Batcher`]'s whole queue may.
    #[error("an input of cost {cost}, the whole queue takes {limit}")]
    QueueCost {
        /// Cost of the input.
        cost: usize,
        /// What all inputs together may cost.
        limit: usize,
    },
    /// A [`crate::Batcher`] takes no more inputs, or ended before it answered.
    #[error("the queue of the model is closed")]
    QueueClosed,
    /// A [`crate::Batcher`] cannot be started here.
    #[error("no batches can be made: {reason}")]
    Batching {
        /// What is missing.
        reason: String,
    },
    /// A published model cannot be pulled.
    #[cfg(feature = "pull")]
    #[error(transparent)]
    Pull(#[from] crate::PullError),
    /// The model's space or an embedding was refused.
    #[error(transparent)]
    Embedding(#[from] adit_embedding::Error),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
