use adit_chain::Chain;
use adit_primitives::{Hotkey, Metagraph};
use adit_scoring::average::update_average;
use adit_storage::{AverageRow, ScoreRow};

use super::{Averages, Validator};
use crate::{Mechanism, Result};

impl<M: Mechanism, C: Chain> Validator<M, C> {
    pub(super) async fn averages(&self) -> Result<Averages> {
        let rows = self.store.averages().await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.hotkey, (row.uid, row.value)))
            .collect())
    }

    /// The moving averages after these scores.
    pub(super) async fn averaged(&self, scores: &[&ScoreRow], now: u64) -> Result<Vec<AverageRow>> {
        let averages = self.averages().await?;
        let next = |score: &&ScoreRow| {
            let old = averages.get(&score.hotkey).map_or(0.0, |(_, value)| *value);
            Ok(AverageRow {
                hotkey: score.hotkey,
                uid: score.uid,
                value: update_average(old, score.score, self.config.moving_average_alpha)?,
                updated_at_ms: now,
            })
        };
        scores.iter().map(next).collect()
    }

    /// Forgets the averages of hotkeys that lost their place, so that a newcomer at the same uid
    /// inherits nothing.
    pub(super) async fn forget_replaced(&self, metagraph: &Metagraph) -> Result<()> {
        let gone: Vec<Hotkey> = self
            .averages()
            .await?
            .into_keys()
            .filter(|hotkey| metagraph.by_hotkey(hotkey).is_none())
            .collect();
        if !gone.is_empty() {
            tracing::info!(
                hotkeys = gone.len(),
                "forgetting the averages of hotkeys no longer registered"
            );
            self.store.remove_averages(&gone).await?;
        }
        Ok(())
    }
}
