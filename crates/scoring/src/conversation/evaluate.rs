//! The whole judgement of an answer's tags.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    ConversationPolicy, TagCentre, TagComponent, TagScoreRules, TagStatistics, TaggingTask,
    UnusableVector, adjusted_score, normalise_tag, penalised_score, semantic_neighbourhood,
    tag_set::TagSet, tag_statistics,
};
use crate::Result;

/// A tag of an answer with the validator's own embedding of it, if it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TagVector<'a, T> {
    /// The tag.
    pub tag: &'a str,
    /// Its embedding, in the space of the ground truth.
    pub vector: Option<&'a [T]>,
}

/// What the validator itself found in the whole conversation: the ground truth.
#[derive(Debug, Clone, PartialEq)]
pub struct TagReference {
    tags: TagSet<'static>,
    centre: Option<TagCentre>,
    /// Directions of single tags; empty where the policy does not compare with them.
    units: Vec<TagCentre>,
}

impl TagReference {
    /// Prepares a ground truth for many comparisons: its tags, and embeddings of them.
    ///
    /// `original` averages the vectors as they are. `hardened` leaves out those that are empty, zero
    /// or not finite (one failed embedding does not cost the round), scales the others to length 1,
    /// and compares tags in their one form.
    ///
    /// # Errors
    /// [`crate::Error::Length`] when two vectors have different lengths.
    pub fn new<T: TagComponent>(
        policy: &ConversationPolicy,
        tags: &[&str],
        vectors: &[&[T]],
    ) -> Result<Self> {
        let rules = &policy.scores;
        let tags = tags.iter().map(|tag| {
            if rules.normalised {
                normalise_tag(policy.tags.form, tag).into_owned()
            } else {
                (*tag).to_owned()
            }
        });
        let mut different = TagSet::default();
        for tag in tags.filter(|tag| !(rules.normalised && tag.is_empty())) {
            different.insert(Cow::Owned(tag));
        }
        let units: Vec<Vec<f64>> = if rules.unit_neighbourhood {
            vectors.iter().filter_map(|vector| unit(vector)).collect()
        } else {
            Vec::new()
        };
        let mean = if rules.unit_neighbourhood {
            let units: Vec<&[f64]> = units.iter().map(Vec::as_slice).collect();
            semantic_neighbourhood(&units, rules.neighbourhood_most)?
        } else {
            semantic_neighbourhood(vectors, rules.neighbourhood_most)?
        };
        Ok(Self {
            tags: different,
            centre: mean.map(TagCentre::new),
            units: units.into_iter().map(TagCentre::new).collect(),
        })
    }

    /// The neighbourhood to which tags are compared; nothing without a vector.
    pub fn centre(&self) -> Option<&TagCentre> {
        self.centre.as_ref()
    }
}

/// The judgement of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TagVerdict {
    /// Different tags shared with the ground truth.
    pub shared: usize,
    /// Different tags that the ground truth lacks.
    pub unique: usize,
    /// Of the scored tags' cosines with the neighbourhood.
    pub statistics: TagStatistics,
    /// The weighted statistics ([`adjusted_score`]).
    pub adjusted: f64,
    /// What counts: the adjusted score after penalties. `original`: negative for tags far off.
    pub score: f64,
}

/// Judges the tags of one answer. An answer without tags, or with fewer than the task demands, scores
/// zeros; of a tag given twice, the first counts.
///
/// `original` scores the first 21 different tags ([`TagScoreRules::scored_most`]; the field's
/// system takes any 21) and counts all of them. In `hardened` a tag within
/// [`TagScoreRules::near_duplicate`] of an earlier one is that one, a tag is shared also when it
/// is so near to one of the ground truth, coverage is the mean over the ground truth's tags of the
/// nearest tag's cosine (0 to 1), and nothing counts beyond the scored tags.
///
/// O(tags · dimension) of `original`; times the scored tags and the ground truth's in `hardened`.
///
/// ```
/// use adit_scoring::conversation::{ConversationPolicy, TagReference, TagVector, TaggingTask, evaluate};
///
/// let policy = ConversationPolicy::original();
/// let truth: [&[f32]; 2] = [&[1.0, 0.0], &[0.0, 1.0]];
/// let reference = TagReference::new(&policy, &["sea", "sky"], &truth)?;
/// let tag = |tag, vector| TagVector { tag, vector: Some(vector) };
/// let answer = [tag("sea", &[1.0_f32, 0.0][..]), tag("beach", &[1.0, 0.5]), tag("wind", &[0.2, 1.0])];
/// let verdict = evaluate(&policy, TaggingTask::Conversation, &reference, &answer);
/// assert_eq!((verdict.shared, verdict.unique), (1, 2));
/// assert!(verdict.score > 0.6 && verdict.score < verdict.adjusted);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn evaluate<T: TagComponent>(
    policy: &ConversationPolicy,
    task: TaggingTask,
    reference: &TagReference,
    answer: &[TagVector<'_, T>],
) -> TagVerdict {
    Scratch::default().judge(policy, task, reference, answer)
}

/// [`evaluate`] of many answers to one task, in their order, with one set of buffers for all.
pub fn evaluate_all<'a, T: TagComponent + 'a>(
    policy: &ConversationPolicy,
    task: TaggingTask,
    reference: &TagReference,
    answers: impl IntoIterator<Item = &'a [TagVector<'a, T>]>,
) -> Vec<TagVerdict> {
    let mut scratch = Scratch::default();
    let answers = answers.into_iter();
    answers
        .map(|answer| scratch.judge(policy, task, reference, answer))
        .collect()
}

/// A scored tag.
struct Candidate<'a, T> {
    cosine: f64,
    length: f64,
    vector: Option<&'a [T]>,
    shared: bool,
}

/// Buffers that outlive an answer.
struct Scratch<'a, T> {
    /// The different tags so far.
    seen: TagSet<'a>,
    candidates: Vec<Candidate<'a, T>>,
    scores: Vec<f64>,
    top_scores: Vec<f64>,
    covered: Vec<f64>,
}

impl<T> Default for Scratch<'_, T> {
    fn default() -> Self {
        Self {
            seen: TagSet::default(),
            candidates: Vec::new(),
            scores: Vec::new(),
            top_scores: Vec::new(),
            covered: Vec::new(),
        }
    }
}

impl<'a, T: TagComponent> Scratch<'a, T> {
    fn judge(
        &mut self,
        policy: &ConversationPolicy,
        task: TaggingTask,
        reference: &TagReference,
        answer: &[TagVector<'a, T>],
    ) -> TagVerdict {
        let rules = &policy.scores;
        let least = rules.tags_least(task);
        if answer.is_empty() || answer.len() < least {
            return TagVerdict::default();
        }
        let (shared, unique) = self.gather(policy, reference, answer);
        if rules.least_counts_distinct && self.candidates.len() < least.max(1) {
            return TagVerdict::default();
        }
        self.scores.clear();
        self.top_scores.clear();
        for candidate in &self.candidates {
            self.scores.push(candidate.cosine);
            if rules.top_of_all || !candidate.shared {
                self.top_scores.push(candidate.cosine);
            }
        }
        let mut statistics = tag_statistics(rules, &mut self.scores, &mut self.top_scores);
        if !self.covered.is_empty() {
            statistics.coverage = self.covered.iter().sum::<f64>() / self.covered.len() as f64;
        }
        let clipped = |score: f64| {
            if rules.clipped {
                score.clamp(0.0, 1.0)
            } else {
                score
            }
        };
        let adjusted = clipped(adjusted_score(rules, &statistics));
        let score = if task.is_penalised() {
            let (tags, max) = (shared + unique, statistics.max);
            clipped(penalised_score(
                &policy.penalties,
                adjusted,
                tags,
                unique,
                max,
            ))
        } else {
            adjusted
        };
        TagVerdict {
            shared,
            unique,
            statistics,
            adjusted,
            score,
        }
    }

    /// Fills the candidates; how many different tags are shared, and how many unique.
    fn gather(
        &mut self,
        policy: &ConversationPolicy,
        reference: &TagReference,
        answer: &[TagVector<'a, T>],
    ) -> (usize, usize) {
        let rules = &policy.scores;
        self.seen.clear();
        self.candidates.clear();
        self.covered.clear();
        if rules.coverage_share > 0.0 {
            self.covered.resize(reference.units.len(), 0.0);
        }
        let (mut shared_beyond, mut unique_beyond) = (0, 0);
        for tag in answer {
            let name = if rules.normalised {
                normalise_tag(policy.tags.form, tag.tag)
            } else {
                Cow::Borrowed(tag.tag)
            };
            let shared = reference.tags.contains(&name);
            if (rules.normalised && name.is_empty()) || !self.seen.insert(name) {
                continue;
            }
            if self.candidates.len() < rules.scored_most {
                self.place(rules, reference, tag.vector, shared);
            } else if rules.near_duplicate.is_some() {
                break;
            } else if shared {
                shared_beyond += 1;
            } else {
                unique_beyond += 1;
            }
        }
        let shared = self.candidates.iter().filter(|one| one.shared).count();
        let unique = self.candidates.len() - shared;
        (shared + shared_beyond, unique + unique_beyond)
    }

    /// Makes the tag a candidate, or one with the earlier candidate that it repeats.
    fn place(
        &mut self,
        rules: &TagScoreRules,
        reference: &TagReference,
        vector: Option<&'a [T]>,
        shared: bool,
    ) {
        let (cosine, length) = match (&reference.centre, vector) {
            (Some(centre), Some(vector)) => centre.compare(vector, rules.unusable),
            _ => (0.0, f64::NAN),
        };
        let mut candidate = Candidate {
            cosine,
            length,
            vector,
            shared,
        };
        if let Some(near) = rules.near_duplicate
            && let Some(vector) = vector
            && length > 0.0
            && length.is_finite()
        {
            let twin = self
                .candidates
                .iter_mut()
                .find(|earlier| cosine_between(earlier, vector, length) >= near);
            if let Some(twin) = twin {
                twin.shared |= shared;
                return;
            }
            let mut covered = self.covered.iter_mut();
            for unit in &reference.units {
                let (cosine, _) = unit.compare(vector, UnusableVector::CountsZero);
                candidate.shared |= cosine >= near;
                if let Some(best) = covered.next() {
                    *best = best.max(cosine);
                }
            }
        }
        self.candidates.push(candidate);
    }
}

/// −1 when the candidate has no usable vector.
fn cosine_between<T: TagComponent>(candidate: &Candidate<'_, T>, vector: &[T], length: f64) -> f64 {
    let dot = candidate.vector.and_then(|other| T::dot(other, vector));
    let cosine = dot.map_or(-1.0, |dot| dot / (candidate.length * length));
    if cosine.is_finite() { cosine } else { -1.0 }
}

/// The vector scaled to length 1; nothing of one without a direction.
fn unit<T: TagComponent>(vector: &[T]) -> Option<Vec<f64>> {
    let vector: Vec<f64> = vector.iter().map(|value| (*value).into()).collect();
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    (length > 0.0 && length.is_finite())
        .then(|| vector.iter().map(|value| value / length).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = Vec<(&'static str, Vec<f64>)>;

    fn judged(
        policy: &ConversationPolicy,
        truth: &[(&str, Vec<f64>)],
        answer: &Answer,
    ) -> TagVerdict {
        let tags: Vec<&str> = truth.iter().map(|(tag, _)| *tag).collect();
        let vectors: Vec<&[f64]> = truth.iter().map(|(_, vector)| vector.as_slice()).collect();
        let reference = TagReference::new(policy, &tags, &vectors).unwrap();
        let answer: Vec<_> = answer
            .iter()
            .map(|(tag, vector)| TagVector {
                tag,
                vector: Some(vector.as_slice()),
            })
            .collect();
        evaluate(policy, TaggingTask::Conversation, &reference, &answer)
    }

    /// Axes of ten dimensions, as far apart as tags can be.
    fn axis(place: usize) -> Vec<f64> {
        (0..10)
            .map(|other| f64::from(u8::from(other == place)))
            .collect()
    }

    fn truth() -> Vec<(&'static str, Vec<f64>)> {
        let tags = [
            "Sea",
            "Sky",
            "Wind",
            "Sand",
            "Sun",
            "Rain",
            "Snow",
            "Ice",
            "Fog",
            "Storm-Front",
        ];
        tags.into_iter()
            .enumerate()
            .map(|(place, tag)| (tag, axis(place)))
            .collect()
    }

    /// Tags that all lie at the centre of the ground truth, told apart by a trace of one axis.
    fn huddle() -> Answer {
        let tags = ["a1", "a2", "a3", "a4"];
        let near = |place: usize| {
            (0..10)
                .map(|other| if other == place { 1.1 } else { 1.0 })
                .collect()
        };
        tags.into_iter()
            .enumerate()
            .map(|(place, tag)| (tag, near(place)))
            .collect()
    }

    #[test]
    fn a_huddle_at_the_centre_wins_in_the_original_and_loses_in_hardened() {
        let whole: Answer = truth();
        let original = ConversationPolicy::original();
        let hardened = ConversationPolicy::hardened();
        assert!(judged(&original, &truth(), &huddle()).score > 0.89);
        assert!(judged(&original, &truth(), &whole).score < 0.3);
        assert_eq!(judged(&hardened, &truth(), &huddle()).score, 0.0);
        assert!(judged(&hardened, &truth(), &whole).score > 0.5);
    }

    #[test]
    fn a_tag_that_covers_more_is_worth_adding_in_hardened() {
        let hardened = ConversationPolicy::hardened();
        let some: Answer = truth().into_iter().take(4).collect();
        let more: Answer = truth().into_iter().take(8).collect();
        let (some, more) = (
            judged(&hardened, &truth(), &some),
            judged(&hardened, &truth(), &more),
        );
        assert!((some.statistics.coverage - 0.4).abs() < 1e-12);
        assert!(more.score > some.score);
    }

    #[test]
    fn spelling_decides_in_the_original_only() {
        let answer: Answer = vec![
            ("sea", axis(0)),
            ("STORM_FRONT", axis(9)),
            ("\u{a0}sky", axis(1)),
            (
                "hail",
                axis(3).iter().zip(axis(4)).map(|(a, b)| a + b).collect(),
            ),
        ];
        let found = judged(&ConversationPolicy::original(), &truth(), &answer);
        assert_eq!((found.shared, found.unique), (0, 4));
        let found = judged(&ConversationPolicy::hardened(), &truth(), &answer);
        assert_eq!((found.shared, found.unique), (3, 1));
    }

    #[test]
    fn twins_pay_in_the_original_only() {
        let tag = |tag, trace: f64| (tag, vec![1.0, 0.5, trace]);
        let truth = vec![("x", vec![1.0, 0.0, 0.0]), ("y", vec![0.9, 0.1, 0.1])];
        let one: Answer = vec![tag("the tag", 0.0), ("other", vec![0.1, 1.0, 0.0])];
        let mut twins = one.clone();
        twins.extend([
            tag("the\ttag", 0.0),
            tag("the\ntag", 0.0),
            tag("that tag", 0.01),
        ]);
        let hardened = ConversationPolicy {
            scores: TagScoreRules {
                tags_least: 1,
                ..ConversationPolicy::hardened().scores
            },
            ..ConversationPolicy::hardened()
        };
        let found = judged(&hardened, &truth, &twins);
        assert_eq!(found, judged(&hardened, &truth, &one));
        assert_eq!(found.shared + found.unique, 2);
        let original = ConversationPolicy::original();
        assert_eq!(judged(&original, &truth, &twins).unique, 5);
    }

    #[test]
    fn a_poisoned_vector_costs_itself_in_hardened() {
        let clean: Answer = truth().into_iter().take(5).collect();
        let mut poisoned = clean.clone();
        poisoned[4].1 = vec![f64::NAN; 10];
        let original = ConversationPolicy::original();
        assert_eq!(judged(&original, &truth(), &poisoned).statistics.max, 0.0);
        let hardened = ConversationPolicy::hardened();
        let found = judged(&hardened, &truth(), &poisoned);
        assert!(found.score > 0.0 && found.score < judged(&hardened, &truth(), &clean).score);
    }

    #[test]
    fn opposites_are_negative_in_the_original_and_nothing_in_hardened() {
        let away = |place| axis(place).iter().map(|value| -value).collect::<Vec<f64>>();
        let answer: Answer = vec![("p", away(0)), ("q", away(1)), ("r", away(2))];
        assert!(judged(&ConversationPolicy::original(), &truth(), &answer).score < 0.0);
        assert_eq!(
            judged(&ConversationPolicy::hardened(), &truth(), &answer).score,
            0.0
        );
    }

    #[test]
    fn a_failed_embedding_of_the_ground_truth_costs_the_original_its_round() {
        let vectors: [&[f64]; 3] = [&[1.0, 0.0], &[], &[0.0, f64::INFINITY]];
        let original = ConversationPolicy::original();
        assert!(TagReference::new(&original, &["a", "b", "c"], &vectors).is_err());
        let hardened = ConversationPolicy::hardened();
        let reference = TagReference::new(&hardened, &["a", "b", "c"], &vectors).unwrap();
        assert_eq!(reference.centre().unwrap().vector(), [1.0, 0.0]);
        let other: [&[f64]; 2] = [&[1.0, 0.0], &[1.0]];
        assert!(TagReference::new(&hardened, &["a", "b"], &other).is_err());
    }

    #[test]
    fn repeats_reach_the_minimum_in_the_original_only() {
        let answer: Answer = vec![("sea", axis(0)); 5];
        assert!(judged(&ConversationPolicy::original(), &truth(), &answer).score > 0.0);
        assert_eq!(
            judged(&ConversationPolicy::hardened(), &truth(), &answer).score,
            0.0
        );
    }

    #[test]
    fn single_and_double_precision_agree() {
        let policy = ConversationPolicy::original();
        let truth: [&[f32]; 2] = [&[1.0, 0.25], &[0.5, 0.75]];
        let reference = TagReference::new(&policy, &["a", "b"], &truth).unwrap();
        let (single, double) = ([0.3_f32, 0.1], [f64::from(0.3_f32), f64::from(0.1_f32)]);
        let tags = ["p", "q", "r"];
        let singles = tags.map(|tag| TagVector {
            tag,
            vector: Some(&single[..]),
        });
        let doubles = tags.map(|tag| TagVector {
            tag,
            vector: Some(&double[..]),
        });
        let (task, mut both) = (TaggingTask::Webpage, Vec::new());
        both.extend(evaluate_all(&policy, task, &reference, [&singles[..]]));
        both.extend(evaluate_all(&policy, task, &reference, [&doubles[..], &[]]));
        assert!((both[0].score - both[1].score).abs() < 1e-15);
        assert_eq!(both[2], TagVerdict::default());
    }
}
