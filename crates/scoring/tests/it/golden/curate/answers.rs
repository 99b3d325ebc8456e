use adit_scoring::curation::answers::{
    AnswerPolicy, FilterVerdict, LabelRules, extract_events, judge_criteria, judge_labels,
    read_labels,
};
use adit_testkit::{GoldenCase, GoldenSuite};
use serde_json::{Map, Value, json};

use super::{exactly, flag, number};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("curate", "semantic.clean_json", |_, case| {
        let labels = read_labels(case.input["text"].as_str().unwrap());
        exactly(case, Ok(json!(labels)))
    });
    suite.on("curate", "semantic.evaluate", |_, case| {
        let policy = AnswerPolicy {
            rejected_most: number(case, "rejection_threshold"),
            score_only: flag(case, "score_only"),
            ..AnswerPolicy::original()
        };
        let answers = answers(case);
        let criteria = texts(case, "criteria");
        let criteria: Vec<_> = criteria.iter().map(String::as_str).collect();
        let verdict = judge_criteria(&policy, &borrowed(&answers), &criteria);
        exactly(case, Ok(json!(told(&verdict))))
    });
    suite.on("curate", "classifier.evaluate", |_, case| {
        let policy = AnswerPolicy {
            rejected_most: number(case, "rejection_threshold"),
            ..AnswerPolicy::original()
        };
        let rules = LabelRules {
            allow: texts(case, "type_allow"),
            block: texts(case, "type_block"),
            known: texts(case, "valid_type_labels").into_iter().collect(),
            name_unclassified: flag(case, "custom_categories"),
        };
        let answers = answers(case);
        let verdict = judge_labels(&policy, &borrowed(&answers), &rules);
        let mut told = told(&verdict);
        told.push(json!(verdict.found));
        exactly(case, Ok(json!(told)))
    });
    suite.on("curate", "per_event.extract_events", |_, case| {
        let events = extract_events(case.input["text"].as_str().unwrap());
        exactly(case, Ok(json!(events)))
    });
}

fn told(verdict: &FilterVerdict) -> Vec<Value> {
    let malformed = verdict.malformed.iter();
    let malformed: Map<String, Value> = malformed
        .map(|window| (window.to_string(), json!("malformed_model_output")))
        .collect();
    vec![
        json!(verdict.passes),
        json!(verdict.issues),
        json!(verdict.reasons),
        json!(malformed),
    ]
}

fn answers(case: &GoldenCase) -> Vec<(u64, String)> {
    serde_json::from_value(case.input["window_results"].clone()).unwrap()
}

fn borrowed(answers: &[(u64, String)]) -> Vec<(u64, &str)> {
    let answers = answers.iter();
    answers
        .map(|(window, answer)| (*window, answer.as_str()))
        .collect()
}

fn texts(case: &GoldenCase, name: &str) -> Vec<String> {
    serde_json::from_value(case.input[name].clone()).unwrap()
}
