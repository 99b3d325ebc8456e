use adit_primitives::Uid;
use adit_scoring::{
    Error,
    weights::{
        WeightLimits, clip_to_max_weight, normalise, quantise, ratio_row, row_shares, split_u16,
        v10::{self, ProcessLimits},
    },
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, Real, Tolerance};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{pairs, reals, settled, uids};

/// Single precision is recorded widened; these are its last digit and nothing more.
const EXACT: Tolerance = Tolerance::EXACT;

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on_document("chain", "weights", |document| {
        let mut outcomes = Vec::new();
        each(document, "weights", "emit", &mut outcomes, emit);
        each(
            document,
            "weights",
            "normalize_max_weight",
            &mut outcomes,
            clip,
        );
        each(
            document,
            "weights",
            "process_weights",
            &mut outcomes,
            process,
        );
        each(document, "weights", "split_u16", &mut outcomes, split);
        each(document, "weights", "to_tensor", &mut outcomes, row);
        outcomes
    });
    suite.on_document("chain", "weights_v11", |document| {
        let mut outcomes = Vec::new();
        each(
            document,
            "weights_v11",
            "normalize",
            &mut outcomes,
            normalised,
        );
        each(
            document,
            "weights_v11",
            "clip_to_max_weight",
            &mut outcomes,
            clip_v11,
        );
        each(document, "weights_v11", "conform", &mut outcomes, conform);
        outcomes
    });
}

/// Runs every entry of one list of the document.
fn each<T: DeserializeOwned>(
    document: &Value,
    stem: &str,
    list: &str,
    outcomes: &mut Vec<(String, String, Outcome)>,
    judge: impl Fn(T) -> Outcome,
) {
    for (place, entry) in document[list].as_array().into_iter().flatten().enumerate() {
        let label = entry.get("label").and_then(Value::as_str);
        let id = label.map_or_else(|| place.to_string(), str::to_owned);
        let outcome = match T::deserialize(entry) {
            Ok(entry) => judge(entry),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        outcomes.push((format!("{stem}.{list}"), id, outcome));
    }
}

fn compared(
    found: adit_scoring::Result<Value>,
    expected: Value,
    raises: bool,
    tolerance: Tolerance,
) -> Outcome {
    let case = GoldenCase {
        expected,
        ..GoldenCase::default()
    };
    settled(found, raises, |found| {
        Outcome::compare_within(&case, found, tolerance)
    })
}

#[derive(Deserialize)]
struct Emit {
    input_kind: String,
    uids: Vec<i64>,
    weights: Vec<Real>,
    #[serde(default)]
    out_uids: Vec<u16>,
    #[serde(default)]
    out_vals: Vec<u16>,
    error: Option<String>,
}

fn emit(case: Emit) -> Outcome {
    // The SDK turns lists into single precision and leaves arrays as they are.
    let single = case.input_kind.starts_with("list");
    let rounded = |weight: &Real| {
        if single {
            f64::from(weight.0 as f32)
        } else {
            weight.0
        }
    };
    let weights: Vec<f64> = case.weights.iter().map(rounded).collect();
    let Some(pairs) = pairs(&case.uids, &weights) else {
        return Outcome::when(case.error.is_some(), "our types refuse it");
    };
    let found = v10::emit(&pairs).map(|emitted| {
        let values: Vec<u16> = emitted.iter().map(|(_, value)| *value).collect();
        json!([uids(&emitted), values])
    });
    compared(
        found,
        json!([case.out_uids, case.out_vals]),
        case.error.is_some(),
        EXACT,
    )
}

#[derive(Deserialize)]
struct Clip {
    #[serde(alias = "weights")]
    x: Vec<Real>,
    #[serde(default)]
    dtype: String,
    limit: Real,
    #[serde(default)]
    out: Value,
    error: Option<String>,
}

fn clip(case: Clip) -> Outcome {
    let wide = || case.x.iter().map(|weight| weight.0);
    let found = if case.dtype == "float32" {
        let weights: Vec<f32> = wide().map(|weight| weight as f32).collect();
        v10::clip_to_max_weight(&weights, case.limit.0)
            .map(|shares| reals(shares.into_iter().map(f64::from)))
    } else {
        v10::clip_to_max_weight_f64(&wide().collect::<Vec<f64>>(), case.limit.0).map(reals)
    };
    compared(found, case.out, case.error.is_some(), EXACT)
}

#[derive(Deserialize)]
struct Process {
    uids: Vec<i64>,
    weights: Vec<Real>,
    num_neurons: usize,
    min_allowed_weights: usize,
    max_weight_limit: Real,
    exclude_quantile: u16,
    #[serde(default)]
    out_uids: Value,
    #[serde(default)]
    out_weights: Value,
    error: Option<String>,
}

fn process(case: Process) -> Outcome {
    let weights: Vec<f32> = case.weights.iter().map(|weight| weight.0 as f32).collect();
    let Some(pairs) = pairs(&case.uids, &weights) else {
        return Outcome::when(case.error.is_some(), "our types refuse it");
    };
    let limits = ProcessLimits {
        neurons: case.num_neurons,
        min_allowed: case.min_allowed_weights,
        max_share: case.max_weight_limit.0,
        exclude_quantile: case.exclude_quantile,
    };
    let found = v10::process(&pairs, &limits)
        .map(|shares| json!([uids(&shares), reals(shares.iter().map(|(_, share)| *share))]));
    let expected = json!([case.out_uids, case.out_weights]);
    compared(found, expected, case.error.is_some(), EXACT)
}

#[derive(Deserialize)]
struct Split {
    input: Vec<Real>,
    #[serde(default)]
    out: Value,
    error: Option<String>,
}

fn split(case: Split) -> Outcome {
    let parts: Vec<f64> = case.input.iter().map(|part| part.0).collect();
    let found = split_u16(&parts).map(|split| json!(split));
    compared(found, case.out, case.error.is_some(), EXACT)
}

#[derive(Deserialize)]
struct Row {
    n: usize,
    uids: Vec<i64>,
    vals: Vec<u16>,
    #[serde(default)]
    out: Value,
    error: Option<String>,
}

fn row(case: Row) -> Outcome {
    let Some(pairs) = pairs(&case.uids, &case.vals) else {
        return Outcome::when(case.error.is_some(), "our types refuse it");
    };
    let found = row_shares(&pairs, case.n).map(|shares| reals(shares.into_iter().map(f64::from)));
    compared(found, case.out, case.error.is_some(), EXACT)
}

fn clip_v11(case: Clip) -> Outcome {
    let weights: Vec<f64> = case.x.iter().map(|weight| weight.0).collect();
    let found = clip_to_max_weight(&weights, case.limit.0).map(reals);
    compared(
        found,
        case.out,
        case.error.is_some(),
        Tolerance::absolute(1e-12),
    )
}

#[derive(Deserialize)]
struct Conform {
    uids: Vec<i64>,
    weights: Vec<Real>,
    #[serde(default)]
    own_uid: u16,
    #[serde(default)]
    min_allowed_weights: u16,
    max_weight_limit_u16: Option<u16>,
    #[serde(default)]
    raw_u16: bool,
    #[serde(default)]
    out_uids: Vec<i64>,
    #[serde(default)]
    out_values: Vec<u16>,
    error: Option<String>,
    message: Option<String>,
}

impl Conform {
    fn scores(&self) -> Option<Vec<(Uid, f64)>> {
        let weights: Vec<f64> = self.weights.iter().map(|weight| weight.0).collect();
        pairs(&self.uids, &weights)
    }

    /// By uid, as our rows are.
    fn expected(&self) -> Value {
        let mut pairs = pairs(&self.out_uids, &self.out_values).unwrap();
        pairs.sort();
        json!(pairs)
    }
}

fn normalised(case: Conform) -> Outcome {
    let Some(scores) = case.scores() else {
        return Outcome::when(case.error.is_some(), "our types refuse it");
    };
    let weights: Vec<f64> = scores.iter().map(|(_, weight)| *weight).collect();
    let found = normalise(&weights).map(|values| {
        let uids = scores.iter().map(|(uid, _)| *uid);
        let mut pairs: Vec<(Uid, u16)> = uids.zip(values).filter(|(_, value)| *value > 0).collect();
        pairs.sort();
        json!(pairs)
    });
    compared(found, case.expected(), case.error.is_some(), EXACT)
}

fn conform(case: Conform) -> Outcome {
    let Some(scores) = case.scores() else {
        return Outcome::when(case.error.is_some(), "our types refuse it");
    };
    let limits = WeightLimits {
        min_allowed: case.min_allowed_weights,
        max_weight: case.max_weight_limit_u16.unwrap_or(u16::MAX),
        own_uid: Some(Uid(case.own_uid)),
    };
    let found = if case.raw_u16 {
        let ratios = scores
            .iter()
            .map(|(uid, weight)| Some((*uid, ratio(*weight)?)));
        let Some(ratios) = ratios.collect::<Option<Vec<(Uid, u16)>>>() else {
            return Outcome::when(case.error.is_some(), "our types refuse it");
        };
        ratio_row(&ratios, limits)
    } else {
        quantise(&scores, limits)
    };
    if let Err(error) = &found {
        let message = case.message.as_deref().unwrap_or_default();
        let same = match error {
            Error::NoWeights => message.contains("zero"),
            Error::TooFewWeights { .. } => message.contains("requires at least"),
            _ => case.error.is_some(),
        };
        return Outcome::when(same, format!("{error} against {message:?}"));
    }
    let found = found.map(|vector| json!(vector.pairs()));
    compared(found, case.expected(), case.error.is_some(), EXACT)
}

/// The integer that a number is, within u16.
fn ratio(weight: f64) -> Option<u16> {
    let whole = weight as u16;
    (f64::from(whole) == weight).then_some(whole)
}
