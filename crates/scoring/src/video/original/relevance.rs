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
    let vectors = [MeasuredVector::new(video)?, MeasuredVector::new(audio)?];
    let [video, audio] = description.cosines(vectors)?;
    Ok(described(rules, video, audio, unique_tokens))
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
    let vectors = [MeasuredVector::new(video)?, MeasuredVector::new(audio)?];
    let [video, audio] = query.cosines(vectors)?;
    Ok(queried(video, audio, text_similarity))
}

/// [`description_relevance`] of the cosines of frames and sound with the description.
pub(super) fn described(rules: &OriginalRules, video: f64, audio: f64, unique_tokens: u32) -> f64 {
    let fit = rules.video_share * video + (1.0 - rules.video_share) * audio;
    fit * length_multiplier(rules, unique_tokens).multiplier
}

/// [`query_relevance`] of the cosines of frames and sound with the query.
pub(super) fn queried(video: f64, audio: f64, text_similarity: f64) -> f64 {
    (video + audio + text_similarity) / 3.0
}
