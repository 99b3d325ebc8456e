//! Miners among each other: speed, ranks, the leader, incentives, averages.

use adit_primitives::Uid;
use adit_scoring::{
    average::decay_averages,
    long_context::{
        diversity::{DiversityRules, DiversityTracker},
        incentive::{incentive_distribution, mean_rewards},
        leader::{LeadMargin, LeaderCandidate, beats, select_leader},
        multiplier::MultiplierTable,
        ranking::{SpeedBaseline, SpeedSubmission, rank_claims},
        throughput::{
            confirms_claim, is_complete, measured_lengths, score_claimed_speed, seconds_per_token,
            tokens_per_second,
        },
    },
};
use adit_testkit::{GoldenSuite, Outcome, real};
use serde_json::{Map, Value, json};

use super::{number, numbers, singles, text};

pub(super) fn register(suite: &mut GoldenSuite) {
    register_speed(suite);
    register_ranks(suite);
    register_incentives(suite);
    register_diversity(suite);
}

fn register_speed(suite: &mut GoldenSuite) {
    suite.on(
        "quasar",
        "quasar.validator.performance_score",
        |file, case| {
            let speed = |name| number(&case.input, name).unwrap();
            let target = case.input["target_sequence_length"].as_u64().unwrap();
            let score = score_claimed_speed(speed("claimed"), speed("actual")).unwrap();
            let found = json!({
                "score": score.map_or(0.0, |score| score.ratio),
                "normalized": score.map_or(0.0, |score| score.normalised),
                "tested_seq_lens": score.map_or_else(Vec::new, |_| measured_lengths(target)),
                "error": score.is_none(),
            });
            Outcome::compare(file, case, &found)
        },
    );
    suite.on(
        "quasar",
        "quasar.validator.verify_performance",
        |file, case| {
            let part = |name| number(&case.input, name).unwrap();
            let found = confirms_claim(part("claimed"), part("actual"), part("tolerance")).unwrap();
            Outcome::compare(file, case, &json!(found))
        },
    );
    suite.on(
        "quasar",
        "quasar.protocol.InferenceVerificationSynapse.throughput_score",
        |file, case| {
            let count = |name: &str| case.input[name].as_array().map_or(0, Vec::len);
            let tokens = count("tokens");
            let elapsed = number(&case.input, "elapsed_sec").unwrap_or(0.0);
            let throughput = tokens_per_second(tokens, elapsed);
            let verified = case.input["verified"].as_bool().unwrap_or(false);
            let found = json!({
                "valid_response": is_complete(tokens, count("captured_logits"), elapsed),
                "throughput": real(throughput),
                "score": real(seconds_per_token(throughput, verified)),
            });
            Outcome::compare(file, case, &found)
        },
    );
}

fn register_ranks(suite: &mut GoldenSuite) {
    suite.on("quasar", "quasar.api.calculate_rankings", |file, case| {
        let submissions = case.input["submissions"].as_array().unwrap();
        let submissions: Vec<SpeedSubmission<String>> = submissions
            .iter()
            .map(|submission| SpeedSubmission {
                id: submission["id"].as_u64().unwrap(),
                miner: text(submission, "miner_hotkey").to_owned(),
                claimed: number(submission, "tokens_per_sec").unwrap(),
                measured: None,
                context_tokens: submission["target_sequence_length"].as_u64().unwrap(),
                created_at: submission["created_at"].as_i64().unwrap(),
                revealed: submission["is_revealed"].as_bool().unwrap(),
                verified: submission["logit_verification_passed"].as_bool(),
            })
            .collect();
        let baseline = &case.input["baseline"];
        let baseline = (!baseline.is_null()).then(|| SpeedBaseline {
            speed: number(baseline, "tokens_per_sec").unwrap(),
            context_tokens: baseline["target_sequence_length"].as_u64().unwrap(),
        });
        let leagues = MultiplierTable::leagues();
        let ranked = rank_claims(&leagues, &submissions, baseline).unwrap();
        let rankings: Vec<Value> = ranked
            .iter()
            .map(|entry| {
                json!({
                    "rank": entry.rank,
                    "submission_id": entry.id,
                    "miner_hotkey": entry.miner,
                    "league": entry.league,
                    "multiplier": entry.multiplier,
                    "weighted_score": entry.weighted_speed,
                })
            })
            .collect();
        let shares = ranked.iter().map(|entry| entry.share);
        let paid: Vec<f64> = shares.filter(|share| *share > 0.0).collect();
        let found = json!({"rankings": rankings, "weights_top4": paid});
        Outcome::compare(file, case, &found)
    });
    suite.on(
        "quasar",
        "quasar.inference_verification.select_leader",
        |file, case| {
            let evaluations = case.input["evaluations"].as_object().unwrap();
            let hotkeys: Vec<&String> = evaluations.keys().collect();
            let candidates: Vec<LeaderCandidate> = evaluations
                .values()
                .map(|evaluation| LeaderCandidate {
                    seconds_per_token: number(evaluation, "score").unwrap(),
                    verified: evaluation["verified"].as_bool().unwrap(),
                    block: evaluation["block"].as_u64().unwrap(),
                })
                .collect();
            let margin = LeadMargin::Seconds(number(&case.input, "epsilon").unwrap());
            let leader = |margin| select_leader(&candidates, margin).map(|index| hotkeys[index]);
            let paid = leader(LeadMargin::Seconds(0.01));
            let weights: Map<String, Value> = case.input["hotkeys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hotkey| {
                    let leads = paid.map(String::as_str) == hotkey.as_str();
                    let weight = if leads { 1.0 } else { 0.0 };
                    (hotkey.as_str().unwrap().to_owned(), json!(weight))
                })
                .collect();
            let indices = 0..candidates.len();
            let pairs = indices
                .clone()
                .flat_map(|first| indices.clone().map(move |second| (first, second)))
                .filter(|(first, second)| first != second);
            // The file records the first six pairs.
            let beaten: Vec<Value> = pairs
                .take(6)
                .map(|(first, second)| {
                    let beats = beats(&candidates[first], &candidates[second], margin);
                    json!([hotkeys[first], hotkeys[second], beats])
                })
                .collect();
            let found = json!({
                "leader": leader(margin),
                "weights_default_epsilon": weights,
                "beats": beaten,
            });
            Outcome::compare(file, case, &found)
        },
    );
}

fn register_incentives(suite: &mut GoldenSuite) {
    suite.on(
        "quasar",
        "quasar.reward.calculate_incentive_distribution",
        |file, case| {
            let history = case.input["performance_history"].as_object().unwrap();
            let history: Vec<(usize, Vec<f64>)> = history
                .iter()
                .map(|(uid, past)| (uid.parse().unwrap(), numbers(past)))
                .collect();
            let history = history.iter().map(|(uid, past)| (*uid, past.as_slice()));
            let scores = numbers(&case.input["scores"]);
            let weight = number(&case.input, "consistency_weight").unwrap();
            let found = incentive_distribution(&scores, history, weight).unwrap();
            let found: Vec<Value> = found.into_iter().map(real).collect();
            Outcome::compare(file, case, &json!(found))
        },
    );
    suite.on(
        "quasar",
        "quasar.forward.aggregate_miner_rewards",
        |file, case| {
            let rewards = numbers(&case.input["rewards"]);
            let miners = case.input["miner_uids"].as_array().unwrap().len();
            let tasks = case.input["num_tasks"].as_u64().unwrap();
            let found = mean_rewards(&rewards, miners, usize::try_from(tasks).unwrap()).unwrap();
            let found: Vec<Value> = found.into_iter().map(real).collect();
            Outcome::compare(file, case, &json!(found))
        },
    );
    suite.on(
        "quasar",
        "quasar.base_validator.update_scores",
        |file, case| {
            let mut averages = singles(&case.input["scores"]);
            let rewards = singles(&case.input["rewards"]);
            let uids: Vec<usize> = case.input["uids"]
                .as_array()
                .unwrap()
                .iter()
                .map(|uid| usize::try_from(uid.as_u64().unwrap()).unwrap())
                .collect();
            let alpha = number(&case.input, "alpha").unwrap();
            let updated = decay_averages(&mut averages, &uids, &rewards, alpha);
            if case.raises().is_some() {
                return Outcome::when(updated.is_err(), "the original raises");
            }
            updated.unwrap();
            let found: Vec<Value> = averages
                .iter()
                .map(|average| real(f64::from(*average)))
                .collect();
            Outcome::compare(file, case, &json!(found))
        },
    );
}

fn register_diversity(suite: &mut GoldenSuite) {
    suite.on("quasar", "quasar.diversity.scenario", |file, case| {
        let mut rules = DiversityRules::default();
        if let Some(every) = case.input["config"]["baseline_update_frequency"].as_u64() {
            rules.baseline_every = every;
        }
        let mut tracker = DiversityTracker::new(rules).unwrap();
        let steps: Vec<Value> = case.input["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| {
                let uid = u16::try_from(step["miner_uid"].as_u64().unwrap()).unwrap();
                let architecture = step["model_info"]["architecture_type"].as_str();
                let score = number(step, "base_score").unwrap();
                let measure = tracker
                    .track(Uid(uid), text(step, "response"), architecture, score)
                    .unwrap();
                json!({
                    "baseline_similarity": measure.baseline_similarity,
                    "uniqueness": measure.uniqueness,
                    "architecture": measure.architecture,
                    "behavioral": measure.behaviour,
                    "adjusted": measure.adjusted,
                })
            })
            .collect();
        let monoculture = tracker.monoculture();
        // The original gives a sentence of advice per sign; ours leaves words to whoever reports.
        let signs = usize::from(monoculture.architecture) + usize::from(monoculture.responses);
        let mut case = case.clone();
        let advice = &mut case.expected["monoculture"]["recommendations"];
        *advice = json!(advice.as_array().unwrap().len());
        let trend = tracker.trend();
        let signatures: Map<String, Value> = tracker
            .signatures()
            .map(|(uid, signature)| (uid.0.to_string(), json!(signature)))
            .collect();
        let found = json!({
            "per_step": steps,
            "monoculture": {
                "architecture_concentration": monoculture.architecture,
                "response_similarity": monoculture.responses,
                "behavioral_homogeneity": false,
                "risk_level": monoculture.risk(),
                "recommendations": signs,
            },
            "behavior_signatures": signatures,
            "trends": {
                "avg_uniqueness": trend.uniqueness,
                "avg_architecture_diversity": trend.architecture,
                "avg_behavioral_diversity": trend.behaviour,
            },
        });
        Outcome::compare(file, &case, &found)
    });
}
