use serde::{Deserialize, Serialize};

use super::{FilterVerdict, LabelAnswers, json::JsonValue, read_labels, read_labels_with_care};

/// How a model's answers about a clip are read and counted.
///
/// # What `hardened` does differently, and the hole each difference closes
///
/// | constant | original | hardened | hole |
/// |---|---|---|---|
/// | `careful_reading` | a brace or a quote within a text makes an answer unreadable | texts are read as texts | brace counting ignores strings (3.10) |
/// | `readable_only` | windows whose answer cannot be read dilute the share of rejected ones | only windows that were read count | bad windows pass beside garbage (3.10) |
/// | `pass_unreadable` | a clip of which nothing could be read passes a block list | it does not | filter passes what it has not seen (3.10) |
/// | `any_case` | only `yes` is yes | so are `Yes` and `YES` | a model that capitalises passes everything |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerPolicy {
    /// Name and version.
    pub name: String,
    /// Above this share of rejected windows a clip is dropped.
    pub rejected_most: f64,
    /// Whether clips are only scored and never dropped.
    pub score_only: bool,
    /// Whether braces and quotes within texts are understood.
    pub careful_reading: bool,
    /// Whether only windows whose answer could be read count.
    pub readable_only: bool,
    /// Whether a clip of which nothing could be read passes when there is no allow list.
    pub pass_unreadable: bool,
    /// Whether yes and no count in any case.
    pub any_case: bool,
}

impl AnswerPolicy {
    /// cosmos-curate's defaults.
    pub fn original() -> Self {
        Self {
            name: "curation/answers/original-1".to_owned(),
            rejected_most: 0.5,
            score_only: false,
            careful_reading: false,
            readable_only: false,
            pass_unreadable: true,
            any_case: false,
        }
    }

    /// The default: the same threshold without the holes.
    pub fn hardened() -> Self {
        Self {
            name: "curation/answers/hardened-1".to_owned(),
            careful_reading: true,
            readable_only: true,
            pass_unreadable: false,
            any_case: true,
            ..Self::original()
        }
    }

    pub(super) fn read(&self, answer: &str) -> Option<LabelAnswers> {
        if self.careful_reading {
            read_labels_with_care(answer)
        } else {
            read_labels(answer)
        }
    }

    pub(super) fn says(&self, labels: &LabelAnswers, label: &str, word: &str) -> bool {
        match labels.get(label) {
            Some(JsonValue::Text(text)) if self.any_case => text.trim().eq_ignore_ascii_case(word),
            Some(JsonValue::Text(text)) => text == word,
            _ => false,
        }
    }

    /// Whether so many rejected windows of so many are too many. A NaN threshold rejects.
    pub(super) fn rejects(&self, rejected: usize, windows: usize, verdict: &FilterVerdict) -> bool {
        let counted = if self.readable_only {
            verdict.reasons.len()
        } else {
            windows
        };
        let share = rejected as f64 / counted.max(1) as f64;
        share
            .partial_cmp(&self.rejected_most)
            .is_none_or(std::cmp::Ordering::is_gt)
    }
}

impl Default for AnswerPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}
