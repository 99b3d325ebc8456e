use super::{
    super::{
        AudioClipEvidence, AudioEvidence, AudioMeasures, RecordingMeasure, SoundVerification,
        count_speakers, diarization_errors, speaker_balance, speaker_count_score,
    },
    OriginalAudioRules,
};
use crate::{
    Result,
    video::{AnswerRefusal, ClipRefusal, sampled::Judged},
};

/// The original's steps on our evidence. Evidence reaches it finite and with distinct places.
pub(in crate::audio) fn judge_evidence(
    rules: &OriginalAudioRules,
    evidence: &AudioEvidence,
) -> Judged<AudioMeasures> {
    let clips = &evidence.clips;
    if let Some(refusal) = clips.iter().find_map(condemns) {
        return Judged::refused(refusal);
    }
    let mut judged: Vec<Result<(), ClipRefusal>> = clips
        .iter()
        .map(|clip| form(rules, evidence.clips_wanted, clip))
        .collect();
    // The last copy survives; a clip that is not new within its answer goes as well.
    for above in [rules.similar_above, 1.0 - rules.novelty_least] {
        let there: Vec<u32> = clips
            .iter()
            .zip(&judged)
            .filter_map(|(clip, judged)| judged.is_ok().then_some(clip.place))
            .collect();
        for pair in &evidence.within_answer {
            let (first, later) = (pair.first.min(pair.second), pair.first.max(pair.second));
            if pair.cosine > above && there.contains(&first) && there.contains(&later) {
                let near = clips.iter().zip(&mut judged);
                for (_, judged) in near.filter(|(clip, _)| clip.place == first) {
                    *judged = Err(ClipRefusal::DuplicateInAnswer);
                }
            }
        }
    }
    let heard = clips
        .iter()
        .zip(&judged)
        .filter(|(_, judged)| judged.is_ok());
    let query: f64 = heard.filter_map(|(clip, _)| clip.query_relevance).sum();
    for (clip, judged) in clips.iter().zip(&mut judged) {
        let seconds = seconds(clip);
        if judged.is_ok() && seconds < rules.shortest_scored_s as f64 {
            *judged = Err(ClipRefusal::TooShort);
        } else if judged.is_ok() && seconds > rules.longest_scored_s as f64 {
            *judged = Err(ClipRefusal::TooLong);
        }
    }
    let kept: Vec<&AudioClipEvidence> = clips
        .iter()
        .zip(&judged)
        .filter_map(|(clip, judged)| judged.is_ok().then_some(clip))
        .collect();
    let whole = whole(rules, evidence.clips_wanted, &kept, query);
    Judged {
        refusal: None,
        // Where the original gives no score, nobody is charged or paid.
        pending: whole.is_none(),
        clips: judged
            .into_iter()
            .map(|judged| judged.map(|()| whole.unwrap_or_default()))
            .collect(),
        score: match whole {
            Some(_) if kept.is_empty() => rules.least_score,
            Some(whole) => whole.score,
            None => 0.0,
        },
    }
}

/// What all kept clips are given; nothing where the original gives no score.
fn whole(
    rules: &OriginalAudioRules,
    wanted: u32,
    kept: &[&AudioClipEvidence],
    query: f64,
) -> Option<AudioMeasures> {
    if kept.is_empty() {
        return Some(AudioMeasures::default());
    }
    let recording = kept.iter().find_map(|clip| clip.recording.as_ref())?;
    let errors = diarization_errors(&recording.claimed, &recording.found).ok()?;
    let agreement = errors.agreement().ok()?.inverse_error;
    let seconds: f64 = kept.iter().map(|clip| seconds(clip)).sum();
    let length = seconds / (f64::from(wanted.max(1)) * rules.longest_scored_s as f64);
    let quality = quality(rules, recording).ok()?;
    let relevance = query / kept.len() as f64;
    Some(AudioMeasures {
        agreement,
        length,
        quality,
        relevance,
        novelty: 0.0,
        score: rules.agreement_factor * agreement
            + rules.length_factor * length
            + rules.quality_factor * quality
            + rules.query_factor * relevance,
    })
}

fn quality(rules: &OriginalAudioRules, recording: &RecordingMeasure) -> Result<f64> {
    let noise = recording
        .signal_to_noise_db
        .unwrap_or(rules.silent_floor_db);
    let speakers = speaker_count_score(count_speakers(&recording.claimed));
    Ok(rules.speech_weight * recording.speech
        + rules.balance_weight * speaker_balance(recording.duration_s, &recording.claimed)?
        + rules.noise_weight * (noise / rules.noise_full_db).min(1.0)
        + rules.speakers_weight * speakers)
}

fn condemns(clip: &AudioClipEvidence) -> Option<AnswerRefusal> {
    let place = clip.place;
    match clip.verification {
        SoundVerification::Compared { same_samples, .. } => {
            (!same_samples).then_some(AnswerRefusal::Mismatch { place })
        }
        SoundVerification::SourceInvalid { .. } => Some(AnswerRefusal::SourceInvalid { place }),
        // What cannot be fetched passes: a known hole.
        SoundVerification::NotSampled
        | SoundVerification::OriginUnreachable { .. }
        | SoundVerification::OwnFailure { .. } => None,
    }
}

fn form(
    rules: &OriginalAudioRules,
    wanted: u32,
    clip: &AudioClipEvidence,
) -> Result<(), ClipRefusal> {
    if clip.place >= wanted {
        return Err(ClipRefusal::BeyondWanted);
    }
    if let Some(defect) = clip.defect {
        return Err(ClipRefusal::Defect { defect });
    }
    if clip.end_ms < clip.start_ms {
        Err(ClipRefusal::BadInterval)
    } else if seconds(clip) < rules.shortest_clip_s as f64 {
        Err(ClipRefusal::TooShort)
    } else if seconds(clip) > rules.longest_clip_s as f64 {
        Err(ClipRefusal::TooLong)
    } else {
        Ok(())
    }
}

fn seconds(clip: &AudioClipEvidence) -> f64 {
    clip.end_ms.saturating_sub(clip.start_ms) as f64 / 1000.0
}
