//! What a vision-language model said about a clip, and what follows from it.
//!
//! A model is shown a clip's windows and answers, for each, with a JSON object of labels and yes or
//! no, or with a list of events. It writes more or less valid JSON around other text, so that reading
//! it is part of the rule.

mod events;
mod json;
mod policy;
mod repair;

pub use events::extract_events;
pub use json::JsonValue;
pub use policy::AnswerPolicy;
pub use repair::{LabelAnswers, read_labels, read_labels_with_care};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What a model said of a label, where it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelReason {
    /// The label was found, and speaks against the clip.
    Yes,
    /// The label was not found, and should have been.
    No,
}

/// What follows from the answers about a clip's windows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FilterVerdict {
    /// Whether the clip is kept.
    pub passes: bool,
    /// Labels that speak against it.
    pub issues: BTreeSet<String>,
    /// For each window whose answer could be read, which labels spoke against it.
    pub reasons: BTreeMap<u64, BTreeMap<String, LabelReason>>,
    /// Windows whose answer could not be read.
    pub malformed: BTreeSet<u64>,
    /// Labels of what the clip shows; only a classifier finds them.
    pub found: BTreeSet<String>,
}

/// Judges a clip by what should not be in it: a window is rejected when the answer to any criterion
/// is yes, the clip when the share of rejected windows is above the policy's threshold, or when no
/// answer could be read. A clip without windows passes, and so does every clip when the policy only
/// keeps scores. Criteria are compared with the answer's labels after spaces became underscores.
pub fn judge_criteria(
    policy: &AnswerPolicy,
    answers: &[(u64, &str)],
    criteria: &[&str],
) -> FilterVerdict {
    let mut verdict = FilterVerdict {
        passes: true,
        ..FilterVerdict::default()
    };
    let mut rejected = BTreeSet::new();
    for &(window, answer) in answers {
        let Some(labels) = policy.read(answer) else {
            verdict.malformed.insert(window);
            continue;
        };
        let mut reasons = BTreeMap::new();
        for &criterion in criteria {
            if policy.says(&labels, &criterion.replace(' ', "_"), "yes") {
                verdict.issues.insert(criterion.to_owned());
                rejected.insert(window);
                reasons.insert(criterion.to_owned(), LabelReason::Yes);
            }
        }
        verdict.reasons.insert(window, reasons);
    }
    if !policy.score_only && !answers.is_empty() {
        let unreadable = verdict.malformed.len() == answers.len();
        verdict.passes = !unreadable && !policy.rejects(rejected.len(), answers.len(), &verdict);
    }
    verdict
}

/// What a classifier's labels mean for a clip.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LabelRules {
    /// A clip must show one of these; none: anything.
    pub allow: Vec<String>,
    /// A clip must not show these.
    pub block: Vec<String>,
    /// Labels that a clip is found to show, among all the model names.
    pub known: BTreeSet<String>,
    /// Whether a clip that shows no known label is found to be `unclassified`.
    pub name_unclassified: bool,
}

/// Judges a clip by what it shows. It passes when any window shows an allowed label, and when the
/// share of windows that show a blocked one is at most the policy's threshold. Labels are compared
/// as they are with the answer's, whose spaces became underscores.
///
/// Where no answer could be read, a clip fails if there are allowed labels; the original passes it
/// otherwise, the hardened policy does not. A clip without windows passes.
pub fn judge_labels(
    policy: &AnswerPolicy,
    answers: &[(u64, &str)],
    rules: &LabelRules,
) -> FilterVerdict {
    let mut verdict = FilterVerdict::default();
    let mut allowed = rules.allow.is_empty();
    let mut rejected = BTreeSet::new();
    for &(window, answer) in answers {
        let Some(labels) = policy.read(answer) else {
            verdict.malformed.insert(window);
            continue;
        };
        let shown = labels
            .keys()
            .filter(|label| rules.known.contains(*label) && policy.says(&labels, label, "yes"));
        verdict.found.extend(shown.cloned());
        let mut reasons = BTreeMap::new();
        let mut blocked = false;
        for label in &rules.block {
            if policy.says(&labels, label, "yes") {
                reasons.insert(label.clone(), LabelReason::Yes);
                if !blocked {
                    verdict.issues.insert(label.clone());
                    rejected.insert(window);
                }
                blocked = true;
            }
        }
        for label in &rules.allow {
            if policy.says(&labels, label, "yes") {
                allowed = true;
            } else if !labels.contains_key(label) || policy.says(&labels, label, "no") {
                reasons.insert(label.clone(), LabelReason::No);
            }
        }
        verdict.reasons.insert(window, reasons);
    }
    let read = !verdict.reasons.is_empty();
    if !read && verdict.malformed.is_empty() {
        allowed = true;
    }
    let unreadable = !read && !answers.is_empty() && !policy.pass_unreadable;
    let too_many = !rules.block.is_empty()
        && !answers.is_empty()
        && policy.rejects(rejected.len(), answers.len(), &verdict);
    verdict.passes = policy.score_only || (allowed && !too_many && !unreadable);
    if verdict.found.is_empty() && rules.name_unclassified {
        verdict.found.insert("unclassified".to_owned());
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: fn() -> AnswerPolicy = AnswerPolicy::original;

    #[test]
    fn a_clip_fails_when_too_many_windows_do() {
        let criteria = ["low quality", "static_scene"];
        let (bad, good) = (r#"{"low quality": "yes"}"#, r#"{"low_quality": "no"}"#);
        let passes = |policy: &AnswerPolicy, answers: &[&str]| {
            let answers: Vec<_> = (0..).zip(answers.iter().copied()).collect();
            judge_criteria(policy, &answers, &criteria).passes
        };
        assert!(passes(&FIELD(), &[bad, good]));
        assert!(!passes(&FIELD(), &[bad, bad, good]));
        assert!(!passes(&FIELD(), &["?", "?"]));
        assert!(passes(&FIELD(), &[]));
        // Unreadable windows dilute the share in the field; hardened, only those that were read count.
        assert!(passes(&FIELD(), &[bad, "?", "?"]));
        assert!(!passes(&AnswerPolicy::hardened(), &[bad, "?", "?"]));
        let scores = AnswerPolicy {
            score_only: true,
            ..FIELD()
        };
        assert!(passes(&scores, &[bad]));
    }

    #[test]
    fn hardened_reads_yes_however_it_is_written() {
        let answers = [(0, r#"{"low quality": "Yes"}"#)];
        assert!(judge_criteria(&FIELD(), &answers, &["low quality"]).passes);
        assert!(!judge_criteria(&AnswerPolicy::hardened(), &answers, &["low quality"]).passes);
    }

    #[test]
    fn a_clip_without_a_readable_answer_is_not_let_through_unseen() {
        let rules = LabelRules {
            block: vec!["news".to_owned()],
            ..LabelRules::default()
        };
        let answers = [(0, "?"), (1, "{\"news\": \"yes\"")];
        assert!(judge_labels(&FIELD(), &answers, &rules).passes);
        assert!(!judge_labels(&AnswerPolicy::hardened(), &answers, &rules).passes);
        assert!(judge_labels(&AnswerPolicy::hardened(), &[], &rules).passes);
    }

    #[test]
    fn only_the_first_blocked_label_of_a_window_is_an_issue() {
        let rules = LabelRules {
            block: vec!["b".to_owned(), "a".to_owned()],
            allow: vec!["c".to_owned()],
            known: ["a", "c"].map(str::to_owned).into(),
            name_unclassified: true,
        };
        let answers = [(0, r#"{"a": "yes", "b": "yes", "c": "unsure"}"#)];
        let verdict = judge_labels(&FIELD(), &answers, &rules);
        assert_eq!(verdict.issues, ["b".to_owned()].into());
        assert_eq!(verdict.reasons[&0].len(), 2, "unsure is no reason");
        assert_eq!(verdict.found, ["a".to_owned()].into());
        assert!(!verdict.passes);
    }
}
