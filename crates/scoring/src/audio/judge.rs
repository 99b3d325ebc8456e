use super::{
    AudioClipEvidence, AudioClipVerdict, AudioEvidence, AudioMeasures, AudioPolicy, AudioVerdict,
    SoundVerification, original, turns::finite,
};
use crate::video::{
    judge::unit,
    sampled::{Judged, early_refusal, judge_clips},
};

/// Judges one answer with sound. Total: whatever the evidence says, it returns a score in 0 to 1,
/// and the same evidence under the same policy always gives the same verdict, bit by bit.
///
/// Under `hardened` a clip earns the weighted mean of agreement, length, quality, relevance and
/// novelty, and the answer the sum over its accepted clips divided by the clips wanted. While the
/// verdict is [`Standing::Pending`](crate::video::Standing::Pending) no clip is accepted and the score is 0.
///
/// Under `original` it is [`original::reward`] as far as evidence of this kind can tell it (the
/// measured clip is the first kept one with a [`super::RecordingMeasure`]), held to 0 to 1: its
/// punishment of −5 is a score of 0 here, and where it gives no score at all the verdict is pending.
///
/// O(c²) for `c` clips, and [`super::diarization_errors`] for each.
pub fn judge(policy: &AudioPolicy, evidence: &AudioEvidence) -> AudioVerdict {
    let refusal = early_refusal(
        &evidence.clips,
        evidence.answered_within_deadline,
        &evidence.within_answer,
        is_finite,
    );
    let judged = match refusal {
        Some(refusal) => Judged::refused(refusal),
        None => match policy {
            AudioPolicy::Original(rules) => original::judge_evidence(rules, evidence),
            AudioPolicy::Hardened(rules) => judge_clips(
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
    let clips = outcomes
        .zip(&evidence.clips)
        .map(|(judged, clip)| AudioClipVerdict {
            place: clip.place,
            accepted: judged.is_ok(),
            refusal: judged.err(),
            measures: judged.map(held).unwrap_or_default(),
        });
    AudioVerdict {
        policy: policy.name().to_owned(),
        score,
        standing,
        refusal,
        clips: clips.collect(),
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
