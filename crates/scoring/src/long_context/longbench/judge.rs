#[cfg(feature = "chinese")]
use std::sync::OnceLock;

use super::{
    BucketScores, LongBenchDataset, TextMetric,
    totals::{bucket_percent, percent},
};
#[cfg(feature = "chinese")]
use crate::long_context::chinese::ChineseSegmenter;
use crate::{
    Error, Result,
    long_context::{
        RougeUnit, TextMetricPolicy,
        classification::classification_score,
        code::code_similarity,
        overlap::answer_f1,
        recall::recall_score,
        retrieval::{chinese_retrieval_share, count_share, retrieval_share},
        rouge::{RougeScore, rouge_l, rouge_l_of_sequences},
    },
};

/// An answer to a LongBench question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongBenchAnswer<'text> {
    /// What was answered.
    pub prediction: &'text str,
    /// The right answers, of which the nearest counts; none scores 0.
    pub references: &'text [&'text str],
    /// Words of the context (characters, in Chinese).
    pub length: usize,
}

/// Scores answers by a policy.
///
/// The dictionary of Chinese words is read when the first Chinese answer is scored (feature
/// `chinese`), and kept.
///
/// ```
/// use adit_scoring::long_context::{
///     TextMetricPolicy,
///     longbench::{LongBenchDataset, LongBench, LongBenchAnswer},
/// };
///
/// let judge = LongBench::new(TextMetricPolicy::longbench());
/// let answers = [
///     LongBenchAnswer { prediction: "in Paris", references: &["Paris", "Lyon"], length: 5_000 },
///     LongBenchAnswer { prediction: "no idea", references: &["1969"], length: 9_000 },
/// ];
/// assert_eq!(judge.score(LongBenchDataset::HotpotQa, &answers, &[])?, 33.33);
/// let by_length = judge.score_by_length(LongBenchDataset::HotpotQa, &answers, &[])?;
/// assert_eq!(by_length.below_8k, Some(66.67));
/// # Ok::<(), adit_scoring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LongBench {
    policy: TextMetricPolicy,
    #[cfg(feature = "chinese")]
    segmenter: OnceLock<ChineseSegmenter>,
}

impl LongBench {
    /// A judge by this policy.
    pub fn new(policy: TextMetricPolicy) -> Self {
        Self {
            policy,
            #[cfg(feature = "chinese")]
            segmenter: OnceLock::new(),
        }
    }

    /// The policy.
    pub fn policy(&self) -> &TextMetricPolicy {
        &self.policy
    }

    /// Compares one answer with one reference, 0 to 1. The classes are those of classification; the
    /// other metrics take none.
    ///
    /// # Errors
    /// [`Error::Empty`] where the policy wants a passage and the reference names none;
    /// [`Error::Feature`] for a Chinese metric without the feature `chinese`.
    pub fn compare(
        &self,
        metric: TextMetric,
        prediction: &str,
        reference: &str,
        classes: &[&str],
    ) -> Result<f64> {
        let policy = &self.policy;
        match metric {
            TextMetric::AnswerF1 => Ok(answer_f1(prediction, reference)),
            TextMetric::Rouge => Ok(self.rouge(prediction, reference)),
            TextMetric::ChineseAnswerF1 => self.chinese_answer_f1(prediction, reference),
            TextMetric::ChineseRouge => self.chinese_rouge(prediction, reference),
            TextMetric::Classification => Ok(classification_score(
                prediction,
                reference,
                classes,
                policy.overlapping_classes,
            )),
            TextMetric::Retrieval => self.passage(retrieval_share(prediction, reference)),
            TextMetric::ChineseRetrieval => {
                self.passage(chinese_retrieval_share(prediction, reference))
            }
            TextMetric::Count => Ok(count_share(prediction, reference)),
            TextMetric::Code => Ok(code_similarity(
                prediction,
                reference,
                policy.code_line,
                policy.code_ratio,
            )),
            TextMetric::Recall => Ok(recall_score(prediction, reference, policy.recall_ratio)),
        }
    }

    /// The mean score of a dataset's answers, 0 to 100 with two decimals (LongBench's `scorer`).
    ///
    /// # Errors
    /// [`Error::Empty`] without answers; those of [`LongBench::compare`].
    pub fn score(
        &self,
        dataset: LongBenchDataset,
        answers: &[LongBenchAnswer<'_>],
        classes: &[&str],
    ) -> Result<f64> {
        if answers.is_empty() {
            return Err(Error::Empty {
                what: "the answers",
            });
        }
        let mut sum = 0.0;
        for answer in answers {
            sum += self.best(dataset, answer, classes)?;
        }
        Ok(percent(sum, answers.len()))
    }

    /// The mean scores of a dataset's answers by length of the context (LongBench-E's `scorer_e`,
    /// which writes NaN where there is none).
    ///
    /// # Errors
    /// Those of [`LongBench::compare`].
    pub fn score_by_length(
        &self,
        dataset: LongBenchDataset,
        answers: &[LongBenchAnswer<'_>],
        classes: &[&str],
    ) -> Result<BucketScores> {
        let mut buckets = [Vec::new(), Vec::new(), Vec::new()];
        let [below_4k, below_8k, from_8k] = &mut buckets;
        for answer in answers {
            let score = self.best(dataset, answer, classes)?;
            match answer.length {
                0..4_000 => below_4k.push(score),
                4_000..8_000 => below_8k.push(score),
                _ => from_8k.push(score),
            }
        }
        let [below_4k, below_8k, from_8k] = buckets.map(|scores| bucket_percent(&scores));
        Ok(BucketScores {
            below_4k,
            below_8k,
            from_8k,
        })
    }

    /// The score of an answer against the nearest of its references.
    fn best(
        &self,
        dataset: LongBenchDataset,
        answer: &LongBenchAnswer<'_>,
        classes: &[&str],
    ) -> Result<f64> {
        let prediction = dataset.counted_part(answer.prediction);
        let mut best = 0.0_f64;
        for reference in answer.references {
            best = best.max(self.compare(dataset.metric(), prediction, reference, classes)?);
        }
        Ok(best)
    }

    /// LongBench takes 0 where ROUGE has nothing to compare.
    fn rouge(&self, prediction: &str, reference: &str) -> f64 {
        let score = match self.policy.rouge {
            RougeUnit::DifferentWords => rouge_l(prediction, reference),
            RougeUnit::Sequence => rouge_l_of_sequences(prediction, reference),
        };
        score.map_or(0.0, |score: RougeScore| score.f1)
    }

    fn passage(&self, share: Result<f64>) -> Result<f64> {
        match share {
            Err(Error::Empty { .. }) if !self.policy.passage_required => Ok(0.0),
            other => other,
        }
    }

    #[cfg(feature = "chinese")]
    fn segmenter(&self) -> &ChineseSegmenter {
        self.segmenter.get_or_init(ChineseSegmenter::new)
    }

    #[cfg(feature = "chinese")]
    fn chinese_answer_f1(&self, prediction: &str, reference: &str) -> Result<f64> {
        Ok(self.segmenter().answer_f1(prediction, reference))
    }

    #[cfg(feature = "chinese")]
    fn chinese_rouge(&self, prediction: &str, reference: &str) -> Result<f64> {
        let spaced = |text| self.segmenter().words(text).join(" ");
        Ok(self.rouge(&spaced(prediction), &spaced(reference)))
    }

    #[cfg(not(feature = "chinese"))]
    fn chinese_answer_f1(&self, _: &str, _: &str) -> Result<f64> {
        Err(Error::Feature { name: "chinese" })
    }

    #[cfg(not(feature = "chinese"))]
    fn chinese_rouge(&self, _: &str, _: &str) -> Result<f64> {
        Err(Error::Feature { name: "chinese" })
    }
}
