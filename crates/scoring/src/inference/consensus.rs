mod copies;
mod outlier_rule;
mod policy;

use copies::CopyGroups;
pub use outlier_rule::{OutlierVerdict, outlier_rule};
pub use policy::{BetterOutliers, ClusterTies, ConsensusPolicy};

use super::{
    CompositeInput, SimilarityMatrix, average_linkage,
    clusters::check_weights,
    component::Component,
    composite_scores, dominant_cluster, local_outlier_factors,
    pairs::{pair_statistics, pair_statistics_if},
};
use crate::{Error, Result};

/// One round's answers; lists have an entry for each.
#[derive(Debug, Clone, Copy)]
pub struct ConsensusInput<'a, T, V> {
    /// The prompt's embedding; none means that no answer is beside the point.
    pub prompt: Option<&'a [T]>,
    /// The answers' embeddings, all of the same length.
    pub embeddings: &'a [V],
    /// Quality of each answer, 0 to 1.
    pub quality: &'a [f64],
    /// Number of words of each answer.
    pub words: &'a [usize],
    /// Vote of each answer, 0 to 1, such as [`super::entity_weights`]; none means 1 each.
    pub votes: Option<&'a [f64]>,
}

/// What a round's answers agree on.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerConsensus {
    /// Numbers of the answers in the consensus, in order; none when no answer was good enough.
    pub members: Vec<usize>,
    /// How far they agree: mean and deviation of their similarities as the policy adds them. About 0
    /// to 1.2 in the original, 0 to 1 in the hardened policy.
    pub agreement: f64,
    /// Mean similarity of the members, all pairs alike; none without members.
    pub mean_similarity: Option<f64>,
    /// Whether the agreement is enough to speak of consensus.
    pub achieved: bool,
    /// Whether the members' mean quality is so low that an operator should look.
    pub low_quality: bool,
    /// Composite score of each answer by number, members first, then the others; empty without
    /// members.
    pub scores: Vec<(usize, f64)>,
    /// Quality of each answer after the gate of relevance.
    pub quality: Vec<f64>,
    /// Vote of each answer, after copies shared theirs.
    pub votes: Vec<f64>,
    /// Similarities of all answers.
    pub similarities: SimilarityMatrix,
}

/// Finds what answers agree on, in the steps of the inference system in the field: answers beside the
/// point lose their quality, poor ones take no part, outliers are dropped ([`outlier_rule`], from three
/// answers up), the heaviest cluster of the rest by average linkage on 1 − cosine is the consensus,
/// and its agreement is the mean of its similarities, weighted by quality and vote, plus
/// `deviations` times their deviation.
///
/// O(n²) time and memory for n answers, besides n²/2 inner products; see [`local_outlier_factors`] for
/// answers that are all the same.
///
/// # Errors
/// [`Error::Count`] for a list of another length than there are answers, [`Error::Length`] for
/// embeddings of different lengths, [`Error::NotFinite`] for a number, [`Error::Negative`] for a vote or a quality,
/// [`Error::Constant`] for the policy, and for a quality or vote beyond 1,000,000.
pub fn consensus<T: Component, V: AsRef<[T]>>(
    policy: &ConsensusPolicy,
    input: &ConsensusInput<'_, T, V>,
) -> Result<AnswerConsensus> {
    policy.validate()?;
    check(input)?;
    let answers = input.embeddings.len();
    let similarities = SimilarityMatrix::cosines(input.embeddings)?;
    let quality = gated_quality(policy, input)?;
    let copies = CopyGroups::of(&similarities, policy.copy_similarity);
    let mut votes = input
        .votes
        .map_or_else(|| vec![1.0; answers], <[f64]>::to_vec);
    copies.share(&mut votes);

    let mut kept: Vec<usize> = (0..answers)
        .filter(|answer| at(&quality, *answer) >= policy.least_quality)
        .collect();
    if kept.len() >= 3 {
        kept = without_outliers(policy, input.embeddings, &quality, &copies, &kept)?;
    }
    if kept.len() >= 2 {
        kept = heaviest_cluster(policy, &similarities, &quality, &votes, &kept)?;
    }
    let members = kept;
    let chosen = similarities.select(&members);
    let scores = if members.is_empty() {
        Vec::new()
    } else {
        let input = CompositeInput {
            similarities: &similarities,
            members: &members,
            quality: &quality,
            words: input.words,
            votes: Some(&votes),
        };
        in_order(&members, composite_scores(&policy.composite, &input)?)
    };
    let agreement = agreement(policy, &chosen, &members, &quality, &votes, &copies)?;
    let member_quality: f64 = members.iter().map(|member| at(&quality, *member)).sum();
    let low_quality =
        !members.is_empty() && member_quality / (members.len() as f64) < policy.alert_below;
    Ok(AnswerConsensus {
        agreement,
        mean_similarity: match members.is_empty() {
            true => None,
            false => Some(pair_statistics(&chosen, None)?.mean),
        },
        achieved: agreement > policy.achieved_above,
        low_quality,
        members,
        scores,
        quality,
        votes,
        similarities,
    })
}

fn check<T, V>(input: &ConsensusInput<'_, T, V>) -> Result<()> {
    let expected = input.embeddings.len();
    let lists = [
        ("the list of qualities", input.quality.len()),
        ("the list of word counts", input.words.len()),
    ];
    for (what, found) in lists {
        if found != expected {
            return Err(Error::Count {
                what,
                expected,
                found,
            });
        }
    }
    if input.quality.iter().any(|quality| !quality.is_finite()) {
        return Err(Error::NotFinite { what: "a quality" });
    }
    if input.quality.iter().any(|quality| *quality < 0.0) {
        return Err(Error::Negative { what: "a quality" });
    }
    // Beyond this, products and sums of them could leave the range of f64.
    let votes = input.votes.unwrap_or_default();
    for (name, value) in [("quality", input.quality), ("vote", votes)]
        .into_iter()
        .flat_map(|(name, values)| values.iter().map(move |value| (name, *value)))
    {
        if value > 1e6 {
            return Err(Error::Constant {
                name,
                value,
                least: 0.0,
                most: 1e6,
            });
        }
    }
    input
        .votes
        .map_or(Ok(()), |votes| check_weights(expected, votes))
}

fn at(numbers: &[f64], answer: usize) -> f64 {
    numbers.get(answer).copied().unwrap_or(0.0)
}

fn gated_quality<T: Component, V: AsRef<[T]>>(
    policy: &ConsensusPolicy,
    input: &ConsensusInput<'_, T, V>,
) -> Result<Vec<f64>> {
    let Some(prompt) = input.prompt else {
        return Ok(input.quality.to_vec());
    };
    let answers = input.embeddings.iter().zip(input.quality);
    let gated = answers.map(|(embedding, quality)| {
        let relevance = relevance(prompt, embedding.as_ref())?;
        Ok(if relevance < policy.least_relevance {
            0.0
        } else {
            *quality
        })
    });
    gated.collect()
}

/// Cosine of an answer and its prompt.
pub(super) fn relevance<T: Component>(prompt: &[T], answer: &[T]) -> Result<f64> {
    let pair = SimilarityMatrix::cosines(&[prompt, answer])?;
    Ok(pair.get(0, 1).unwrap_or(0.0))
}

/// Of copies, one stands for all.
fn without_outliers<T: Component, V: AsRef<[T]>>(
    policy: &ConsensusPolicy,
    embeddings: &[V],
    quality: &[f64],
    copies: &CopyGroups,
    kept: &[usize],
) -> Result<Vec<usize>> {
    let mut one_each: Vec<usize> = Vec::new();
    let mut stands_for: Vec<usize> = Vec::with_capacity(kept.len());
    for answer in kept {
        let known = one_each
            .iter()
            .position(|other| copies.same(*other, *answer));
        stands_for.push(known.unwrap_or(one_each.len()));
        if known.is_none() {
            one_each.push(*answer);
        }
    }
    if one_each.len() < 3 {
        return Ok(kept.to_vec());
    }
    let points: Vec<&[T]> = one_each
        .iter()
        .filter_map(|answer| embeddings.get(*answer).map(AsRef::as_ref))
        .collect();
    let factors = local_outlier_factors(&points, policy.neighbours)?;
    let qualities: Vec<f64> = one_each.iter().map(|answer| at(quality, *answer)).collect();
    let verdict = outlier_rule(policy, &factors, &qualities)?;
    let mut stays = vec![false; one_each.len()];
    for place in verdict.kept {
        if let Some(flag) = stays.get_mut(place) {
            *flag = true;
        }
    }
    let pairs = kept.iter().zip(stands_for);
    Ok(pairs
        .filter(|(_, place)| stays.get(*place).copied().unwrap_or(false))
        .map(|(answer, _)| *answer)
        .collect())
}

fn heaviest_cluster(
    policy: &ConsensusPolicy,
    similarities: &SimilarityMatrix,
    quality: &[f64],
    votes: &[f64],
    kept: &[usize],
) -> Result<Vec<usize>> {
    let chosen = similarities.select(kept);
    let tree = average_linkage(kept.len(), |first, second| {
        1.0 - chosen.get(first, second).unwrap_or(0.0)
    })?;
    let mut labels = tree.cut(policy.cluster_height);
    let weights: Vec<f64> = kept.iter().map(|answer| at(votes, *answer)).collect();
    if policy.cluster_ties == ClusterTies::Quality {
        labels = by_quality(&labels, |place| {
            kept.get(place)
                .map_or(0.0, |answer| at(quality, *answer) * at(votes, *answer))
        });
    }
    let places = dominant_cluster(&labels, Some(&weights))?;
    Ok(places
        .iter()
        .filter_map(|place| kept.get(*place).copied())
        .collect())
}

/// Renumbers clusters so that the best has the lowest number; of equals, the one with the earliest
/// answer.
fn by_quality(labels: &[usize], quality: impl Fn(usize) -> f64) -> Vec<usize> {
    let clusters = labels.iter().max().map_or(0, |last| last + 1);
    let mut sums: Vec<(f64, usize)> = vec![(0.0, usize::MAX); clusters];
    for (place, label) in labels.iter().enumerate() {
        if let Some((sum, first)) = sums.get_mut(*label) {
            *sum += quality(place);
            *first = (*first).min(place);
        }
    }
    let mut order: Vec<usize> = (0..clusters).collect();
    let key = |cluster: &usize| sums.get(*cluster).copied().unwrap_or_default();
    order.sort_by(|left, right| {
        let ((left, left_first), (right, right_first)) = (key(left), key(right));
        right.total_cmp(&left).then(left_first.cmp(&right_first))
    });
    let mut rank = vec![0; clusters];
    for (place, cluster) in order.into_iter().enumerate() {
        if let Some(slot) = rank.get_mut(cluster) {
            *slot = place;
        }
    }
    labels
        .iter()
        .map(|label| rank.get(*label).copied().unwrap_or(0))
        .collect()
}

fn agreement(
    policy: &ConsensusPolicy,
    chosen: &SimilarityMatrix,
    members: &[usize],
    quality: &[f64],
    votes: &[f64],
    copies: &CopyGroups,
) -> Result<f64> {
    let weights: Vec<f64> = members
        .iter()
        .map(|member| at(quality, *member) * at(votes, *member))
        .collect();
    let apart = |first: usize, second: usize| match (members.get(first), members.get(second)) {
        (Some(first), Some(second)) => !copies.same(*first, *second),
        _ => false,
    };
    if let Some(found) = pair_statistics_if(chosen, Some(&weights), apart)? {
        let agreement = found.mean + policy.deviations * found.deviation;
        return Ok(if policy.bounded {
            agreement.clamp(0.0, 1.0)
        } else {
            agreement
        });
    }
    let best = members
        .iter()
        .map(|member| at(quality, *member))
        .fold(0.0, f64::max);
    Ok(policy.lone_member * best)
}

/// Members first, in their order, then the others in theirs.
fn in_order(members: &[usize], scores: Vec<f64>) -> Vec<(usize, f64)> {
    let mut is_member = vec![false; scores.len()];
    for member in members {
        if let Some(flag) = is_member.get_mut(*member) {
            *flag = true;
        }
    }
    let outsiders = (0..scores.len()).filter(|answer| is_member.get(*answer) == Some(&false));
    let order = members.iter().copied().chain(outsiders);
    order.map(|answer| (answer, at(&scores, answer))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(policy: &ConsensusPolicy, embeddings: &[[f64; 3]], quality: &[f64]) -> AnswerConsensus {
        let input = ConsensusInput {
            prompt: None,
            embeddings,
            quality,
            words: &vec![10; quality.len()],
            votes: None,
        };
        consensus(policy, &input).unwrap()
    }

    #[test]
    fn a_lone_survivor_is_worth_something_only_in_the_hardened_policy() {
        let answers = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let original = run(&ConsensusPolicy::original(), &answers, &[0.8, 0.9]);
        assert_eq!((original.members.len(), original.agreement), (1, 0.0));
        let hardened = run(&ConsensusPolicy::hardened(), &answers, &[0.8, 0.9]);
        assert_eq!((hardened.members, hardened.agreement), (vec![1], 0.45));
        let none = run(&ConsensusPolicy::hardened(), &answers, &[0.1, 0.1]);
        assert_eq!(
            (none.members.len(), none.scores.len(), none.agreement),
            (0, 0, 0.0)
        );
        assert_eq!(none.mean_similarity, None);
    }

    #[test]
    fn quarrel_lowers_agreement_only_in_the_hardened_policy() {
        let answers = [[1.0, 0.0, 0.1], [1.0, 0.1, 0.0], [0.7, 0.7, 0.0]];
        let agreement = |policy| {
            let found = run(&policy, &answers, &[0.8; 3]);
            assert_eq!(found.members, [0, 1, 2]);
            (found.agreement, found.mean_similarity.unwrap())
        };
        let (agreed, mean) = agreement(ConsensusPolicy::original());
        assert!(agreed > mean);
        let (agreed, mean) = agreement(ConsensusPolicy::hardened());
        assert!(agreed < mean);
    }

    #[test]
    fn three_copies_drive_out_four_honest_answers_only_in_the_original() {
        let copy = [1.0, 0.0, 0.0];
        let answers = [
            copy,
            copy,
            copy,
            [1.0, 0.3, 0.0],
            [1.0, -0.3, 0.0],
            [1.0, 0.0, 0.3],
            [1.0, 0.0, -0.3],
        ];
        let original = run(&ConsensusPolicy::original(), &answers, &[0.8; 7]);
        assert_eq!(original.members, [0, 1, 2]);
        let hardened = run(&ConsensusPolicy::hardened(), &answers, &[0.8; 7]);
        assert!(
            [3, 4, 5, 6]
                .iter()
                .all(|honest| hardened.members.contains(honest))
        );
        assert!((hardened.votes[..3].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // Copies alone agree with nobody.
        let alone = run(&ConsensusPolicy::hardened(), &[copy; 3], &[0.8; 3]);
        assert_eq!((alone.members.len(), alone.agreement), (3, 0.4));
    }

    #[test]
    fn off_topic_answers_lose_their_quality() {
        let embeddings = [[1.0_f32, 0.0], [0.0, 1.0]];
        let input = ConsensusInput {
            prompt: Some(&[1.0, 0.1]),
            embeddings: &embeddings,
            quality: &[0.9, 0.9],
            words: &[1, 1],
            votes: None,
        };
        let found = consensus(&ConsensusPolicy::original(), &input).unwrap();
        assert_eq!((found.quality, found.members), (vec![0.9, 0.0], vec![0]));
        let short = ConsensusInput {
            words: &[1],
            ..input
        };
        assert!(consensus(&ConsensusPolicy::original(), &short).is_err());
        let other = ConsensusInput {
            prompt: Some(&[1.0]),
            ..input
        };
        assert!(consensus(&ConsensusPolicy::original(), &other).is_err());
    }
}
