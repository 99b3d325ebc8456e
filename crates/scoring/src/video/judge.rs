use adit_primitives::Score;

use super::{
    AnswerEvidence, AnswerRefusal, AnswerVerdict, ClipEvidence, ClipRefusal, ClipVerdict,
    SoundComparison, Standing, Verification, VideoPolicy, hardened, original,
};

/// Judges one answer. Total: whatever the evidence says, it returns a score in 0 to 1, and the same
/// evidence under the same policy always gives the same verdict, bit by bit.
///
/// Under `hardened` ([`super`] lists its rules) a clip earns
/// `(w_r·relevance + w_n·novelty + w_d·detail) / (w_r + w_n + w_d)`, and the answer the sum over its
/// accepted clips divided by the clips wanted. While the verdict is [`Standing::Pending`] no clip is
/// accepted and the score is 0.
///
/// Under `original` it is the reward of [`original::reward`] as far as evidence of this kind
/// can tell it (cosines across modalities count only where [`super::JointCosines`] are given; there
/// is no stuffing classifier), held to 0 to 1: its punishment of −5 is a score of 0 here.
pub fn judge(policy: &VideoPolicy, evidence: &AnswerEvidence) -> AnswerVerdict {
    let judged = match early_refusal(evidence) {
        Some(refusal) => Judged::refused(refusal),
        None => match policy {
            VideoPolicy::Original(rules) => original::judge_evidence(rules, evidence),
            VideoPolicy::Hardened(rules) => hardened::judge(rules, evidence),
        },
    };
    judged.verdict(policy, evidence)
}

/// What a policy finds; the verdict is made of it in one place so that it always keeps its promises.
pub(super) struct Judged {
    pub(super) refusal: Option<AnswerRefusal>,
    pub(super) pending: bool,
    /// One per clip of the evidence, in its order.
    pub(super) clips: Vec<Result<Measures, ClipRefusal>>,
    pub(super) score: f64,
}

/// What an accepted clip is worth.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measures {
    pub(super) relevance: f64,
    pub(super) novelty: f64,
    pub(super) detail: f64,
    pub(super) score: f64,
}

impl Judged {
    pub(super) fn refused(refusal: AnswerRefusal) -> Self {
        Self {
            refusal: Some(refusal),
            pending: false,
            clips: Vec::new(),
            score: 0.0,
        }
    }

    fn verdict(mut self, policy: &VideoPolicy, evidence: &AnswerEvidence) -> AnswerVerdict {
        let refused = self.refusal.is_some();
        self.clips
            .resize(evidence.clips.len(), Err(ClipRefusal::AnswerRefused));
        let clips = self.clips.into_iter().zip(&evidence.clips);
        let clips = clips.map(|(judged, clip)| match judged {
            Ok(measures) if !refused && !self.pending => accepted(clip.place, measures),
            Ok(_) if refused => refused_clip(clip.place, ClipRefusal::AnswerRefused),
            Ok(_) => refused_clip(clip.place, ClipRefusal::NotVouched),
            Err(refusal) => refused_clip(clip.place, refusal),
        });
        let score = if refused || self.pending {
            0.0
        } else {
            unit(self.score)
        };
        AnswerVerdict {
            policy: policy.name().to_owned(),
            score: Score::new(score).unwrap_or(Score::ZERO),
            standing: if self.pending && !refused {
                Standing::Pending
            } else {
                Standing::Final
            },
            refusal: self.refusal,
            clips: clips.collect(),
        }
    }
}

fn accepted(place: u32, measures: Measures) -> ClipVerdict {
    ClipVerdict {
        place,
        accepted: true,
        refusal: None,
        relevance: unit(measures.relevance),
        novelty: unit(measures.novelty),
        detail: unit(measures.detail),
        score: unit(measures.score),
    }
}

fn refused_clip(place: u32, refusal: ClipRefusal) -> ClipVerdict {
    ClipVerdict {
        place,
        accepted: false,
        refusal: Some(refusal),
        relevance: 0.0,
        novelty: 0.0,
        detail: 0.0,
        score: 0.0,
    }
}

/// Holds a number to 0 to 1; NaN becomes 0.
pub(crate) fn unit(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(0.0, 1.0)
    }
}

fn early_refusal(evidence: &AnswerEvidence) -> Option<AnswerRefusal> {
    if !evidence.answered_within_deadline {
        return Some(AnswerRefusal::Late);
    }
    if evidence.clips.is_empty() {
        return Some(AnswerRefusal::Empty);
    }
    let mut places: Vec<u32> = evidence.clips.iter().map(|clip| clip.place).collect();
    places.sort_unstable();
    if let Some(pair) = places.windows(2).find(|pair| pair[0] == pair[1]) {
        return Some(AnswerRefusal::Ambiguous { place: pair[0] });
    }
    let finite = evidence
        .within_answer
        .iter()
        .all(|pair| pair.cosine.is_finite())
        && evidence.clips.iter().all(is_finite);
    (!finite).then_some(AnswerRefusal::NotFinite)
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
