use adit_primitives::Score;

use super::{
    AudioClipEvidence, AudioClipVerdict, AudioEvidence, AudioMeasures, AudioPolicy, AudioVerdict,
    SoundVerification, hardened, original, turns::finite,
};
use crate::video::{AnswerRefusal, ClipRefusal, Standing, judge::unit};

/// Judges one answer with sound. Total: whatever the evidence says, it returns a score in 0 to 1,
/// and the same evidence under the same policy always gives the same verdict, bit by bit.
///
/// Under `hardened` a clip earns the weighted mean of agreement, length, quality, relevance and
/// novelty, and the answer the sum over its accepted clips divided by the clips wanted. While the
/// verdict is [`Standing::Pending`] no clip is accepted and the score is 0.
///
/// Under `original` it is [`original::reward`] as far as evidence of this kind can tell it (the
/// measured clip is the first kept one with a [`super::RecordingMeasure`]), held to 0 to 1: its
/// punishment of −5 is a score of 0 here, and where it gives no score at all the verdict is pending.
///
/// O(c²) for `c` clips, and [`super::diarization_errors`] for each.
pub fn judge(policy: &AudioPolicy, evidence: &AudioEvidence) -> AudioVerdict {
    let judged = match early_refusal(evidence) {
        Some(refusal) => Judged::refused(refusal),
        None => match policy {
            AudioPolicy::Original(rules) => original::judge_evidence(rules, evidence),
            AudioPolicy::Hardened(rules) => hardened::judge(rules, evidence),
        },
    };
    judged.verdict(policy, evidence)
}

/// What a policy finds; the verdict is made of it in one place so that it always keeps its promises.
pub(super) struct Judged {
    pub(super) refusal: Option<AnswerRefusal>,
    pub(super) pending: bool,
    /// One per clip of the evidence, in its order.
    pub(super) clips: Vec<Result<AudioMeasures, ClipRefusal>>,
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

    fn verdict(mut self, policy: &AudioPolicy, evidence: &AudioEvidence) -> AudioVerdict {
        let refused = self.refusal.is_some();
        let stands = !refused && !self.pending;
        self.clips
            .resize(evidence.clips.len(), Err(ClipRefusal::AnswerRefused));
        let clips = self.clips.into_iter().zip(&evidence.clips);
        let clips = clips.map(|(judged, clip)| {
            let judged = match judged {
                Ok(_) if refused => Err(ClipRefusal::AnswerRefused),
                Ok(_) if !stands => Err(ClipRefusal::NotVouched),
                judged => judged,
            };
            AudioClipVerdict {
                place: clip.place,
                accepted: judged.is_ok(),
                refusal: judged.err(),
                measures: judged.map(held).unwrap_or_default(),
            }
        });
        let score = if stands { unit(self.score) } else { 0.0 };
        AudioVerdict {
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

fn held(measures: AudioMeasures) -> AudioMeasures {
    AudioMeasures {
        agreement: unit(measures.agreement),
        length: unit(measures.length),
        quality: unit(measures.quality),
        relevance: unit(measures.relevance),
        novelty: unit(measures.novelty),
        score: unit(measures.score),
    }
}

fn early_refusal(evidence: &AudioEvidence) -> Option<AnswerRefusal> {
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
    let mut pairs = evidence.within_answer.iter();
    let all = pairs.all(|pair| pair.cosine.is_finite()) && evidence.clips.iter().all(is_finite);
    (!all).then_some(AnswerRefusal::NotFinite)
}

fn is_finite(clip: &AudioClipEvidence) -> bool {
    let numbers = [
        clip.global_novelty,
        clip.nearest_in_task,
        clip.query_relevance,
    ];
    let compared = match clip.verification {
        SoundVerification::Compared { cosine, .. } => cosine.is_finite(),
        SoundVerification::NotSampled
        | SoundVerification::OriginUnreachable { .. }
        | SoundVerification::SourceInvalid { .. }
        | SoundVerification::OwnFailure { .. } => true,
    };
    let recorded = clip.recording.as_ref().is_none_or(|recording| {
        recording.duration_s.is_finite()
            && recording.speech.is_finite()
            && recording.signal_to_noise_db.is_none_or(f64::is_finite)
            && finite(&recording.claimed).is_ok()
            && finite(&recording.found).is_ok()
    });
    compared && recorded && numbers.iter().flatten().all(|number| number.is_finite())
}
