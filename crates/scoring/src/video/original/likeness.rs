use super::OriginalRules;
use crate::{
    Error, Result,
    similarity::{MeasuredVector, cosine},
};

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
    Ok(Cosines::new(vectors.iter().map(AsRef::as_ref))?.nearest_later(|_| true))
}

/// The cosines of every two of a few vectors.
pub(super) struct Cosines {
    count: usize,
    /// Of each vector with every later one, one after the other.
    later: Vec<f64>,
}

impl Cosines {
    /// O(n²) of time and memory.
    pub(super) fn new<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> Result<Self> {
        let vectors: Vec<MeasuredVector<'a>> =
            vectors.map(MeasuredVector::new).collect::<Result<_>>()?;
        let mut later = Vec::with_capacity(vectors.len() * vectors.len().saturating_sub(1) / 2);
        for (index, vector) in vectors.iter().enumerate() {
            let (fours, rest) = vectors
                .get(index + 1..)
                .unwrap_or_default()
                .as_chunks::<4>();
            for four in fours {
                later.extend(vector.cosines(*four)?);
            }
            for other in rest {
                later.push(vector.cosine(*other)?);
            }
        }
        Ok(Self {
            count: vectors.len(),
            later,
        })
    }

    /// For each vector that counts the largest cosine to a later one that counts; none for the
    /// last, and for those that do not count.
    pub(super) fn nearest_later(&self, counts: impl Fn(usize) -> bool) -> Vec<Option<f64>> {
        let mut cosines = self.later.iter();
        let mut nearest = vec![None; self.count];
        for (index, nearest) in nearest.iter_mut().enumerate() {
            for (other, cosine) in (index + 1..self.count).zip(&mut cosines) {
                if counts(index) && counts(other) {
                    *nearest = Some(nearest.map_or(*cosine, |nearest: f64| nearest.max(*cosine)));
                }
            }
        }
        nearest
    }
}
