//! Text quality and sybil detection of `loosh`.

use adit_scoring::inference::{
    TextStatistics, answer_shape, discourse_markers, prompt_components, sentences,
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
    on(
        "text_answer_shape",
        |input| json!({"score": real(answer_shape(text(input, "prompt"), text(input, "response")))}),
    );
    on(
        "text_density",
        |input| json!({"density": real(statistics(input).density())}),
    );
    on(
        "text_specificity",
        |input| json!({"specificity": real(statistics(input).specificity())}),
    );
    on(
        "text_heuristic_coherence",
        |input| json!({"coherence": real(statistics(input).heuristic_coherence())}),
    );
    on("text_discourse_markers", |input| {
        let markers = discourse_markers(text(input, "text"));
        let lower: Vec<String> = markers.iter().map(|marker| marker.to_lowercase()).collect();
        json!({"count": lower.len(), "markers": lower})
    });
    on(
        "text_split_sentences",
        |input| json!({"sentences": sentences(text(input, "text"))}),
    );
    on(
        "text_split_prompt_components",
        |input| json!({"components": prompt_components(text(input, "prompt"))}),
    );
}

fn text<'input>(input: &'input Value, name: &str) -> &'input str {
    input[name].as_str().unwrap()
}

fn statistics(input: &Value) -> TextStatistics {
    TextStatistics::of(text(input, "text"))
}
