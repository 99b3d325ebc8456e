//! The arithmetic inside the epoch against the chain's `math.rs`, bit for bit.

use adit_testkit::load_json;
use serde::Deserialize;

use crate::{
    LiquidAlpha,
    bonds::liquid_alpha,
    exponential::exp,
    fixed::Fixed,
    median::weighted_median,
    vector::{normalize, top_nonzero},
    weights::upscale,
};

#[derive(Deserialize)]
struct Golden {
    math: Vec<Case>,
}

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
fn proportion(bits: i64) -> u16 {
    let value = Fixed::from_bits(bits + 1).to_proportion();
    assert_eq!(Fixed::proportion(value).bits(), bits);
    value
}

#[test]
fn every_kernel_equals_the_chains() {
    let golden: Golden = load_json("golden/chain/yuma.json").unwrap();
    let mut checked = 0;
    for case in golden.math {
        match case {
            Case::WeightedMedian {
                stake,
                score,
                majority,
                out,
            } => {
                let stake = fixed(&stake);
                let total: Fixed = stake.iter().copied().sum();
                let minority = total.minus(Fixed::from_bits(majority));
                let found = weighted_median(&stake, &fixed(&score), minority, total);
                assert_eq!(found.bits(), out, "{stake:?} {score:?} {majority}");
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
                let liquid = LiquidAlpha {
                    low: proportion(lo),
                    high: proportion(hi),
                    steepness: (steep >> 32) as i16,
                };
                let found = liquid_alpha(
                    Fixed::from_bits(consensus),
                    Fixed::from_bits(weight),
                    Fixed::from_bits(bond),
                    &liquid,
                );
                assert_eq!(found.bits(), out, "{consensus} {weight} {bond} {liquid:?}");
            }
            Case::ExpSafe { x, out } => assert_eq!(exp(Fixed::from_bits(x)).bits(), out, "{x}"),
            Case::Upscale { x, out } => assert_eq!(upscale(&fixed(&x)), out, "{x:?}"),
            Case::IsTopkNonzero { x, k, out } => {
                assert_eq!(top_nonzero(&fixed(&x), k), out, "{x:?} {k}");
            }
            Case::Normalize { x, out } => {
                let mut values = fixed(&x);
                normalize(&mut values);
                assert_eq!(values, fixed(&out), "{x:?}");
            }
            Case::Public => continue,
        }
        checked += 1;
    }
    assert_eq!(checked, 80);
}
