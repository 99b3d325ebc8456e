use adit_chain::Chain;

use super::Validator;
use crate::{Mechanism, Result};

impl<M: Mechanism, C: Chain> Validator<M, C> {
    /// Hands over what waits, oldest first. Answers how many batches still wait.
    pub(super) async fn deliver_waiting(&self) -> Result<usize> {
        let batches = self.store.pending_batches().await?;
        let mut waiting = batches.len();
        for batch in batches {
            let outcome = self
                .mechanism
                .deliver(&batch.batch_id, &batch.payload)
                .await;
            let now = self.clock.unix_millis();
            match outcome {
                Ok(receipt) => {
                    tracing::info!(event = "delivered", batch = batch.batch_id, %receipt, "delivered");
                    metrics::counter!("adit_deliveries_total", "outcome" => "delivered")
                        .increment(1);
                    self.store
                        .mark_delivered(&batch.batch_id, &receipt, now)
                        .await?;
                    waiting -= 1;
                }
                Err(unavailable) => {
                    tracing::warn!(event = "undelivered", batch = batch.batch_id, %unavailable, "kept for later");
                    metrics::counter!("adit_deliveries_total", "outcome" => "kept").increment(1);
                    self.store
                        .record_delivery_failure(&batch.batch_id, &unavailable.to_string(), now)
                        .await?;
                    break;
                }
            }
        }
        metrics::gauge!("adit_undelivered_batches").set(waiting as f64);
        Ok(waiting)
    }
}
