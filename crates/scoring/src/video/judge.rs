use super::{
    AnswerEvidence, AnswerVerdict, ClipEvidence, ClipVerdict, SoundComparison, Verification,
    VideoPolicy, original,
    sampled::{Judged, early_refusal, judge_clips},
};

/// Judges one answer. Total: whatever the evidence says, it returns a score in 0 to 1, and the same
/// evidence under the same policy always gives the same verdict, bit by bit.
///
/// Under `hardened` ([`super`] lists its rules) a clip earns
/// `(w_r·relevance + w_n·novelty + w_d·detail) / (w_r + w_n + w_d)`, and the answer the sum over its
/// accepted clips divided by the clips wanted. While the verdict is [`Standing::Pending`](super::Standing::Pending) no clip is
/// accepted and the score is 0.
///
/// Under `original` it is the reward of [`original::reward`] as far as evidence of this kind
/// can tell it (cosines across modalities count only where [`super::JointCosines`] are given; there
/// is no stuffing classifier), held to 0 to 1: its punishment of −5 is a score of 0 here.
pub fn judge(policy: &VideoPolicy, evidence: &AnswerEvidence) -> AnswerVerdict {
    let refusal = early_refusal(
        &evidence.clips,
        evidence.answered_within_deadline,
        &evidence.within_answer,
        is_finite,
    );
    let judged = match refusal {
        Some(refusal) => Judged::refused(refusal),
        None => match policy {
            VideoPolicy::Original(rules) => original::judge_evidence(rules, evidence),
            VideoPolicy::Hardened(rules) => judge_clips(
                rules,
                &evidence.clips,
                evidence.clips_wanted,
                &evidence.within_answer,
            ),
        },
    };
    let (score, standing) = (judged.held_score(), judged.standing());
    let refusal = judged.refusal.clone();
    let outcomes = judged.into_clips(evidence.clips.len());
    let clips = outcomes.zip(&evidence.clips).map(|(judged, clip)| {
        let refusal = judged.err();
        let measures = judged.unwrap_or_default();
        ClipVerdict {
            place: clip.place,
            accepted: refusal.is_none(),
            refusal,
            relevance: unit(measures.relevance),
            novelty: unit(measures.novelty),
            detail: unit(measures.detail),
            score: unit(measures.score),
        }
    });
    AnswerVerdict {
        policy: policy.name().to_owned(),
        score,
        standing,
        refusal,
        clips: clips.collect(),
    }
}

/// What an accepted clip is worth.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measures {
    pub(crate) relevance: f64,
    pub(crate) novelty: f64,
    pub(crate) detail: f64,
    pub(crate) score: f64,
}

/// Holds a number to 0 to 1; NaN becomes 0.
pub(crate) fn unit(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(0.0, 1.0)
    }
}

fn is_finite(clip: &ClipEvidence) -> bool {
    let measures = [
        clip.global_novelty,
        clip.nearest_in_task,
        clip.query_relevance,
        clip.text_similarity,
    ];
    let joint = clip.joint.is_none_or(|joint| {
        [
            joint.video_description,
            joint.audio_description,
            joint.video_query,
            joint.audio_query,
        ]
        .iter()
        .all(|cosine| cosine.is_finite())
    });
    let compared = match &clip.verification {
        Verification::Compared { video, sound } => {
            let sound = match sound {
                SoundComparison::Compared { cosine } => cosine.is_finite(),
                SoundComparison::Absent | SoundComparison::Invented | SoundComparison::Withheld => {
                    true
                }
            };
            video.is_finite() && sound
        }
        Verification::NotSampled
        | Verification::OriginUnreachable { .. }
        | Verification::SourceInvalid { .. }
        | Verification::OwnFailure { .. } => true,
    };
    joint && compared && measures.iter().flatten().all(|measure| measure.is_finite())
}
