//! The field's scoring harness: quality, efficiency and consistency of one answer, and agreement of
//! several judgements.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::characters::words;
use crate::{Error, Result};

/// What quality is made of; what is not measured counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QualityMetrics {
    /// 0 to 1.
    pub exact_match: f64,
    /// 0 to 1.
    pub f1: f64,
    /// 0 to 1.
    pub semantic_similarity: f64,
    /// 0 to 1.
    pub coherence: f64,
    /// 0 to 1.
    pub memory_retention: f64,
    /// 0 to 1.
    pub position_understanding: f64,
}

/// Quality of an answer, and what each part added to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualityScore {
    /// 0 to 1.
    pub score: f64,
    /// Name of a part, and its weight times its value, before the sum is cut to 0 to 1.
    pub parts: Vec<(&'static str, f64)>,
}

/// `0.3 · exact match + 0.3 · F1 + 0.2 · semantic similarity + 0.2 · coherence` of a benchmark;
/// `0.4 · memory + 0.3 · position + 0.3 · coherence` of anything else. Cut to 0 to 1.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn quality(metrics: &QualityMetrics, benchmark: bool) -> Result<QualityScore> {
    let parts = if benchmark {
        vec![
            ("exact_match", 0.3 * metrics.exact_match),
            ("f1_score", 0.3 * metrics.f1),
            ("semantic_similarity", 0.2 * metrics.semantic_similarity),
            ("coherence", 0.2 * metrics.coherence),
        ]
    } else {
        vec![
            ("memory_retention", 0.4 * metrics.memory_retention),
            (
                "position_understanding",
                0.3 * metrics.position_understanding,
            ),
            ("coherence", 0.3 * metrics.coherence),
        ]
    };
    let score: f64 = parts.iter().map(|(_, part)| part).sum();
    if !score.is_finite() {
        return Err(Error::NotFinite { what: "a metric" });
    }
    Ok(QualityScore {
        score: score.clamp(0.0, 1.0),
        parts,
    })
}

/// What an answer earns for frugality that does not say how much memory it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnreportedMemory {
    /// Full marks, as in the field: saying nothing is the best that one can say.
    FullMarks,
    /// Nothing.
    Nothing,
}

/// Mean of `min(1, tokens per second / 1,000)` and `max(0, 1 − megabytes / 10,000)`. Megabytes of 0
/// and less stand for "not reported".
///
/// # Errors
/// [`Error::NotFinite`].
pub fn efficiency(
    tokens_per_second: f64,
    memory_megabytes: f64,
    unreported: UnreportedMemory,
) -> Result<f64> {
    if !(tokens_per_second.is_finite() && memory_megabytes.is_finite()) {
        return Err(Error::NotFinite {
            what: "a speed or a size of memory",
        });
    }
    let speed = (tokens_per_second / 1_000.0).min(1.0);
    let frugality = if memory_megabytes > 0.0 {
        (1.0 - memory_megabytes / 10_000.0).max(0.0)
    } else {
        match unreported {
            UnreportedMemory::FullMarks => 1.0,
            UnreportedMemory::Nothing => 0.0,
        }
    };
    Ok(f64::midpoint(speed, frugality))
}

/// `0.8 · quality + 0.1 · consistency + 0.1 · efficiency`, cut to 0 to 1.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn harness_score(quality: f64, consistency: f64, efficiency: f64) -> Result<f64> {
    let sum = 0.8 * quality + 0.1 * consistency + 0.1 * efficiency;
    if !sum.is_finite() {
        return Err(Error::NotFinite { what: "a part" });
    }
    Ok(sum.clamp(0.0, 1.0))
}

/// Whether several judgements of one answer agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct JudgementAgreement {
    /// Whether they do.
    pub agree: bool,
    /// Their mean; 0 of none.
    pub mean: f64,
}

/// Judgements agree when each lies within `(1 − threshold) · mean` of their mean. One agrees with
/// itself; none do not agree.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn agreement(scores: &[f64], threshold: f64) -> Result<JudgementAgreement> {
    if scores.is_empty() {
        return Ok(JudgementAgreement {
            agree: false,
            mean: 0.0,
        });
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    if !(mean.is_finite() && threshold.is_finite()) {
        return Err(Error::NotFinite { what: "a score" });
    }
    let reach = (1.0 - threshold) * mean;
    let near = |score: &f64| (score - mean).abs() <= reach;
    Ok(JudgementAgreement {
        agree: scores.len() == 1 || scores.iter().all(near),
        mean,
    })
}

/// The different lowered words of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordSet(Vec<Box<str>>);

impl WordSet {
    /// The words of the text, separated by white space, punctuation included.
    pub fn of(text: &str) -> Self {
        let lowered = text.to_lowercase();
        let mut words: Vec<Box<str>> = words(&lowered).map(Box::from).collect();
        words.sort_unstable();
        words.dedup();
        Self(words)
    }

    /// Jaccard similarity, 0 to 1: words in both, divided by words in either. Two texts without words
    /// are alike (1). Time grows with the sum of both.
    pub fn jaccard(&self, other: &Self) -> f64 {
        if self.0.is_empty() && other.0.is_empty() {
            return 1.0;
        }
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = 0_usize;
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            match a.cmp(b) {
                Ordering::Less => drop(left.next()),
                Ordering::Greater => drop(right.next()),
                Ordering::Equal => {
                    both += 1;
                    left.next();
                    right.next();
                }
            }
        }
        both as f64 / (self.0.len() + other.0.len() - both) as f64
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// [`WordSet::jaccard`] of two texts.
///
/// ```
/// use adit_scoring::long_context::quality::word_similarity;
///
/// assert_eq!(word_similarity("Blue sky", "blue SEA"), 1.0 / 3.0);
/// ```
pub fn word_similarity(left: &str, right: &str) -> f64 {
    WordSet::of(left).jaccard(&WordSet::of(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_about_memory_pays_only_in_the_field() {
        let paid = |unreported| efficiency(0.0, 0.0, unreported).unwrap();
        assert_eq!(paid(UnreportedMemory::FullMarks), 0.5);
        assert_eq!(paid(UnreportedMemory::Nothing), 0.0);
        assert!(efficiency(f64::INFINITY, 0.0, UnreportedMemory::Nothing).is_err());
    }

    #[test]
    fn judgements_agree_or_not() {
        assert!(agreement(&[0.3], 1.0).unwrap().agree);
        assert!(!agreement(&[], 0.9).unwrap().agree);
        assert!(!agreement(&[0.5, 0.7], 0.9).unwrap().agree);
        assert!(agreement(&[f64::NAN], 0.9).is_err());
        assert!(harness_score(f64::NAN, 1.0, 1.0).is_err());
    }

    #[test]
    fn texts_without_words() {
        assert_eq!(word_similarity("", " "), 1.0);
        assert_eq!(word_similarity("", "a"), 0.0);
    }
}
