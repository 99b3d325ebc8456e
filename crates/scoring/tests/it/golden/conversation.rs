use adit_primitives::Uid;
use adit_scoring::{
    Error,
    conversation::{
        ConversationPolicy, TagAverageRules, TagAverages, TagCentre, TagReference, TagVector,
        TagVerdict, TaggingTask, UnusableVector, Windows, adjusted_score, checked_tags, clean_tags,
        compare_tags, conversation_windows, cubic_rank_weight, evaluate_all,
        legacy::{TagCounts, base_score, bell_curve_rewards},
        lines_kept, normalise_tag, penalised_score, ranked_weights, semantic_neighbourhood,
        split_tags, tag_similarity, tag_statistics, tags_to_check, update_tag_averages,
    },
    weights::v10::{ProcessLimits, emit, process},
};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome, Real, real, recipe_vector};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Value, json};

/// Where the original raises, ours refuses with an error that says why.
const REFUSES: &str = "conversation-refuses-with-a-typed-error";

pub(super) fn register(suite: &mut GoldenSuite) {
    let system = "conversation";
    suite.on(system, "split_overlap_array", split_overlap_array);
    suite.on(system, "conversation_bundle_windows", bundle_windows);
    suite.on(system, "get_safe_tag", safe_tag);
    suite.on(system, "get_clean_tag_set", clean_tag_set);
    suite.on(system, "llm_comma_parse", |file, case| {
        let parts = split_tags(case.input["response"].as_str().unwrap());
        Outcome::compare(file, case, &json!(parts))
    });
    suite.on(system, "compare_arrays", compare_arrays);
    suite.on(system, "validate_tag_set", validate_tag_set);
    suite.on(system, "semantic_neighborhood", neighbourhood);
    suite.on(system, "score_vector_similarity", similarity);
    suite.on(system, "calculate_stats_and_adjusted", statistics);
    suite.on(system, "calculate_penalty", penalty);
    suite.on(system, "evaluate", evaluate);
    suite.on(system, "update_scores", update_scores);
    suite.on(system, "transposed_cubic_distribution", cubic);
    suite.on(system, "get_raw_weights", raw_weights);
    suite.on(system, "pipeline_evaluate_ema_weights", pipeline);
    suite.on(system, "legacy_bell_curve_rewards", bell_curve);
    suite.on(system, "legacy_base_score", legacy_base);
}

fn policy() -> ConversationPolicy {
    ConversationPolicy::original()
}

fn reals(value: &Value) -> Vec<f64> {
    let numbers = Vec::<Real>::deserialize(value).unwrap();
    numbers.into_iter().map(|number| number.0).collect()
}

fn one(value: &Value) -> f64 {
    Real::deserialize(value).unwrap().0
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn written(numbers: &[f64]) -> Value {
    numbers.iter().map(|number| real(*number)).collect()
}

fn compare_set(case: &GoldenCase, mut found: Vec<String>) -> Outcome {
    found.sort_unstable();
    let mut expected: Vec<String> = case.expected_as().unwrap();
    expected.sort_unstable();
    Outcome::when(
        found == expected,
        format!("{found:?}, expected {expected:?}"),
    )
}

/// What ours refuses, the original must have raised.
fn refused(case: &GoldenCase, error: &Error) -> Outcome {
    if case.raises().is_some() {
        Outcome::Deviates(REFUSES)
    } else {
        Outcome::Failed(format!("refused: {error}"))
    }
}

fn split_overlap_array(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let number = |name: &str| usize::try_from(case.input[name].as_u64().unwrap()).unwrap();
    let windows = Windows::new(number("n"), number("size"), number("overlap"));
    let found: Value = windows
        .map(|window| {
            if window.is_empty() {
                json!([null, 0])
            } else {
                json!([window.start, window.len()])
            }
        })
        .collect();
    Outcome::compare(file, case, &found)
}

fn bundle_windows(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let mut rules = policy().windows;
    if let Some(most) = case.input["max_convo_lines"].as_u64() {
        rules.lines_most = usize::try_from(most).unwrap();
    }
    let lines = usize::try_from(case.input["lines"].as_u64().unwrap()).unwrap();
    let minimum = case.input["min_convo_windows"].as_i64();
    let windows: Value = conversation_windows(&rules, lines, minimum)
        .enumerate()
        .map(|(index, window)| json!([index, window.start, window.len()]))
        .collect();
    let kept = lines_kept(&rules, lines);
    let found = json!({"total": kept, "lines_kept": kept, "windows": windows});
    Outcome::compare(file, case, &found)
}

fn safe_tag(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let text = case.input["s"].as_str().unwrap();
    let tag = normalise_tag(policy().tags.form, text);
    Outcome::compare(file, case, &json!(tag))
}

fn clean_tag_set(_: &GoldenFile, case: &GoldenCase) -> Outcome {
    let rules = policy().tags;
    // The original takes whatever Python can iterate, and nothing of what it cannot.
    let given: Vec<String> = match &case.input["tags"] {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::String(text) => text.chars().map(String::from).collect(),
        other => texts(other)
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    compare_set(case, clean_tags(&rules, given.iter().map(String::as_str)))
}

fn compare_arrays(_: &GoldenFile, case: &GoldenCase) -> Outcome {
    let (truth, miner) = (&case.input["ground_truth"], &case.input["miner"]);
    let (truth, miner) = (texts(truth).unwrap(), texts(miner).unwrap());
    let found = compare_tags(&truth, &miner);
    let sorted = |name: &str, mut tags: Vec<&str>| {
        tags.sort_unstable();
        let mut expected = texts(&case.expected[name]).unwrap();
        expected.sort_unstable();
        tags == expected
    };
    let same = sorted("both", found.both.clone())
        && sorted("unique_1", found.left_only.clone())
        && sorted("unique_2", found.right_only.clone());
    Outcome::when(same, format!("{found:?}"))
}

fn validate_tag_set(_: &GoldenFile, case: &GoldenCase) -> Outcome {
    let rules = policy().tags;
    let tags = texts(&case.input["tags"]).unwrap_or_default();
    let reply = case.input["llm_response"].as_str();
    let asked = tags_to_check(&rules, &tags, &mut ChaCha8Rng::seed_from_u64(0));
    match asked.and_then(|_| checked_tags(&rules, &tags, reply)) {
        Err(error) => refused(case, &error),
        Ok(None) => Outcome::when(case.expected.is_null(), "nothing, expected tags"),
        Ok(Some(found)) => compare_set(case, found),
    }
}

/// The vectors of `{tag: vector}`, in the file's order.
fn vectors(value: &Value) -> Vec<(&str, Vec<f64>)> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .filter_map(|(tag, vector)| Some((tag.as_str(), recipe_vector(vector)?)))
        .collect()
}

fn neighbourhood(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let vectors = in_order(&case.input["vectors"]);
    let slices: Vec<&[f64]> = vectors
        .iter()
        .map(|(_, vector)| vector.as_slice())
        .collect();
    // The original keeps one more than it is told.
    let most = case.input["tag_count_ceiling"].as_u64();
    let most = most.map(|most| usize::try_from(most).unwrap() + 1);
    match semantic_neighbourhood(&slices, most) {
        Ok(mean) => {
            let mean = mean.map_or(Value::Null, |mean| match &case.expected {
                Value::Object(_) => summary(&mean),
                _ => written(&mean),
            });
            Outcome::compare(file, case, &mean)
        }
        Err(error) => refused(case, &error),
    }
}

/// What a file tells of a long vector.
fn summary(vector: &[f64]) -> Value {
    let square: f64 = vector.iter().map(|value| value * value).sum();
    json!({
        "dim": vector.len(),
        "first8": vector.iter().take(8).collect::<Vec<_>>(),
        "sum": vector.iter().sum::<f64>(),
        "l2": square.sqrt(),
    })
}

/// [`vectors`] in the order that Python has them: `t2` before `t10`.
fn in_order(value: &Value) -> Vec<(&str, Vec<f64>)> {
    let mut vectors = vectors(value);
    vectors.sort_by_key(|(tag, _)| (tag.len(), *tag));
    vectors
}

fn similarity(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let centre = recipe_vector(&case.input["neighborhood"]).map(TagCentre::new);
    let vector = recipe_vector(&case.input["vector"]).unwrap();
    let unusable = match case.input["container"].as_str() {
        Some("ndarray") => UnusableVector::PoisonsUnlessZero,
        _ => UnusableVector::Poisons,
    };
    let found = tag_similarity(centre.as_ref(), &vector, unusable);
    match case.rest.get("class").and_then(Value::as_str) {
        Some("tiny") => {
            let expected = one(&case.expected);
            Outcome::when((found - expected).abs() <= 1e-3, format!("{found}"))
        }
        _ => Outcome::compare(file, case, &real(found)),
    }
}

fn statistics(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let rules = policy().scores;
    let mut scores = reals(&case.input["scores"]);
    let mut unique = reals(&case.input["scores_unique"]);
    let found = tag_statistics(&rules, &mut scores, &mut unique);
    let found = json!({
        "top_3_mean": real(found.top),
        "median_score": real(found.median),
        "mean_score": real(found.mean),
        "max_score": real(found.max),
        "min_score": real(found.min),
        "adjusted_score": real(adjusted_score(&rules, &found)),
    });
    Outcome::compare(file, case, &found)
}

fn penalty(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let number = |name: &str| usize::try_from(case.input[name].as_u64().unwrap()).unwrap();
    let (tags, unique) = (number("num_tags"), number("num_unique_tags"));
    let (score, max) = (one(&case.input["score"]), one(&case.input["max_score"]));
    let found = penalised_score(&policy().penalties, score, tags, unique, max);
    Outcome::compare(file, case, &real(found))
}

fn task(name: &Value) -> TaggingTask {
    match name.as_str().unwrap() {
        "survey_min1" => TaggingTask::Survey,
        "no_penalty_ner" => TaggingTask::NamedEntities,
        _ => TaggingTask::Conversation,
    }
}

/// An answer's tags with their vectors. What is no list of texts is no answer.
fn answer(response: &Value) -> Vec<(&str, Option<Vec<f64>>)> {
    let output = &response["cgp_output"][0];
    let tags = texts(&output["tags"]).unwrap_or_default().into_iter();
    tags.map(|tag| (tag, output["vectors"].get(tag).and_then(recipe_vector)))
        .collect()
}

fn verdicts(task_input: &Value) -> Result<Vec<TagVerdict>, Error> {
    let policy = policy();
    let tags = texts(&task_input["gt_tags"]).unwrap();
    let truth = vectors(&task_input["gt_vectors"]);
    let slices: Vec<&[f64]> = truth.iter().map(|(_, vector)| vector.as_slice()).collect();
    let reference = TagReference::new(&policy, &tags, &slices)?;
    let responses = task_input["responses"].as_array().unwrap();
    let answers: Vec<_> = responses.iter().map(answer).collect();
    let answers: Vec<Vec<TagVector<'_, f64>>> = answers
        .iter()
        .map(|answer| {
            let tags = answer.iter();
            tags.map(|(tag, vector)| TagVector {
                tag,
                vector: vector.as_deref(),
            })
            .collect()
        })
        .collect();
    let task = task(&task_input["mechanism"]);
    Ok(evaluate_all(
        &policy,
        task,
        &reference,
        answers.iter().map(Vec::as_slice),
    ))
}

fn evaluate(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let verdicts = match verdicts(&case.input) {
        Ok(verdicts) => verdicts,
        Err(error) => return refused(case, &error),
    };
    let adjusted: Vec<f64> = verdicts.iter().map(|verdict| verdict.adjusted).collect();
    let scores: Vec<f64> = verdicts.iter().map(|verdict| verdict.score).collect();
    let responses = case.input["responses"].as_array().unwrap().iter();
    let hotkeys: Value = responses.map(|one| one["hotkey"].clone()).collect();
    let found = json!({
        "adjusted": written(&adjusted),
        "final": written(&scores),
        "rank_scores": written(&scores),
        // Who answered is the caller's to know: scores stand in the order of the answers.
        "hotkeys": hotkeys,
    });
    Outcome::compare(file, case, &found)
}

fn uids(value: &Value) -> Vec<usize> {
    let uids = value.as_array().unwrap().iter();
    uids.map(|uid| usize::try_from(uid.as_u64().unwrap()).unwrap())
        .collect()
}

fn update_scores(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let rules = TagAverageRules {
        alpha: one(&case.input["alpha"]),
        power: one(&case.input["power"]),
        ..policy().averages
    };
    let mut averages = singles(&reals(&case.input["ema"]));
    let mut found = Vec::new();
    for step in case.input["steps"].as_array().unwrap() {
        let (uids, rewards) = (uids(&step["uids"]), reals(&step["rewards"]));
        let round = update_tag_averages(&rules, &averages, &uids, &rewards).unwrap();
        found.push(json!({
            "scores": written(&doubles(&round.scores)),
            "ema": written(&doubles(&round.averages)),
        }));
        averages = round.averages;
    }
    Outcome::compare(file, case, &Value::Array(found))
}

fn singles(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|number| *number as f32).collect()
}

fn doubles(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

fn cubic(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let number = |name: &str| usize::try_from(case.input[name].as_u64().unwrap()).unwrap();
    match cubic_rank_weight(&policy().weights, number("i"), number("num_uids")) {
        Ok(weight) => Outcome::compare(file, case, &real(weight)),
        Err(error) => refused(case, &error),
    }
}

/// Sorts the entries of each group of equal scores, whose order the original draws by lot.
fn with_sorted_ties(values: &[f64], groups: &Value) -> Vec<f64> {
    let mut sorted = values.to_vec();
    for group in groups.as_array().unwrap() {
        let group = uids(group);
        let mut tied: Vec<f64> = group.iter().map(|uid| values[*uid]).collect();
        tied.sort_by(f64::total_cmp);
        for (uid, value) in group.iter().zip(tied) {
            sorted[*uid] = value;
        }
    }
    sorted
}

fn raw_weights(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let mut rules = policy().weights;
    if let Some(rate) = case.input.get("burn_rate") {
        rules.burn_rate = one(rate);
    }
    let scores = match &case.input["scores"] {
        Value::Null => Vec::new(),
        scores => reals(scores),
    };
    let burn_uid = case.input.get("burn_uid").and_then(Value::as_u64);
    let burn_uid = burn_uid.map(|uid| usize::try_from(uid).unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let Ok(weights) = ranked_weights(&rules, &scores, burn_uid, &mut rng) else {
        return Outcome::when(case.expected.is_null(), "refused");
    };
    if case.expected.is_null() {
        return Outcome::Failed("weights where the original has none".to_owned());
    }
    let groups = &case.expected["tie_groups"];
    let sorted = |weights: &[f64]| written(&with_sorted_ties(weights, groups));
    let settled = GoldenCase {
        expected: json!({
            "weights": sorted(&reals(&case.expected["weights"])),
            "sum": case.expected["sum"],
        }),
        ..case.clone()
    };
    let sum: f64 = weights.iter().sum();
    let found = json!({"weights": sorted(&weights), "sum": real(sum)});
    Outcome::compare(file, &settled, &found)
}

fn pipeline(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let policy = policy();
    let neurons = usize::try_from(case.input["neurons"].as_u64().unwrap()).unwrap();
    let burn_uid = case.input.get("burn_uid").and_then(Value::as_u64);
    let burn_uid = burn_uid.map(|uid| usize::try_from(uid).unwrap());
    let mut state = TagAverages {
        averages: vec![0.0; neurons],
        scores: vec![0.0; neurons],
    };
    let mut rounds = Vec::new();
    for task in case.input["tasks"].as_array().unwrap() {
        let verdicts = match verdicts(task) {
            Ok(verdicts) => verdicts,
            Err(error) => return refused(case, &error),
        };
        let scores: Vec<f64> = verdicts.iter().map(|verdict| verdict.score).collect();
        rounds.push(json!({"rank_scores": written(&scores)}));
        let (rules, uids) = (&policy.averages, uids(&task["uids"]));
        state = update_tag_averages(rules, &state.averages, &uids, &scores).unwrap();
    }
    let scores = doubles(&state.scores);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let weights = ranked_weights(&policy.weights, &scores, burn_uid, &mut rng).unwrap();
    let uids = (0..=u16::MAX).map(Uid);
    let row: Vec<(Uid, f32)> = uids
        .zip(&weights)
        .map(|(uid, weight)| (uid, *weight as f32))
        .collect();
    let limits = ProcessLimits {
        neurons,
        min_allowed: 1,
        ..ProcessLimits::default()
    };
    let emitted = emit(&process(&row, &limits).unwrap()).unwrap();
    let (uids, values): (Vec<usize>, Vec<u16>) = emitted
        .iter()
        .map(|(uid, value)| (usize::from(uid.0), *value))
        .unzip();
    let groups = &case.expected["tie_groups"];
    let sorted = |weights: &[f64]| written(&with_sorted_ties(weights, groups));
    let dense = |uids: &[usize], values: Vec<f64>| {
        let mut row = vec![0.0; neurons];
        for (uid, value) in uids.iter().zip(values) {
            row[*uid] = value;
        }
        with_sorted_ties(&row, groups)
    };
    let ours = dense(&uids, values.into_iter().map(f64::from).collect());
    let theirs = self::uids(&case.expected["emit_uids"]);
    let theirs = dense(&theirs, reals(&case.expected["emit_weights_u16"]));
    if let Some((ours, theirs)) = ours
        .iter()
        .zip(&theirs)
        .find(|(a, b)| (**a - **b).abs() > 1.0)
    {
        return Outcome::Failed(format!("{ours} emitted, expected {theirs}"));
    }
    let without_emit = GoldenCase {
        expected: json!({
            "rounds": case.expected["rounds"],
            "ema": case.expected["ema"],
            "scores": case.expected["scores"],
            "raw_weights": sorted(&reals(&case.expected["raw_weights"])),
        }),
        ..case.clone()
    };
    let found = json!({
        "rounds": rounds,
        "ema": written(&doubles(&state.averages)),
        "scores": written(&scores),
        "raw_weights": sorted(&weights),
    });
    Outcome::compare(file, &without_emit, &found)
}

fn bell_curve(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    match bell_curve_rewards(&reals(&case.input["scores"])) {
        Ok(rewards) => Outcome::compare(file, case, &written(&rewards)),
        Err(error) => refused(case, &error),
    }
}

fn legacy_base(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let number = |name: &str| usize::try_from(case.input[name].as_u64().unwrap()).unwrap();
    let found = base_score(TagCounts {
        reference: number("total_1"),
        answer: number("total_2"),
        reference_only: number("unique_1"),
        answer_only: number("unique_2"),
        both: number("both"),
    });
    Outcome::compare(file, case, &real(found))
}
