use serde::{Deserialize, Serialize};

use super::{DescriptionMeasure, number};

/// Everything a verdict on one answer depends on. Stored beside the score; [`super::judge`] reads
/// nothing else.
///
/// Numbers are written to JSON so that they read back to the same bits (with `serde_json`'s feature
/// `float_roundtrip`), and NaN and infinities as text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerEvidence {
    /// Clips the task asked for; more are refused.
    pub clips_wanted: u32,
    /// Whether the answer arrived before the task's deadline.
    pub answered_within_deadline: bool,
    /// The clips in the answer's order. Clips far beyond `clips_wanted` may be left out.
    pub clips: Vec<ClipEvidence>,
    /// Cosines of the video vectors of every two well-formed clips of the answer.
    pub within_answer: Vec<PairCosine>,
}

/// Likeness of two clips of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairCosine {
    /// Place of the one clip.
    pub first: u32,
    /// Place of the other.
    pub second: u32,
    /// Cosine of their video vectors, −1 to 1.
    #[serde(with = "number")]
    pub cosine: f64,
}

/// What is known of one clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipEvidence {
    /// Place in the answer, from 0; it aligns every measure with its clip.
    pub place: u32,
    /// The clip's name in logs and reports; plays no part in judging.
    pub clip_id: String,
    /// What two clips of the same footage have in common, normally the source's address. Clips of
    /// one source must not overlap.
    pub source: String,
    /// Start in the source, in milliseconds, inclusive.
    pub start_ms: u64,
    /// End in the source, in milliseconds, exclusive.
    pub end_ms: u64,
    /// Length of the source, when it was probed.
    pub source_duration_ms: Option<u64>,
    /// Word counts of the description.
    pub description: DescriptionMeasure,
    /// The first defect found in what cannot be seen from the other fields; none when well formed.
    /// The measures below are then not needed.
    pub defect: Option<ClipDefect>,
    /// What fetching and re-embedding the clip showed.
    pub verification: Verification,
    /// One minus the largest cosine to anything in the dataset, 0 to 1; 1 when the dataset is
    /// empty. None when the dataset did not answer.
    #[serde(with = "number::optional")]
    pub global_novelty: Option<f64>,
    /// Largest cosine to a clip that was accepted earlier in this task from another miner. None
    /// when there is none yet.
    #[serde(with = "number::optional")]
    pub nearest_in_task: Option<f64>,
    /// Cosine of the description and the topic, both embedded by the validator in one text space,
    /// −1 to 1. None when the validator could not embed them.
    #[serde(with = "number::optional")]
    pub query_relevance: Option<f64>,
    /// Cosine of the miner's text vector and the validator's own embedding of the description.
    /// None when the validator could not embed it.
    #[serde(with = "number::optional")]
    pub text_similarity: Option<f64>,
    /// Cosines across modalities, where all vectors live in one joint space. Only the original
    /// policy reads them.
    #[serde(default)]
    pub joint: Option<JointCosines>,
}

/// Cosines across modalities in one joint space, each −1 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct JointCosines {
    /// Frames and description.
    #[serde(with = "number")]
    pub video_description: f64,
    /// Sound and description.
    #[serde(with = "number")]
    pub audio_description: f64,
    /// Frames and topic.
    #[serde(with = "number")]
    pub video_query: f64,
    /// Sound and topic.
    #[serde(with = "number")]
    pub audio_query: f64,
}

/// Why a clip is malformed, as far as its numbers in the evidence do not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClipDefect {
    /// A vector that was asked for is missing.
    VectorMissing,
    /// A vector has another length than its space.
    VectorLength,
    /// A vector has a component that is NaN or infinite.
    VectorNotFinite,
    /// A vector has no direction.
    VectorZero,
    /// A vector lives in another space than was asked for.
    VectorSpace,
    /// The same clip id occurs earlier in the answer.
    DuplicateId,
    /// The source's address is none, or one that may not be fetched.
    SourceAddress,
    /// An id or an address is empty or too long.
    Identifier,
}

/// What fetching and re-embedding a clip showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verification {
    /// The clip was not chosen.
    NotSampled,
    /// The clip was fetched and embedded. Whether it matches is for the policy to say.
    Compared {
        /// Cosine of the miner's video vector and ours.
        #[serde(with = "number")]
        video: f64,
        /// The same for sound.
        sound: SoundComparison,
    },
    /// The source's host did not deliver in time.
    OriginUnreachable {
        /// How often it was tried, from 1.
        attempts: u32,
    },
    /// The source was delivered and is at fault: no video, truncated, shorter than the clip's end,
    /// too large, forbidden.
    SourceInvalid {
        /// What was wrong, for the report.
        reason: String,
    },
    /// Our own machinery failed on this clip.
    OwnFailure {
        /// How often it was tried, from 1.
        attempts: u32,
    },
}

/// How the miner's sound vector compares with ours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SoundComparison {
    /// The clip has no sound and the miner claims none, or sound was not asked for.
    Absent,
    /// Both have a vector.
    Compared {
        /// Their cosine.
        #[serde(with = "number")]
        cosine: f64,
    },
    /// The miner gave a vector for sound that the source does not have.
    Invented,
    /// The source has sound and the miner gave no vector.
    Withheld,
}
