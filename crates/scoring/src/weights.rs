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
fn checked(mut numbers: impl Iterator<Item = f64>) -> Result<()> {
    numbers.try_for_each(|number| {
        if !number.is_finite() {
            Err(Error::NotFinite { what: "a weight" })
        } else if number < 0.0 {
            Err(Error::Negative { what: "a weight" })
        } else {
            Ok(())
        }
    })
}
