use super::OriginalRules;
use crate::{Error, Result, similarity::cosine};

/// Whether two vectors count as the same: cosine strictly above 0.95.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`].
pub fn is_similar(rules: &OriginalRules, left: &[f32], right: &[f32]) -> Result<bool> {
    Ok(cosine(left, right)? > rules.similar_above)
}

/// Whether every component agrees: `|a − b| ≤ 1e-4 + 1e-5·|b|`. The original only logs it.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`].
pub fn strict_is_similar(left: &[f32], right: &[f32]) -> Result<bool> {
    if left.len() != right.len() {
        return Err(Error::Length {
            left: left.len(),
            right: right.len(),
        });
    }
    if left.iter().chain(right).any(|value| !value.is_finite()) {
        return Err(Error::NotFinite { what: "a vector" });
    }
    Ok(left.iter().zip(right).all(|(a, b)| {
        // In the precision of the original's tensors: the bound is part of the decision.
        (a - b).abs() <= 1e-4 + 1e-5 * b.abs()
    }))
}

/// For each vector whether a later one is similar to it ([`is_similar`]): the last copy survives.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`].
pub fn deduplicate<V: AsRef<[f32]>>(rules: &OriginalRules, vectors: &[V]) -> Result<Vec<bool>> {
    let nearest = nearest_later(vectors)?;
    let duplicate =
        |nearest: Option<f64>| nearest.is_some_and(|cosine| cosine > rules.similar_above);
    Ok(nearest.into_iter().map(duplicate).collect())
}

/// For each vector one minus the largest cosine to a later one, 0 to 2; 1 for the last.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`].
pub fn novelty_among_batch<V: AsRef<[f32]>>(vectors: &[V]) -> Result<Vec<f64>> {
    let nearest = nearest_later(vectors)?;
    Ok(nearest
        .into_iter()
        .map(|nearest| 1.0 - nearest.unwrap_or(0.0))
        .collect())
}

/// The sum of the novelty scores that reach 0.1.
pub fn final_novelty(rules: &OriginalRules, scores: &[f64]) -> f64 {
    scores
        .iter()
        .filter(|score| **score >= rules.novelty_least)
        .sum()
}

/// Text relevance of two class vectors of the text model: `min(0.5, cosine²)`. Opposites earn as
/// much as matches.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`].
pub fn text_similarity(rules: &OriginalRules, left: &[f32], right: &[f32]) -> Result<f64> {
    Ok(cosine(left, right)?.powi(2).min(rules.text_relevance_most))
}

/// For each vector the largest cosine to a later one; none for the last.
pub(crate) fn nearest_later<V: AsRef<[f32]>>(vectors: &[V]) -> Result<Vec<Option<f64>>> {
    let nearest = |(index, vector): (usize, &V)| {
        let mut later = vectors.get(index + 1..).unwrap_or_default().iter();
        later.try_fold(None, |nearest: Option<f64>, other| {
            let cosine = cosine(vector.as_ref(), other.as_ref())?;
            Ok(Some(nearest.map_or(cosine, |nearest| nearest.max(cosine))))
        })
    };
    vectors.iter().enumerate().map(nearest).collect()
}
