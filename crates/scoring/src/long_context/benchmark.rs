//! One number from the many metrics of a benchmark answer: primary and composite scores.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a benchmark task is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchmarkFamily {
    /// LongBench.
    #[serde(rename = "longbench")]
    LongBench,
    /// HotpotQA with distractors.
    #[serde(rename = "hotpotqa")]
    HotpotQa,
    /// GovReport.
    #[serde(rename = "govreport")]
    GovReport,
    /// A needle in a haystack.
    NeedleHaystack,
    /// Anything made up, and anything else.
    Synthetic,
}

impl BenchmarkFamily {
    /// The family of that name; [`BenchmarkFamily::Synthetic`] for any other.
    pub fn named(name: &str) -> Self {
        match name {
            "longbench" => Self::LongBench,
            "hotpotqa" => Self::HotpotQa,
            "govreport" => Self::GovReport,
            "needle_haystack" => Self::NeedleHaystack,
            _ => Self::Synthetic,
        }
    }

    /// The metrics of a task that names none.
    pub const fn default_metrics(self) -> &'static [&'static str] {
        match self {
            Self::NeedleHaystack => &["exact_match", "retrieval_precision", "retrieval_recall"],
            Self::HotpotQa => &["f1_score", "multi_hop_reasoning", "factual_consistency"],
            Self::GovReport => &["rouge_l", "summarization_quality", "coherence"],
            Self::LongBench => &["f1_score", "reading_comprehension", "semantic_similarity"],
            Self::Synthetic => &["accuracy", "coherence"],
        }
    }
}

/// What a metric of exactly 0 means where there is a second one to fall back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZeroScore {
    /// "Not measured", as in the field: a miner that failed the first metric is judged by the second.
    FallsThrough,
    /// A result like any other.
    Counts,
}

/// The metrics of one answer, each in 0 to 1 where measured.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricScores {
    /// The answer is the expected one.
    pub exact_match: Option<f64>,
    /// Word overlap.
    pub f1: Option<f64>,
    /// Longest common subsequence.
    pub rouge_l: Option<f64>,
    /// Cosine of embeddings.
    pub semantic_similarity: Option<f64>,
    /// The needle was found.
    pub needle_retrieval: Option<f64>,
    /// Facts of several documents were combined.
    pub multi_hop_reasoning: Option<f64>,
    /// BLEU.
    pub bleu: Option<f64>,
    /// BERTScore.
    pub bertscore: Option<f64>,
    /// Nothing contradicts the context.
    pub factual_consistency: Option<f64>,
    /// The context was understood.
    pub reading_comprehension: Option<f64>,
    /// Quality of a summary.
    pub summarization_quality: Option<f64>,
    /// Precision of what was retrieved.
    pub retrieval_precision: Option<f64>,
    /// Recall of what was retrieved.
    pub retrieval_recall: Option<f64>,
    /// F1 of what was retrieved.
    pub retrieval_f1: Option<f64>,
    /// Coherence of the text.
    pub coherence: Option<f64>,
    /// Relevance to the question.
    pub relevance: Option<f64>,
    /// Nothing is missing.
    pub completeness: Option<f64>,
    /// Fluency of the text.
    pub fluency: Option<f64>,
    /// Accuracy of an answer that belongs to no benchmark.
    pub accuracy: Option<f64>,
}

impl MetricScores {
    /// The one metric that decides about a request: for a benchmark the family's own (needle
    /// retrieval, multi-hop reasoning, summary quality, reading comprehension, exact match), or its
    /// stand-in (exact match, F1, ROUGE-L, F1, accuracy); else accuracy.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the deciding metric is.
    pub fn request_primary(
        &self,
        family: Option<BenchmarkFamily>,
        zero: ZeroScore,
    ) -> Result<Option<f64>> {
        let candidates = match family {
            None => [self.accuracy, None],
            Some(BenchmarkFamily::NeedleHaystack) => [self.needle_retrieval, self.exact_match],
            Some(BenchmarkFamily::HotpotQa) => [self.multi_hop_reasoning, self.f1],
            Some(BenchmarkFamily::GovReport) => [self.summarization_quality, self.rouge_l],
            Some(BenchmarkFamily::LongBench) => [self.reading_comprehension, self.f1],
            Some(BenchmarkFamily::Synthetic) => [self.exact_match, self.accuracy],
        };
        // What belongs to no benchmark has no stand-in.
        let candidates = if family.is_none() {
            candidates.split_at(1).0
        } else {
            &candidates
        };
        first(candidates, zero)
    }

    /// The mean of the metrics of a request that were measured, of thirteen (all but accuracy,
    /// coherence, relevance, completeness, fluency and retrieval F1); 0 when none was. Of a request
    /// that is no benchmark, the accuracy, or 0.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn request_composite(&self, family: Option<BenchmarkFamily>) -> Result<f64> {
        if family.is_none() {
            return Ok(mean(&[self.accuracy])?.unwrap_or(0.0));
        }
        let counted = mean(&[
            self.exact_match,
            self.f1,
            self.rouge_l,
            self.semantic_similarity,
            self.needle_retrieval,
            self.multi_hop_reasoning,
            self.bleu,
            self.bertscore,
            self.factual_consistency,
            self.reading_comprehension,
            self.summarization_quality,
            self.retrieval_precision,
            self.retrieval_recall,
        ])?;
        Ok(counted.unwrap_or(0.0))
    }

    /// The one metric that decides about a benchmark evaluation: as
    /// [`MetricScores::request_primary`], but a needle has retrieval F1 as a third, and a synthetic
    /// task coherence instead of accuracy.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the deciding metric is.
    pub fn evaluation_primary(
        &self,
        family: BenchmarkFamily,
        zero: ZeroScore,
    ) -> Result<Option<f64>> {
        match family {
            BenchmarkFamily::NeedleHaystack => first(
                &[self.needle_retrieval, self.exact_match, self.retrieval_f1],
                zero,
            ),
            BenchmarkFamily::Synthetic => first(&[self.exact_match, self.coherence], zero),
            family => self.request_primary(Some(family), zero),
        }
    }

    /// `(0.7 · answer + 0.2 · text + 0.1 · retrieval) / (weights of the groups that were measured)`,
    /// each group being the mean of its measured metrics; 0 when none was measured. Answer: exact
    /// match, F1, ROUGE-L, semantic similarity, needle, multi-hop, summary, reading, facts. Text:
    /// coherence, relevance, completeness, fluency. Retrieval: precision, recall, F1.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn evaluation_composite(&self) -> Result<f64> {
        let answer = mean(&[
            self.exact_match,
            self.f1,
            self.rouge_l,
            self.semantic_similarity,
            self.needle_retrieval,
            self.multi_hop_reasoning,
            self.summarization_quality,
            self.reading_comprehension,
            self.factual_consistency,
        ])?;
        let text = mean(&[
            self.coherence,
            self.relevance,
            self.completeness,
            self.fluency,
        ])?;
        let retrieval = mean(&[
            self.retrieval_precision,
            self.retrieval_recall,
            self.retrieval_f1,
        ])?;
        let (mut sum, mut weights) = (0.0, 0.0);
        for (group, weight) in [(answer, 0.7), (text, 0.2), (retrieval, 0.1)] {
            if let Some(mean) = group {
                sum += mean * weight;
                weights += weight;
            }
        }
        Ok(if weights > 0.0 { sum / weights } else { 0.0 })
    }
}

/// The first that was measured; with [`ZeroScore::FallsThrough`] the first that is not 0, else the
/// last of the list, measured or not.
fn first(candidates: &[Option<f64>], zero: ZeroScore) -> Result<Option<f64>> {
    let decides = |candidate: &Option<f64>| match zero {
        ZeroScore::FallsThrough => candidate.is_some_and(|score| score != 0.0),
        ZeroScore::Counts => candidate.is_some(),
    };
    let found = candidates.iter().copied().find(decides);
    let decided = found.or(candidates.last().copied()).flatten();
    if decided.is_some_and(|score| !score.is_finite()) {
        return Err(Error::NotFinite { what: "a metric" });
    }
    Ok(decided)
}

fn mean(metrics: &[Option<f64>]) -> Result<Option<f64>> {
    let measured = metrics.iter().flatten();
    let (sum, count) = measured.fold((0.0, 0_u32), |(sum, count), score| (sum + score, count + 1));
    if count == 0 {
        return Ok(None);
    }
    if !sum.is_finite() {
        return Err(Error::NotFinite { what: "a metric" });
    }
    Ok(Some(sum / f64::from(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_counts_only_where_it_is_told_to() {
        let scores = MetricScores {
            needle_retrieval: Some(0.0),
            exact_match: Some(0.9),
            ..MetricScores::default()
        };
        let primary = |zero| {
            let family = BenchmarkFamily::NeedleHaystack;
            scores.evaluation_primary(family, zero).unwrap()
        };
        assert_eq!(primary(ZeroScore::FallsThrough), Some(0.9));
        assert_eq!(primary(ZeroScore::Counts), Some(0.0));
        let request = |zero| {
            let family = Some(BenchmarkFamily::NeedleHaystack);
            scores.request_primary(family, zero).unwrap()
        };
        assert_eq!(request(ZeroScore::FallsThrough), Some(0.9));
        assert_eq!(request(ZeroScore::Counts), Some(0.0));
    }

    #[test]
    fn nothing_measured_is_nothing() {
        let none = MetricScores::default();
        assert_eq!(none.evaluation_composite().unwrap(), 0.0);
        assert_eq!(none.request_composite(None).unwrap(), 0.0);
        assert_eq!(none.request_primary(None, ZeroScore::Counts).unwrap(), None);
        let poisoned = MetricScores {
            f1: Some(f64::NAN),
            ..none
        };
        assert!(poisoned.evaluation_composite().is_err());
    }
}
