use adit_wallet::Keypair;

use super::{
    Client,
    call::ChainCall,
    calls::{self, WeightsItem},
    events::DispatchFailure,
    outcome::{TransactionReceipt, TransactionReport},
};
use crate::{Error, Result};

/// What a batch does with a call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchMode {
    /// All or none: one failure undoes everything.
    AllOrNone,
    /// What came before the failure stays done, what comes after is not tried.
    UntilFailure,
    /// Every call is tried.
    Every,
}

/// What came of the calls of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReport {
    /// The transaction.
    pub receipt: TransactionReceipt,
    /// For each call that was tried, in order, why it failed if it did. Shorter than the batch
    /// where a failure ended it.
    pub items: Vec<Option<DispatchFailure>>,
}

/// What came of weights set on several subnets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsBatchReport {
    /// The transaction.
    pub receipt: TransactionReceipt,
    /// For each subnet, in the order given, why its weights were refused if they were.
    pub items: Vec<Option<DispatchFailure>>,
}

impl Client {
    /// Sends several calls as one transaction, where the runtime has the pallet `Utility`.
    ///
    /// # Errors
    /// [`Error::NoSuchCall`]; [`Error::Refused`] when the batch as a whole failed, as one of
    /// [`BatchMode::AllOrNone`] does with the reason of the call that failed; [`Error::Pool`];
    /// [`Error::NotAsSent`] when the events do not tell of every call; or a failure to reach the
    /// chain. A call that failed inside of a batch that went on is in the report.
    pub async fn batch(
        &self,
        calls: Vec<ChainCall>,
        mode: BatchMode,
        signer: &Keypair,
    ) -> Result<BatchReport> {
        let count = calls.len();
        let call = match mode {
            BatchMode::AllOrNone => calls::batch_all(calls),
            BatchMode::UntilFailure => calls::batch(calls),
            BatchMode::Every => calls::force_batch(calls),
        };
        let report = self.shared.carry(&call, signer).await?;
        let report = whole(&call, report.into_report(call.label())?)?;
        let told = |name: &str| match name {
            "ItemCompleted" => Some(false),
            "ItemFailed" | "BatchInterrupted" => Some(true),
            _ => None,
        };
        let items = items(&report, "Utility", told);
        let cut_short =
            mode == BatchMode::UntilFailure && items.last().is_some_and(Option::is_some);
        if items.len() != count && !(cut_short && items.len() < count) {
            return Err(untold(&call, items.len()));
        }
        Ok(BatchReport {
            receipt: report.receipt,
            items,
        })
    }

    /// Sets our hotkey's weights on several subnets with one transaction. No rate limits or permits
    /// are looked at before: see [`Chain::set_weights`](crate::Chain::set_weights) for that.
    ///
    /// # Errors
    /// [`Error::NoSigner`], [`Error::NoSuchCall`], [`Error::Refused`] when the transaction as a
    /// whole failed, [`Error::Pool`], [`Error::NotAsSent`] when the events do not tell of every
    /// subnet, or a failure to reach the chain. Weights refused on one subnet are in the report.
    pub async fn batch_set_weights(&self, batch: &[WeightsItem]) -> Result<WeightsBatchReport> {
        let call = calls::batch_set_weights(batch);
        let report = self.shared.carry(&call, self.hotkey()?).await?;
        let report = whole(&call, report.into_report(call.label())?)?;
        let told = |name: &str| match name {
            "WeightsSet" => Some(false),
            "BatchWeightItemFailed" => Some(true),
            _ => None,
        };
        let items = items(&report, "SubtensorModule", told);
        if items.len() != batch.len() {
            return Err(untold(&call, items.len()));
        }
        Ok(WeightsBatchReport {
            receipt: report.receipt,
            items,
        })
    }
}

/// A report of a transaction that as a whole is a success.
fn whole(call: &ChainCall, report: TransactionReport) -> Result<TransactionReport> {
    match &report.failure {
        Some(failure) if failure.inside.is_none() => Err(Error::Refused {
            call: call.label(),
            pallet: failure.pallet.clone(),
            error: failure.error.clone(),
        }),
        _ => Ok(report),
    }
}

fn untold(call: &ChainCall, told: usize) -> Error {
    Error::NotAsSent {
        call: call.label(),
        what: "the number of calls that events tell of",
        found: told.to_string(),
    }
}

/// One entry for each event that tells of a call: `told` says of a name whether it tells of a
/// failure. Failures are taken from the report, which has them in the same order.
fn items(
    report: &TransactionReport,
    pallet: &str,
    told: impl Fn(&str) -> Option<bool>,
) -> Vec<Option<DispatchFailure>> {
    let ours = |failure: &&DispatchFailure| {
        let inside = failure
            .inside
            .as_deref()
            .and_then(|event| event.split_once('.'));
        inside.is_some_and(|(of, name)| of == pallet && told(name) == Some(true))
    };
    let mut failures = report.inner.iter().filter(ours);
    let events = report.events.iter().filter(|event| event.pallet == pallet);
    events
        .filter_map(|event| told(&event.name))
        .map(|failed| failed.then(|| failures.next().cloned()).flatten())
        .collect()
}
