//! The video mechanism: clips for a topic.
//!
//! Two policies. [`VideoPolicy::original`] states the formulas and constants of the system in the
//! field; [`original`] holds its functions one by one, equal to the digit. [`VideoPolicy::hardened`]
//! is the default and closes its holes. [`judge`] turns stored [`AnswerEvidence`] into an
//! [`AnswerVerdict`] and reads nothing else, so that a stored score can be recomputed at any time.
//!
//! The table of differences stands at the [front](crate#video) of this crate.

mod description;
mod evidence;
pub(crate) mod footage;
mod hardened;
pub(crate) mod judge;
pub(crate) mod number;
pub mod original;
pub(crate) mod plan;
mod policy;
pub(crate) mod sampled;
mod verdict;

pub use description::{DescriptionMeasure, measure_description};
pub use evidence::{
    AnswerEvidence, ClipDefect, ClipEvidence, JointCosines, PairCosine, SoundComparison,
    Verification,
};
pub use judge::judge;
pub use plan::verification_plan;
pub use policy::{HardenedRules, VideoPolicy};
pub use verdict::{AnswerRefusal, AnswerVerdict, ClipRefusal, ClipVerdict, Standing};
