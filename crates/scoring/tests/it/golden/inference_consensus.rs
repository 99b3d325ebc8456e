//! The consensus half of the inference system: similarities, outliers, clusters, emissions.

use std::collections::BTreeMap;

use adit_scoring::inference::{
    CompositeInput, CompositeWeights, ConsensusInput, ConsensusPolicy, EmissionAveragePolicy,
    EmissionPolicy, EmissionRecord, EmissionShare, Entity, EntityCap, InferencePolicy,
    PipelineTiming, Round, RoundAnswer, ServingCandidate, ServingPolicy, SimilarityMatrix,
    TextStatistics, TimingStage, UidRecord, average_emissions, average_linkage, composite_scores,
    consensus, diversity_bonus, dominant_cluster, draw_without_replacement, emissions,
    entity_weights, evaluate_round, freshness_gate, local_outlier_factors, outlier_rule,
    pair_statistics, prompt_components,
    quality::{QualityAnswer, QualityPolicy, QualityPrompt, assess, heuristic_quality},
    sentences, serving_miners, top_bonus,
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, Tolerance, real};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

pub(super) fn register(suite: &mut GoldenSuite) {
    let mut on = |function: &str, answer: fn(&GoldenCase) -> Value| {
        suite.on("loosh", function, move |file, case| {
            Outcome::compare(file, case, &answer(case))
        });
    };
    on("cosine_matrix", cosine_matrix);
    on("lof_outliers", lof_outliers);
    on("cluster_filter", cluster_filter);
    on("smart_outlier", smart_outlier);
    on("evaluate_consensus_heuristic", evaluate_consensus_heuristic);
    on("evaluate_consensus_enhanced", evaluate_consensus_enhanced);
    on("evaluate_responses_e2e", evaluate_responses);
    on("pair_scoring", pair_scoring);
    on("individual_scores", individual_scores);
    on("score_difference_bonus", score_difference_bonus);
    on("emissions", round_emissions);
    on("entity_caps", entity_caps);
    on("filter_serving_miners", filter_serving_miners);
    on("freshness_gate", freshness);
    on("pipeline_timing", pipeline_timing);
    suite.on("loosh", "ema_scores", |file, case| {
        match Outcome::compare(file, case, &ema_scores(case)) {
            Outcome::Failed(_) if names_a_miner_twice(case) => {
                Outcome::Deviates("order-of-json-keys")
            }
            outcome => outcome,
        }
    });
    suite.on("loosh", "miner_selection_inclusion", |_, case| {
        // The file demands 0.01 over at least 100,000 draws.
        Outcome::compare_within(case, &selection(case), Tolerance::absolute(0.01))
    });
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    T::deserialize(value).unwrap()
}

fn embeddings(case: &GoldenCase) -> Vec<Vec<f64>> {
    read(&case.input["embeddings"])
}

fn reals(numbers: &[f64]) -> Value {
    numbers.iter().map(|number| real(*number)).collect()
}

fn cosine_matrix(case: &GoldenCase) -> Value {
    let matrix = SimilarityMatrix::cosines(&embeddings(case)).unwrap();
    json!({"matrix": matrix.rows().map(reals).collect::<Value>()})
}

fn lof_outliers(case: &GoldenCase) -> Value {
    let factors = local_outlier_factors(&embeddings(case), 2).unwrap();
    let negated: Vec<f64> = factors.iter().map(|factor| -factor).collect();
    let outliers: Vec<bool> = factors.iter().map(|factor| *factor > 1.5).collect();
    let mut answer = json!({"is_outlier": outliers});
    // Not recorded where copies make the factors huge.
    if case.expected.get("negative_outlier_factor").is_some() {
        answer["negative_outlier_factor"] = reals(&negated);
    }
    answer
}

fn cluster_filter(case: &GoldenCase) -> Value {
    let matrix = SimilarityMatrix::cosines(&embeddings(case)).unwrap();
    let weights: Option<Vec<f64>> = read(&case.input["entity_weights"]);
    let tree = average_linkage(matrix.len(), |first, second| {
        1.0 - matrix.get(first, second).unwrap()
    });
    let labels = tree.unwrap().cut(0.5);
    let kept = dominant_cluster(&labels, weights.as_deref()).unwrap();
    let clusters = labels.iter().max().map_or(0, |last| last + 1);
    let mut partition = vec![Vec::new(); clusters];
    for (answer, label) in labels.iter().enumerate() {
        partition[*label].push(answer);
    }
    let weight = |cluster: &Vec<usize>| match &weights {
        Some(weights) => cluster.iter().map(|answer| weights[*answer]).sum(),
        None => cluster.len() as f64,
    };
    let sums: Vec<f64> = partition.iter().map(weight).collect();
    let most = sums.iter().copied().fold(0.0, f64::max);
    let tie = sums.iter().filter(|sum| **sum == most).count() > 1;
    partition.sort();
    json!({"sklearn_labels": labels, "partition": partition, "kept_indices": kept, "tie": tie})
}

fn pair_scoring(case: &GoldenCase) -> Value {
    let matrix = SimilarityMatrix::cosines(&embeddings(case)).unwrap();
    let quality: Vec<f64> = read(&case.input["quality"]);
    let votes: Option<Vec<f64>> = read(&case.input["entity_weights"]);
    let weights: Vec<f64> = match &votes {
        Some(votes) => quality.iter().zip(votes).map(|(q, w)| q * w).collect(),
        None => quality.clone(),
    };
    let confidences: Vec<f64> = read(&case.input["confidences"]);
    let both = |weights| {
        let found = pair_statistics(&matrix, weights).unwrap();
        reals(&[found.mean, found.deviation])
    };
    let confident = pair_statistics(&matrix, Some(&confidences)).unwrap();
    json!({
        "basic_mean_std": both(votes.as_deref()),
        "quality_weighted_mean_std": both(Some(&weights)),
        "confidence_weighted": real(confident.mean),
        "diversity_bonus": reals(&diversity_bonus(&matrix, &quality, 0.6, 0.15).unwrap()),
    })
}

fn individual_scores(case: &GoldenCase) -> Value {
    let similarities = SimilarityMatrix::cosines(&embeddings(case)).unwrap();
    let keep: Vec<bool> = read(&case.input["keep"]);
    let kept = keep.iter().enumerate().filter(|(_, keep)| **keep);
    let members: Vec<usize> = kept.map(|(answer, _)| answer).collect();
    let quality: Vec<f64> = read(&case.input["quality"]);
    let texts: Vec<String> = read(&case.input["texts"]);
    let words: Vec<usize> = texts.iter().map(|text| word_count(text)).collect();
    let votes: Option<Vec<f64>> = read(&case.input["entity_weights"]);
    let input = CompositeInput {
        similarities: &similarities,
        members: &members,
        quality: &quality,
        words: &words,
        votes: votes.as_deref(),
    };
    let scores = composite_scores(&CompositeWeights::original(), &input).unwrap();
    json!({"scores_by_index": reals(&scores)})
}

/// As Python splits.
fn word_count(text: &str) -> usize {
    let space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    text.split(space).filter(|word| !word.is_empty()).count()
}

fn score_difference_bonus(case: &GoldenCase) -> Value {
    let pairs: Vec<(String, f64)> = read(&case.input["scores"]);
    let scores: Vec<f64> = pairs.iter().map(|(_, score)| *score).collect();
    let top = top_bonus(&EmissionPolicy::original(), &scores).unwrap();
    json!({
        "top_label": top.map(|top| pairs[top.place].0.clone()),
        "multiplier": top.map_or(1.0, |top| top.factor),
    })
}

fn round_emissions(case: &GoldenCase) -> Value {
    let times: Vec<f64> = read(&case.input["response_time_ms"]);
    let uids: Vec<u64> = read(&case.input["uids"]);
    let hotkeys: Vec<String> = read(&case.input["hotkeys"]);
    let members: Vec<u64> = read(&case.input["in_consensus_uids"]);
    let agreement: f64 = read(&case.input["similarity_score"]);
    let scores: Vec<(String, f64)> = read(&case.input["scores"]);
    let shares: Vec<EmissionShare> = times
        .iter()
        .zip(&uids)
        .map(|(time, uid)| EmissionShare {
            response_time_ms: *time,
            member: members.contains(uid),
            ..EmissionShare::default()
        })
        .collect();
    let place = |label: &str| uids.iter().position(|uid| uid.to_string() == label);
    let scores: Vec<(usize, f64)> = scores
        .iter()
        .map(|(label, score)| (place(label).unwrap_or(usize::MAX), *score))
        .collect();
    let found = emissions(&EmissionPolicy::original(), &shares, agreement, &scores).unwrap();
    let named: Map<String, Value> = hotkeys
        .into_iter()
        .zip(found.into_iter().map(real))
        .collect();
    json!({"emissions": named})
}

fn entity<'a>(nodes: &'a BTreeMap<String, (String, String)>, hotkey: &str) -> Option<Entity<'a>> {
    let (ip, coldkey) = nodes.get(hotkey)?;
    Some(Entity { ip, coldkey })
}

fn entity_caps(case: &GoldenCase) -> Value {
    let hotkeys: Vec<String> = read(&case.input["hotkeys"]);
    let nodes: BTreeMap<String, (String, String)> = read(&case.input["node_map"]);
    let cap = EntityCap {
        votes: read(&case.input["max_entity_votes"]),
        least_miners: read(&case.input["min_group_size"]),
    };
    let entities: Vec<Option<Entity<'_>>> = hotkeys
        .iter()
        .map(|hotkey| entity(&nodes, hotkey))
        .collect();
    let weights = entity_weights(&cap, &entities).unwrap();
    let named: Map<String, Value> = hotkeys
        .into_iter()
        .zip(weights.into_iter().map(real))
        .collect();
    json!({"weights": named})
}

#[derive(Deserialize)]
struct Node {
    hotkey: String,
    ip: String,
    port: u16,
    stake: f64,
}

fn filter_serving_miners(case: &GoldenCase) -> Value {
    let nodes: Vec<Node> = read(&case.input["nodes"]);
    let own: String = read(&case.input["validator_hotkey"]);
    let validators: Option<Vec<String>> = read(&case.input["validator_hotkeys"]);
    let validators: Option<Vec<&str>> = validators
        .as_ref()
        .map(|list| list.iter().map(String::as_str).collect());
    let candidates: Vec<ServingCandidate<'_>> = nodes
        .iter()
        .map(|node| ServingCandidate {
            hotkey: &node.hotkey,
            ip: &node.ip,
            port: node.port,
            stake: node.stake,
        })
        .collect();
    let policy = ServingPolicy::original();
    let found = serving_miners(&policy, &candidates, &own, validators.as_deref());
    let kept: Vec<&str> = found
        .kept
        .iter()
        .map(|place| candidates[*place].hotkey)
        .collect();
    json!({"kept_hotkeys": kept, "stats": {
        "total": nodes.len(),
        "self_excluded": found.own,
        "high_stake_excluded": found.high_stake,
        "no_endpoint_excluded": found.without_endpoint,
        "validator_db_excluded": found.listed_validators,
        "included": kept.len(),
    }})
}

fn freshness(case: &GoldenCase) -> Value {
    let scores: BTreeMap<String, f64> = read(&case.input["ema"]);
    let ages: BTreeMap<String, Option<f64>> = read(&case.input["last_success_age_seconds"]);
    let hours: f64 = read(&case.input["freshness_hours"]);
    let values: Vec<f64> = scores.values().copied().collect();
    let ages: Vec<Option<f64>> = scores
        .keys()
        .map(|hotkey| ages.get(hotkey).copied().flatten())
        .collect();
    let fresh = freshness_gate(&values, &ages, hours * 3_600.0).unwrap();
    let named: Map<String, Value> = scores
        .into_keys()
        .zip(fresh.scores.into_iter().map(real))
        .collect();
    json!({"scores": named, "stale_count": fresh.stale})
}

#[derive(Deserialize)]
struct MinerRow {
    hotkey: String,
    node_id: Option<u64>,
    last_updated_age_seconds: f64,
}

#[derive(Deserialize)]
struct Stored {
    age_seconds: f64,
    emissions: Map<String, Value>,
}

/// What Python's `float` makes of a stored value; NaN where it raises.
fn float(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.trim().parse().unwrap_or(f64::NAN),
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        _ => value.as_f64().unwrap_or(f64::NAN),
    }
}

fn ema_scores(case: &GoldenCase) -> Value {
    let miners: Vec<MinerRow> = read(&case.input["miners"]);
    let stored: Vec<Stored> = read(&case.input["evaluations"]);
    let policy = EmissionAveragePolicy {
        window_seconds: read::<f64>(&case.input["lookback_hours"]) * 3_600.0,
        alpha: read(&case.input["alpha"]),
        ..EmissionAveragePolicy::original()
    };
    let records: Vec<EmissionRecord<'_>> = stored
        .iter()
        .map(|stored| EmissionRecord {
            age_seconds: stored.age_seconds,
            emissions: stored
                .emissions
                .iter()
                .map(|(key, value)| (key.as_str(), float(value)))
                .collect(),
        })
        .collect();
    let uids: Vec<UidRecord<'_>> = miners
        .iter()
        .filter_map(|miner| {
            Some(UidRecord {
                hotkey: &miner.hotkey,
                uid: miner.node_id?,
                age_seconds: miner.last_updated_age_seconds,
            })
        })
        .collect();
    let averages = average_emissions(&policy, &records, &uids).unwrap();
    let named: Map<String, Value> = averages
        .into_iter()
        .map(|(hotkey, average)| (hotkey, real(average)))
        .collect();
    json!({"ema": named})
}

/// Whether a round has an entry by uid and one by hotkey of the same miner. The original counts both,
/// in the order of the text, which is lost where JSON objects are read without order.
fn names_a_miner_twice(case: &GoldenCase) -> bool {
    let miners: Vec<MinerRow> = read(&case.input["miners"]);
    let stored: Vec<Stored> = read(&case.input["evaluations"]);
    stored.iter().any(|round| {
        miners.iter().any(|miner| {
            let uid = miner.node_id.unwrap_or(u64::MAX).to_string();
            round.emissions.contains_key(&uid) && round.emissions.contains_key(&miner.hotkey)
        })
    })
}

#[derive(Deserialize)]
struct Timing {
    correlation_id: String,
    request_start_timestamp: f64,
    request_end_timestamp: Option<f64>,
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    stage_name: String,
    start_timestamp: f64,
    end_timestamp: Option<f64>,
}

/// Reading back ignores what was added in writing.
fn timing(value: &Value) -> PipelineTiming {
    let read: Timing = read(value);
    let stages = read.stages.into_iter().map(|stage| TimingStage {
        name: stage.stage_name,
        start: stage.start_timestamp,
        end: stage.end_timestamp,
    });
    PipelineTiming {
        correlation_id: read.correlation_id,
        request_start: read.request_start_timestamp,
        request_end: read.request_end_timestamp,
        stages: stages.collect(),
    }
}

fn pipeline_timing(case: &GoldenCase) -> Value {
    let written = serde_json::to_value(timing(&case.input["timing"])).unwrap();
    let again = serde_json::to_value(timing(&written)).unwrap();
    json!({"round_trip_equal": again == written, "to_dict": written})
}

fn selection(case: &GoldenCase) -> Value {
    const DRAWS: u32 = 100_000;
    let weights: Vec<f64> = read(&case.input["weights"]);
    let count: usize = read(&case.input["k"]);
    let mut rng = ChaCha8Rng::seed_from_u64(78);
    let mut drawn = vec![0_u32; weights.len()];
    for _ in 0..DRAWS {
        for place in draw_without_replacement(&weights, count, &mut rng).unwrap() {
            drawn[place] += 1;
        }
    }
    let shares: Vec<f64> = drawn
        .iter()
        .map(|drawn| f64::from(*drawn) / f64::from(DRAWS))
        .collect();
    json!({"inclusion_probability": reals(&shares)})
}

fn smart_outlier(case: &GoldenCase) -> Value {
    let factors = local_outlier_factors(&embeddings(case), 2).unwrap();
    let quality: Vec<f64> = read(&case.input["quality"]);
    let verdict = outlier_rule(&ConsensusPolicy::original(), &factors, &quality).unwrap();
    json!({"kept_indices": verdict.kept, "reversed": verdict.reversed})
}

type Table = BTreeMap<String, Vec<f64>>;

/// What the original falls back to where its quality scorer fails.
fn heuristic(table: &Table, prompt: &str, text: &str) -> f64 {
    let pair = SimilarityMatrix::cosines(&[&table[prompt], &table[text]]).unwrap();
    let policy = QualityPolicy::original();
    heuristic_quality(&policy, pair.get(0, 1), &TextStatistics::of(text)).unwrap()
}

fn evaluate_consensus_heuristic(case: &GoldenCase) -> Value {
    evaluate_consensus(case, heuristic)
}

/// The quality of production.
fn assessed(table: &Table, prompt: &str, text: &str) -> f64 {
    let vectors = |texts: Vec<&str>| -> Vec<&[f64]> {
        texts
            .into_iter()
            .map(|text| table[text].as_slice())
            .collect()
    };
    let components = prompt_components(prompt);
    let components = vectors(components.iter().map(String::as_str).collect());
    let prompt = QualityPrompt {
        text: prompt,
        embedding: &table[prompt],
        components: &components,
    };
    let answer = QualityAnswer {
        text,
        embedding: &table[text],
        sentences: &vectors(sentences(text)),
    };
    assess(&QualityPolicy::original(), &prompt, &[answer]).unwrap()[0].quality
}

fn evaluate_consensus_enhanced(case: &GoldenCase) -> Value {
    evaluate_consensus(case, assessed)
}

/// Where ours is an error, the original gives nobody anything.
fn evaluate_responses(case: &GoldenCase) -> Value {
    let prompt: String = read(&case.input["prompt"]);
    let texts: Vec<String> = read(&case.input["responses"]);
    let times: Vec<f64> = read(&case.input["response_time_ms"]);
    let hotkeys: Vec<String> = read(&case.input["hotkeys"]);
    let nodes: BTreeMap<String, (String, String)> = read(&case.input["node_map"]);
    let table: Table = read(&case.input["embed_table"]);
    let nobody: &[f64] = &[];
    let answers: Vec<RoundAnswer<'_, f64>> = texts
        .iter()
        .zip(&times)
        .zip(&hotkeys)
        .map(|((text, time), hotkey)| {
            // A test's answer is not embedded.
            let embedding = table.get(text).map_or(nobody, Vec::as_slice);
            RoundAnswer {
                text: Some(text),
                embedding,
                quality: match (texts.len(), embedding) {
                    (1, _) | (_, []) => 0.0,
                    _ if text.trim().starts_with("[TEST MODE]") => 0.0,
                    _ => assessed(&table, &prompt, text),
                },
                response_time_ms: *time,
                entity: entity(&nodes, hotkey),
            }
        })
        .collect();
    let round = Round {
        prompt: table.get(&prompt).map_or(nobody, Vec::as_slice),
        answers: &answers,
    };
    let found = evaluate_round(&InferencePolicy::original(), &round).unwrap_or_default();
    let emissions: Map<String, Value> = hotkeys
        .iter()
        .zip(&found.emissions)
        .filter_map(|(hotkey, emission)| Some((hotkey.clone(), real((*emission)?))))
        .collect();
    json!({
        "consensus_score": real(found.agreement),
        "emissions": emissions,
        "best_miner": found.best.map(|place| hotkeys[place].clone()),
    })
}

fn evaluate_consensus(case: &GoldenCase, quality: fn(&Table, &str, &str) -> f64) -> Value {
    let prompt: String = read(&case.input["prompt"]);
    let texts: Vec<String> = read(&case.input["responses"]);
    let uids: Vec<u64> = read(&case.input["uids"]);
    let table: Table = read(&case.input["embed_table"]);
    let votes: Option<Vec<f64>> = read(&case.input["entity_weights"]);
    let embeddings: Vec<&[f64]> = texts.iter().map(|text| table[text].as_slice()).collect();
    let quality: Vec<f64> = texts
        .iter()
        .map(|text| quality(&table, &prompt, text).max(0.0))
        .collect();
    let words: Vec<usize> = texts.iter().map(|text| word_count(text)).collect();
    let input = ConsensusInput {
        prompt: Some(table[&prompt].as_slice()),
        embeddings: &embeddings,
        quality: &quality,
        words: &words,
        votes: votes.as_deref(),
    };
    let found = consensus(&ConsensusPolicy::original(), &input).unwrap();
    let named = |answer: &usize| uids[*answer];
    let scores: Map<String, Value> = found
        .scores
        .iter()
        .map(|(answer, score)| (named(answer).to_string(), real(*score)))
        .collect();
    json!({
        "in_consensus_uids": found.members.iter().map(named).collect::<Vec<_>>(),
        "similarity_score": real(found.agreement),
        "weighted_score": found.mean_similarity.map(real),
        "consensus_achieved": found.achieved,
        "miner_scores": scores,
    })
}
