//! Descriptions in tokens: their count, their frame and their chunks.

use adit_scoring::video::original::{
    OriginalRules, distinct_tokens, framed_tokens, length_multiplier, split_by_tokens,
};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome};
use serde_json::{Value, json};

use super::clip_tokens::{decode, encode, is_mojibake};

pub(super) fn register(suite: &mut GoldenSuite) {
    on(suite, "unique_token_count", |_, text| {
        json!(distinct_tokens(&encode(text), 1_024))
    });
    on(suite, "tokenize_77", |_, text| {
        json!(framed_tokens(&encode(text), 77))
    });
    on(suite, "split_text_by_token_limit", |case, text| {
        let number = |name: &str| case.input[name].as_u64().unwrap() as usize;
        let (most, context) = (number("max_tokens"), number("tokenizer_context"));
        json!(split_by_tokens(text, most, context, &encode, &decode))
    });
    on(suite, "v2_text_chunks_tokens", |_, text| {
        if text.is_empty() {
            return json!([]);
        }
        let chunks = split_by_tokens(text, 74, 1_024, &encode, &decode);
        let rows = chunks.iter().map(|chunk| framed_tokens(&encode(chunk), 77));
        json!(rows.collect::<Vec<_>>())
    });
    on(suite, "description_length_multiplier", |_, text| {
        let count = distinct_tokens(&encode(text), 1_024);
        let found = length_multiplier(&OriginalRules::default(), count);
        json!({
            "unique_tokens": count,
            "length_scaler": found.scaler,
            "multiplier": found.multiplier,
        })
    });
}

fn on(
    suite: &mut GoldenSuite,
    function: &str,
    ours: impl Fn(&GoldenCase, &str) -> Value + 'static,
) {
    let function = format!("text.{function}");
    suite.on("omega", &function, move |file: &GoldenFile, case| {
        let text = case.input["text"].as_str().unwrap();
        match Outcome::compare(file, case, &ours(case, text)) {
            Outcome::Failed(_) if is_mojibake(text) => Outcome::Deviates("wrongly-decoded-text"),
            outcome => outcome,
        }
    });
}
