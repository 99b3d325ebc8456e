//! One answer: its metrics, reward, quality, logits.

use adit_scoring::long_context::{
    benchmark::{BenchmarkFamily, MetricScores, ZeroScore},
    length::estimate_tokens_by_words,
    logits::{
        LogitBounds, LogitRefusal, kl_divergence, logits_fingerprint, text_fingerprint, verify,
    },
    perturbation::{WordMatch, paraphrase, reorder_sentences},
    quality::{
        QualityMetrics, UnreportedMemory, agreement, efficiency, harness_score, quality,
        word_similarity,
    },
    reward::{
        ReportedMetric, ReportedMetrics, RewardTask, RewardTaskKind, WeightedRewardRules,
        check_component_weights, weighted_reward,
    },
};
use adit_testkit::{GoldenSuite, Outcome, real};
use serde_json::{Map, Value, json};

use super::{number, number_or_zero, numbers, singles, text};

pub(super) fn register(suite: &mut GoldenSuite) {
    register_benchmark(suite);
    register_reward(suite);
    register_harness(suite);
    register_logits(suite);
}

fn register_benchmark(suite: &mut GoldenSuite) {
    suite.on(
        "quasar",
        "quasar.protocol.InfiniteContextSynapse.scores",
        |file, case| {
            let scores = metric_scores(&case.input["scores"]);
            let benchmark = case.input["is_benchmark_task"].as_bool().unwrap();
            let family = benchmark.then(|| BenchmarkFamily::named(text(&case.input, "task_type")));
            let found = json!({
                "primary": scores.request_primary(family, ZeroScore::FallsThrough).unwrap(),
                "composite": scores.request_composite(family).unwrap(),
            });
            Outcome::compare(file, case, &found)
        },
    );
    suite.on(
        "quasar",
        "quasar.protocol.BenchmarkEvaluationSynapse.scores",
        |file, case| {
            let scores = metric_scores(&case.input["scores"]);
            let family = BenchmarkFamily::named(text(&case.input, "task_type"));
            let context = text(&case.input, "context");
            let length = (!context.is_empty()).then(|| estimate_tokens_by_words(context));
            let found = json!({
                "primary": scores.evaluation_primary(family, ZeroScore::FallsThrough).unwrap(),
                "composite": scores.evaluation_composite().unwrap(),
                "default_metrics": family.default_metrics(),
                "context_length": length,
            });
            Outcome::compare(file, case, &found)
        },
    );
}

/// `exact_match_score` on the wire is `exact_match` here.
fn metric_scores(scores: &Value) -> MetricScores {
    let named: Map<String, Value> = scores
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, score)| (name.trim_end_matches("_score").to_owned(), score.clone()))
        .collect();
    serde_json::from_value(Value::Object(named)).unwrap()
}

fn register_reward(suite: &mut GoldenSuite) {
    suite.on(
        "quasar",
        "quasar.reward.reward_infinite_context_response",
        |file, case| {
            let task = &case.input["task"];
            let default = RewardTask::default();
            let task = RewardTask {
                kind: RewardTaskKind::named(text(task, "type")),
                context_tokens: task["context_length"]
                    .as_u64()
                    .unwrap_or(default.context_tokens),
                scale: number(task, "scale_factor").unwrap_or(default.scale),
            };
            let response = case.input["response"].as_object();
            let metrics = response.map(|response| {
                let metric = |name: &str| match response.get(name) {
                    None => ReportedMetric::Absent,
                    Some(Value::Null) => ReportedMetric::Null,
                    Some(_) => {
                        let reported = number(&case.input["response"], name);
                        // Text where a number should be fails as null does.
                        reported.map_or(ReportedMetric::Null, ReportedMetric::Value)
                    }
                };
                ReportedMetrics {
                    memory_retention: metric("memory_retention_score"),
                    position_understanding: metric("position_understanding_score"),
                    coherence: metric("coherence_score"),
                    tokens_per_second: metric("tokens_per_second"),
                    scaling_efficiency: metric("scaling_efficiency"),
                }
            });
            let rules = WeightedRewardRules::default();
            let reward = weighted_reward(&rules, &task, metrics.as_ref()).unwrap();
            Outcome::compare(file, case, &real(reward))
        },
    );
    suite.on(
        "quasar",
        "quasar.config_validator._validate_scoring_weights",
        |file, case| {
            let weights = case.input["value"].as_object().unwrap();
            let weights: Option<Vec<f64>> = weights.values().map(Value::as_f64).collect();
            let valid = weights.is_some_and(|weights| check_component_weights(&weights).is_ok());
            Outcome::compare(file, case, &json!(if valid { "ok" } else { "ValueError" }))
        },
    );
}

fn register_harness(suite: &mut GoldenSuite) {
    suite.on(
        "quasar",
        "quasar.scoring_harness.score_quality",
        |file, case| {
            let response = &case.input["response"];
            let metrics = QualityMetrics {
                exact_match: number_or_zero(response, "exact_match_score"),
                f1: number_or_zero(response, "f1_score"),
                semantic_similarity: number_or_zero(response, "semantic_similarity_score"),
                coherence: number_or_zero(response, "coherence_score"),
                memory_retention: number_or_zero(response, "memory_retention_score"),
                position_understanding: number_or_zero(response, "position_understanding_score"),
            };
            let benchmark = text(&case.input, "task_type") == "benchmark_evaluation";
            let found = quality(&metrics, benchmark).unwrap();
            let parts: Map<String, Value> = found
                .parts
                .iter()
                .map(|(name, part)| ((*name).to_owned(), real(*part)))
                .collect();
            let found = json!({"score": found.score, "components": parts});
            Outcome::compare(file, case, &found)
        },
    );
    suite.on(
        "quasar",
        "quasar.scoring_harness.score_efficiency",
        |file, case| {
            let speed = number_or_zero(&case.input, "tokens_per_second");
            let memory = number_or_zero(&case.input, "memory_usage_mb");
            let found = efficiency(speed, memory, UnreportedMemory::FullMarks).unwrap();
            Outcome::compare(file, case, &real(found))
        },
    );
    suite.on(
        "quasar",
        "quasar.scoring_harness.final_score",
        |file, case| {
            let part = |name| number(&case.input, name).unwrap();
            let found = harness_score(part("quality"), part("consistency"), part("efficiency"));
            Outcome::compare(file, case, &real(found.unwrap()))
        },
    );
    suite.on(
        "quasar",
        "quasar.scoring_harness.check_consensus",
        |file, case| {
            let scores = numbers(&case.input["scores"]);
            let threshold = number(&case.input, "threshold").unwrap();
            let found = agreement(&scores, threshold).unwrap();
            Outcome::compare(file, case, &json!({"ok": found.agree, "mean": found.mean}))
        },
    );
    suite.on(
        "quasar",
        "quasar.scoring_harness.response_similarity",
        |file, case| {
            let found = word_similarity(text(&case.input, "a"), text(&case.input, "b"));
            Outcome::compare(file, case, &real(found))
        },
    );
    suite.on(
        "quasar",
        "quasar.scoring_harness.paraphrase",
        |file, case| {
            let found = paraphrase(text(&case.input, "text"), WordMatch::Substring);
            Outcome::compare(file, case, &json!(found))
        },
    );
    suite.on(
        "quasar",
        "quasar.scoring_harness.reorder_sentences",
        |file, case| {
            let found = reorder_sentences(text(&case.input, "context"));
            Outcome::compare(file, case, &json!(found))
        },
    );
}

fn register_logits(suite: &mut GoldenSuite) {
    suite.on(
        "quasar",
        "quasar.inference_verification.verify_logits",
        |file, case| {
            let default = LogitBounds::default();
            let bounds = LogitBounds {
                cosine_least: number(&case.input, "cosine_threshold")
                    .unwrap_or(default.cosine_least),
                difference_most: number(&case.input, "max_diff_threshold")
                    .unwrap_or(default.difference_most),
            };
            let miner = singles(&case.input["miner_logits"]);
            let reference = singles(&case.input["reference_logits"]);
            let verdict = verify(&bounds, &miner, &reference);
            let comparison = verdict.comparison;
            let found = json!({
                "verified": verdict.verified(),
                "cosine_sim": comparison.map(|found| real(f64::from(found.cosine))),
                "max_abs_diff": comparison.map(|found| real(f64::from(found.largest_difference))),
                "reason": verdict.refusal.map(|refusal| match refusal {
                    LogitRefusal::ShapeMismatch => "shape_mismatch",
                    LogitRefusal::ZeroNorm => "zero_norm",
                    LogitRefusal::ThresholdFailed => "threshold_failed",
                }),
            });
            Outcome::compare(file, case, &found)
        },
    );
    suite.on(
        "quasar",
        "quasar.inference_verification.compute_kl_divergence",
        |file, case| {
            let miner = singles(&case.input["miner_logits"]);
            let reference = singles(&case.input["reference_logits"]);
            let temperature = number(&case.input, "temperature").unwrap_or(1.0);
            let found = kl_divergence(&miner, &reference, temperature).unwrap();
            Outcome::compare(file, case, &real(found))
        },
    );
    suite.on(
        "quasar",
        "quasar.protocol.compute_logits_hash",
        |file, case| {
            let logits = match &case.input["captured_logits"] {
                Value::Null => Vec::new(),
                logits => numbers(logits),
            };
            Outcome::compare(file, case, &json!(logits_fingerprint(&logits)))
        },
    );
    suite.on(
        "quasar",
        "quasar.protocol.compute_response_hash",
        |file, case| {
            let found = text_fingerprint(text(&case.input, "response"));
            Outcome::compare(file, case, &json!(found))
        },
    );
}
