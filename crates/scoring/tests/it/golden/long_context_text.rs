//! System `quasar`: its text metrics, LongBench's, and the packages under them.

use adit_scoring::{
    Error,
    long_context::{
        TextMetricPolicy,
        chinese::ChineseSegmenter,
        classification::{OverlappingClasses, classification_score},
        code::{CodeLine, TextRatio, code_similarity},
        longbench::{LongBench, LongBenchAnswer, LongBenchDataset, TextMetric},
        normalise::{normalise_answer, normalise_chinese_answer},
        overlap::{answer_f1, token_f1},
        recall::recall_score,
        retrieval::{chinese_retrieval_share, count_share, retrieval_share},
        rouge::{RougeScores, rouge_l},
    },
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, real};
use serde_json::{Value, json};

pub(super) fn register(suite: &mut GoldenSuite) {
    register_words(suite);
    register_chinese(suite);
    register_retrieval(suite);
    register_likeness(suite);
    register_longbench(suite);
}

fn register_words(suite: &mut GoldenSuite) {
    suite.on("quasar", "metrics.normalize_answer", |file, case| {
        Outcome::compare(file, case, &json!(normalise_answer(text(case, "s"))))
    });
    suite.on("quasar", "metrics.normalize_zh_answer", |file, case| {
        let found = normalise_chinese_answer(text(case, "s"));
        Outcome::compare(file, case, &json!(found))
    });
    suite.on("quasar", "metrics.f1_score", |file, case| {
        let found = token_f1(&texts(case, "prediction"), &texts(case, "ground_truth"));
        Outcome::compare(file, case, &real(found))
    });
    suite.on("quasar", "metrics.qa_f1_score", |file, case| {
        let (prediction, reference) = pair(case);
        Outcome::compare(file, case, &real(answer_f1(prediction, reference)))
    });
    suite.on("quasar", "metrics.count_score", |file, case| {
        let count = match &case.input["ground_truth"] {
            Value::String(count) => count.clone(),
            count => count.to_string(),
        };
        let found = count_share(text(case, "prediction"), &count);
        Outcome::compare(file, case, &real(found))
    });
    suite.on("quasar", "metrics.rouge_score", |file, case| {
        let (prediction, reference) = pair(case);
        // LongBench turns every error into 0.
        let found = rouge_l(prediction, reference).map_or(0.0, |score| score.f1);
        Outcome::compare(file, case, &real(found))
    });
    suite.on("quasar", "metrics.rouge_score@recursion", |file, case| {
        let (prediction, reference) = pair(case);
        let found = rouge_l(prediction, reference).unwrap().f1;
        // The file has both what Python gives up with and what it would give.
        let mut case = case.clone();
        case.expected = case.expected["unlimited_recursion"].take();
        Outcome::compare(file, &case, &real(found))
    });
    suite.on(
        "quasar",
        "rouge==1.0.1.get_scores(avg=True)",
        |file, case| {
            let (prediction, reference) = (text(case, "hyp"), text(case, "ref"));
            match RougeScores::mean([(prediction, reference)]) {
                Ok(scores) => Outcome::compare(file, case, &serde_json::to_value(scores).unwrap()),
                Err(error) => refused(case, &error, "ValueError", "text-without-sentence"),
            }
        },
    );
}

fn register_chinese(suite: &mut GoldenSuite) {
    suite.on("quasar", "jieba.cut", |file, case| {
        let found = chinese(|segmenter| json!(segmenter.words(text(case, "text"))));
        Outcome::compare(file, case, &found)
    });
    suite.on("quasar", "metrics.qa_f1_zh_score", |file, case| {
        let (prediction, reference) = pair(case);
        let found = chinese(|segmenter| segmenter.answer_f1(prediction, reference));
        Outcome::compare(file, case, &real(found))
    });
    suite.on("quasar", "metrics.rouge_zh_score", |file, case| {
        let (prediction, reference) = pair(case);
        let found = chinese(|segmenter| segmenter.rouge_l(prediction, reference));
        let found = found.map_or(0.0, |score| score.f1);
        Outcome::compare(file, case, &real(found))
    });
}

fn register_retrieval(suite: &mut GoldenSuite) {
    for (function, share) in [
        (
            "longbench.metrics.retrieval_score",
            retrieval_share as fn(&str, &str) -> _,
        ),
        (
            "longbench.metrics.retrieval_zh_score",
            chinese_retrieval_share,
        ),
    ] {
        suite.on("quasar", function, move |file, case| {
            let (prediction, reference) = pair(case);
            match share(prediction, reference) {
                Ok(found) => Outcome::compare(file, case, &real(found)),
                Err(error) => refused(case, &error, "IndexError", "reference-without-passage"),
            }
        });
    }
    for (function, metric) in [
        ("quasar.metrics.retrieval_score", TextMetric::Retrieval),
        (
            "quasar.metrics.retrieval_zh_score",
            TextMetric::ChineseRetrieval,
        ),
    ] {
        suite.on("quasar", function, move |file, case| {
            let (prediction, reference) = pair(case);
            let judge = LongBench::new(TextMetricPolicy::original());
            let found = judge.compare(metric, prediction, reference, &[]).unwrap();
            Outcome::compare(file, case, &real(found))
        });
    }
}

fn register_likeness(suite: &mut GoldenSuite) {
    for function in [
        "longbench.metrics.classification_score",
        "quasar.metrics.classification_score",
    ] {
        suite.on("quasar", function, |file, case| {
            let (prediction, reference) = pair(case);
            let classes = texts(case, "all_classes");
            let overlapping = OverlappingClasses::SkippedAfterRemoval;
            let found = classification_score(prediction, reference, &classes, overlapping);
            Outcome::compare(file, case, &real(found))
        });
    }
    for (function, line, ratio) in [
        (
            "longbench.metrics.code_sim_score",
            CodeLine::FirstClean,
            TextRatio::Indel,
        ),
        (
            "longbench.metrics.code_sim_score@difflib",
            CodeLine::FirstClean,
            TextRatio::Blocks,
        ),
        (
            "quasar.metrics.code_sim_score",
            CodeLine::FirstCleanOrAll,
            TextRatio::Indel,
        ),
    ] {
        suite.on("quasar", function, move |file, case| {
            let (prediction, reference) = pair(case);
            let found = code_similarity(prediction, reference, line, ratio);
            Outcome::compare(file, case, &real(found))
        });
    }
    suite.on("quasar", "quasar.metrics.mrcr_match_score", |file, case| {
        let (prediction, reference) = pair(case);
        let found = recall_score(prediction, reference, TextRatio::Blocks);
        Outcome::compare(file, case, &real(found))
    });
}

fn register_longbench(suite: &mut GoldenSuite) {
    suite.on("quasar", "quasar.metrics.dataset2metric", |file, case| {
        let dataset = LongBenchDataset::from_name(text(case, "dataset"));
        let found = dataset.map(|dataset| dataset.metric().name());
        Outcome::compare(file, case, &json!(found))
    });
    suite.on("quasar", "longbench.eval.scorer", |file, case| {
        with_answers(case, |judge, dataset, answers, classes| {
            let found = judge.score(dataset, answers, classes);
            Outcome::compare(file, case, &real(found.unwrap()))
        })
    });
    suite.on("quasar", "longbench.eval.scorer_e", |file, case| {
        with_answers(case, |judge, dataset, answers, classes| {
            let found = judge.score_by_length(dataset, answers, classes).unwrap();
            let number = |score: Option<f64>| real(score.unwrap_or(f64::NAN));
            let found = json!({
                "0-4k": number(found.below_4k),
                "4-8k": number(found.below_8k),
                "8k+": number(found.from_8k),
            });
            Outcome::compare(file, case, &found)
        })
    });
}

/// Calls `work` with the answers of a scorer's case.
fn with_answers(
    case: &GoldenCase,
    work: impl FnOnce(&LongBench, LongBenchDataset, &[LongBenchAnswer<'_>], &[&str]) -> Outcome,
) -> Outcome {
    thread_local! {
        // The dictionary is read once.
        static JUDGE: LongBench = LongBench::new(TextMetricPolicy::longbench());
    }
    let dataset = LongBenchDataset::from_name(text(case, "dataset")).unwrap();
    let predictions = texts(case, "predictions");
    let references: Vec<Vec<&str>> = case.input["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(strings)
        .collect();
    let lengths = case.input["lengths"].as_array();
    let answers: Vec<LongBenchAnswer<'_>> = predictions
        .iter()
        .enumerate()
        .map(|(index, prediction)| LongBenchAnswer {
            prediction,
            references: references.get(index).map_or(&[][..], Vec::as_slice),
            length: lengths
                .and_then(|lengths| lengths.get(index)?.as_u64())
                .unwrap_or(0) as usize,
        })
        .collect();
    let classes = strings(&case.input["all_classes"]);
    JUDGE.with(|judge| work(judge, dataset, &answers, &classes))
}

/// Ours gives a typed error where the original raises.
fn refused(case: &GoldenCase, error: &Error, raised: &str, rule: &'static str) -> Outcome {
    if case.raises() == Some(raised) && matches!(error, Error::Empty { .. }) {
        Outcome::Deviates(rule)
    } else {
        Outcome::Failed(error.to_string())
    }
}

fn chinese<T>(work: impl FnOnce(&ChineseSegmenter) -> T) -> T {
    thread_local! {
        static SEGMENTER: ChineseSegmenter = ChineseSegmenter::new();
    }
    SEGMENTER.with(work)
}

fn pair(case: &GoldenCase) -> (&str, &str) {
    (text(case, "prediction"), text(case, "ground_truth"))
}

fn text<'case>(case: &'case GoldenCase, name: &str) -> &'case str {
    case.input[name].as_str().unwrap()
}

fn texts<'case>(case: &'case GoldenCase, name: &str) -> Vec<&'case str> {
    strings(&case.input[name])
}

fn strings(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap()).collect()
}
