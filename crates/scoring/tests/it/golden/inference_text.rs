//! Text quality and sybil detection of `loosh`.

use adit_scoring::inference::{
    SimilarityMatrix, TextStatistics, answer_shape, discourse_markers, lexical_similarity,
    polarity_agreement, prompt_components,
    quality::{
        QualityAnswer, QualityPolicy, QualityPrompt, QualityWeights, SentenceSignals, assess,
        coverage, diagnostics, logistic,
    },
    sentences,
    sybil::{
        SybilAnswer, SybilPenaltyPolicy, SybilPolicy, SybilSign, SybilStanding,
        adaptive_thresholds, detect_sybils, penalise_sybils, prompt_digest, semantic_pairs,
        structural_similarity, sybil_groups,
    },
};
use adit_testkit::{GoldenSuite, Outcome, real};
use serde_json::{Value, json};

const SYSTEM: &str = "loosh";

pub(super) fn register(suite: &mut GoldenSuite) {
    let mut on = |function: &str, answer: fn(&Value) -> Value| {
        suite.on(SYSTEM, function, move |file, case| {
            Outcome::compare(file, case, &answer(&case.input))
        });
    };
    on("text_answer_shape", shape);
    on("text_density", |input| {
        one("density", statistics(input).density())
    });
    on("text_specificity", |input| {
        one("specificity", statistics(input).specificity())
    });
    on("text_heuristic_coherence", |input| {
        one("coherence", statistics(input).heuristic_coherence())
    });
    on("text_discourse_markers", markers);
    on("text_split_sentences", |input| {
        let found = sentences(text(input, "text"));
        json!({"sentences": found})
    });
    on("text_split_prompt_components", |input| {
        let found = prompt_components(text(input, "prompt"));
        json!({"components": found})
    });
    on("polarity_agreement", polarity);
    on("tfidf_lexical_similarity", |input| {
        let found = lexical_similarity(&texts(input)).unwrap();
        json!({"matrix": rows(&found)})
    });
    on("sigmoid_clamp", |input| {
        let number = |name: &str| input[name].as_f64().unwrap();
        one(
            "y",
            logistic(number("x"), number("midpoint"), number("steepness")),
        )
    });
    on("prompt_coverage", prompt_coverage);
    on("sentence_embedding_signals", sentence_signals);
    on("quality_score_batch", quality_batch);
    on("sybil_penalty", sybil_penalty);
    on("sybil_structural_similarity", |input| {
        let found = structural_similarity(&texts(input)).unwrap();
        json!({"matrix": rows(&found)})
    });
    on("sybil_adaptive_thresholds", sybil_thresholds);
    on("sybil_pairs_groups", pairs_and_groups);
    suite.on(SYSTEM, "sybil_detect_e2e", |file, case| {
        Outcome::compare(file, case, &detect(&case.input, &case.expected))
    });
}

fn one(name: &str, number: f64) -> Value {
    json!({name: real(number)})
}

fn shape(input: &Value) -> Value {
    one(
        "score",
        answer_shape(text(input, "prompt"), text(input, "response")),
    )
}

fn markers(input: &Value) -> Value {
    let markers = discourse_markers(text(input, "text"));
    let lower: Vec<String> = markers.iter().map(|marker| marker.to_lowercase()).collect();
    json!({"count": lower.len(), "markers": lower})
}

fn polarity(input: &Value) -> Value {
    let labels = input["polarities"].as_array().into_iter().flatten();
    let labels: Vec<&str> = labels.map(|label| label.as_str().unwrap()).collect();
    one("agreement", polarity_agreement(&labels))
}

fn text<'input>(input: &'input Value, name: &str) -> &'input str {
    input[name].as_str().unwrap()
}

fn statistics(input: &Value) -> TextStatistics {
    TextStatistics::of(text(input, "text"))
}

fn texts(input: &Value) -> Vec<&str> {
    let texts = input["texts"].as_array().unwrap();
    texts.iter().map(|text| text.as_str().unwrap()).collect()
}

fn rows(matrix: &SimilarityMatrix) -> Value {
    let row = |row: &[f64]| row.iter().map(|value| real(*value)).collect::<Value>();
    matrix.rows().map(row).collect()
}

fn sybil_penalty(input: &Value) -> Value {
    // Miners were numbered in the order that settles ties, and a JSON object has none.
    let averages = input["ema"].as_object().unwrap();
    let mut averages: Vec<(&String, &Value)> = averages.iter().collect();
    averages.sort_by_key(|(miner, _)| (miner.len(), *miner));
    let miners: Vec<SybilStanding> = averages
        .iter()
        .map(|(miner, average)| SybilStanding {
            average: average.as_f64().unwrap(),
            suspicion: input["sybil"][miner.as_str()].as_f64().unwrap_or(0.0),
        })
        .collect();
    let serving = input["serving_count"].as_u64().unwrap() as usize;
    let found = penalise_sybils(&SybilPenaltyPolicy::original(), &miners, serving).unwrap();
    let scores = averages.iter().zip(&found.averages);
    let scores: serde_json::Map<String, Value> = scores
        .map(|((miner, _), average)| ((*miner).clone(), real(*average)))
        .collect();
    json!({
        "scores": scores,
        "penalized_count": found.penalised.iter().filter(|penalised| **penalised).count(),
        "safety_triggered": found.spared > 0,
    })
}

fn vector(value: &Value) -> Vec<f64> {
    let parts = value.as_array().unwrap().iter();
    parts.map(|part| part.as_f64().unwrap()).collect()
}

fn vectors(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().into_iter().flatten().map(vector).collect()
}

fn prompt_coverage(input: &Value) -> Value {
    let found = coverage(
        &QualityPolicy::original(),
        &vectors(&input["component_embeddings"]),
        &vector(&input["response_embedding"]),
        &vectors(&input["sentence_embeddings"]),
    )
    .unwrap();
    json!({
        "coverage": real(found.share()),
        "covered": found.covered,
        "total": found.total,
        "missing_parts": real(1.0 - found.share()),
    })
}

fn sentence_signals(input: &Value) -> Value {
    let policy = QualityPolicy::original();
    let sentences = vectors(&input["sentence_embeddings"]);
    let signals = SentenceSignals::new(&sentences).unwrap();
    let coherence = signals.coherence(&policy);
    let steps = signals.steps(&policy).unwrap();
    json!({
        "coh_local": real(coherence.local),
        "coh_global": real(coherence.global),
        "coh_breaks": coherence.breaks,
        "coh_break_rate": real(coherence.break_rate),
        "coh_drift": real(diagnostics::topic_drift(&signals)),
        "coh_graph_score": real(diagnostics::linkage(&signals).unwrap()),
        "redundancy": real(signals.redundancy()),
        "novelty": real(signals.novelty()),
        "step_score": real(steps.score),
        "num_steps": steps.count,
        "path_length": real(diagnostics::path_length(&signals)),
        "curvature": real(diagnostics::curvature(&sentences).unwrap()),
    })
}

fn quality_batch(input: &Value) -> Value {
    let table = |text: &str| vector(&input["embed_table"][text]);
    let weight = |name: &str| input["quality_weights"][name].as_f64().unwrap();
    let policy = QualityPolicy {
        weights: QualityWeights {
            relevance: weight("relevance"),
            coherence: weight("coherence"),
            coverage: weight("coverage"),
            complexity: weight("complexity"),
            density: weight("density"),
            specificity: weight("specificity"),
        },
        ..QualityPolicy::original()
    };
    let prompt = text(input, "prompt");
    let embedding = table(prompt);
    let components: Vec<Vec<f64>> = prompt_components(prompt)
        .iter()
        .map(|part| table(part))
        .collect();
    let prompt = QualityPrompt {
        text: prompt,
        embedding: &embedding,
        components: &components,
    };
    let texts: Vec<&str> = input["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer.as_str().unwrap())
        .collect();
    let embedded: Vec<(Vec<f64>, Vec<Vec<f64>>)> = texts
        .iter()
        .map(|text| {
            (
                table(text),
                sentences(text).into_iter().map(table).collect(),
            )
        })
        .collect();
    let answers: Vec<QualityAnswer<'_, f64, Vec<f64>>> = texts
        .iter()
        .zip(&embedded)
        .map(|(text, (embedding, sentences))| QualityAnswer {
            text,
            embedding,
            sentences,
        })
        .collect();
    let assessed = assess(&policy, &prompt, &answers).unwrap();
    let breakdowns = answers.iter().zip(&assessed).map(|(answer, found)| {
        let local = found.sentence_coherence;
        let signals = SentenceSignals::new(answer.sentences).unwrap();
        let several = answer.sentences.len() >= 2;
        // The field passes the same gates before it looks for markers and the path.
        let gated = found.relevance < 0.4 || found.coherence < 0.3;
        let diagnosed = |wanted: bool, number: f64| real(if wanted { number } else { 0.0 });
        json!({
            "relevance": real(found.relevance),
            "sentence_relevance": real(found.sentence_relevance),
            "full_response_relevance": real(found.whole_relevance),
            "coherence": real(found.coherence),
            "local_coherence": real(local.map_or(found.coherence, |local| local.local)),
            "global_coherence": real(local.map_or(found.coherence, |local| local.global)),
            "coherence_breaks": local.map_or(0, |local| local.breaks),
            "coherence_break_rate": real(local.map_or(0.0, |local| local.break_rate)),
            "coverage": real(found.coverage),
            "missing_parts": diagnosed(found.parts.total > 0, 1.0 - found.parts.share()),
            "complexity": real(found.complexity),
            "step_score": real(found.steps.map_or(0.0, |(steps, _)| steps.score)),
            "num_steps": found.steps.map_or(0, |(steps, _)| steps.count),
            "novelty": real(found.steps.map_or(0.0, |(_, novelty)| novelty)),
            "density": real(found.density),
            "specificity": real(found.specificity),
            "composite": real(found.quality),
            "sentence_count": found.sentences,
            "covered_components": found.parts.covered,
            "total_components": found.parts.total,
            "discourse_marker_count": if gated { 0 } else { discourse_markers(answer.text).len() },
            "answer_shape_score": real(answer_shape(prompt.text, answer.text)),
            "coherence_graph_score": diagnosed(several, diagnostics::linkage(&signals).unwrap()),
            "topic_drift": diagnosed(several, diagnostics::topic_drift(&signals)),
            "path_length": diagnosed(several && !gated, diagnostics::path_length(&signals)),
            "curvature": diagnosed(several && !gated, diagnostics::curvature(answer.sentences).unwrap()),
        })
    });
    let breakdowns: Vec<Value> = breakdowns.collect();
    let scores: Vec<Value> = assessed.iter().map(|found| real(found.quality)).collect();
    json!({"scores": scores, "breakdowns": breakdowns})
}

fn matrix(input: &Value) -> SimilarityMatrix {
    SimilarityMatrix::from_rows(&vectors(&input["matrix"])).unwrap()
}

fn flags(input: &Value) -> Vec<bool> {
    let flags = input["length_mask"].as_array().unwrap().iter();
    flags.map(|flag| flag.as_bool().unwrap()).collect()
}

fn sybil_thresholds(input: &Value) -> Value {
    let policy = SybilPolicy::original();
    let found = adaptive_thresholds(&policy, &matrix(input), &flags(input)).unwrap();
    let spread = found.distribution;
    json!({
        "high": real(found.high),
        "very_high": real(found.very_high),
        "stats": {
            "mean": real(spread.mean),
            "std": real(spread.deviation),
            "p50": real(spread.p50),
            "p90": real(spread.p90),
            "p95": real(spread.p95),
            "p99": real(spread.p99),
            "p999": real(spread.p999),
            "p9999": real(spread.p9999),
            "adaptive_high_threshold": real(found.high),
            "adaptive_very_high_threshold": real(found.very_high),
            "floor_high_threshold": real(policy.high_floor),
            "floor_very_high_threshold": real(policy.very_high_floor),
        },
    })
}

fn ids(input: &Value) -> Vec<&str> {
    let ids = input["ids"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap()).collect()
}

fn names<'ids>(ids: &[&'ids str], members: &[usize]) -> Vec<&'ids str> {
    let mut names: Vec<&str> = members.iter().map(|member| ids[*member]).collect();
    names.sort_unstable();
    names
}

fn pairs_and_groups(input: &Value) -> Value {
    let policy = SybilPolicy::original();
    let (matrix, flags, ids) = (matrix(input), flags(input), ids(input));
    let threshold = input["high_threshold"].as_f64().unwrap();
    let pairs = semantic_pairs(&policy, &matrix, &flags, threshold).unwrap();
    let pairs = pairs
        .iter()
        .map(|pair| json!([ids[pair.first], ids[pair.second], real(pair.likeness)]));
    let groups = sybil_groups(&policy, &matrix, &flags, threshold).unwrap();
    let groups = groups.iter().map(|group| {
        json!({
            "members": names(&ids, &group.members),
            "avg": real(group.mean),
            "min": real(group.least),
            "max": real(group.largest),
        })
    });
    json!({"pairs": pairs.collect::<Value>(), "groups": groups.collect::<Value>()})
}

/// Pairs are recorded as a set, and without a method where several detectors agree to rounding.
fn detect(input: &Value, expected: &Value) -> Value {
    let table = |text: &str| vector(&input["embed_table"][text]);
    let (texts, ids) = (texts(input), ids(input));
    // Answers too short to be looked at have no sentences in the table.
    let known = |text: &str| input["embed_table"].get(text).is_some();
    let embedded: Vec<Vec<Vec<f64>>> = texts
        .iter()
        .map(|text| {
            sentences(text)
                .into_iter()
                .filter(|text| known(text))
                .map(table)
                .collect()
        })
        .collect();
    let answers: Vec<SybilAnswer<'_, Vec<f64>>> = texts
        .iter()
        .zip(&embedded)
        .map(|(text, sentences)| SybilAnswer { text, sentences })
        .collect();
    let whole: Vec<Vec<f64>> = texts.iter().map(|text| table(text)).collect();
    let similarities = SimilarityMatrix::cosines(&whole).unwrap();
    let found = detect_sybils(&SybilPolicy::original(), &answers, &similarities).unwrap();
    let recorded = expected["pairs"].as_array().unwrap();
    let mut pairs: Vec<_> = found.pairs.iter().collect();
    let place = |a: &str, b: &str| {
        let same = |pair: &Value| pair["a"] == a && pair["b"] == b;
        recorded.iter().position(same).unwrap_or(recorded.len())
    };
    pairs.sort_by_key(|pair| place(ids[pair.first], ids[pair.second]));
    let pairs = pairs.iter().enumerate().map(|(number, pair)| {
        let method = match pair.sign {
            SybilSign::Semantic => "semantic",
            SybilSign::Fusion => "fusion",
            SybilSign::Trajectory => "trajectory",
        };
        let told = recorded
            .get(number)
            .is_none_or(|pair| !pair["method"].is_null());
        json!({
            "a": ids[pair.first],
            "b": ids[pair.second],
            "similarity": real(pair.likeness),
            "method": told.then_some(method),
        })
    });
    let groups = found
        .groups
        .iter()
        .map(|group| json!(names(&ids, &group.members)));
    json!({
        "high": real(found.thresholds.high),
        "very_high": real(found.thresholds.very_high),
        "prompt_hash": prompt_digest(text(input, "prompt")),
        "pairs": pairs.collect::<Value>(),
        "groups": groups.collect::<Value>(),
        "gated_out": found.short,
    })
}
