use super::{OriginalRules, length_multiplier};
use crate::{Result, similarity::MeasuredVector};

/// How well a description fits its clip:
/// `(0.65·cos(video, description) + 0.35·cos(audio, description)) · length multiplier`, all vectors
/// as the miner submitted them in one joint space ([`length_multiplier`] of the different tokens).
///
/// # Errors
/// [`crate::Error::Length`], [`crate::Error::NotFinite`].
pub fn description_relevance(
    rules: &OriginalRules,
    video: &[f32],
    audio: &[f32],
    description: &[f32],
    unique_tokens: u32,
) -> Result<f64> {
    let description = MeasuredVector::new(description)?;
    let (video, audio) = (MeasuredVector::new(video)?, MeasuredVector::new(audio)?);
    described(rules, video, audio, description, unique_tokens)
}

/// How well a clip fits the query: `(cos(video, query) + cos(audio, query) + text) / 3`, with the
/// [`super::text_similarity`] of description and query.
///
/// # Errors
/// [`crate::Error::Length`], [`crate::Error::NotFinite`].
pub fn query_relevance(
    video: &[f32],
    audio: &[f32],
    query: &[f32],
    text_similarity: f64,
) -> Result<f64> {
    let query = MeasuredVector::new(query)?;
    queried(
        MeasuredVector::new(video)?,
        MeasuredVector::new(audio)?,
        query,
        text_similarity,
    )
}

pub(super) fn described(
    rules: &OriginalRules,
    video: MeasuredVector<'_>,
    audio: MeasuredVector<'_>,
    description: MeasuredVector<'_>,
    unique_tokens: u32,
) -> Result<f64> {
    let fit = rules.video_share * video.cosine(description)?
        + (1.0 - rules.video_share) * audio.cosine(description)?;
    Ok(fit * length_multiplier(rules, unique_tokens).multiplier)
}

pub(super) fn queried(
    video: MeasuredVector<'_>,
    audio: MeasuredVector<'_>,
    query: MeasuredVector<'_>,
    text_similarity: f64,
) -> Result<f64> {
    Ok((video.cosine(query)? + audio.cosine(query)? + text_similarity) / 3.0)
}
