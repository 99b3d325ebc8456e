use serde::{Deserialize, Serialize};

use super::{
    super::{
        SpeakerTurn, TimeSpan, count_speakers, diarization_errors, signal_to_noise_db,
        speaker_balance, speaker_count_score, speech_content,
    },
    OriginalAudioRules,
};
use crate::{
    Error, Result,
    similarity::MeasuredVector,
    video::original::{is_valid_youtube_id, nearest_later},
};

/// A sound clip as a miner of the system in the field sends it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OriginalAudioClip {
    /// Id of the video.
    pub video_id: Option<String>,
    /// Start in seconds.
    pub start_s: i64,
    /// End in seconds.
    pub end_s: i64,
    /// The miner's vector of the sound.
    pub audio: Vec<f32>,
    /// The sound itself, one channel, −1 to 1.
    pub samples: Vec<f32>,
    /// Samples per second.
    pub sample_rate: u32,
    /// Who speaks when, as the miner has it.
    pub turns: Vec<SpeakerTurn>,
}

/// What the validator fetched of an answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum OriginalSoundCheck {
    /// Nothing: nine answers in ten, or a source that could not be fetched.
    #[default]
    NotChecked,
    /// A video that does not exist.
    PunishFake,
    /// The sound of one clip.
    Fetched {
        /// Index among the clips of allowed length.
        clip: usize,
        /// Its samples.
        samples: Vec<f32>,
    },
}

/// A miner's answer and what the validator measured about it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OriginalAudioAnswer {
    /// Clips asked for; later ones are cut.
    pub clips_wanted: usize,
    /// The clips.
    pub clips: Vec<OriginalAudioClip>,
    /// Vector of the query text in the joint space.
    pub query: Vec<f32>,
    /// What the spot check fetched.
    pub sound_check: OriginalSoundCheck,
    /// Which of the kept clips is measured; its index among them.
    pub measured: usize,
    /// Where somebody speaks in that clip, as the validator's detector has it.
    pub speech: Vec<TimeSpan>,
    /// Who speaks when in that clip, as the validator's diarization has it.
    pub diarization: Vec<SpeakerTurn>,
}

/// The reward of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginalAudioReward {
    /// −5 (punished), 0.005 (nothing kept), or the total of the scores.
    pub reward: f64,
    /// What goes into the dataset; none when the answer ended early.
    pub upload: Option<OriginalAudioUpload>,
}

/// The clips of an answer that go into the dataset, with the scores that all of them are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginalAudioUpload {
    /// Indices of the kept clips in the answer.
    pub clips: Vec<usize>,
    /// Agreement of the measured clip's diarizations, 0 to 1.
    pub inverse_error: f64,
    /// Seconds kept, over the most that could be.
    pub length: f64,
    /// [`quality`] of the measured clip.
    pub quality: f64,
    /// Query relevance.
    pub query: f64,
}

/// What background noise leaves of 1: the signal to noise ratio over 50 dB, at most 1, below 0 for
/// a recording below its own floor. A floor that is exactly silent counts as 100 dB: silence scores
/// in full.
///
/// # Errors
/// As [`signal_to_noise_db`].
pub fn background_noise(
    rules: &OriginalAudioRules,
    samples: &[f32],
    sample_rate: u32,
) -> Result<f64> {
    let ratio = signal_to_noise_db(samples, sample_rate)?.unwrap_or(rules.silent_floor_db);
    Ok((ratio / rules.noise_full_db).min(1.0))
}

/// `0.2·speech + 0.2·balance + 0.1·noise + 0.5·speakers` of one clip, with the speakers as the miner
/// has them.
///
/// # Errors
/// As [`signal_to_noise_db`], [`speaker_balance`] and [`speech_content`].
pub fn quality(
    rules: &OriginalAudioRules,
    clip: &OriginalAudioClip,
    speech: &[TimeSpan],
) -> Result<f64> {
    let duration_s = clip.samples.len() as f64 / f64::from(clip.sample_rate);
    Ok(rules.speech_weight * speech_content(duration_s, speech)?
        + rules.balance_weight * speaker_balance(duration_s, &clip.turns)?
        + rules.noise_weight * background_noise(rules, &clip.samples, clip.sample_rate)?
        + rules.speakers_weight * speaker_count_score(count_speakers(&clip.turns)))
}

/// The whole reward of one answer, step by step as the system in the field computes it.
///
/// 0.005 for an answer that keeps no clip; −5 for an id that cannot be, a fake video, or sound that
/// is not the source's, sample for sample; otherwise near-duplicates and clips that are not new
/// within the answer are dropped, then those outside 45 to 80 s, and the reward is
/// `0.6·agreement + 0.1·length + 0.2·quality + 0.1·query` with
/// `length = Σ seconds / (clips wanted · 80)` and
/// `query = Σ cos(sound, query) / clips kept`, whose sum still has the clips of other length.
/// Agreement is one minus the diarization error rate of the *validator's* diarization against the
/// miner's as the reference; it and [`quality`] are those of one clip.
///
/// # Errors
/// Where the original gives no score at all: [`Error::Empty`] when every clip has a wrong length
/// or the measured clip names no speaker, [`Error::NotFinite`] and [`Error::Length`] for such
/// vectors, and as [`quality`] and [`diarization_errors`].
pub fn reward(
    rules: &OriginalAudioRules,
    answer: &OriginalAudioAnswer,
) -> Result<OriginalAudioReward> {
    let ended = |reward| {
        Ok(OriginalAudioReward {
            reward,
            upload: None,
        })
    };
    if answer.clips.is_empty() {
        return ended(rules.least_score);
    }
    let valid = |clip: &OriginalAudioClip| is_valid_youtube_id(clip.video_id.as_deref());
    if !answer.clips.iter().all(valid) {
        return ended(rules.fake_punishment);
    }
    let lasts = |clip: &OriginalAudioClip| clip.end_s.saturating_sub(clip.start_s);
    let mut kept: Vec<(usize, &OriginalAudioClip)> = answer
        .clips
        .iter()
        .enumerate()
        .filter(|(_, clip)| (rules.shortest_clip_s..=rules.longest_clip_s).contains(&lasts(clip)))
        .take(answer.clips_wanted)
        .collect();
    if kept.is_empty() {
        return Err(Error::Empty {
            what: "the list of clips",
        });
    }
    if !passes(&kept, &answer.sound_check)? {
        return ended(rules.fake_punishment);
    }

    drop_near(&mut kept, rules.similar_above)?;
    drop_near(&mut kept, 1.0 - rules.novelty_least)?;
    let asked = MeasuredVector::new(&answer.query)?;
    let mut query = 0.0;
    for (_, clip) in &kept {
        query += MeasuredVector::new(&clip.audio)?.cosine(asked)?;
    }
    kept.retain(|(_, clip)| {
        (rules.shortest_scored_s..=rules.longest_scored_s).contains(&lasts(clip))
    });
    if kept.is_empty() {
        return ended(rules.least_score);
    }
    let (_, measured) = kept.get(answer.measured).ok_or(Error::OutOfStep {
        what: "the measured clip",
        expected: kept.len(),
        found: answer.measured,
    })?;
    let seconds: f64 = kept.iter().map(|(_, clip)| lasts(clip) as f64).sum();
    let most = answer.clips_wanted as f64 * rules.longest_scored_s as f64;
    let errors = diarization_errors(&measured.turns, &answer.diarization)?;
    let upload = OriginalAudioUpload {
        clips: kept.iter().map(|(index, _)| *index).collect(),
        inverse_error: errors.agreement()?.inverse_error,
        length: seconds / most,
        quality: quality(rules, measured, &answer.speech)?,
        query: query / kept.len() as f64,
    };
    let reward = rules.agreement_factor * upload.inverse_error
        + rules.length_factor * upload.length
        + rules.quality_factor * upload.quality
        + rules.query_factor * upload.query;
    if !reward.is_finite() {
        return Err(Error::NotFinite { what: "a score" });
    }
    Ok(OriginalAudioReward {
        reward,
        upload: Some(upload),
    })
}

fn passes(kept: &[(usize, &OriginalAudioClip)], check: &OriginalSoundCheck) -> Result<bool> {
    match check {
        OriginalSoundCheck::NotChecked => Ok(true),
        OriginalSoundCheck::PunishFake => Ok(false),
        OriginalSoundCheck::Fetched { clip, samples } => {
            let found = kept.get(*clip).ok_or(Error::Empty {
                what: "the list of clips",
            })?;
            Ok(found.1.samples == *samples)
        }
    }
}

/// Drops clips with a later one above this cosine: the last copy survives.
fn drop_near(kept: &mut Vec<(usize, &OriginalAudioClip)>, above: f64) -> Result<()> {
    let vectors: Vec<&[f32]> = kept.iter().map(|(_, clip)| clip.audio.as_slice()).collect();
    let mut nearest = nearest_later(&vectors)?.into_iter();
    kept.retain(|_| {
        nearest
            .next()
            .flatten()
            .is_none_or(|cosine| cosine <= above)
    });
    Ok(())
}
