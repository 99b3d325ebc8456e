use adit_primitives::Score;
use adit_storage::Store;
use serde_json::Value;

use crate::Result;

/// The outcome of [`audit`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Scores looked at.
    pub scores: u64,
    /// One line for each that cannot be reproduced.
    pub differences: Vec<String>,
}

/// Recomputes every stored score from the evidence stored with it, by
/// [`Mechanism::recompute`](crate::Mechanism::recompute) or a function like it.
///
/// # Errors
/// When the store cannot be read.
pub async fn audit(
    store: &Store,
    recompute: impl Fn(&str, &Value) -> Result<Score, String>,
) -> Result<AuditReport> {
    let mut report = AuditReport::default();
    let mut after = None;
    loop {
        let page = store.scores_page(after, 500).await?;
        let Some(last) = page.last() else {
            return Ok(report);
        };
        after = Some(last.sequence);
        for row in page {
            report.scores += 1;
            let outcome = match row.evidence.is_null() {
                // Nothing was answered, so nothing may have been earned.
                true => Ok(Score::ZERO),
                false => recompute(&row.policy, &row.evidence),
            };
            let difference = match outcome {
                // Equal to the last bit.
                Ok(score) if score.get().to_bits() == row.score.to_bits() => continue,
                Ok(score) => format!("stored {}, recomputed {}", row.score, score.get()),
                Err(reason) => reason,
            };
            report
                .differences
                .push(format!("task {} uid {}: {difference}", row.task, row.uid));
        }
    }
}
