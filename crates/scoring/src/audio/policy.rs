use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::original::OriginalAudioRules;
use crate::{
    Result,
    rules::rules,
    video::plan::{a_share, perhaps_one},
};

/// A named, versioned set of rules for judging sound, with all its constants.
///
/// Its text form names the policy and every constant; unknown names and unknown constants are
/// errors, absent constants take the policy's own value.
///
/// ```
/// use adit_scoring::audio::AudioPolicy;
///
/// let policy = AudioPolicy::hardened();
/// let text = serde_json::to_string(&policy)?;
/// assert!(text.starts_with(r#"{"policy":"audio/hardened-1""#));
/// assert_eq!(serde_json::from_str::<AudioPolicy>(&text)?, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "policy")]
pub enum AudioPolicy {
    /// The formulas of the system in the field.
    #[serde(rename = "audio/original-1")]
    Original(OriginalAudioRules),
    /// The default; the [front](crate#audio) of the crate lists how it differs.
    #[serde(rename = "audio/hardened-1")]
    Hardened(HardenedAudioRules),
}

impl AudioPolicy {
    /// The policy of the system in the field.
    pub fn original() -> Self {
        Self::Original(OriginalAudioRules::default())
    }

    /// The default policy.
    pub fn hardened() -> Self {
        Self::Hardened(HardenedAudioRules::default())
    }

    /// Name and version.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Original(_) => "audio/original-1",
            Self::Hardened(_) => "audio/hardened-1",
        }
    }

    /// Checks that every constant is finite and in its range.
    ///
    /// # Errors
    /// [`crate::Error::Constant`] names the first that is not.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Original(rules) => rules.validate(),
            Self::Hardened(rules) => rules.validate(),
        }
    }
}

impl Default for AudioPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}

/// One line: the name, then each constant.
impl fmt::Display for AudioPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Original(rules) => rules.fmt_constants(f),
            Self::Hardened(rules) => rules.fmt_constants(f),
        }
    }
}

/// Which of an answer's `clips` (numbered from 0) are fetched and compared; ascending, no number
/// twice. Empty only when there are no clips.
///
/// `hardened`: ⌈`sample_share` · clips⌉, at least one, of every answer. `original`: one clip with
/// probability `check_probability`, otherwise none. Seed the generator from what the miner cannot
/// know before it answers.
pub fn sound_check_plan<R: Rng + ?Sized>(
    policy: &AudioPolicy,
    rng: &mut R,
    clips: usize,
) -> Vec<usize> {
    match policy {
        AudioPolicy::Original(rules) => perhaps_one(rules.check_probability, rng, clips),
        AudioPolicy::Hardened(rules) => a_share(rules.sample_share, rng, clips),
    }
}

rules! {
    /// Constants of `audio/hardened-1`. Cosines of sound and of sound with text refer to a joint
    /// space like ImageBind's; other spaces want other numbers.
    pub struct HardenedAudioRules {
        /// Shortest clip, in milliseconds.
        shortest_clip_ms: u64 = 45_000, in 1, u64::MAX;
        /// Longest clip, in milliseconds; its length scores 1.
        longest_clip_ms: u64 = 80_000, in 1, u64::MAX;
        /// How far a clip's end may lie beyond the source's, in milliseconds.
        source_slack_ms: u64 = 50, in 0, 10_000;
        /// How far the sound's own length may differ from the interval claimed, in seconds.
        length_slack_s: f64 = 0.5, in 0.0, 60.0;
        /// Share of the clips that is fetched and compared; at least one always is.
        sample_share: f64 = 0.25, in 0.0, 1.0;
        /// Least cosine of the vector of the sound given and of the sound fetched.
        sound_match: f64 = 0.95, in -1.0, 1.0;
        /// After how many attempts an unreachable origin is given up and its clip refused.
        origin_attempts: u32 = 3, in 1, 1_000;
        /// After how many attempts an answer that makes our own code fail scores 0.
        own_attempts: u32 = 3, in 1, 1_000;
        /// From this cosine on, two sounds are one.
        duplicate_cosine: f64 = 0.95, in -1.0, 1.0;
        /// Up to this cosine, sound is entirely new; between the two, novelty falls linearly.
        novel_cosine: f64 = 0.6, in -1.0, 1.0;
        /// Largest part of the shorter of two clips of one source that they may share.
        overlap_most: f64 = 0.0, in 0.0, 1.0;
        /// Below this cosine of sound and topic, a clip is refused.
        relevance_least: f64 = 0.0, in -1.0, 1.0;
        /// From this cosine on, relevance is 1.
        relevance_full: f64 = 0.3, in -1.0, 1.0;
        /// Below this share of speech, a clip is refused.
        speech_least: f64 = 0.2, in 0.0, 1.0;
        /// Below this agreement of the diarizations, a clip is refused.
        agreement_least: f64 = 0.1, in 0.0, 1.0;
        /// Most turns of a diarization.
        turns_most: u32 = 1_000, in 1, 10_000;
        /// Signal to noise ratio from which noise costs nothing, in decibels.
        noise_full_db: f64 = 50.0, in 1e-3, 1e6;
        /// Weight of speech content in quality.
        speech_weight: f64 = 0.2, in 0.0, 1e6;
        /// Weight of the speakers' balance in quality.
        balance_weight: f64 = 0.2, in 0.0, 1e6;
        /// Weight of background noise in quality.
        noise_weight: f64 = 0.1, in 0.0, 1e6;
        /// Weight of the number of speakers in quality.
        speakers_weight: f64 = 0.5, in 0.0, 1e6;
        /// Weight of the diarizations' agreement in a clip's score.
        agreement_weight: f64 = 0.5, in 0.0, 1e6;
        /// Weight of the clip's length.
        length_weight: f64 = 0.1, in 0.0, 1e6;
        /// Weight of quality.
        quality_weight: f64 = 0.2, in 0.0, 1e6;
        /// Weight of relevance.
        relevance_weight: f64 = 0.1, in 0.0, 1e6;
        /// Weight of novelty.
        novelty_weight: f64 = 0.1, in 0.0, 1e6;
    }
}
