use serde::{Deserialize, Serialize};

use super::{
    SpeakerTurn, TimeSpan, merge_spans, signal_to_noise_db, speech_content, subtract_overlap,
    turns::finite,
};
use crate::{
    Result,
    video::{ClipDefect, PairCosine, number},
};

/// Everything a verdict on one answer with sound depends on. Stored beside the score;
/// [`super::judge`] reads nothing else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AudioEvidence {
    /// Clips the task asked for; more are refused.
    pub clips_wanted: u32,
    /// Whether the answer arrived before the task's deadline.
    pub answered_within_deadline: bool,
    /// The clips in the answer's order.
    pub clips: Vec<AudioClipEvidence>,
    /// Cosines of the sound vectors of every two well-formed clips of the answer.
    pub within_answer: Vec<PairCosine>,
}

/// What is known of one sound clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioClipEvidence {
    /// Place in the answer, from 0; it aligns every measure with its clip.
    pub place: u32,
    /// The clip's name in logs and reports; plays no part in judging.
    pub clip_id: String,
    /// What two clips of the same source have in common, normally its address.
    pub source: String,
    /// Start in the source, in milliseconds, inclusive.
    pub start_ms: u64,
    /// End in the source, in milliseconds, exclusive.
    pub end_ms: u64,
    /// Length of the source, when it was probed.
    pub source_duration_ms: Option<u64>,
    /// The first defect found in what cannot be seen from the other fields.
    pub defect: Option<ClipDefect>,
    /// What fetching the clip and comparing its sound showed.
    pub verification: SoundVerification,
    /// One minus the largest cosine to anything in the dataset, 0 to 1; 1 when it is empty. None
    /// when the dataset did not answer. The original policy does not read it.
    #[serde(with = "number::optional")]
    pub global_novelty: Option<f64>,
    /// Largest cosine to a clip that was accepted earlier in this task from another miner.
    #[serde(with = "number::optional")]
    pub nearest_in_task: Option<f64>,
    /// Cosine of the sound and the *request's* topic, both embedded by the validator in one joint
    /// space, −1 to 1. None when the validator could not embed them.
    #[serde(with = "number::optional")]
    pub query_relevance: Option<f64>,
    /// What was measured of the sound given. None when it could not be, for our own reasons.
    pub recording: Option<RecordingMeasure>,
}

/// What fetching a sound clip showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SoundVerification {
    /// The clip was not chosen.
    NotSampled,
    /// The sound was fetched and compared. Whether it matches is for the policy to say.
    Compared {
        /// Cosine of the vector of the sound given and of the sound fetched.
        #[serde(with = "number")]
        cosine: f64,
        /// Whether both are equal sample for sample.
        same_samples: bool,
    },
    /// The source's host did not deliver in time.
    OriginUnreachable {
        /// How often it was tried, from 1.
        attempts: u32,
    },
    /// The source was delivered and is at fault.
    SourceInvalid {
        /// What was wrong, for the report.
        reason: String,
    },
    /// Our own machinery failed on this clip.
    OwnFailure {
        /// How often it was tried, from 1.
        attempts: u32,
    },
}

/// What the validator measured of a recording, and what the miner says of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordingMeasure {
    /// Length, in seconds.
    #[serde(with = "number")]
    pub duration_s: f64,
    /// Share in which somebody speaks, 0 to 1.
    #[serde(with = "number")]
    pub speech: f64,
    /// How far it stands above its noise floor, in decibels; none when that floor is silent.
    #[serde(with = "number::optional")]
    pub signal_to_noise_db: Option<f64>,
    /// Who speaks when, as the miner has it.
    pub claimed: Vec<SpeakerTurn>,
    /// Who speaks when, as the validator has it, where only one does.
    pub found: Vec<SpeakerTurn>,
}

/// Measures a recording for the evidence: `samples` of one channel, where the validator's detectors
/// hear speech and several people at once, its diarization, and the miner's.
///
/// # Errors
/// [`crate::Error::NotFinite`]; [`crate::Error::Empty`] when there is not one frame of 25 ms.
pub fn measure_recording(
    samples: &[f32],
    sample_rate: u32,
    speech: &[TimeSpan],
    overlaps: &[TimeSpan],
    found: &[SpeakerTurn],
    claimed: &[SpeakerTurn],
) -> Result<RecordingMeasure> {
    let signal_to_noise_db = signal_to_noise_db(samples, sample_rate)?;
    finite(claimed)?;
    let duration_s = samples.len() as f64 / f64::from(sample_rate);
    Ok(RecordingMeasure {
        duration_s,
        speech: speech_content(duration_s, &merge_spans(speech)?)?.clamp(0.0, 1.0),
        signal_to_noise_db,
        claimed: claimed.to_vec(),
        found: subtract_overlap(found, overlaps)?,
    })
}
