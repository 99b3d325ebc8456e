//! How unlike each other miners are: their answers, their architectures, and each one's own answers.

use std::collections::{BTreeMap, VecDeque};

use adit_primitives::Uid;
use serde::{Deserialize, Serialize};

use super::{logits::first_digits, quality::WordSet};
use crate::{Error, Result, rules::all_within};

/// Answers looked at when one is compared with others', and with the baseline: 20 and 10.
const OTHERS_NEWEST: usize = 20;
const BASELINE_NEWEST: usize = 10;
/// A miner's own answers that are compared with each other, and those that are kept.
const OWN_NEWEST: usize = 10;
const OWN_KEPT: usize = 50;
/// Measures kept per miner.
const MEASURES_KEPT: usize = 100;
/// Answers that become the baseline at most, and that must exist before any do.
const BASELINE_KEPT: usize = 50;
const BASELINE_LEAST: usize = 10;

/// Constants of a [`DiversityTracker`], with the field's values as default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiversityRules {
    /// What a score above `high` gains, as a share of itself.
    pub bonus: f64,
    /// What a score below `low` loses, as a share of itself.
    pub penalty: f64,
    /// Mean diversity above which the bonus is paid.
    pub high: f64,
    /// Mean diversity below which the penalty is taken.
    pub low: f64,
    /// After how many answers the baseline is renewed.
    pub baseline_every: u64,
    /// How many answers are remembered.
    pub window: usize,
    /// Share of one architecture, and mean similarity of the newest answers, above which there is a
    /// monoculture.
    pub monoculture: f64,
}

impl Default for DiversityRules {
    fn default() -> Self {
        Self {
            bonus: 0.1,
            penalty: 0.2,
            high: 0.7,
            low: 0.3,
            baseline_every: 100,
            window: 1_000,
            monoculture: 0.8,
        }
    }
}

impl DiversityRules {
    /// Checks that every constant is in its range.
    ///
    /// # Errors
    /// [`Error::Constant`] names the first that is not.
    pub fn validate(&self) -> Result<()> {
        let constants = [
            ("bonus", self.bonus, 0.0, 1e6),
            ("penalty", self.penalty, 0.0, 1.0),
            ("high", self.high, 0.0, 1.0),
            ("low", self.low, 0.0, 1.0),
            (
                "baseline_every",
                self.baseline_every as f64,
                1.0,
                u64::MAX as f64,
            ),
            ("window", self.window as f64, 1.0, 1e6),
            ("monoculture", self.monoculture, 0.0, 1.0),
        ];
        all_within(constants)
    }
}

/// What one answer adds to diversity. All lie in 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DiversityMeasure {
    /// Largest similarity to the newest answers of the baseline; 0 without one. Adjusts nothing.
    pub baseline_similarity: f64,
    /// 1 less the largest similarity to the newest answers of others; 1 where there are none.
    pub uniqueness: f64,
    /// 1 less the share of its architecture among the answers that named one, at least 0.1; 0.5 when
    /// the miner has never named any. What it named last holds until it names another.
    pub architecture: f64,
    /// 1 less the mean similarity of the miner's newest answers to each other; 1 with fewer than three.
    pub behaviour: f64,
    /// The score, raised by the bonus when the mean of the three exceeds 0.7, lowered by the penalty
    /// below 0.3, cut to 0 to 1.
    pub adjusted: f64,
}

/// Signs that miners have become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monoculture {
    /// One architecture has more than 0.8 of the known ones.
    pub architecture: bool,
    /// The newest ten answers are on average more than 0.8 similar; pairs with an empty one do not
    /// count.
    pub responses: bool,
}

impl Monoculture {
    /// `low`, `medium` or `high`: no sign, one, both.
    pub const fn risk(self) -> &'static str {
        match (self.architecture, self.responses) {
            (false, false) => "low",
            (true, true) => "high",
            _ => "medium",
        }
    }
}

/// Means of the measures of all miners' newest hundred answers; 0 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct DiversityTrend {
    /// Mean of [`DiversityMeasure::uniqueness`].
    pub uniqueness: f64,
    /// Mean of [`DiversityMeasure::architecture`].
    pub architecture: f64,
    /// Mean of [`DiversityMeasure::behaviour`].
    pub behaviour: f64,
}

/// Follows miners' answers in their order, as the field's tracker does.
///
/// Similarity is Jaccard's, of sets of lowered words ([`WordSet`]). What is remembered is bounded by
/// the window and by 50 answers per uid, and one more answer costs time in proportion to its length
/// and to those of the 75 it is compared with.
///
/// Use it to watch a subnet, not to pay for correct answers: where a question has one right answer,
/// all who give it are alike, and whoever gives it first is unique. The hardened policy does not apply
/// it to scores.
///
/// ```
/// use adit_primitives::Uid;
/// use adit_scoring::long_context::diversity::{DiversityRules, DiversityTracker};
///
/// let mut tracker = DiversityTracker::new(DiversityRules::default())?;
/// let measure = tracker.track(Uid(3), "an answer", Some("quasar"), 0.5)?;
/// assert_eq!((measure.uniqueness, measure.architecture), (1.0, 0.1));
/// assert!(tracker.monoculture().architecture);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DiversityTracker {
    rules: DiversityRules,
    answers: u64,
    newest: VecDeque<Remembered>,
    baseline: VecDeque<WordSet>,
    miners: BTreeMap<Uid, MinerProfile>,
    architectures: BTreeMap<String, u64>,
}

#[derive(Debug, Clone)]
struct Remembered {
    uid: Uid,
    words: WordSet,
    architecture: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct MinerProfile {
    architecture: Option<String>,
    answers: VecDeque<(String, WordSet)>,
    measures: VecDeque<[f64; 3]>,
}

impl DiversityTracker {
    /// A tracker that has seen nothing.
    ///
    /// # Errors
    /// [`Error::Constant`] for rules out of range.
    pub fn new(rules: DiversityRules) -> Result<Self> {
        rules.validate()?;
        Ok(Self {
            rules,
            answers: 0,
            newest: VecDeque::new(),
            baseline: VecDeque::new(),
            miners: BTreeMap::new(),
            architectures: BTreeMap::new(),
        })
    }

    /// Measures an answer that has the given score, and remembers it.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for the score; nothing is remembered then.
    pub fn track(
        &mut self,
        uid: Uid,
        answer: &str,
        architecture: Option<&str>,
        score: f64,
    ) -> Result<DiversityMeasure> {
        if !score.is_finite() {
            return Err(Error::NotFinite { what: "the score" });
        }
        let words = WordSet::of(answer);
        let baseline = self.baseline.iter().rev().take(BASELINE_NEWEST);
        let baseline_similarity = largest_similarity(&words, baseline);
        let others = self.newest.iter().rev().filter(|known| known.uid != uid);
        let others = others.take(OTHERS_NEWEST).map(|known| &known.words);
        let uniqueness = if self.newest.len() < 2 {
            1.0
        } else {
            1.0 - largest_similarity(&words, others)
        };

        self.remember(uid, answer, words, architecture);
        let known = self
            .miners
            .get(&uid)
            .and_then(|profile| profile.architecture.as_deref());
        let share = known.map(|name| self.architecture_share(name));
        let architecture = share.map_or(0.5, |share| (1.0 - share).clamp(0.1, 1.0));
        let profile = self.miners.entry(uid).or_default();
        let behaviour = profile.behaviour();
        profile
            .measures
            .push_back([uniqueness, architecture, behaviour]);
        if profile.measures.len() > MEASURES_KEPT {
            profile.measures.pop_front();
        }

        Ok(DiversityMeasure {
            baseline_similarity,
            uniqueness,
            architecture,
            behaviour,
            adjusted: self.adjust(score, (uniqueness + architecture + behaviour) / 3.0),
        })
    }

    fn adjust(&self, score: f64, diversity: f64) -> f64 {
        let adjusted = if diversity > self.rules.high {
            score + self.rules.bonus * score
        } else if diversity < self.rules.low {
            score - self.rules.penalty * score
        } else {
            score
        };
        adjusted.clamp(0.0, 1.0)
    }

    fn remember(&mut self, uid: Uid, answer: &str, words: WordSet, architecture: Option<&str>) {
        if let Some(name) = architecture {
            *self.architectures.entry(name.to_owned()).or_default() += 1;
        }
        let profile = self.miners.entry(uid).or_default();
        if architecture.is_some() {
            profile.architecture = architecture.map(str::to_owned);
        }
        profile
            .answers
            .push_back((answer.to_owned(), words.clone()));
        if profile.answers.len() > OWN_KEPT {
            profile.answers.pop_front();
        }
        self.newest.push_back(Remembered {
            uid,
            words,
            architecture: architecture.map(str::to_owned),
        });
        if self.newest.len() > self.rules.window {
            self.forget_oldest();
        }
        self.answers += 1;
        if self.answers.is_multiple_of(self.rules.baseline_every)
            && self.newest.len() >= BASELINE_LEAST
        {
            let newest = self.newest.iter().rev().take(BASELINE_KEPT).rev();
            self.baseline = newest.map(|known| known.words.clone()).collect();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(name) = self.newest.pop_front().and_then(|known| known.architecture) else {
            return;
        };
        if let Some(count) = self.architectures.get_mut(&name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.architectures.remove(&name);
            }
        }
    }

    fn architecture_share(&self, name: &str) -> f64 {
        let known: u64 = self.architectures.values().sum();
        let own = self.architectures.get(name).copied().unwrap_or(0);
        own as f64 / known.max(1) as f64
    }

    /// Whether miners have become one.
    pub fn monoculture(&self) -> Monoculture {
        let known: u64 = self.architectures.values().sum();
        let largest = self.architectures.values().max().copied().unwrap_or(0);
        let newest: Vec<&WordSet> = {
            let newest = self.newest.iter().rev().take(OWN_NEWEST);
            newest.map(|known| &known.words).collect()
        };
        let spoken = |set: &&&WordSet| !set.is_empty();
        let newest: Vec<&WordSet> = newest.iter().filter(spoken).copied().collect();
        Monoculture {
            architecture: largest as f64 > self.rules.monoculture * known as f64,
            responses: mean_similarity(&newest).is_some_and(|mean| mean > self.rules.monoculture),
        }
    }

    /// For each miner, ascending, the first 16 hexadecimal digits of the SHA-256 of its newest ten
    /// answers, oldest first, separated by spaces: equal for miners that answer alike.
    pub fn signatures(&self) -> impl Iterator<Item = (Uid, String)> {
        self.miners.iter().map(|(uid, profile)| {
            let newest: Vec<&str> = profile
                .newest()
                .map(|(answer, _)| answer.as_str())
                .collect();
            let joined = newest.join(" ");
            (*uid, first_digits(&[joined.as_bytes()]))
        })
    }

    /// Means over all miners' measures.
    pub fn trend(&self) -> DiversityTrend {
        let measures = || self.miners.values().flat_map(|profile| &profile.measures);
        let count = measures().count();
        if count == 0 {
            return DiversityTrend::default();
        }
        let mut sums = [0.0; 3];
        for measure in measures() {
            for (sum, part) in sums.iter_mut().zip(measure) {
                *sum += part;
            }
        }
        let [uniqueness, architecture, behaviour] = sums.map(|sum| sum / count as f64);
        DiversityTrend {
            uniqueness,
            architecture,
            behaviour,
        }
    }
}

impl MinerProfile {
    /// The newest ten answers, oldest first.
    fn newest(&self) -> impl Iterator<Item = &(String, WordSet)> {
        self.answers.iter().rev().take(OWN_NEWEST).rev()
    }

    fn behaviour(&self) -> f64 {
        if self.answers.len() < 3 {
            return 1.0;
        }
        let newest: Vec<&WordSet> = self.newest().map(|(_, words)| words).collect();
        1.0 - mean_similarity(&newest).unwrap_or(0.0)
    }
}

fn largest_similarity<'sets>(words: &WordSet, others: impl Iterator<Item = &'sets WordSet>) -> f64 {
    others.map(|other| words.jaccard(other)).fold(0.0, f64::max)
}

/// Mean similarity of all pairs; none of fewer than two.
fn mean_similarity(sets: &[&WordSet]) -> Option<f64> {
    let (mut sum, mut pairs) = (0.0, 0_u32);
    let mut rest = sets;
    while let Some((first, others)) = rest.split_first() {
        for other in others {
            sum += first.jaccard(other);
            pairs += 1;
        }
        rest = others;
    }
    (pairs > 0).then(|| sum / f64::from(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let rules = DiversityRules {
            window: 3,
            baseline_every: 1,
            ..DiversityRules::default()
        };
        let mut tracker = DiversityTracker::new(rules).unwrap();
        for step in 0..300_u16 {
            let name = format!("architecture {step}");
            tracker
                .track(Uid(step % 2), &name, Some(&name), 0.5)
                .unwrap();
        }
        assert_eq!((tracker.newest.len(), tracker.architectures.len()), (3, 3));
        assert!(tracker.miners.values().all(|profile| {
            profile.answers.len() == OWN_KEPT && profile.measures.len() == MEASURES_KEPT
        }));
    }

    #[test]
    fn a_poisoned_score_is_not_remembered() {
        let mut tracker = DiversityTracker::new(DiversityRules::default()).unwrap();
        assert!(tracker.track(Uid(0), "a", None, f64::NAN).is_err());
        assert_eq!(tracker.signatures().count(), 0);
        assert_eq!(tracker.trend(), DiversityTrend::default());
        assert_eq!(tracker.monoculture().risk(), "low");
    }

    #[test]
    fn those_who_answer_alike_are_one() {
        let mut tracker = DiversityTracker::new(DiversityRules::default()).unwrap();
        for uid in 0..5 {
            tracker.track(Uid(uid), "the same", Some("x"), 0.5).unwrap();
        }
        let monoculture = tracker.monoculture();
        assert!(monoculture.responses && monoculture.risk() == "high");
        let last = tracker.track(Uid(0), "the same", Some("x"), 0.5).unwrap();
        assert_eq!((last.uniqueness, last.architecture), (0.0, 0.1));
    }
}
