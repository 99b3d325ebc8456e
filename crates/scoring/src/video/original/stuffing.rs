use serde::{Deserialize, Serialize};

use super::OriginalRules;
use crate::{Result, similarity::MeasuredVector};

/// How many chunks of a description fit the footage badly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkCounts {
    /// Chunks whose likeness is below 0.12.
    pub really_bad: u32,
    /// Chunks whose likeness is below 0.6 of the best chunk's.
    pub low_quality: u32,
    /// All chunks; 0 when there is only one.
    pub total: u32,
}

/// Compares each chunk of a description (at most 60 tokens each) with the footage: a chunk's
/// likeness is the mean of its cosines with the video and the sound vector. One chunk or none counts
/// as nothing.
///
/// # Errors
/// [`crate::Error::Length`], [`crate::Error::NotFinite`].
pub fn extraneous_chunks<V: AsRef<[f32]>>(
    rules: &OriginalRules,
    video: &[f32],
    audio: &[f32],
    chunks: &[V],
) -> Result<ChunkCounts> {
    if chunks.len() <= 1 {
        return Ok(ChunkCounts::default());
    }
    let (video, audio) = (MeasuredVector::new(video)?, MeasuredVector::new(audio)?);
    let likeness = |chunk: &V| {
        let chunk = MeasuredVector::new(chunk.as_ref())?;
        Ok((video.cosine(chunk)? + audio.cosine(chunk)?) / 2.0)
    };
    let likeness: Vec<f64> = chunks.iter().map(likeness).collect::<Result<_>>()?;
    let best = likeness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let below = |bound: f64| {
        let count = likeness
            .iter()
            .filter(|likeness| **likeness < bound)
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    Ok(ChunkCounts {
        really_bad: below(rules.really_bad_below),
        low_quality: below(best * rules.low_quality_share),
        total: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
    })
}

/// What becomes of a clip for its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DescriptionCheck {
    /// The whole answer is punished.
    Punished,
    /// The clip is dropped.
    Dropped,
    /// The clip stays.
    Kept,
}

/// Checks one description: punished when the classifier calls it stuffed with a confidence above
/// 0.75, when more than 5 of its chunks are really bad or more than 15 of low quality; dropped when
/// it is called stuffed at all or has more than 50 chunks.
pub fn check_description(
    rules: &OriginalRules,
    stuffed: bool,
    confidence: f64,
    chunks: ChunkCounts,
) -> DescriptionCheck {
    if (stuffed && confidence > rules.stuffing_confidence)
        || chunks.really_bad > rules.really_bad_most
        || chunks.low_quality > rules.low_quality_most
    {
        DescriptionCheck::Punished
    } else if stuffed || chunks.total > rules.chunks_most {
        DescriptionCheck::Dropped
    } else {
        DescriptionCheck::Kept
    }
}

/// How a description's length bears on its relevance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LengthMultiplier {
    /// 0 (100 different tokens or fewer) to 1 (300 or more), by logarithm.
    pub scaler: f64,
    /// Factor on description relevance, 0.65 to 1.
    pub multiplier: f64,
}

/// `f = (min(log2 300, log2 n) − log2 100) / (log2 300 − log2 100)` for `n` different tokens above
/// 100, else 0; the multiplier is `1 − 0.35·(1 − f)`.
pub fn length_multiplier(rules: &OriginalRules, unique_tokens: u32) -> LengthMultiplier {
    let log = |tokens: u32| f64::from(tokens).log2();
    let (least, full) = (rules.length_tokens_least, rules.length_tokens_full);
    let scaler = if unique_tokens <= least {
        0.0
    } else if unique_tokens >= full {
        1.0
    } else {
        (log(unique_tokens) - log(least)) / (log(full) - log(least))
    };
    LengthMultiplier {
        scaler,
        multiplier: 1.0 - rules.length_weight * (1.0 - scaler),
    }
}
