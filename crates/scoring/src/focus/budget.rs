use serde::{Deserialize, Serialize};

use crate::{Error, Result, rules::within};

/// The part of a subnet's emission that goes to miners (the chain's incentive share).
const MINER_SHARE: f64 = 0.41;
/// Blocks of one tempo of the field's subnet.
const BLOCKS_PER_TEMPO: f64 = 360.0;
/// Tempos of a day: 7,200 blocks of 12 seconds.
const TEMPOS_PER_DAY: f64 = 20.0;
/// The part of the day's budget that purchases may take.
const PURCHASE_PART: f64 = 0.9;
/// The original's fixed estimates: TAO for one alpha, and dollars for one TAO.
const ALPHA_IN_TAO: f64 = 0.0208;
const TAO_IN_DOLLARS: f64 = 300.0;

/// What the chain emits to the subnet, and the part of it that recordings may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EmissionRates {
    /// Alpha paid out per block.
    pub alpha_out_per_block: f64,
    /// TAO put into the pool per block.
    pub tao_in_per_block: f64,
    /// The part for recordings, 0 to 1.
    pub focus_share: f64,
}

/// What recordings may take in one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EmissionBudget {
    /// Alpha.
    pub alpha_per_day: f64,
    /// TAO.
    pub tao_per_day: f64,
    /// Alpha left for people's own recordings: nine tenths of the day's, less what marketplace
    /// recordings have earned. May be negative.
    pub variable_pool_alpha: f64,
    /// The day's alpha in dollars at the original's fixed estimates, whole dollars.
    pub points_per_day: i64,
}

impl EmissionBudget {
    /// `rate · 0.41 · 360 · 20 · share` for alpha and TAO (OMEGA Labs validator API).
    /// `marketplace_alpha` is what marketplace recordings earned in the last day.
    ///
    /// # Errors
    /// [`Error::NotFinite`], and [`Error::Constant`] for a share outside 0 to 1.
    pub fn new(rates: &EmissionRates, marketplace_alpha: f64) -> Result<Self> {
        let numbers = [
            rates.alpha_out_per_block,
            rates.tao_in_per_block,
            marketplace_alpha,
        ];
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(Error::NotFinite {
                what: "an emission rate",
            });
        }
        within("focus_share", rates.focus_share, 0.0, 1.0)?;
        let per_day =
            |rate: f64| rate * MINER_SHARE * BLOCKS_PER_TEMPO * TEMPOS_PER_DAY * rates.focus_share;
        let alpha_per_day = per_day(rates.alpha_out_per_block);
        Ok(Self {
            alpha_per_day,
            tao_per_day: per_day(rates.tao_in_per_block),
            variable_pool_alpha: alpha_per_day * PURCHASE_PART - marketplace_alpha,
            // Saturates, as casts of floats do.
            points_per_day: (alpha_per_day * ALPHA_IN_TAO * TAO_IN_DOLLARS) as i64,
        })
    }
}

/// Whether purchases of the last day have taken nine tenths of the day's TAO, so that nothing more is
/// sold: `spent ≥ 0.9 · tao_per_day`, where `spent` sums both kinds of recordings.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn purchase_cap_reached(focus_tao: f64, synthetic_tao: f64, tao_per_day: f64) -> Result<bool> {
    let spent = focus_tao + synthetic_tao;
    if !spent.is_finite() || !tao_per_day.is_finite() {
        return Err(Error::NotFinite {
            what: "an amount of TAO",
        });
    }
    Ok(spent >= tao_per_day * PURCHASE_PART)
}
