//! Lengths, multipliers, needles and patterns.

use adit_scoring::long_context::{
    length::{
        ContextClass, estimate_tokens_by_characters, estimate_tokens_by_words,
        needs_infinite_context,
    },
    multiplier::{MultiplierTable, bucket_reward},
    needle::{Difficulty, NeedlePosition, difficulty},
    pattern::SequencePattern,
};
use adit_testkit::{GoldenSuite, Outcome, real};
use serde_json::json;

use super::{number, text};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on(
        "quasar",
        "quasar.protocol.context_length_category",
        |file, case| {
            let tokens = case.input["context_length"].as_u64().unwrap_or(0);
            let name = ContextClass::of_request(tokens).map_or("unknown", ContextClass::name);
            Outcome::compare(file, case, &json!(name))
        },
    );
    suite.on(
        "quasar",
        "quasar.benchmarks.context_length_estimates",
        |file, case| {
            let context = text(&case.input, "context");
            let by_words = estimate_tokens_by_words(context);
            let found = json!({
                "quasar_chars_div4": estimate_tokens_by_characters(context),
                "benchmarks_words_x1_3": by_words,
                "category": ContextClass::of_task(by_words).name(),
                "validate": !context.is_empty(),
            });
            Outcome::compare(file, case, &found)
        },
    );
    suite.on(
        "quasar",
        "quasar.context_builder.estimate_context_tokens",
        |file, case| {
            let tokens = estimate_tokens_by_characters(text(&case.input, "context"));
            Outcome::compare(file, case, &json!(tokens))
        },
    );
    suite.on("quasar", "quasar.benchmarks.task_flags", |file, case| {
        let tokens = case.input["context_length"].as_u64().unwrap();
        let difficulty = Difficulty::named(text(&case.input, "difficulty")).unwrap();
        let found = json!({
            "category": ContextClass::of_task(tokens).name(),
            "infinite": needs_infinite_context(tokens, difficulty),
        });
        Outcome::compare(file, case, &found)
    });
    suite.on(
        "quasar",
        "quasar.benchmarks.needle_difficulty",
        |file, case| {
            let tokens = case.input["context_length"].as_u64().unwrap();
            let position = NeedlePosition::named(text(&case.input, "position_type")).unwrap();
            Outcome::compare(file, case, &json!(difficulty(tokens, position).name()))
        },
    );
    suite.on("quasar", "quasar.api.leagues", |file, case| {
        let leagues = MultiplierTable::leagues();
        let tokens = case.input["n"].as_u64().unwrap_or(0);
        let reached = leagues.reached(tokens).unwrap();
        let found = json!({
            "get_league": leagues.enclosing(tokens).unwrap().name,
            "get_league_for_seq_len": reached.name,
            "multiplier": reached.multiplier,
        });
        Outcome::compare(file, case, &found)
    });
    suite.on("quasar", "seed_text.bucket_reward", |file, case| {
        let documented = MultiplierTable::documented();
        let row = documented.named(text(&case.input, "bucket")).unwrap();
        let accuracy = number(&case.input, "accuracy").unwrap();
        let reward = bucket_reward(accuracy, row.multiplier).unwrap();
        Outcome::compare(file, case, &real(reward))
    });
    suite.on(
        "quasar",
        "quasar.forward.get_expected_pattern_results",
        |file, case| {
            let pattern = SequencePattern::named(text(&case.input, "pattern_type"));
            let found = pattern.map_or_else(Vec::new, SequencePattern::continuation);
            Outcome::compare(file, case, &json!(found))
        },
    );
}
