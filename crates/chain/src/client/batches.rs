use adit_wallet::Keypair;

use super::{
    Client,
    call::ChainCall,
    calls::{self, WeightsItem},
    events::DispatchFailure,
    outcome::{TransactionReceipt, TransactionReport},
    value::ChainEvent,
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
    /// For each subnet, in the order given, why its weights were refused if they were. Of two rows
    /// for one subnet the first counts as the one that was taken.
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
        let items =
            weights_items(&report, batch).ok_or_else(|| untold(&call, report.inner.len()))?;
        Ok(WeightsBatchReport {
            receipt: report.receipt,
            items,
        })
    }
}

/// The chain tells of each row it took with the subnet's number, and of each it refused with the
/// reason alone, in order; so what was not taken was refused.
fn weights_items(
    report: &TransactionReport,
    batch: &[WeightsItem],
) -> Option<Vec<Option<DispatchFailure>>> {
    let set = |event: &&ChainEvent| event.is("SubtensorModule", "WeightsSet");
    let set = report.events.iter().filter(set);
    let mut taken: Vec<u128> = set
        .filter_map(|event| event.fields.item(0)?.number())
        .collect();
    let mut failures = report.inner.iter();
    let items = batch.iter().map(|item| {
        let netuid = u128::from(item.netuid.0);
        match taken.iter().position(|index| *index == netuid) {
            Some(place) => {
                taken.remove(place);
                Some(None)
            }
            None => failures.next().map(|failure| Some(failure.clone())),
        }
    });
    let items = items.collect::<Option<Vec<_>>>()?;
    (taken.is_empty() && failures.next().is_none()).then_some(items)
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

#[cfg(test)]
mod tests {
    use adit_primitives::{Block, BlockHash, NetUid, WeightVector};

    use super::*;
    use crate::client::ChainValue;

    fn report(taken: &[u16], failures: &[&str]) -> TransactionReport {
        let set = |index: &u16| ChainEvent {
            pallet: "SubtensorModule".to_owned(),
            name: "WeightsSet".to_owned(),
            fields: ChainValue::list([*index, 3]),
        };
        let failure = |error: &&str| DispatchFailure {
            pallet: "SubtensorModule".to_owned(),
            error: (*error).to_owned(),
            inside: Some("SubtensorModule.BatchWeightItemFailed".to_owned()),
        };
        TransactionReport {
            receipt: TransactionReceipt {
                block: Block(1),
                block_hash: BlockHash([0; 32]),
                extrinsic: [0; 32],
            },
            events: taken.iter().map(set).collect(),
            failure: None,
            inner: failures.iter().map(failure).collect(),
        }
    }

    fn items(netuids: &[u16]) -> Vec<WeightsItem> {
        let item = |netuid: &u16| WeightsItem {
            netuid: NetUid(*netuid),
            weights: WeightVector::default(),
            version_key: 0,
        };
        netuids.iter().map(item).collect()
    }

    #[test]
    fn refusals_find_their_subnets_wherever_the_events_stand() {
        let batch = items(&[1, 9, 2, 7]);
        let told = weights_items(&report(&[1, 2], &["A", "B"]), &batch).unwrap();
        let told = told
            .iter()
            .map(|item| item.as_ref().map(|f| f.error.as_str()));
        assert_eq!(told.collect::<Vec<_>>(), [None, Some("A"), None, Some("B")]);
        let twice = weights_items(&report(&[1], &["TooFast"]), &items(&[1, 1])).unwrap();
        assert!(twice[0].is_none() && twice[1].is_some());
        for wrong in [
            report(&[1, 2], &["A"]),
            report(&[1, 2, 9, 7], &["A"]),
            report(&[3], &[]),
        ] {
            assert_eq!(weights_items(&wrong, &batch), None);
        }
    }
}
