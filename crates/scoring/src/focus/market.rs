use serde::{Deserialize, Serialize};

use super::RecordingKind;

/// How many recordings of each kind are listed, and when a miner that does not pay is banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketRules {
    /// Most marketplace recordings listed.
    pub marketplace_limit: usize,
    /// People's own recordings are listed while no more marketplace recordings than this are.
    pub user_while_marketplace_at_most: usize,
    /// Purchases looked back on for one that was not of the marketplace.
    pub recent_purchases: usize,
    /// Most of people's own recordings when few marketplace recordings are listed.
    pub user_limit_when_few: usize,
    /// Most of them otherwise.
    pub user_limit: usize,
    /// Fewer marketplace recordings than this are few.
    pub few_marketplace: usize,
    /// Failed purchases in a row that lead to a ban.
    pub failures_to_ban: u32,
    /// Hours of a ban.
    pub ban_hours: u32,
}

/// The rules of the system in the field.
impl Default for MarketRules {
    fn default() -> Self {
        Self {
            marketplace_limit: 9,
            user_while_marketplace_at_most: 2,
            recent_purchases: 4,
            user_limit_when_few: 7,
            user_limit: 1,
            few_marketplace: 3,
            failures_to_ban: 5,
            ban_hours: 24,
        }
    }
}

/// Whether people's own recordings are listed beside so many of the marketplace: when those are few,
/// or when none of the last purchases (newest first) was other than a marketplace recording.
pub fn may_list_user_recordings(
    rules: &MarketRules,
    marketplace_listed: usize,
    last_purchased: &[RecordingKind],
) -> bool {
    marketplace_listed <= rules.user_while_marketplace_at_most
        || last_purchased
            .iter()
            .take(rules.recent_purchases)
            .all(|kind| *kind == RecordingKind::Marketplace)
}

/// How many of people's own recordings may be listed beside so many of the marketplace.
fn user_limit(rules: &MarketRules, marketplace_listed: usize) -> usize {
    if marketplace_listed < rules.few_marketplace {
        rules.user_limit_when_few
    } else {
        rules.user_limit
    }
}

/// What is listed: marketplace recordings, then people's own where those are allowed, then the
/// synthetic ones, and those only when there is nothing else. Each source is asked once, with the most
/// that is wanted of it (the synthetic one without a limit), and gives the best first; what is locked
/// by a purchase is taken out at the end, so that it is not replaced.
pub fn listing<T>(
    rules: &MarketRules,
    last_purchased: &[RecordingKind],
    marketplace: impl FnOnce(usize) -> Vec<T>,
    user: impl FnOnce(usize) -> Vec<T>,
    synthetic: impl FnOnce() -> Vec<T>,
    is_locked: impl Fn(&T) -> bool,
) -> Vec<T> {
    let mut listed = marketplace(rules.marketplace_limit);
    listed.truncate(rules.marketplace_limit);
    if may_list_user_recordings(rules, listed.len(), last_purchased) {
        let limit = user_limit(rules, listed.len());
        listed.extend(user(limit).into_iter().take(limit));
    }
    if listed.is_empty() {
        listed = synthetic();
    }
    listed.retain(|item| !is_locked(item));
    listed
}

/// The purchases that a miner asked for and did not pay, in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PurchaseFailures {
    /// How many.
    pub in_a_row: u32,
}

impl PurchaseFailures {
    /// Bans the miner for the hours returned when it has failed often enough, and counts from zero
    /// again then.
    pub fn take_ban(&mut self, rules: &MarketRules) -> Option<u32> {
        (self.in_a_row >= rules.failures_to_ban).then(|| {
            self.in_a_row = 0;
            rules.ban_hours
        })
    }
}
