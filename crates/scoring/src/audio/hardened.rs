//! The rules of `audio/hardened-1`. Evidence reaches them finite and with distinct places.

use super::{
    AudioClipEvidence, AudioEvidence, AudioMeasures, HardenedAudioRules, RecordingMeasure,
    SoundVerification, count_speakers, diarization_errors, judge::Judged, speaker_balance,
    speaker_count_score,
};
use crate::video::{
    AnswerRefusal, ClipRefusal,
    footage::{Footage, Likeness, Newness, ramp},
    judge::unit,
};

pub(super) fn judge(rules: &HardenedAudioRules, evidence: &AudioEvidence) -> Judged {
    let clips = &evidence.clips;
    // What a fetched clip showed counts even when the clip itself is refused for its form.
    if let Some(refusal) = clips.iter().find_map(|clip| answer_refusal(rules, clip)) {
        return Judged::refused(refusal);
    }
    let form = |clip: &AudioClipEvidence| form_refusal(rules, evidence.clips_wanted, clip);
    let mut sampled = clips
        .iter()
        .filter(|clip| clip.verification != SoundVerification::NotSampled)
        .peekable();
    let nobody = sampled.peek().is_none();
    let (mut vouched, mut pending) = (!nobody, false);
    for clip in sampled {
        vouched &= matches!(clip.verification, SoundVerification::Compared { .. });
        pending |= retriable(rules, clip);
    }
    // A plan always has at least one clip, so that an answer nobody sampled is one not yet verified.
    pending |= nobody && clips.iter().any(|clip| form(clip).is_none());

    let newness = Newness {
        duplicate_cosine: rules.duplicate_cosine,
        novel_cosine: rules.novel_cosine,
        overlap_most: rules.overlap_most,
    };
    let likeness = Likeness::new(&evidence.within_answer);
    let mut order: Vec<(usize, &AudioClipEvidence)> = clips.iter().enumerate().collect();
    order.sort_by_key(|(_, clip)| clip.place);
    let mut accepted: Vec<Footage<'_>> = Vec::new();
    let mut judged = vec![Err(ClipRefusal::AnswerRefused); clips.len()];
    let mut sum = 0.0;
    for (index, clip) in order {
        let outcome = match form(clip) {
            Some(refusal) => Err(refusal),
            None => verified(clip, vouched)
                .and_then(|()| newness.judge(footage(clip), &accepted, &likeness))
                .and_then(|novelty| measure(rules, clip, novelty)),
        };
        match &outcome {
            Ok(measures) => {
                accepted.push(footage(clip));
                sum += measures.score;
            }
            Err(refusal) => pending |= *refusal == ClipRefusal::OwnFailure,
        }
        if let Some(slot) = judged.get_mut(index) {
            *slot = outcome;
        }
    }
    Judged {
        refusal: None,
        pending,
        clips: judged,
        score: sum / f64::from(evidence.clips_wanted.max(1)),
    }
}

fn footage(clip: &AudioClipEvidence) -> Footage<'_> {
    Footage {
        place: clip.place,
        source: &clip.source,
        start_ms: clip.start_ms,
        end_ms: clip.end_ms,
        nearest_in_task: clip.nearest_in_task,
        global_novelty: clip.global_novelty,
    }
}

/// What is wrong with the clip itself, without listening.
fn form_refusal(
    rules: &HardenedAudioRules,
    wanted: u32,
    clip: &AudioClipEvidence,
) -> Option<ClipRefusal> {
    if clip.place >= wanted {
        return Some(ClipRefusal::BeyondWanted);
    }
    if let Some(defect) = clip.defect {
        return Some(ClipRefusal::Defect { defect });
    }
    let length = clip.end_ms.saturating_sub(clip.start_ms);
    let source = clip.source_duration_ms.unwrap_or(u64::MAX);
    if length == 0 {
        Some(ClipRefusal::BadInterval)
    } else if length < rules.shortest_clip_ms {
        Some(ClipRefusal::TooShort)
    } else if length > rules.longest_clip_ms {
        Some(ClipRefusal::TooLong)
    } else if clip.end_ms > source.saturating_add(rules.source_slack_ms) {
        Some(ClipRefusal::BeyondSource)
    } else {
        None
    }
}

/// Whether this clip condemns the whole answer.
fn answer_refusal(rules: &HardenedAudioRules, clip: &AudioClipEvidence) -> Option<AnswerRefusal> {
    let place = clip.place;
    match clip.verification {
        SoundVerification::Compared { cosine, .. } => {
            (cosine < rules.sound_match).then_some(AnswerRefusal::Mismatch { place })
        }
        SoundVerification::SourceInvalid { .. } => Some(AnswerRefusal::SourceInvalid { place }),
        SoundVerification::OwnFailure { attempts } => {
            (attempts >= rules.own_attempts).then_some(AnswerRefusal::CrashesVerification { place })
        }
        SoundVerification::NotSampled | SoundVerification::OriginUnreachable { .. } => None,
    }
}

fn retriable(rules: &HardenedAudioRules, clip: &AudioClipEvidence) -> bool {
    match clip.verification {
        SoundVerification::OriginUnreachable { attempts } => attempts < rules.origin_attempts,
        SoundVerification::OwnFailure { .. } => true,
        SoundVerification::NotSampled
        | SoundVerification::Compared { .. }
        | SoundVerification::SourceInvalid { .. } => false,
    }
}

fn verified(clip: &AudioClipEvidence, vouched: bool) -> Result<(), ClipRefusal> {
    match clip.verification {
        SoundVerification::Compared { .. } => Ok(()),
        SoundVerification::NotSampled if vouched => Ok(()),
        SoundVerification::NotSampled | SoundVerification::SourceInvalid { .. } => {
            Err(ClipRefusal::NotVouched)
        }
        SoundVerification::OriginUnreachable { .. } => Err(ClipRefusal::OriginUnreachable),
        SoundVerification::OwnFailure { .. } => Err(ClipRefusal::OwnFailure),
    }
}

fn measure(
    rules: &HardenedAudioRules,
    clip: &AudioClipEvidence,
    novelty: f64,
) -> Result<AudioMeasures, ClipRefusal> {
    let recording = clip.recording.as_ref().ok_or(ClipRefusal::OwnFailure)?;
    let cosine = clip.query_relevance.ok_or(ClipRefusal::OwnFailure)?;
    let claimed_s = clip.end_ms.saturating_sub(clip.start_ms) as f64 / 1000.0;
    if (recording.duration_s - claimed_s).abs() > rules.length_slack_s {
        return Err(ClipRefusal::LengthMismatch);
    }
    if recording.claimed.is_empty() || recording.claimed.len() > rules.turns_most as usize {
        return Err(ClipRefusal::TurnCount);
    }
    if cosine < rules.relevance_least {
        return Err(ClipRefusal::NotRelevant);
    }
    if recording.speech < rules.speech_least {
        return Err(ClipRefusal::TooLittleSpeech);
    }
    // The validator's diarization is the reference, so that the miner cannot choose what counts.
    let agreement = diarization_errors(&recording.found, &recording.claimed)
        .map_err(|_| ClipRefusal::DiarizationMismatch)?
        .agreement()
        .map_err(|_| ClipRefusal::TooLittleSpeech)?
        .inverse_error;
    if agreement < rules.agreement_least {
        return Err(ClipRefusal::DiarizationMismatch);
    }
    let mut measures = AudioMeasures {
        agreement,
        length: unit(recording.duration_s * 1000.0 / rules.longest_clip_ms.max(1) as f64),
        quality: quality(rules, recording),
        relevance: ramp(cosine, rules.relevance_least, rules.relevance_full),
        novelty,
        score: 0.0,
    };
    measures.score = weighted([
        (rules.agreement_weight, measures.agreement),
        (rules.length_weight, measures.length),
        (rules.quality_weight, measures.quality),
        (rules.relevance_weight, measures.relevance),
        (rules.novelty_weight, measures.novelty),
    ]);
    Ok(measures)
}

/// Speech, balance, noise and number of speakers, as the validator hears them.
fn quality(rules: &HardenedAudioRules, recording: &RecordingMeasure) -> f64 {
    let balance = speaker_balance(recording.duration_s, &recording.found).unwrap_or(0.0);
    // No real recording has an exactly silent floor: whoever mutes it earns nothing by it.
    let noise = recording.signal_to_noise_db.unwrap_or(0.0) / rules.noise_full_db;
    weighted([
        (rules.speech_weight, recording.speech),
        (rules.balance_weight, balance),
        (rules.noise_weight, noise),
        (
            rules.speakers_weight,
            speaker_count_score(count_speakers(&recording.found)),
        ),
    ])
}

/// The weighted mean of measures, each held to 0 to 1; 0 without weight.
fn weighted<const N: usize>(parts: [(f64, f64); N]) -> f64 {
    let weights: f64 = parts.iter().map(|(weight, _)| weight).sum();
    let sum: f64 = parts
        .iter()
        .map(|(weight, value)| weight * unit(*value))
        .sum();
    if weights > 0.0 {
        unit(sum / weights)
    } else {
        0.0
    }
}
