use serde::{Deserialize, Serialize};

use super::{
    classification::OverlappingClasses,
    code::{CodeLine, TextRatio},
};

/// Which ROUGE-L is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RougeUnit {
    /// Different words of common subsequences of sentences
    /// ([`rouge_l`](super::rouge::rouge_l)).
    DifferentWords,
    /// Words of the common subsequence of the texts
    /// ([`rouge_l_of_sequences`](super::rouge::rouge_l_of_sequences)).
    Sequence,
}

/// How answers are scored where LongBench, the subnet in the field and good sense differ.
///
/// ```
/// use adit_scoring::long_context::TextMetricPolicy;
///
/// let policy = TextMetricPolicy::hardened();
/// let text = serde_json::to_string(&policy)?;
/// assert!(text.starts_with(r#"{"name":"text-metrics/hardened","version":1"#));
/// assert_eq!(serde_json::from_str::<TextMetricPolicy>(&text)?, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextMetricPolicy {
    /// The policy's name.
    pub name: String,
    /// Raised with every change of a constant.
    pub version: u32,
    /// What ROUGE-L counts.
    pub rouge: RougeUnit,
    /// Which part of a prediction code similarity compares.
    pub code_line: CodeLine,
    /// By what likeness code similarity compares.
    pub code_ratio: TextRatio,
    /// By what likeness repeated texts are compared.
    pub recall_ratio: TextRatio,
    /// What becomes of classes whose names are part of the right one's.
    pub overlapping_classes: OverlappingClasses,
    /// Whether a reference that names no passage is an error; else the answer scores 0.
    pub passage_required: bool,
}

impl TextMetricPolicy {
    /// LongBench, with the packages that its requirements do not list but its users have.
    pub fn longbench() -> Self {
        Self {
            name: "text-metrics/longbench".to_owned(),
            code_line: CodeLine::FirstClean,
            passage_required: true,
            ..Self::original()
        }
    }

    /// The subnet in the field.
    pub fn original() -> Self {
        Self {
            name: "text-metrics/original".to_owned(),
            version: 1,
            rouge: RougeUnit::DifferentWords,
            code_line: CodeLine::FirstCleanOrAll,
            code_ratio: TextRatio::Indel,
            recall_ratio: TextRatio::Blocks,
            overlapping_classes: OverlappingClasses::SkippedAfterRemoval,
            passage_required: false,
        }
    }

    /// The original with its holes closed:
    ///
    /// - ROUGE-L counts repeated words and keeps the order across sentences, so that neither padding
    ///   with repetitions nor a bag of the right words is free.
    /// - Code similarity takes the first clean line that is not blank, so that a blank line does not
    ///   hide the answer and a whole text does not stand in for a line.
    /// - Repeated texts are compared by insertions and deletions, so that a long text with a slip
    ///   does not score next to nothing; this also bounds the time by `n · m / 64`.
    /// - All classes that are part of the right one's name are left out, so that the order of the
    ///   classes does not halve the score of a right answer.
    /// - A reference that names no passage is an error of the data, not of the answer.
    pub fn hardened() -> Self {
        Self {
            name: "text-metrics/hardened".to_owned(),
            version: 1,
            rouge: RougeUnit::Sequence,
            code_line: CodeLine::FirstFilled,
            code_ratio: TextRatio::Indel,
            recall_ratio: TextRatio::Indel,
            overlapping_classes: OverlappingClasses::Removed,
            passage_required: true,
        }
    }
}
