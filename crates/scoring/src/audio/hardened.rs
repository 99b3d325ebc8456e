//! The rules of `audio/hardened-1`. Evidence reaches them finite and with distinct places.

use super::{
    AudioClipEvidence, AudioMeasures, HardenedAudioRules, RecordingMeasure, SoundVerification,
    count_speakers, diarization_errors, speaker_balance, speaker_count_score,
};
use crate::video::{
    AnswerRefusal, ClipDefect, ClipRefusal,
    footage::{Footage, Newness, ramp},
    judge::unit,
    sampled::{ClipPolicy, ClipRules, Fetched, SampledClip},
};

impl SampledClip for AudioClipEvidence {
    fn fetched(&self) -> Fetched {
        match self.verification {
            SoundVerification::NotSampled => Fetched::NotSampled,
            SoundVerification::Compared { .. } => Fetched::Compared,
            SoundVerification::OriginUnreachable { attempts } => {
                Fetched::OriginUnreachable { attempts }
            }
            SoundVerification::SourceInvalid { .. } => Fetched::SourceInvalid,
            SoundVerification::OwnFailure { attempts } => Fetched::OwnFailure { attempts },
        }
    }

    fn footage(&self) -> Footage<'_> {
        Footage {
            place: self.place,
            source: &self.source,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            nearest_in_task: self.nearest_in_task,
            global_novelty: self.global_novelty,
        }
    }

    fn defect(&self) -> Option<ClipDefect> {
        self.defect
    }

    fn source_duration_ms(&self) -> Option<u64> {
        self.source_duration_ms
    }
}

impl ClipPolicy for HardenedAudioRules {
    type Clip = AudioClipEvidence;
    type Measures = AudioMeasures;

    fn rules(&self) -> ClipRules {
        ClipRules {
            shortest_clip_ms: self.shortest_clip_ms,
            longest_clip_ms: self.longest_clip_ms,
            source_slack_ms: self.source_slack_ms,
            origin_attempts: self.origin_attempts,
            own_attempts: self.own_attempts,
            newness: Newness {
                duplicate_cosine: self.duplicate_cosine,
                novel_cosine: self.novel_cosine,
                overlap_most: self.overlap_most,
            },
        }
    }

    fn condemns(&self, clip: &AudioClipEvidence) -> Option<AnswerRefusal> {
        let place = clip.place;
        match clip.verification {
            SoundVerification::Compared { cosine, .. } if cosine < self.sound_match => {
                Some(AnswerRefusal::Mismatch { place })
            }
            _ => None,
        }
    }

    fn form(&self, _clip: &AudioClipEvidence) -> Option<ClipRefusal> {
        None
    }

    fn measure(
        &self,
        clip: &AudioClipEvidence,
        novelty: f64,
    ) -> Result<AudioMeasures, ClipRefusal> {
        measure(self, clip, novelty)
    }

    fn score(measures: &AudioMeasures) -> f64 {
        measures.score
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
