use std::fmt;

use serde::{Deserialize, Serialize};

use super::original::OriginalRules;
use crate::{Result, rules::rules};

/// A named, versioned set of rules with all its constants.
///
/// Its text form (JSON or TOML) names the policy and every constant; unknown names and unknown
/// constants are errors, absent constants take the policy's own value.
///
/// ```
/// use adit_scoring::video::VideoPolicy;
///
/// let policy = VideoPolicy::hardened();
/// let text = serde_json::to_string(&policy)?;
/// assert!(text.starts_with(r#"{"policy":"video/hardened-1""#));
/// assert_eq!(serde_json::from_str::<VideoPolicy>(&text)?, policy);
/// assert!(serde_json::from_str::<VideoPolicy>(r#"{"policy":"video/lenient-1"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "policy")]
pub enum VideoPolicy {
    /// The formulas of the system in the field.
    #[serde(rename = "video/original-1")]
    Original(OriginalRules),
    /// The default; [`super`] lists how it differs.
    #[serde(rename = "video/hardened-1")]
    Hardened(HardenedRules),
}

impl VideoPolicy {
    /// The policy of the system in the field.
    pub fn original() -> Self {
        Self::Original(OriginalRules::default())
    }

    /// The default policy.
    pub fn hardened() -> Self {
        Self::Hardened(HardenedRules::default())
    }

    /// Name and version.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Original(_) => "video/original-1",
            Self::Hardened(_) => "video/hardened-1",
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

impl Default for VideoPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}

/// One line: the name, then each constant.
impl fmt::Display for VideoPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Original(rules) => rules.fmt_constants(f),
            Self::Hardened(rules) => rules.fmt_constants(f),
        }
    }
}

rules! {
    /// Constants of `video/hardened-1`. Cosines of footage refer to the space `perceptual-video-v1`,
    /// cosines of text to `minilm-l6-v2`; other spaces want other numbers.
    pub struct HardenedRules {
        /// Shortest clip, in milliseconds.
        shortest_clip_ms: u64 = 1_000, in 1, u64::MAX;
        /// Longest clip, in milliseconds.
        longest_clip_ms: u64 = 120_000, in 1, u64::MAX;
        /// How far a clip's end may lie beyond the source's, in milliseconds: containers round.
        source_slack_ms: u64 = 50, in 0, 10_000;
        /// Most bytes of a description.
        description_bytes_most: u32 = 2_000, in 1, u32::MAX;
        /// From how many words on repetition is judged.
        stuffing_words: u32 = 8, in 1, u32::MAX;
        /// Least share of different words among all words of a description.
        distinct_share_least: f64 = 0.4, in 0.0, 1.0;
        /// Largest share one word may have among all words of a description.
        commonest_share_most: f64 = 0.34, in 0.0, 1.0;
        /// Share of the clips that is fetched and re-embedded; at least one always is.
        sample_share: f64 = 0.25, in 0.0, 1.0;
        /// Least cosine of a miner's video vector and ours.
        video_match: f64 = 0.95, in -1.0, 1.0;
        /// Least cosine of a miner's sound vector and ours.
        sound_match: f64 = 0.95, in -1.0, 1.0;
        /// Least cosine of a miner's text vector and ours.
        text_match: f64 = 0.95, in -1.0, 1.0;
        /// After how many attempts an unreachable origin is given up and its clip refused.
        origin_attempts: u32 = 3, in 1, 1_000;
        /// After how many attempts an answer that makes our own code fail scores 0.
        own_attempts: u32 = 3, in 1, 1_000;
        /// From this cosine on, two pieces of footage are one.
        duplicate_cosine: f64 = 0.95, in -1.0, 1.0;
        /// Up to this cosine, footage is entirely new; between the two, novelty falls linearly.
        novel_cosine: f64 = 0.6, in -1.0, 1.0;
        /// Largest part of the shorter of two clips of one source that they may share.
        overlap_most: f64 = 0.0, in 0.0, 1.0;
        /// Below this cosine of description and topic, a clip is refused.
        relevance_least: f64 = 0.1, in -1.0, 1.0;
        /// From this cosine on, relevance is 1.
        relevance_full: f64 = 0.6, in -1.0, 1.0;
        /// From so many different words beyond the topic's own, detail is 1; it grows with the
        /// logarithm of one more than their number.
        detail_words_full: u32 = 24, in 1, 1_000_000;
        /// Weight of relevance in a clip's score.
        relevance_weight: f64 = 0.5, in 0.0, 1e6;
        /// Weight of novelty.
        novelty_weight: f64 = 0.3, in 0.0, 1e6;
        /// Weight of detail.
        detail_weight: f64 = 0.2, in 0.0, 1e6;
    }
}
