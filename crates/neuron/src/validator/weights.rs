use adit_chain::{Chain, WeightsOutcome};
use adit_primitives::{Uid, WeightVector};
use adit_scoring::weights::{WeightLimits, quantise};
use adit_storage::WeightsRow;

use super::{Progress, Validator, with_causes};
use crate::{Mechanism, Result};

impl<M: Mechanism, C: Chain> Validator<M, C> {
    /// Sets weights when the interval has passed, or at once when `finishing`. Whether the chain
    /// holds weights made from everything judged so far.
    pub(super) async fn settle_weights(
        &self,
        progress: &mut Progress,
        finishing: bool,
    ) -> Result<bool> {
        if self.config.disable_set_weights {
            return Ok(true);
        }
        let metagraph = &progress.metagraph;
        let Some(own) = metagraph.by_hotkey(&self.hotkey) else {
            tracing::warn!(hotkey = %self.hotkey, netuid = %self.netuid, "not registered: cannot set weights");
            return Ok(false);
        };
        let judged = self.store.counts().await?.judged;
        if progress.last_weights_after == Some(judged) {
            return Ok(true);
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
        let settled = self.send_weights(&weights).await?;
        if settled {
            progress.last_weights_after = Some(judged);
        }
        Ok(settled)
    }

    async fn send_weights(&self, weights: &WeightVector) -> Result<bool> {
        let outcome = self
            .chain
            .set_weights(self.netuid, weights, self.config.weights_version_key)
            .await;
        let (settled, block, code, detail, extrinsic) = match &outcome {
            Ok(WeightsOutcome::OnChain {
                block, extrinsic, ..
            }) => (
                true,
                Some(*block),
                "on_chain",
                String::new(),
                Some(hex(extrinsic)),
            ),
            Ok(WeightsOutcome::Refused(refusal)) => {
                (false, None, refusal.code(), refusal.to_string(), None)
            }
            Err(error) => (false, None, "failed", with_causes(error), None),
        };
        metrics::counter!("adit_weights_total", "outcome" => code).increment(1);
        let shown = serde_json::to_string(weights).unwrap_or_default();
        if settled {
            tracing::info!(
                event = "weights",
                block = block.map(|block| block.0),
                weights = shown,
                "weights are on chain"
            );
        } else {
            tracing::warn!(
                event = "weights_refused",
                code,
                detail,
                "weights are not on chain; trying again"
            );
        }
        self.store
            .record_weights(&WeightsRow {
                netuid: self.netuid,
                block,
                weights: weights.clone(),
                outcome: code.to_owned(),
                detail,
                extrinsic,
                at_ms: self.clock.unix_millis(),
            })
            .await?;
        Ok(settled)
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
