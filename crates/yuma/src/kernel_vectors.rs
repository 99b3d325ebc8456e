//! The arithmetic inside the epoch against the chain's `math.rs`, bit for bit.

use std::{env, path::PathBuf};

use adit_testkit::{GoldenRules, GoldenSuite, Outcome, fixture};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    LiquidAlpha,
    fixed::Fixed,
    liquid::Sigmoid,
    median::Median,
    number::Number,
    vector::{normalize, top_nonzero},
    weights::upscale,
};

#[derive(Deserialize)]
#[serde(tag = "fn", rename_all = "snake_case")]
enum Case {
    WeightedMedian {
        stake: Vec<i64>,
        score: Vec<i64>,
        majority: i64,
        out: i64,
    },
    AlphaSigmoid {
        consensus: i64,
        weight: i64,
        bond: i64,
        lo: i64,
        hi: i64,
        steep: i64,
        out: i64,
    },
    ExpSafe {
        x: i64,
        out: i64,
    },
    #[serde(rename = "vec_max_upscale_to_u16")]
    Upscale {
        x: Vec<i64>,
        out: Vec<u16>,
    },
    IsTopkNonzero {
        x: Vec<i64>,
        k: usize,
        out: Vec<bool>,
    },
    Normalize {
        x: Vec<i64>,
        out: Vec<i64>,
    },
    /// Public functions, checked in `tests/it`.
    #[serde(other)]
    Public,
}

fn fixed(bits: &[i64]) -> Vec<Fixed> {
    bits.iter().copied().map(Fixed::from_bits).collect()
}

/// The `u16` whose proportion has these bits.
fn proportion(bits: i64) -> Option<u16> {
    let value = Fixed::from_bits(bits + 1).to_proportion();
    (Fixed::proportion(value).bits() == bits).then_some(value)
}

/// What became of a kernel; nothing for a public function, which `tests/it` checks.
fn answer(case: Case) -> Option<Outcome> {
    let is_equal = match case {
        Case::WeightedMedian {
            stake,
            score,
            majority,
            out,
        } => {
            let stake = fixed(&stake);
            let total: Fixed = stake.iter().copied().sum();
            let mut median = Median::new();
            median.fill(fixed(&score).into_iter().zip(stake));
            median
                .find(total.minus(Fixed::from_bits(majority)), total)
                .bits()
                == out
        }
        Case::AlphaSigmoid {
            consensus,
            weight,
            bond,
            lo,
            hi,
            steep,
            out,
        } => {
            let (Some(low), Some(high), Ok(steepness)) =
                (proportion(lo), proportion(hi), i16::try_from(steep >> 32))
            else {
                return Some(Outcome::Failed("no parameters of a chain".to_owned()));
            };
            let sigmoid = Sigmoid::<Fixed>::new(&LiquidAlpha {
                low,
                high,
                steepness,
            });
            let [consensus, weight, bond] = [consensus, weight, bond].map(Fixed::from_bits);
            sigmoid.alpha(consensus, weight, bond).bits() == out
        }
        Case::ExpSafe { x, out } => Fixed::from_bits(x).exp().bits() == out,
        Case::Upscale { x, out } => upscale(&fixed(&x)) == out,
        Case::IsTopkNonzero { x, k, out } => top_nonzero(&fixed(&x), k) == out,
        Case::Normalize { x, out } => {
            let mut values = fixed(&x);
            normalize(&mut values);
            values == fixed(&out)
        }
        Case::Public => return None,
    };
    Some(Outcome::when(is_equal, "other bits"))
}

fn answers(document: &Value) -> Vec<(String, String, Outcome)> {
    let cases = document["math"].as_array().into_iter().flatten();
    cases
        .enumerate()
        .filter_map(|(index, case)| {
            let function = format!("yuma.{}", case["fn"].as_str().unwrap_or("math"));
            let outcome = match Case::deserialize(case) {
                Ok(read) => answer(read)?,
                Err(error) => Outcome::Failed(error.to_string()),
            };
            Some((function, index.to_string(), outcome))
        })
        .collect()
}

#[test]
fn every_kernel_equals_the_chains() {
    let root = env::var_os("ADIT_GOLDEN").map_or_else(|| fixture("golden"), PathBuf::from);
    let mut suite = GoldenSuite::new("adit-yuma");
    suite.on_document("chain", "yuma", answers);
    let rules = GoldenRules::load().unwrap();
    let report = suite.run_in(&root, &rules, false).unwrap();
    println!("{report}");
    assert!(report.is_green());
}
