use serde::{Deserialize, Serialize};

use super::{PaymentRules, RecordingState};
use crate::{Error, Result};

/// What a missing duration means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingDuration {
    /// This many milliseconds (the original takes 120, which is always too short).
    Milliseconds(u64),
    /// The score cannot be given yet.
    Unavailable,
}

/// What a legitimacy check that gave no answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingLegitimacy {
    /// The recording is legitimate.
    Passes,
    /// The score cannot be given yet.
    Unavailable,
}

/// The rules by which a recording is scored and bought, with their constants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FocusPolicy {
    /// Name and version.
    pub name: String,
    /// Shortest recording, milliseconds.
    pub min_duration_ms: u64,
    /// Longest recording, milliseconds.
    pub max_duration_ms: u64,
    /// What a missing duration means.
    pub missing_duration: MissingDuration,
    /// Least uniqueness of the picture, 0 to 1.
    pub min_video_uniqueness: f64,
    /// What a missing legitimacy check means.
    pub missing_legitimacy: MissingLegitimacy,
    /// Whether marketplace recordings are checked for uniqueness and legitimacy too.
    pub check_marketplace: bool,
    /// Largest final score; none where a boost may lift it without bound.
    pub max_final_score: Option<f64>,
    /// Recordings below this final score are rejected.
    pub min_final_score: f64,
    /// What counts as the payment of a purchase.
    pub payment: PaymentRules,
}

impl FocusPolicy {
    /// The rules of the system in the field.
    pub fn original() -> Self {
        Self {
            name: "focus/original-1".to_owned(),
            min_duration_ms: 60_000,
            max_duration_ms: 5_400_000,
            missing_duration: MissingDuration::Milliseconds(120),
            min_video_uniqueness: 0.02,
            missing_legitimacy: MissingLegitimacy::Passes,
            check_marketplace: false,
            max_final_score: None,
            min_final_score: 0.1,
            payment: PaymentRules::original(),
        }
    }

    /// The default; [`super`] lists how it differs.
    pub fn hardened() -> Self {
        Self {
            name: "focus/hardened-1".to_owned(),
            missing_duration: MissingDuration::Unavailable,
            missing_legitimacy: MissingLegitimacy::Unavailable,
            check_marketplace: true,
            max_final_score: Some(1.0),
            payment: PaymentRules::hardened(),
            ..Self::original()
        }
    }

    /// The duration that counts, milliseconds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the policy takes none for a missing one.
    pub fn duration_ms(&self, recorded: Option<u64>) -> Result<u64> {
        match (recorded, self.missing_duration) {
            (Some(recorded), _) | (None, MissingDuration::Milliseconds(recorded)) => Ok(recorded),
            (None, MissingDuration::Unavailable) => Err(Error::Unavailable {
                what: "the recording's duration",
            }),
        }
    }

    /// The state after scoring: a marketplace recording waits for a person, a refused or low one is
    /// rejected, every other is ready.
    pub fn state_of(
        &self,
        outcome: &Result<RecordingScore, RecordingRefusal>,
        marketplace: bool,
    ) -> RecordingState {
        match outcome {
            Err(_) => RecordingState::Rejected,
            Ok(_) if marketplace => RecordingState::PendingHumanReview,
            Ok(score) if score.final_score < self.min_final_score => RecordingState::Rejected,
            Ok(_) => RecordingState::Ready,
        }
    }
}

/// What is known of a recording when it is scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingEvidence {
    /// Its length in milliseconds, where that is known.
    pub duration_ms: Option<u64>,
    /// How far the task was completed, as a language model judged it; held to 0 to 1.
    pub completion: f64,
    /// Whether it is worth training on, as a language model judged it; none where it did not answer.
    pub legitimate: Option<bool>,
    /// How unlike all others the picture is, 0 to 1.
    pub video_uniqueness: f64,
    /// The multiplier of a boosted task; 1 for others.
    pub boost: f64,
    /// Whether it was made for the marketplace.
    pub marketplace: bool,
}

/// The score of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RecordingScore {
    /// How far the task was completed, 0 to 1; 0 for an illegitimate recording.
    pub completion: f64,
    /// `completion · boost`, at most the policy's maximum.
    pub final_score: f64,
    /// Whether it is worth training on.
    pub legitimate: bool,
}

/// Why a recording is not scored at all.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum RecordingRefusal {
    /// It is shorter than the policy allows.
    #[error("the recording lasts {duration_ms} ms, less than {least_ms} ms")]
    TooShort {
        /// Its length.
        duration_ms: u64,
        /// The least.
        least_ms: u64,
    },
    /// It is longer than the policy allows.
    #[error("the recording lasts {duration_ms} ms, more than {most_ms} ms")]
    TooLong {
        /// Its length.
        duration_ms: u64,
        /// The most.
        most_ms: u64,
    },
    /// Its picture is too much like another's.
    #[error("the recording's uniqueness is {uniqueness}, below {least}")]
    NotUnique {
        /// Its uniqueness.
        uniqueness: f64,
        /// The least.
        least: f64,
    },
}

/// Scores a recording: `final = clamp(completion, 0, 1) · boost`, 0 when it is not legitimate
/// (OMEGA Labs validator API, `score_video`).
///
/// The checks run in this order: duration, uniqueness, legitimacy; the last two only where the policy
/// has them for marketplace recordings.
///
/// # Errors
/// [`Error::NotFinite`] for a completion, uniqueness or boost that is NaN or infinite,
/// [`Error::Negative`] for a negative boost, [`Error::Unavailable`] as the policy says. The inner
/// result is the refusal.
pub fn score_recording(
    policy: &FocusPolicy,
    evidence: &RecordingEvidence,
) -> Result<Result<RecordingScore, RecordingRefusal>> {
    let numbers = [
        ("the completion", evidence.completion),
        ("the uniqueness", evidence.video_uniqueness),
        ("the boost", evidence.boost),
    ];
    for (what, number) in numbers {
        if !number.is_finite() {
            return Err(Error::NotFinite { what });
        }
    }
    if evidence.boost < 0.0 {
        return Err(Error::Negative { what: "the boost" });
    }
    let duration_ms = policy.duration_ms(evidence.duration_ms)?;
    if duration_ms < policy.min_duration_ms {
        return Ok(Err(RecordingRefusal::TooShort {
            duration_ms,
            least_ms: policy.min_duration_ms,
        }));
    }
    if duration_ms > policy.max_duration_ms {
        return Ok(Err(RecordingRefusal::TooLong {
            duration_ms,
            most_ms: policy.max_duration_ms,
        }));
    }
    let checked = !evidence.marketplace || policy.check_marketplace;
    if checked && evidence.video_uniqueness < policy.min_video_uniqueness {
        return Ok(Err(RecordingRefusal::NotUnique {
            uniqueness: evidence.video_uniqueness,
            least: policy.min_video_uniqueness,
        }));
    }
    let legitimate = match (evidence.legitimate, policy.missing_legitimacy) {
        _ if !checked => true,
        (Some(legitimate), _) => legitimate,
        (None, MissingLegitimacy::Passes) => true,
        (None, MissingLegitimacy::Unavailable) => {
            return Err(Error::Unavailable {
                what: "the legitimacy check",
            });
        }
    };
    let completion = if legitimate {
        evidence.completion.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let lifted = completion * evidence.boost;
    Ok(Ok(RecordingScore {
        completion,
        final_score: policy
            .max_final_score
            .map_or(lifted, |most| lifted.min(most)),
        legitimate,
    }))
}

/// The text of a task that is embedded and shown to the judging models: the title as a heading, a
/// blank line, the description. A boosted task's text stands in for the person's own.
pub fn task_overview(task: (&str, &str), boosted: Option<(&str, &str)>) -> String {
    let (title, description) = boosted.unwrap_or(task);
    format!("# {title}\n\n{description}")
}
