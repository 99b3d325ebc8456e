//! How good an answer is by itself: relevant, coherent, complete, worked out, dense and definite.
//!
//! The caller embeds the prompt, its [`prompt_components`](super::prompt_components), each answer and
//! its [`sentences`](super::sentences); [`assess`] judges. The signals that the field computes and does
//! not score by are in [`diagnostics`].

pub mod diagnostics;

mod assess;
mod logistic;
mod policy;
mod signals;

pub use assess::{AnswerQuality, QualityAnswer, QualityPrompt, assess, heuristic_quality};
pub use logistic::logistic;
pub use policy::{QualityPolicy, QualityWeights};
pub use signals::{Coherence, Coverage, SentenceSignals, Steps, coverage};
