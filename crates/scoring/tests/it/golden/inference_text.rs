//! Text quality and sybil detection of `loosh`.

use adit_scoring::inference::{
    SimilarityMatrix, TextStatistics, answer_shape, discourse_markers, lexical_similarity,
    polarity_agreement, prompt_components, sentences,
    sybil::{SybilPenaltyPolicy, SybilStanding, penalise_sybils},
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
    on("sybil_penalty", sybil_penalty);
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
