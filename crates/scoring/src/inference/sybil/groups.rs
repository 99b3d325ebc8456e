use super::{policy::SybilPolicy, thresholds::check_flags};
use crate::{Result, inference::SimilarityMatrix};

/// Answers that are all alike.
#[derive(Debug, Clone, PartialEq)]
pub struct SybilGroup {
    /// Numbers of the answers.
    pub members: Vec<usize>,
    /// Mean likeness of each two.
    pub mean: f64,
    /// Least likeness of two.
    pub least: f64,
    /// Largest likeness of two.
    pub largest: f64,
}

/// Groups of answers `looked_at`, the most alike first: those that a chain of similarities of
/// `threshold` or more connects, less, one by one, the member with the lowest least likeness to another
/// (of equals the one nearest to the group's first answer in links), until any two have 0.90 or more;
/// groups that lose all but one member are none. O(n²), and for each member taken out n steps more for
/// each that it was the least alike of.
///
/// # Errors
/// [`Error::Count`](crate::Error::Count) unless there is one flag for each answer.
pub fn sybil_groups(
    policy: &SybilPolicy,
    similarities: &SimilarityMatrix,
    looked_at: &[bool],
    threshold: f64,
) -> Result<Vec<SybilGroup>> {
    check_flags(similarities, looked_at)?;
    let mut groups: Vec<SybilGroup> = connected(policy, similarities, looked_at, threshold)
        .into_iter()
        .filter(|part| part.len() >= policy.least_group)
        .filter_map(|part| pruned(policy, similarities, part))
        .filter_map(|members| measured(similarities, members))
        .collect();
    groups.sort_by(|left, right| right.mean.total_cmp(&left.mean));
    Ok(groups)
}

/// Connected parts, each in the order of a breadth-first search from its first answer.
fn connected(
    policy: &SybilPolicy,
    similarities: &SimilarityMatrix,
    looked_at: &[bool],
    threshold: f64,
) -> Vec<Vec<usize>> {
    let mut waiting: Vec<bool> = looked_at.to_vec();
    let mut parts = Vec::new();
    for start in 0..waiting.len() {
        let Some(flag) = waiting.get_mut(start).filter(|flag| **flag) else {
            continue;
        };
        *flag = false;
        let mut part = vec![start];
        let mut next = 0;
        while let Some(answer) = part.get(next).copied() {
            next += 1;
            let row = similarities.row(answer);
            for (other, (likeness, flag)) in row.iter().zip(&mut waiting).enumerate() {
                if *flag && policy.reaches(*likeness, threshold) {
                    *flag = false;
                    part.push(other);
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// What is left when the least alike have gone, if enough.
fn pruned(
    policy: &SybilPolicy,
    similarities: &SimilarityMatrix,
    part: Vec<usize>,
) -> Option<Vec<usize>> {
    let least_of = |answer: usize, members: &[(usize, Least)]| {
        let others = members.iter().map(|(other, _)| *other);
        least_likeness(similarities, answer, others)
    };
    let mut members: Vec<(usize, Least)> = part
        .iter()
        .map(|answer| {
            let least = least_likeness(similarities, *answer, part.iter().copied());
            (*answer, least)
        })
        .collect();
    while members.len() >= policy.least_group {
        let mut worst: Option<(usize, Least)> = None;
        for (place, (_, least)) in members.iter().enumerate() {
            if worst.is_none_or(|(_, worst)| least.likeness < worst.likeness) {
                worst = Some((place, *least));
            }
        }
        let (place, least) = worst?;
        if policy.reaches(least.likeness, policy.group_likeness) {
            return Some(members.into_iter().map(|(answer, _)| answer).collect());
        }
        let (gone, _) = members.remove(place);
        for place in 0..members.len() {
            let Some((answer, least)) = members.get(place).copied() else {
                continue;
            };
            if least.to == gone {
                let found = least_of(answer, &members);
                if let Some((_, least)) = members.get_mut(place) {
                    *least = found;
                }
            }
        }
    }
    None
}

/// The answer that another is least like.
#[derive(Debug, Clone, Copy)]
struct Least {
    likeness: f64,
    to: usize,
}

fn least_likeness(
    similarities: &SimilarityMatrix,
    answer: usize,
    others: impl Iterator<Item = usize>,
) -> Least {
    let row = similarities.row(answer);
    let mut least = Least {
        likeness: f64::INFINITY,
        to: answer,
    };
    for other in others.filter(|other| *other != answer) {
        let likeness = row.get(other).copied().unwrap_or(f64::INFINITY);
        if likeness < least.likeness {
            least = Least {
                likeness,
                to: other,
            };
        }
    }
    least
}

fn measured(similarities: &SimilarityMatrix, members: Vec<usize>) -> Option<SybilGroup> {
    let (mut sum, mut pairs) = (0.0, 0_usize);
    let (mut least, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
    for (place, first) in members.iter().enumerate() {
        let row = similarities.row(*first);
        for likeness in members
            .iter()
            .skip(place + 1)
            .filter_map(|second| row.get(*second))
        {
            sum += likeness;
            pairs += 1;
            least = least.min(*likeness);
            largest = largest.max(*likeness);
        }
    }
    (pairs > 0).then(|| SybilGroup {
        mean: sum / pairs as f64,
        members,
        least,
        largest,
    })
}
