use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What one miner spent, and what everyone spent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PurchaseShare {
    /// TAO the miner spent.
    pub spent: f64,
    /// TAO everyone spent.
    pub total: f64,
    /// `spent / total`, 0 to 1; 0 when nothing was spent.
    pub share: f64,
}

/// The shares of miners in what was spent on recordings in a day: the weight that the field's validator
/// gives them (OMEGA Labs, `miner_purchase_stats`).
///
/// A purchase is the buyer's hotkey and the TAO paid; those without a hotkey count in the total only,
/// those without an amount as nothing. Sums run in the order given, so that the last digit replays.
///
/// # Errors
/// [`Error::NotFinite`] and [`Error::Negative`] for an amount.
pub fn purchase_shares<'miner>(
    purchases: impl IntoIterator<Item = (Option<&'miner str>, Option<f64>)>,
) -> Result<BTreeMap<&'miner str, PurchaseShare>> {
    let mut total = 0.0;
    let mut spent: BTreeMap<&str, f64> = BTreeMap::new();
    for (hotkey, paid) in purchases {
        let paid = paid.unwrap_or(0.0);
        if !paid.is_finite() {
            return Err(Error::NotFinite { what: "a payment" });
        }
        if paid < 0.0 {
            return Err(Error::Negative { what: "a payment" });
        }
        total += paid;
        if let Some(hotkey) = hotkey {
            *spent.entry(hotkey).or_default() += paid;
        }
    }
    let share = |spent: f64| if total > 0.0 { spent / total } else { 0.0 };
    let shares = spent.into_iter().map(|(hotkey, spent)| {
        let share = share(spent);
        let shares = PurchaseShare {
            spent,
            total,
            share,
        };
        (hotkey, shares)
    });
    Ok(shares.collect())
}
