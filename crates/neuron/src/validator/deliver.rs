use adit_chain::Chain;

use super::Validator;
use crate::{Mechanism, Result};

impl<M: Mechanism, C: Chain> Validator<M, C> {
    /// Hands over what waits, oldest first, until the first that is not taken. Answers how many
    /// batches still wait.
    pub(super) async fn deliver_waiting(&self) -> Result<u64> {
        'all: loop {
            // The store hands them out a few at a time.
            let batches = self.store.pending_batches().await?;
            if batches.is_empty() {
                break;
            }
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
                    }
                    Err(unavailable) => {
                        tracing::warn!(event = "undelivered", batch = batch.batch_id, %unavailable, "kept for later");
                        metrics::counter!("adit_deliveries_total", "outcome" => "kept")
                            .increment(1);
                        let reason = unavailable.to_string();
                        self.store
                            .record_delivery_failure(&batch.batch_id, &reason, now)
                            .await?;
                        break 'all;
                    }
                }
            }
        }
        let counts = self.store.counts().await?;
        let waiting = counts.batches.saturating_sub(counts.batches_delivered);
        metrics::gauge!("adit_undelivered_batches").set(waiting as f64);
        Ok(waiting)
    }
}
