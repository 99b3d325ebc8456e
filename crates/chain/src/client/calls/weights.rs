use adit_primitives::{MechId, NetUid, WeightVector};

use super::{ChainCall, ChainValue, subtensor};

/// One subnet's weights in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsItem {
    /// The subnet.
    pub netuid: NetUid,
    /// The weights.
    pub weights: WeightVector,
    /// The version of the rules they were made by; the subnet may ask for a least one.
    pub version_key: u64,
}

/// Sets a hotkey's weights on a subnet; signed by the hotkey, free.
pub fn set_weights(netuid: NetUid, weights: &WeightVector, version_key: u64) -> ChainCall {
    let pairs = weights.pairs().iter();
    subtensor(
        "SubtensorModule.set_weights",
        [
            ("netuid", netuid.into()),
            (
                "dests",
                ChainValue::list(pairs.clone().map(|(uid, _)| *uid)),
            ),
            (
                "weights",
                ChainValue::list(pairs.map(|(_, weight)| *weight)),
            ),
            ("version_key", version_key.into()),
        ],
    )
}

/// As [`set_weights`], for one of a subnet's mechanisms.
pub fn set_mechanism_weights(
    netuid: NetUid,
    mechanism: MechId,
    weights: &WeightVector,
    version_key: u64,
) -> ChainCall {
    let pairs = weights.pairs().iter();
    subtensor(
        "SubtensorModule.set_mechanism_weights",
        [
            ("netuid", netuid.into()),
            ("mecid", mechanism.into()),
            (
                "dests",
                ChainValue::list(pairs.clone().map(|(uid, _)| *uid)),
            ),
            (
                "weights",
                ChainValue::list(pairs.map(|(_, weight)| *weight)),
            ),
            ("version_key", version_key.into()),
        ],
    )
}

/// Sets one hotkey's weights on several subnets; signed by the hotkey, free. What fails on one
/// subnet leaves the others alone, and the transaction counts as a success on chain.
pub fn batch_set_weights(items: &[WeightsItem]) -> ChainCall {
    let row = |item: &WeightsItem| {
        let pairs = item.weights.pairs().iter();
        let pairs =
            pairs.map(|(uid, weight)| ChainValue::List(vec![(*uid).into(), (*weight).into()]));
        ChainValue::List(pairs.collect())
    };
    subtensor(
        "SubtensorModule.batch_set_weights",
        [
            (
                "netuids",
                ChainValue::list(items.iter().map(|item| item.netuid)),
            ),
            ("weights", ChainValue::List(items.iter().map(row).collect())),
            (
                "version_keys",
                ChainValue::list(items.iter().map(|item| item.version_key)),
            ),
        ],
    )
}
