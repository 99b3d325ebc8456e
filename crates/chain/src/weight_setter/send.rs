//! Sending one transaction about weights, and what its failures mean.

use crate::{
    BlockHead, Chain, Error, Result, WeightsCall, WeightsFailure, WeightsOutcome, WeightsReceipt,
    WeightsRefusal, WeightsStanding, preflight::holds,
};
use adit_primitives::{MechId, NetUid, WeightVector};

/// Sends; what the chain has against it becomes an outcome, with the reason that names its numbers
/// where one is found by looking again.
pub(super) async fn send<C: Chain + ?Sized>(
    chain: &C,
    standing: &WeightsStanding,
    call: &WeightsCall,
    refusal: impl Fn(&WeightsStanding) -> Option<WeightsRefusal>,
) -> Result<Result<WeightsReceipt, WeightsOutcome>> {
    let (netuid, mechid) = (standing.netuid, standing.mechid);
    let failure = match chain.send_weights(netuid, mechid, call).await {
        Ok(receipt) => return Ok(Ok(receipt)),
        Err(Error::WeightsRefused(refusal)) => {
            return Ok(Err(WeightsOutcome::Refused(refusal)));
        }
        Err(Error::Pool { code, message, .. }) => WeightsFailure::Pool { code, message },
        Err(Error::Refused { pallet, error, .. }) => WeightsFailure::Dispatch { pallet, error },
        Err(error) => return Err(error),
    };
    tracing::warn!(%netuid, %failure, "the chain refused weights that looked fine before");
    let again = chain.weights_standing(netuid, mechid, None).await;
    let named = match again {
        Ok(Some(standing)) => refusal(&standing),
        _ => None,
    };
    Ok(Err(named.map_or(
        WeightsOutcome::Failed(failure),
        WeightsOutcome::Refused,
    )))
}

/// Sets weights on a subnet without commit-reveal and reads them back.
pub(crate) async fn set_plain<C: Chain + ?Sized>(
    chain: &C,
    standing: &WeightsStanding,
    weights: &WeightVector,
    version_key: u64,
) -> Result<WeightsOutcome> {
    if let Some(refusal) = standing.refusal(weights, version_key) {
        return Ok(WeightsOutcome::Refused(refusal));
    }
    let call = WeightsCall::Set {
        weights: weights.clone(),
        version_key,
    };
    let refusal = |standing: &WeightsStanding| standing.refusal(weights, version_key);
    match send(chain, standing, &call, refusal).await? {
        Ok(receipt) => read_back(chain, standing.netuid, standing.mechid, weights, receipt).await,
        Err(outcome) => Ok(outcome),
    }
}

/// The row as the block of a transaction left it.
pub(super) async fn read_back<C: Chain + ?Sized>(
    chain: &C,
    netuid: NetUid,
    mechid: MechId,
    sent: &WeightVector,
    receipt: WeightsReceipt,
) -> Result<WeightsOutcome> {
    let after = standing_at(chain, netuid, mechid, receipt.head).await?;
    if !holds(&after.row, sent) {
        return Err(Error::ReadBack {
            netuid,
            uid: after.uid.unwrap_or_default(),
            found: after.row,
        });
    }
    Ok(WeightsOutcome::OnChain {
        block: receipt.head.number,
        block_hash: receipt.head.hash,
        extrinsic: receipt.extrinsic,
        weights: after.row,
    })
}

pub(super) async fn standing_at<C: Chain + ?Sized>(
    chain: &C,
    netuid: NetUid,
    mechid: MechId,
    at: BlockHead,
) -> Result<WeightsStanding> {
    let standing = chain.weights_standing(netuid, mechid, Some(at)).await?;
    standing.ok_or(Error::NoSuchSubnet { netuid })
}
