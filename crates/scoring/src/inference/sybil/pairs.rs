use serde::{Deserialize, Serialize};

use super::{
    policy::SybilPolicy,
    thresholds::{check_flags, pairs_looked_at},
};
use crate::{
    Result,
    inference::{SimilarityMatrix, lexical_similarity, sybil::structural_similarity},
};

/// What two answers were found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SybilSign {
    /// The embeddings of the whole answers.
    Semantic,
    /// Two of three views: embedding, wording, form.
    Fusion,
    /// The path of the sentences.
    Trajectory,
}

/// Two answers that may be by one hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SybilPair {
    /// Number of the earlier answer.
    pub first: usize,
    /// Number of the later answer.
    pub second: usize,
    /// How alike they are, by the sign.
    pub likeness: f64,
    /// What they were found by.
    pub sign: SybilSign,
}

/// The pairs of answers `looked_at` whose similarity reaches a threshold, the most alike first.
/// O(n² log n).
///
/// # Errors
/// [`Error::Count`](crate::Error::Count) unless there is one flag for each answer.
pub fn semantic_pairs(
    policy: &SybilPolicy,
    similarities: &SimilarityMatrix,
    looked_at: &[bool],
    threshold: f64,
) -> Result<Vec<SybilPair>> {
    check_flags(similarities, looked_at)?;
    let pairs = pairs_looked_at(similarities, looked_at)
        .filter(|(_, _, likeness)| policy.reaches(*likeness, threshold))
        .map(|(first, second, likeness)| SybilPair {
            first,
            second,
            likeness,
            sign: SybilSign::Semantic,
        });
    Ok(most_alike_first(pairs.collect()))
}

/// Pairs that two of three views take for copies. None when no text has a term, as in the original.
pub(super) fn fusion_pairs(
    policy: &SybilPolicy,
    texts: &[&str],
    similarities: &SimilarityMatrix,
    looked_at: &[bool],
) -> Result<Vec<SybilPair>> {
    let Ok(lexical) = lexical_similarity(texts) else {
        return Ok(Vec::new());
    };
    let structural = match policy.fusion.structural {
        Some(threshold) => Some((threshold, structural_similarity(texts)?)),
        None => None,
    };
    let pairs = pairs_looked_at(similarities, looked_at).filter_map(|(first, second, semantic)| {
        let of = |matrix: &SimilarityMatrix| matrix.get(first, second).unwrap_or_default();
        // The field keeps this one in single precision.
        let lexical = f64::from(of(&lexical) as f32);
        let mut likeness = semantic.max(lexical);
        let mut votes = u8::from(policy.reaches(semantic, policy.fusion.semantic))
            + u8::from(policy.reaches(lexical, policy.fusion.lexical));
        if let Some((threshold, structural)) = &structural {
            let structural = of(structural);
            likeness = likeness.max(structural);
            votes += u8::from(policy.reaches(structural, *threshold));
        }
        (votes >= 2).then_some(SybilPair {
            first,
            second,
            likeness,
            sign: SybilSign::Fusion,
        })
    });
    Ok(most_alike_first(pairs.collect()))
}

pub(super) fn most_alike_first(mut pairs: Vec<SybilPair>) -> Vec<SybilPair> {
    pairs.sort_by(|left, right| right.likeness.total_cmp(&left.likeness));
    pairs
}

/// Of the pairs of the same two answers the most alike stays, the first of equals, at the place of the
/// first; then the most alike come first.
pub(super) fn without_repeats(pairs: Vec<SybilPair>, answers: usize) -> Vec<SybilPair> {
    let mut places: Vec<Option<usize>> = vec![None; answers * answers];
    let mut kept: Vec<SybilPair> = Vec::new();
    for pair in pairs {
        let Some(place) = places.get_mut(pair.first * answers + pair.second) else {
            continue;
        };
        match place.and_then(|place| kept.get_mut(place)) {
            Some(earlier) if pair.likeness > earlier.likeness => *earlier = pair,
            Some(_) => {}
            None => {
                *place = Some(kept.len());
                kept.push(pair);
            }
        }
    }
    most_alike_first(kept)
}
