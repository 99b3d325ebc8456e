use super::{
    groups::{SybilGroup, sybil_groups},
    pairs::{SybilPair, fusion_pairs, semantic_pairs, without_repeats},
    policy::SybilPolicy,
    thresholds::{SybilThresholds, adaptive_thresholds},
    trajectory::trajectory_pairs,
};
use crate::{
    Error, Result,
    inference::{SimilarityMatrix, component::Component},
};

/// An answer of a round.
#[derive(Debug, Clone, Copy)]
pub struct SybilAnswer<'a, V> {
    /// The answer.
    pub text: &'a str,
    /// Embeddings of its [`sentences`](crate::inference::sentences), in order; none when sentences are
    /// not embedded, and paths are not compared.
    pub sentences: &'a [V],
}

/// What was found in a round.
#[derive(Debug, Clone, PartialEq)]
pub struct SybilFindings {
    /// From which likeness on answers were suspected.
    pub thresholds: SybilThresholds,
    /// Pairs of suspicious answers, the most alike first; no two of the same answers.
    pub pairs: Vec<SybilPair>,
    /// Groups of suspicious answers, the most alike first.
    pub groups: Vec<SybilGroup>,
    /// Answers too short to be looked at.
    pub short: usize,
}

/// Looks for answers of one hand in a round. `similarities` are the cosines of the answers' embeddings.
///
/// Answers of [`SybilPolicy::least_characters`] or more are looked at. Two are suspicious when their
/// similarity reaches the high threshold of [`adaptive_thresholds`], when two of three views reach
/// those of [`SybilPolicy::fusion`] (their likeness is then the largest of the three), or when the paths
/// of their sentences are alike. Groups are those of [`sybil_groups`].
///
/// O(n² (log n + k · dimension)) for n answers and paths of k clusters, besides wording
/// ([`lexical_similarity`](crate::inference::lexical_similarity)) and s² · dimension for the path of an
/// answer of s sentences.
///
/// # Errors
/// [`Error::Count`] unless there is a row of similarities for each answer, [`Error::Length`] for
/// embeddings of different lengths, [`Error::NotFinite`] for a component that is not finite,
/// [`Error::Constant`] for the policy.
pub fn detect_sybils<T: Component, V: AsRef<[T]>>(
    policy: &SybilPolicy,
    answers: &[SybilAnswer<'_, V>],
    similarities: &SimilarityMatrix,
) -> Result<SybilFindings> {
    if similarities.len() != answers.len() {
        return Err(Error::Count {
            what: "the matrix of similarities",
            expected: answers.len(),
            found: similarities.len(),
        });
    }
    let texts: Vec<&str> = answers.iter().map(|answer| answer.text).collect();
    let sentences: Vec<&[V]> = answers.iter().map(|answer| answer.sentences).collect();
    let looked_at: Vec<bool> = texts
        .iter()
        .map(|text| text.chars().count() >= policy.least_characters)
        .collect();
    let thresholds = adaptive_thresholds(policy, similarities, &looked_at)?;
    let mut pairs = semantic_pairs(policy, similarities, &looked_at, thresholds.high)?;
    pairs.extend(fusion_pairs(policy, &texts, similarities, &looked_at)?);
    pairs.extend(trajectory_pairs(policy, &sentences, &looked_at)?);
    Ok(SybilFindings {
        thresholds,
        pairs: without_repeats(pairs, answers.len()),
        groups: sybil_groups(policy, similarities, &looked_at, thresholds.high)?,
        short: looked_at.iter().filter(|looked_at| !**looked_at).count(),
    })
}
