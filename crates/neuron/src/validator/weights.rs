use adit_chain::{Chain, WeightsOutcome};
use adit_primitives::{Uid, WeightVector};
use adit_scoring::weights::{WeightLimits, quantise};
use adit_storage::WeightsRow;

use super::{Progress, Validator, with_causes};
use crate::{Mechanism, Result};

impl<M: Mechanism, C: Chain> Validator<M, C> {
    /// Sees committed weights through, and sets new ones when the interval has passed, or at once
    /// when `finishing`. Whether the chain holds weights made from everything judged so far.
    pub(super) async fn settle_weights(
        &self,
        progress: &mut Progress<C>,
        finishing: bool,
    ) -> Result<bool> {
        if self.config.disable_set_weights {
            return Ok(true);
        }
        self.follow_weights(progress).await?;
        let metagraph = &progress.metagraph;
        let Some(own) = metagraph.by_hotkey(&self.hotkey) else {
            tracing::warn!(hotkey = %self.hotkey, netuid = %self.netuid, "not registered: cannot set weights");
            return Ok(false);
        };
        let judged = self.store.counts().await?.judged;
        if progress.last_weights_after == Some(judged) {
            return Ok(true);
        }
        if progress.committed_after == Some(judged) {
            return Ok(false);
        }
        let passed = metagraph.block.since(own.last_update) >= self.config.weights_interval_blocks;
        if !(passed || own.last_update.0 == 0 || finishing) {
            return Ok(false);
        }
        let averages = self.averages().await?;
        let scores: Vec<(Uid, f64)> = averages
            .iter()
            .filter_map(|(hotkey, (_, value))| Some((metagraph.by_hotkey(hotkey)?.uid, *value)))
            .collect();
        if scores.iter().all(|(_, value)| *value <= 0.0) {
            tracing::info!("no miner has earned anything yet; no weights to set");
            // At the end there is nothing to wait for.
            return Ok(finishing);
        }
        // The chain asks for no more weights than the subnet has neurons.
        let neurons = u16::try_from(metagraph.neurons().len()).unwrap_or(u16::MAX);
        let limits = WeightLimits {
            min_allowed: metagraph.parameters.min_allowed_weights.min(neurons),
            max_weight: metagraph.parameters.max_weights_limit,
            own_uid: Some(own.uid),
        };
        let weights = quantise(&scores, limits)?;
        let outcome = progress.weights.set(&weights).await;
        self.record_outcome(&outcome, &weights).await?;
        match outcome {
            Ok(WeightsOutcome::OnChain { .. }) => {
                progress.last_weights_after = Some(judged);
                Ok(true)
            }
            Ok(WeightsOutcome::Committed { .. }) => {
                progress.committed_after = Some(judged);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Reveals what is due and looks what became of the rest.
    async fn follow_weights(&self, progress: &mut Progress<C>) -> Result<()> {
        let followed = progress.weights.follow().await;
        let waiting = progress.weights.pending().map_or(0, <[_]>::len);
        metrics::gauge!("adit_weights_pending")
            .set(f64::from(u32::try_from(waiting).unwrap_or(u32::MAX)));
        let outcomes = match followed {
            Ok(outcomes) => outcomes,
            Err(error) => {
                return self
                    .record_outcome(&Err(error), &WeightVector::default())
                    .await;
            }
        };
        for outcome in outcomes {
            let weights = match &outcome {
                WeightsOutcome::OnChain { weights, .. } => weights.clone(),
                _ => WeightVector::default(),
            };
            match &outcome {
                WeightsOutcome::OnChain { .. } if waiting == 0 => {
                    progress.last_weights_after = progress.committed_after.take();
                }
                WeightsOutcome::Failed(_) => progress.committed_after = None,
                _ => {}
            }
            self.record_outcome(&Ok(outcome), &weights).await?;
        }
        Ok(())
    }

    /// Counts, logs and stores how setting weights went.
    async fn record_outcome(
        &self,
        outcome: &adit_chain::Result<WeightsOutcome>,
        weights: &WeightVector,
    ) -> Result<()> {
        let code = outcome.as_ref().map_or("failed", WeightsOutcome::code);
        let (block, extrinsic, detail) = match outcome {
            Ok(WeightsOutcome::OnChain {
                block, extrinsic, ..
            }) => (Some(*block), Some(hex(extrinsic)), String::new()),
            Ok(WeightsOutcome::Committed {
                block,
                extrinsic,
                epoch,
                reveal_epoch,
                reveal_block,
                round,
                ..
            }) => {
                let by = round.map_or_else(
                    || "by us".to_owned(),
                    |round| format!("by the beacon's round {round}"),
                );
                let detail = format!(
                    "in epoch {epoch}, to be revealed {by} in epoch {reveal_epoch}, from block {reveal_block}"
                );
                (Some(*block), Some(hex(extrinsic)), detail)
            }
            Ok(WeightsOutcome::Refused(refusal)) => (None, None, refusal.to_string()),
            Ok(WeightsOutcome::Failed(failure)) => (None, None, failure.to_string()),
            Err(error) => (None, None, with_causes(error)),
        };
        metrics::counter!("adit_weights_total", "outcome" => code).increment(1);
        let shown = serde_json::to_string(weights).unwrap_or_default();
        let number = block.map(|block| block.0);
        match outcome {
            Ok(WeightsOutcome::OnChain { .. }) => {
                tracing::info!(
                    event = "weights",
                    block = number,
                    weights = shown,
                    "weights are on chain"
                );
            }
            Ok(WeightsOutcome::Committed { .. }) => {
                tracing::info!(
                    event = "weights_committed",
                    block = number,
                    detail,
                    "weights are committed"
                );
            }
            _ => tracing::warn!(
                event = "weights_refused",
                code,
                detail,
                "weights are not on chain; trying again"
            ),
        }
        let mut row = WeightsRow {
            netuid: self.netuid,
            block,
            weights: weights.clone(),
            outcome: code.to_owned(),
            detail,
            extrinsic,
            at_ms: self.clock.unix_millis(),
        };
        // Two things may happen within a millisecond, and rows are told apart by it.
        for _ in 0..8 {
            if self.store.record_weights(&row).await? {
                break;
            }
            row.at_ms = row.at_ms.saturating_add(1);
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("0x"), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
