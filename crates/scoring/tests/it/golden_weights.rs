//! Weights against version 11 of the field's SDK.

use adit_primitives::Uid;
use adit_scoring::{
    Error,
    weights::{WeightLimits, clip_to_max_weight, normalise, quantise},
};
use adit_testkit::{Real, load_json};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    normalize: Vec<Case>,
    clip_to_max_weight: Vec<Clip>,
    conform: Vec<Case>,
}

#[derive(Deserialize)]
struct Clip {
    weights: Vec<Real>,
    limit: Real,
    #[serde(default)]
    out: Vec<Real>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Case {
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
    out_uids: Vec<u16>,
    #[serde(default)]
    out_values: Vec<u16>,
    error: Option<String>,
    message: Option<String>,
}

impl Case {
    /// None where our types already exclude the case: lists of different lengths and uids outside
    /// u16 (deviation `excluded-by-type`).
    fn scores(&self) -> Option<Vec<(Uid, f64)>> {
        if self.uids.len() != self.weights.len() {
            return None;
        }
        let pairs = self.uids.iter().zip(&self.weights);
        pairs
            .map(|(uid, weight)| Some((Uid(u16::try_from(*uid).ok()?), weight.0)))
            .collect()
    }

    fn expected(&self) -> Vec<(Uid, u16)> {
        let pairs = self.out_uids.iter().zip(&self.out_values);
        let mut pairs: Vec<(Uid, u16)> = pairs.map(|(uid, value)| (Uid(*uid), *value)).collect();
        pairs.sort();
        pairs
    }
}

fn file() -> File {
    load_json("chain/weights_v11.json").unwrap()
}

#[test]
fn normalise_equals_the_recorded_values() {
    let mut compared = 0;
    for case in file().normalize {
        let Some(scores) = case.scores() else {
            assert!(case.error.is_some());
            continue;
        };
        let weights: Vec<f64> = scores.iter().map(|(_, weight)| *weight).collect();
        match normalise(&weights) {
            Ok(values) => {
                let pairs = scores
                    .iter()
                    .zip(values)
                    .map(|((uid, _), value)| (*uid, value));
                let mut found: Vec<(Uid, u16)> = pairs.filter(|(_, value)| *value > 0).collect();
                found.sort();
                assert_eq!(found, case.expected());
                compared += 1;
            }
            Err(error) => assert!(case.error.is_some(), "{error}"),
        }
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn clip_to_max_weight_equals_the_recorded_shares() {
    for case in file().clip_to_max_weight {
        let weights: Vec<f64> = case.weights.iter().map(|weight| weight.0).collect();
        let Ok(found) = clip_to_max_weight(&weights, case.limit.0) else {
            assert!(case.error.is_some());
            continue;
        };
        assert_eq!((found.len(), case.error.is_none()), (case.out.len(), true));
        for (found, expected) in found.iter().zip(&case.out) {
            assert!(
                (found - expected.0).abs() <= 1e-12,
                "{found} against {}",
                expected.0
            );
        }
    }
}

/// Deviation `no-raw-weights`: we never submit integer ratios unscaled.
#[test]
fn quantise_equals_the_recorded_rows() {
    let mut compared = 0;
    for case in file().conform.iter().filter(|case| !case.raw_u16) {
        let Some(scores) = case.scores() else {
            assert!(case.error.is_some());
            continue;
        };
        let limits = WeightLimits {
            min_allowed: case.min_allowed_weights,
            max_weight: case.max_weight_limit_u16.unwrap_or(u16::MAX),
            own_uid: Some(Uid(case.own_uid)),
        };
        match quantise(&scores, limits) {
            Ok(vector) => assert_eq!(vector.pairs(), case.expected()),
            Err(error) => {
                let message = case.message.as_deref().unwrap_or_default();
                let same = match error {
                    Error::NoWeights => message.contains("zero"),
                    Error::TooFewWeights { .. } => message.contains("requires at least"),
                    _ => case.error.is_some(),
                };
                assert!(same, "{error} against {message:?}");
            }
        }
        compared += 1;
    }
    assert!(compared >= 25, "{compared}");
}

proptest! {
    #[test]
    fn quantise_is_total(
        scores in prop::collection::vec((0_u16..40, any::<f64>()), 0..40),
        min_allowed in 0_u16..20,
        max_weight in any::<u16>(),
        own in prop::option::of(0_u16..40),
    ) {
        let scores: Vec<(Uid, f64)> = scores.into_iter().map(|(uid, score)| (Uid(uid), score)).collect();
        let limits = WeightLimits { min_allowed, max_weight, own_uid: own.map(Uid) };
        if let Ok(vector) = quantise(&scores, limits) {
            prop_assert!(vector.pairs().iter().any(|(_, weight)| *weight == u16::MAX));
            prop_assert!(vector.pairs().iter().all(|(_, weight)| *weight > 0));
        }
    }

    #[test]
    fn clipped_shares_sum_to_one_below_the_limit(
        weights in prop::collection::vec(0.0_f64..1e3, 1..60),
        limit in 0.0_f64..1.0,
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0.0));
        let shares = clip_to_max_weight(&weights, limit).unwrap();
        prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let bound = limit.max(1.0 / weights.len() as f64) + 1e-5;
        prop_assert!(shares.iter().all(|share| *share <= bound), "{shares:?} under {limit}");
    }
}
