use serde::{Deserialize, Serialize};

use super::{SimilarityMatrix, clusters::check_weights, pairs::diversity_bonus};
use crate::{Error, Result, rules::all_within};

/// What each part of a composite score weighs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompositeWeights {
    /// Mean similarity of a member to the other members.
    pub agreement: f64,
    /// Quality of a member.
    pub quality: f64,
    /// Confidence, which is 1 for every answer.
    pub confidence: f64,
    /// Being a member.
    pub membership: f64,
    /// Most that a member gains by being different, [`diversity_bonus`].
    pub diversity: f64,
    /// Quality above which it can.
    pub diversity_quality: f64,
    /// Mean similarity of an outsider to the members.
    pub outsider_agreement: f64,
    /// Words of an outsider's answer as a part of the longest.
    pub outsider_length: f64,
    /// Whether no outsider may score above the lowest member.
    pub members_first: bool,
}

impl CompositeWeights {
    /// The weights of the system in the field.
    pub fn original() -> Self {
        Self {
            agreement: 0.40,
            quality: 0.25,
            confidence: 0.15,
            membership: 0.10,
            diversity: 0.15,
            diversity_quality: 0.6,
            outsider_agreement: 0.30,
            outsider_length: 0.25,
            members_first: false,
        }
    }

    /// Length earns an outsider nothing, and no outsider is above the lowest member; in the original
    /// a long answer outside can be the best of the round.
    pub fn hardened() -> Self {
        Self {
            outsider_length: 0.0,
            members_first: true,
            ..Self::original()
        }
    }

    /// Checks that every weight lies in 0 to 1.
    ///
    /// # Errors
    /// [`Error::Constant`] names the first that does not.
    pub fn validate(&self) -> Result<()> {
        all_within([
            ("agreement", self.agreement, 0.0, 1.0),
            ("quality", self.quality, 0.0, 1.0),
            ("confidence", self.confidence, 0.0, 1.0),
            ("membership", self.membership, 0.0, 1.0),
            ("diversity", self.diversity, 0.0, 1.0),
            (
                "diversity_quality",
                self.diversity_quality,
                f64::MIN_POSITIVE,
                1.0,
            ),
            ("outsider_agreement", self.outsider_agreement, 0.0, 1.0),
            ("outsider_length", self.outsider_length, 0.0, 1.0),
        ])
    }
}

/// What composite scores are made of; lists have an entry for each answer.
#[derive(Debug, Clone, Copy)]
pub struct CompositeInput<'a> {
    /// How alike the answers are.
    pub similarities: &'a SimilarityMatrix,
    /// Numbers of the members of the consensus.
    pub members: &'a [usize],
    /// Quality, 0 to 1.
    pub quality: &'a [f64],
    /// Number of words.
    pub words: &'a [usize],
    /// Votes, 0 to 1; none means 1 each.
    pub votes: Option<&'a [f64]>,
}

/// The composite score of each answer. Of a member
/// `vote · (0.40 A + 0.25 quality + 0.15 + 0.10 + D)`, where A is its mean similarity to the other
/// members, weighted by their votes (0 for a lone member; unweighted when the others have none), and D
/// its [`diversity_bonus`] among the members; of an outsider
/// `vote · (0.30 · mean similarity to the members + 0.25 · words / most words + 0.15)`.
///
/// # Errors
/// [`Error::Count`] for a list of another length than there are answers, [`Error::NotFinite`] for a
/// quality, [`Error::NotFinite`] or [`Error::Negative`] for a vote, [`Error::Constant`] for a weight.
pub fn composite_scores(
    weights: &CompositeWeights,
    input: &CompositeInput<'_>,
) -> Result<Vec<f64>> {
    weights.validate()?;
    let answers = input.similarities.len();
    let lists = [
        ("the list of qualities", input.quality.len()),
        ("the list of word counts", input.words.len()),
    ];
    for (what, found) in lists {
        if found != answers {
            return Err(Error::Count {
                what,
                expected: answers,
                found,
            });
        }
    }
    if input.quality.iter().any(|quality| !quality.is_finite()) {
        return Err(Error::NotFinite { what: "a quality" });
    }
    if let Some(votes) = input.votes {
        check_weights(answers, votes)?;
    }
    let vote = |answer: usize| match input.votes {
        Some(votes) => votes.get(answer).copied().unwrap_or(0.0),
        None => 1.0,
    };
    let quality = |answer: usize| input.quality.get(answer).copied().unwrap_or(0.0);
    let members = input.members;
    let among_members = input.similarities.select(members);
    let member_quality: Vec<f64> = members.iter().map(|member| quality(*member)).collect();
    let diversity = diversity_bonus(
        &among_members,
        &member_quality,
        weights.diversity_quality,
        weights.diversity,
    )?;
    let longest = input.words.iter().copied().max().unwrap_or(0).max(1);
    let mut scores: Vec<f64> = input
        .similarities
        .rows()
        .zip(input.words)
        .enumerate()
        .map(|(answer, (row, words))| {
            let to_members = mean_similarity(row, members, |_| 1.0);
            let length = *words as f64 / longest as f64;
            vote(answer)
                * (weights.outsider_agreement * to_members
                    + weights.outsider_length * length
                    + weights.confidence)
        })
        .collect();
    let mut lowest = f64::INFINITY;
    let mut is_member = vec![false; answers];
    for (member, diversity) in members.iter().zip(diversity) {
        let (Some(score), Some(flag)) = (scores.get_mut(*member), is_member.get_mut(*member))
        else {
            continue;
        };
        let others: Vec<usize> = members
            .iter()
            .copied()
            .filter(|other| other != member)
            .collect();
        let row = input.similarities.row(*member);
        let voiced = others.iter().any(|other| vote(*other) > 0.0);
        let agreement =
            mean_similarity(row, &others, |other| if voiced { vote(other) } else { 1.0 });
        *score = vote(*member)
            * (weights.agreement * agreement
                + weights.quality * quality(*member)
                + weights.confidence
                + weights.membership
                + diversity);
        *flag = true;
        lowest = lowest.min(*score);
    }
    if weights.members_first {
        let outsiders = scores
            .iter_mut()
            .zip(&is_member)
            .filter(|(_, member)| !**member);
        outsiders.for_each(|(score, _)| *score = score.min(lowest));
    }
    Ok(scores)
}

/// Weighted mean of some entries of a row, 0 of none.
fn mean_similarity(row: &[f64], others: &[usize], weight: impl Fn(usize) -> f64) -> f64 {
    let (sum, total) = others
        .iter()
        .filter_map(|other| row.get(*other).map(|value| (weight(*other), value)))
        .fold((0.0, 0.0), |(sum, total), (weight, value)| {
            (sum + weight * value, total + weight)
        });
    if total > 0.0 { sum / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(weights: &CompositeWeights, members: &[usize], words: &[usize]) -> Vec<f64> {
        let rows = [[1.0, 0.1, 0.9], [0.1, 1.0, 0.2], [0.9, 0.2, 1.0]];
        let similarities = SimilarityMatrix::from_rows(&rows).unwrap();
        let input = CompositeInput {
            similarities: &similarities,
            members,
            quality: &[0.1, 0.5, 0.5],
            words,
            votes: None,
        };
        composite_scores(weights, &input).unwrap()
    }

    #[test]
    fn a_lone_member_can_lose_to_a_long_outsider_only_in_the_original() {
        let original = scores(&CompositeWeights::original(), &[0], &[5, 5, 500]);
        assert!((original[0] - (0.25 * 0.1 + 0.25)).abs() < 1e-12);
        assert!((original[2] - (0.3 * 0.9 + 0.25 + 0.15)).abs() < 1e-12);
        let hardened = scores(&CompositeWeights::hardened(), &[0], &[5, 5, 500]);
        assert!(hardened[0] >= hardened[1] && hardened[0] >= hardened[2]);
    }

    #[test]
    fn answers_without_words_or_members_have_scores() {
        let found = scores(&CompositeWeights::original(), &[], &[0, 0, 0]);
        assert_eq!(found, [0.15; 3]);
    }
}
