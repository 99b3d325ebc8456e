use super::{
    super::gram::{Gram, Measured},
    policy::QualityPolicy,
};
use crate::{
    Result,
    inference::{average_linkage, component::Component},
};

/// How a text's sentences hang together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coherence {
    /// Mean cosine of each sentence with the next, 0 to 1.
    pub local: f64,
    /// Mean cosine of each sentence with the mean of all, 0 to 1.
    pub global: f64,
    /// Sentences whose next one has a cosine below the policy's limit.
    pub breaks: usize,
    /// Breaks per place where one can be, 0 to 1.
    pub break_rate: f64,
}

impl Coherence {
    /// One sentence, or none, cannot break.
    const WHOLE: Self = Self {
        local: 1.0,
        global: 1.0,
        breaks: 0,
        break_rate: 0.0,
    };

    /// `0.6 local + 0.4 global`; where more than 0.3 of the places are breaks, times
    /// `max(0.5, 1 − break rate)`.
    pub fn combined(&self, policy: &QualityPolicy) -> f64 {
        let coherence = policy.local_coherence * self.local + policy.global_coherence * self.global;
        if self.break_rate > policy.most_breaks {
            coherence * (1.0 - self.break_rate).max(policy.least_after_breaks)
        } else {
            coherence
        }
    }
}

/// The steps of a text: clusters of its sentences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// Clusters under average linkage by Euclidean distance, cut at 0.7.
    pub count: usize,
    /// `exp(−((count − 4) / 2)²)`; 0 for a single sentence.
    pub score: f64,
}

/// What the embeddings of one text's sentences tell.
#[derive(Debug, Clone)]
pub struct SentenceSignals {
    gram: Gram,
}

impl SentenceSignals {
    /// Measures the sentences of a text, in order. Takes n²/2 inner products for n sentences.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) for vectors of different lengths,
    /// [`Error::NotFinite`](crate::Error::NotFinite) for a component that is not finite.
    pub fn new<T: Component, V: AsRef<[T]>>(sentences: &[V]) -> Result<Self> {
        Self::of(&Measured::all(sentences)?)
    }

    pub(super) fn of<T: Component>(sentences: &[Measured<'_, T>]) -> Result<Self> {
        Ok(Self {
            gram: Gram::new(sentences)?,
        })
    }

    pub(super) fn gram(&self) -> &Gram {
        &self.gram
    }

    /// Coherence; a single sentence is wholly coherent. O(n²).
    pub fn coherence(&self, policy: &QualityPolicy) -> Coherence {
        if self.gram.len() < 2 {
            return Coherence::WHOLE;
        }
        let breaks = self
            .gram
            .adjacent()
            .filter(|cosine| *cosine < policy.break_below)
            .count();
        Coherence {
            local: mean(self.gram.adjacent()).clamp(0.0, 1.0),
            global: mean(self.gram.to_centroid()).clamp(0.0, 1.0),
            breaks,
            break_rate: breaks as f64 / (self.gram.len() - 1) as f64,
        }
    }

    /// Steps. O(n²).
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) when distances exceed `f64`.
    pub fn steps(&self, policy: &QualityPolicy) -> Result<Steps> {
        let sentences = self.gram.len();
        if sentences < 2 {
            return Ok(Steps {
                count: 1,
                score: 0.0,
            });
        }
        let tree = average_linkage(sentences, |first, second| self.gram.distance(first, second))?;
        let merged = tree
            .merges()
            .iter()
            .filter(|merge| merge.height < policy.step_distance)
            .count();
        let count = sentences - merged;
        let off = (count as f64 - policy.best_steps) / policy.step_scale;
        Ok(Steps {
            count,
            score: (-(off * off)).exp(),
        })
    }

    /// Mean cosine of each two sentences, −1 to 1: high where a text repeats itself; 0 for a single
    /// sentence. O(n²).
    pub fn redundancy(&self) -> f64 {
        mean(self.gram.pairs())
    }

    /// `max(0, 1 − redundancy)`.
    pub fn novelty(&self) -> f64 {
        (1.0 - self.redundancy()).max(0.0)
    }
}

/// 0 for none.
pub(super) fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0_usize);
    for number in numbers {
        sum += number;
        count += 1;
    }
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// How many parts of a prompt an answer covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Parts with a cosine of 0.45 or more to the answer or one of its sentences.
    pub covered: usize,
    /// All parts.
    pub total: usize,
}

impl Coverage {
    /// Share of parts that are covered, 0 to 1; 1 when there are none.
    pub fn share(&self) -> f64 {
        if self.total == 0 {
            1.0
        } else {
            self.covered as f64 / self.total as f64
        }
    }
}

/// Counts the parts of a prompt that an answer covers. Sentences count from two on; a single one is
/// the answer itself.
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) for vectors of different lengths,
/// [`Error::NotFinite`](crate::Error::NotFinite) for a component that is not finite.
pub fn coverage<T: Component, V: AsRef<[T]>>(
    policy: &QualityPolicy,
    components: &[V],
    answer: &[T],
    sentences: &[V],
) -> Result<Coverage> {
    let components = Measured::all(components)?;
    covered(
        policy,
        &components,
        &Measured::new(answer)?,
        &Measured::all(sentences)?,
    )
}

pub(super) fn covered<T: Component>(
    policy: &QualityPolicy,
    components: &[Measured<'_, T>],
    answer: &Measured<'_, T>,
    sentences: &[Measured<'_, T>],
) -> Result<Coverage> {
    let sentences = if sentences.len() < 2 { &[] } else { sentences };
    let mut covered = 0;
    for component in components {
        // The first that is near enough is enough.
        for part in std::iter::once(answer).chain(sentences) {
            if component.cosine(part)? >= policy.covered_from {
                covered += 1;
                break;
            }
        }
    }
    Ok(Coverage {
        covered,
        total: components.len(),
    })
}
