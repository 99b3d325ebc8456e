use adit_primitives::Score;
use serde::{Deserialize, Serialize};

use super::{
    answer_policy::{HardenedLongContextRules, LongContextPolicy, OriginalLongContextRules},
    logits::GenerationRefusal,
    multiplier::length_weighted,
    reward::{ReportedMetric, ReportedMetrics, RewardTask, RewardTaskKind, weighted_reward},
};
use crate::video::Standing;

/// Everything a verdict on one answer depends on. Every number is the validator's own: computed from
/// the answer, the expected answers and its own clock. Nothing that a miner reports about itself has a
/// place here.
///
/// Shares lie in 0 to 1; what lies outside is cut. NaN and infinities count as "not measured".
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LongContextEvidence {
    /// Whether the answer arrived before the task's deadline.
    pub answered_within_deadline: bool,
    /// Whether it says anything.
    pub answered: bool,
    /// What the task tests.
    pub kind: RewardTaskKind,
    /// Length of the context in tokens, as the task's own tokeniser counts it.
    pub context_tokens: u64,
    /// The metric of the task's data set, over all its expected answers; for a needle
    /// [`super::needle::NeedleGrade::found`].
    pub accuracy: Option<f64>,
    /// Share of what was to be kept that the answer still has.
    pub memory_retention: Option<f64>,
    /// Share of the questions about places that it answers rightly.
    pub position_understanding: Option<f64>,
    /// Coherence of its text.
    pub coherence: Option<f64>,
    /// How alike the miner answers when the task is changed in ways that must not matter, from really
    /// asking it so.
    pub consistency: Option<f64>,
    /// How well quality holds against the shorter task that this one grew from.
    pub scaling_efficiency: Option<f64>,
    /// Tokens per second by the validator's clock.
    pub tokens_per_second: Option<f64>,
    /// Whether it is the model's own generation.
    pub verification: GenerationCheck,
}

/// What became of verifying a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum GenerationCheck {
    /// The task does not ask for it.
    #[default]
    NotAsked,
    /// It is the reference's.
    Verified,
    /// It is not.
    Refused {
        /// Why.
        refusal: GenerationRefusal,
    },
    /// The validator could not check.
    OwnFailure,
}

/// The judgement of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LongContextVerdict {
    /// Name and version of the policy that judged.
    pub policy: String,
    /// 0 to 1.
    pub score: Score,
    /// Whether the score may be averaged in.
    pub standing: Standing,
    /// Why the answer scores nothing, if it is refused.
    pub refusal: Option<LongContextRefusal>,
    /// What the answer is worth before its length counts, 0 to 1.
    pub quality: f64,
    /// The multiplier of its length.
    pub multiplier: f64,
}

/// Why an answer scores nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LongContextRefusal {
    /// It arrived after the deadline.
    Late,
    /// It says nothing.
    Empty,
    /// It is not the reference model's generation.
    OtherModel,
}

impl LongContextRefusal {
    /// A stable name for logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Empty => "empty",
            Self::OtherModel => "other_model",
        }
    }
}

/// Judges one answer. Total: whatever the evidence says, it returns a score in 0 to 1, and the same
/// evidence under the same policy always gives the same verdict.
///
/// Under `hardened`:
///
/// ```text
/// quality = Σ weight · part / Σ weight     over the parts that were measured
/// score   = quality · multiplier / largest multiplier
/// ```
///
/// The parts are accuracy, memory, position, coherence, consistency (each as measured) and speed
/// (`min(1, tokens per second / 1,000)`). Without accuracy, and where the validator could not verify
/// what the task wants verified, the verdict is [`Standing::Pending`] with a score of 0.
///
/// Under `original` it is [`weighted_reward`] with the evidence in the place of what miners report.
pub fn judge(policy: &LongContextPolicy, evidence: &LongContextEvidence) -> LongContextVerdict {
    let refusal = if !evidence.answered_within_deadline {
        Some(LongContextRefusal::Late)
    } else if !evidence.answered {
        Some(LongContextRefusal::Empty)
    } else if matches!(evidence.verification, GenerationCheck::Refused { .. }) {
        Some(LongContextRefusal::OtherModel)
    } else {
        None
    };
    let judged = match (refusal, policy) {
        (Some(_), _) => Judged::default(),
        (None, LongContextPolicy::Original(rules)) => original(rules, evidence),
        (None, LongContextPolicy::Hardened(rules)) => hardened(rules, evidence),
    };
    let standing = if judged.pending {
        Standing::Pending
    } else {
        Standing::Final
    };
    LongContextVerdict {
        policy: policy.name().to_owned(),
        score: Score::new(unit(judged.score)).unwrap_or(Score::ZERO),
        standing,
        refusal,
        quality: unit(judged.quality),
        multiplier: judged.multiplier,
    }
}

#[derive(Default)]
struct Judged {
    pending: bool,
    quality: f64,
    multiplier: f64,
    score: f64,
}

fn original(rules: &OriginalLongContextRules, evidence: &LongContextEvidence) -> Judged {
    let reported = |measured: Option<f64>| {
        let measured = measured.filter(|number| number.is_finite());
        measured.map_or(ReportedMetric::Absent, ReportedMetric::Value)
    };
    let metrics = ReportedMetrics {
        memory_retention: reported(evidence.memory_retention),
        position_understanding: reported(evidence.position_understanding),
        coherence: reported(evidence.coherence),
        tokens_per_second: reported(evidence.tokens_per_second),
        scaling_efficiency: reported(evidence.scaling_efficiency),
    };
    let task = RewardTask {
        kind: evidence.kind,
        context_tokens: evidence.context_tokens,
        scale: 1.0,
    };
    let score = weighted_reward(&rules.reward, &task, Some(&metrics)).unwrap_or(0.0);
    Judged {
        pending: false,
        quality: score,
        multiplier: 1.0,
        score,
    }
}

fn hardened(rules: &HardenedLongContextRules, evidence: &LongContextEvidence) -> Judged {
    let measured = |part: Option<f64>| part.filter(|number| number.is_finite());
    let accuracy = measured(evidence.accuracy);
    if accuracy.is_none() || evidence.verification == GenerationCheck::OwnFailure {
        return Judged {
            pending: true,
            ..Judged::default()
        };
    }
    let speed = measured(evidence.tokens_per_second).map(|speed| speed / rules.full_speed);
    let parts = [
        (accuracy, rules.accuracy_weight),
        (evidence.memory_retention, rules.memory_weight),
        (evidence.position_understanding, rules.position_weight),
        (evidence.coherence, rules.coherence_weight),
        (evidence.consistency, rules.consistency_weight),
        (speed, rules.speed_weight),
    ];
    let (mut sum, mut weights) = (0.0, 0.0);
    for (part, weight) in parts {
        if let Some(part) = measured(part) {
            sum += unit(part) * weight;
            weights += weight;
        }
    }
    let quality = if weights > 0.0 { sum / weights } else { 0.0 };
    let reached = rules.multipliers.reached(evidence.context_tokens);
    let multiplier = reached.map_or(0.0, |row| row.multiplier);
    let largest = rules.multipliers.largest();
    Judged {
        pending: false,
        quality,
        multiplier,
        score: length_weighted(quality, multiplier, largest).unwrap_or(0.0),
    }
}

/// Cut to 0 to 1; 0 for NaN.
fn unit(number: f64) -> f64 {
    if number.is_nan() {
        0.0
    } else {
        number.clamp(0.0, 1.0)
    }
}
