use std::fmt;

use adit_primitives::Score;
use serde::{Deserialize, Serialize};

use super::ClipDefect;

/// The judgement of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerVerdict {
    /// Name and version of the policy that judged.
    pub policy: String,
    /// 0 to 1.
    pub score: Score,
    /// Whether the score may be averaged in.
    pub standing: Standing,
    /// Why the whole answer scores nothing, if it does.
    pub refusal: Option<AnswerRefusal>,
    /// One verdict per clip of the evidence, in its order.
    pub clips: Vec<ClipVerdict>,
}

impl AnswerVerdict {
    /// How many clips were accepted.
    pub fn accepted(&self) -> usize {
        self.clips.iter().filter(|clip| clip.accepted).count()
    }
}

/// Whether a verdict is the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The score counts.
    Final,
    /// Something outside the answer is missing (an unreachable origin, a service of our own): try
    /// again. Until then the score neither charges nor pays the miner: do not average it in.
    Pending,
}

/// The judgement of one clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipVerdict {
    /// The clip's place in the answer.
    pub place: u32,
    /// Whether it enters the dataset.
    pub accepted: bool,
    /// Why not.
    pub refusal: Option<ClipRefusal>,
    /// How well the description fits the topic, 0 to 1; 0 when refused.
    pub relevance: f64,
    /// How unlike everything known the footage is, 0 to 1; 0 when refused.
    pub novelty: f64,
    /// How much the description says beyond the topic, 0 to 1; 0 when refused.
    pub detail: f64,
    /// What the clip earns, 0 to 1, before division by the clips wanted; 0 when refused.
    pub score: f64,
}

/// Why a whole answer scores nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnswerRefusal {
    /// It arrived after the deadline.
    Late,
    /// It has no clips.
    Empty,
    /// A measure is NaN or infinite.
    NotFinite,
    /// A fetched clip does not match the miner's vectors.
    Mismatch {
        /// The first such clip.
        place: u32,
    },
    /// A fetched source is no video, or not the one claimed.
    SourceInvalid {
        /// The first such clip.
        place: u32,
    },
    /// A text vector is not that of the description.
    TextMismatch {
        /// The first such clip.
        place: u32,
    },
    /// Verifying it failed in our own code again and again.
    CrashesVerification {
        /// The first such clip.
        place: u32,
    },
    /// Two clips of the evidence claim the same place.
    Ambiguous {
        /// The place.
        place: u32,
    },
}

impl AnswerRefusal {
    /// A stable name for logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Empty => "empty",
            Self::NotFinite => "not_finite",
            Self::Mismatch { .. } => "mismatch",
            Self::SourceInvalid { .. } => "source_invalid",
            Self::TextMismatch { .. } => "text_mismatch",
            Self::CrashesVerification { .. } => "crashes_verification",
            Self::Ambiguous { .. } => "ambiguous",
        }
    }
}

impl fmt::Display for AnswerRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        match self {
            Self::Mismatch { place }
            | Self::SourceInvalid { place }
            | Self::TextMismatch { place }
            | Self::CrashesVerification { place }
            | Self::Ambiguous { place } => write!(f, " at place {place}"),
            Self::Late | Self::Empty | Self::NotFinite => Ok(()),
        }
    }
}

/// Why one clip was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClipRefusal {
    /// The answer as a whole was refused.
    AnswerRefused,
    /// More clips than were asked for.
    BeyondWanted,
    /// Malformed.
    Defect {
        /// How.
        defect: ClipDefect,
    },
    /// The end is not after the start.
    BadInterval,
    /// Shorter than allowed.
    TooShort,
    /// Longer than allowed.
    TooLong,
    /// The end lies beyond the source's.
    BeyondSource,
    /// The description has no words.
    DescriptionEmpty,
    /// The description has more bytes than allowed.
    DescriptionTooLong,
    /// The description repeats itself.
    DescriptionStuffed,
    /// It overlaps an earlier clip of the same source in this answer.
    Overlap,
    /// It shows what an earlier clip of this answer shows.
    DuplicateInAnswer,
    /// It shows what another miner's clip showed earlier in this task.
    DuplicateInTask,
    /// It shows what the dataset already has.
    DuplicateInDataset,
    /// The description has nothing to do with the topic.
    NotRelevant,
    /// The source has sound, and its vector was left out.
    SoundWithheld,
    /// The origin did not deliver this clip.
    OriginUnreachable,
    /// It was not sampled, and not every sampled clip matched.
    NotVouched,
    /// Our own machinery could not measure it. The miner is not to blame.
    OwnFailure,
    /// The sound given lasts longer or shorter than the interval claimed.
    LengthMismatch,
    /// Too little of the sound is speech.
    TooLittleSpeech,
    /// The diarization has no turns, or more than are looked at.
    TurnCount,
    /// The diarization has little to do with who speaks.
    DiarizationMismatch,
}

impl ClipRefusal {
    /// A stable name for logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AnswerRefused => "answer_refused",
            Self::BeyondWanted => "beyond_wanted",
            Self::Defect { defect } => match defect {
                ClipDefect::VectorMissing => "vector_missing",
                ClipDefect::VectorLength => "vector_length",
                ClipDefect::VectorNotFinite => "vector_not_finite",
                ClipDefect::VectorZero => "vector_zero",
                ClipDefect::VectorSpace => "vector_space",
                ClipDefect::DuplicateId => "duplicate_id",
                ClipDefect::SourceAddress => "source_address",
                ClipDefect::Identifier => "identifier",
            },
            Self::BadInterval => "bad_interval",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::BeyondSource => "beyond_source",
            Self::DescriptionEmpty => "description_empty",
            Self::DescriptionTooLong => "description_too_long",
            Self::DescriptionStuffed => "description_stuffed",
            Self::Overlap => "overlap",
            Self::DuplicateInAnswer => "duplicate_in_answer",
            Self::DuplicateInTask => "duplicate_in_task",
            Self::DuplicateInDataset => "duplicate_in_dataset",
            Self::NotRelevant => "not_relevant",
            Self::SoundWithheld => "sound_withheld",
            Self::OriginUnreachable => "origin_unreachable",
            Self::NotVouched => "not_vouched",
            Self::OwnFailure => "own_failure",
            Self::LengthMismatch => "length_mismatch",
            Self::TooLittleSpeech => "too_little_speech",
            Self::TurnCount => "turn_count",
            Self::DiarizationMismatch => "diarization_mismatch",
        }
    }
}

impl fmt::Display for ClipRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
