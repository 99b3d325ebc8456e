//! From scores to the u16 weights that the chain takes.
//!
//! [`WeightRules`] names the rules of one version of the field's SDK: `sdk-11`, the default, in
//! double precision and refusing what the chain would refuse ([`quantise`]), and `sdk-10`
//! ([`v10`]), equal to numpy's single precision to the bit, with its fallbacks to uniform weights.
//! Around them: [`blend`] mixes several kinds of scores by shares, [`burn`] gives a share to the
//! uid whose emission is burned, [`split_u16`] splits emission among a subnet's mechanisms,
//! [`row_shares`] reads a row back, [`follow_hotkeys`] keeps scores with their hotkeys, and
//! [`SyncRules`] and [`may_be_asked`] say when weights are set and who is asked.

mod blend;
mod burn;
mod dense;
mod due;
mod eligible;
mod follow;
mod limits;
pub(crate) mod numpy;
mod rules;
mod sort;
mod split;
pub mod v10;
mod v11;

pub use blend::{BlendPart, blend};
pub use burn::burn;
pub use dense::{dense_scores, row_shares, sparse_scores};
pub use due::{SyncRules, rate_limit_passed};
pub use eligible::may_be_asked;
pub use follow::{follow_hotkeys, follow_hotkeys_sharing_growth};
pub use limits::WeightLimits;
pub use rules::WeightRules;
pub use split::{even_split_u16, split_u16};
pub use v11::{clip_to_max_weight, normalise, quantise, ratio_row};

use crate::{Error, Result};

/// Refuses weights that are not finite or negative.
fn checked(numbers: impl Iterator<Item = f64> + Clone) -> Result<()> {
    // Without a way out, which would keep the loop from being vectorised.
    let fine = |fine, number: f64| fine & number.is_finite() & (number >= 0.0);
    if numbers.clone().fold(true, fine) {
        return Ok(());
    }
    let mut numbers = numbers;
    if numbers.all(f64::is_finite) {
        Err(Error::Negative { what: "a weight" })
    } else {
        Err(Error::NotFinite { what: "a weight" })
    }
}

/// The largest of numbers that are not negative; 0 where there are none.
fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    // Several maxima that do not wait for each other.
    let mut lanes = [0.0_f64; 8];
    for (place, number) in numbers.enumerate() {
        if let Some(most) = lanes.get_mut(place % 8) {
            *most = if number > *most { number } else { *most };
        }
    }
    lanes.into_iter().fold(
        0.0,
        |most, number| if number > most { number } else { most },
    )
}
