use adit_primitives::{MechId, NetUid, WeightVector};

use super::{ChainCall, ChainValue, subtensor};
use crate::commit_reveal::CommitSalt;

/// Commits to weights by their hash, see [`commit_hash`](crate::commit_reveal::commit_hash); signed
/// by the hotkey, free.
pub fn commit_weights(netuid: NetUid, mechid: MechId, hash: [u8; 32]) -> ChainCall {
    of_mechanism(
        [
            "SubtensorModule.commit_weights",
            "SubtensorModule.commit_mechanism_weights",
        ],
        netuid,
        mechid,
        [("commit_hash", hash.into())],
    )
}

/// Reveals weights that were committed by hash; signed by the hotkey, free. The chain takes it only
/// in the epoch of the reveal.
pub fn reveal_weights(
    netuid: NetUid,
    mechid: MechId,
    weights: &WeightVector,
    salt: &CommitSalt,
    version_key: u64,
) -> ChainCall {
    let [uids, values] = columns(weights);
    let revealed = [
        ("uids", uids),
        ("values", values),
        ("salt", ChainValue::list(salt.numbers().iter().copied())),
        ("version_key", version_key.into()),
    ];
    of_mechanism(
        [
            "SubtensorModule.reveal_weights",
            "SubtensorModule.reveal_mechanism_weights",
        ],
        netuid,
        mechid,
        revealed,
    )
}

/// Commits sealed weights (see [`seal`](crate::commit_reveal::timelock::seal)), which the chain
/// opens itself with the signature of `round`; signed by the hotkey, free. `version` must be the
/// chain's `CommitRevealWeightsVersion`.
pub fn commit_timelocked_weights(
    netuid: NetUid,
    mechid: MechId,
    sealed: &[u8],
    round: u64,
    version: u16,
) -> ChainCall {
    let commit = [
        ("commit", sealed.to_vec().into()),
        ("reveal_round", round.into()),
        ("commit_reveal_version", version.into()),
    ];
    of_mechanism(
        [
            "SubtensorModule.commit_timelocked_weights",
            "SubtensorModule.commit_timelocked_mechanism_weights",
        ],
        netuid,
        mechid,
        commit,
    )
}

/// Commits on several subnets at once, first mechanisms only; signed by the hotkey, free.
pub fn batch_commit_weights(commits: &[(NetUid, [u8; 32])]) -> ChainCall {
    subtensor(
        "SubtensorModule.batch_commit_weights",
        [
            (
                "netuids",
                ChainValue::list(commits.iter().map(|(netuid, _)| *netuid)),
            ),
            (
                "commit_hashes",
                ChainValue::list(commits.iter().map(|(_, hash)| *hash)),
            ),
        ],
    )
}

/// Reveals several commits of one subnet's first mechanism at once, oldest first: weights, salt and
/// version key of each; signed by the hotkey, free.
pub fn batch_reveal_weights(
    netuid: NetUid,
    reveals: &[(WeightVector, CommitSalt, u64)],
) -> ChainCall {
    let lists = |nth: usize| {
        let lists = reveals.iter().map(|(weights, ..)| {
            let [uids, values] = columns(weights);
            if nth == 0 { uids } else { values }
        });
        ChainValue::List(lists.collect())
    };
    let salts = reveals
        .iter()
        .map(|(_, salt, _)| ChainValue::list(salt.numbers().iter().copied()));
    subtensor(
        "SubtensorModule.batch_reveal_weights",
        [
            ("netuid", netuid.into()),
            ("uids_list", lists(0)),
            ("values_list", lists(1)),
            ("salts_list", ChainValue::List(salts.collect())),
            (
                "version_keys",
                ChainValue::list(reveals.iter().map(|(.., version_key)| *version_key)),
            ),
        ],
    )
}

/// Uids and values apart.
fn columns(weights: &WeightVector) -> [ChainValue; 2] {
    let pairs = || weights.pairs().iter();
    [
        ChainValue::list(pairs().map(|(uid, _)| *uid)),
        ChainValue::list(pairs().map(|(_, value)| *value)),
    ]
}

/// The first mechanism has calls of its own, which older runtimes have too.
fn of_mechanism<const N: usize>(
    names: [&'static str; 2],
    netuid: NetUid,
    mechid: MechId,
    arguments: [(&'static str, ChainValue); N],
) -> ChainCall {
    let [first, others] = names;
    let subnet = ("netuid", ChainValue::from(netuid));
    if mechid == MechId(0) {
        ChainCall::new(first, [subnet].into_iter().chain(arguments))
    } else {
        let mechanism = ("mecid", ChainValue::from(mechid));
        ChainCall::new(others, [subnet, mechanism].into_iter().chain(arguments))
    }
}

#[cfg(test)]
mod tests {
    use adit_primitives::{BlockHash, Uid};

    use super::*;
    use crate::client::OfflineRuntime;

    #[test]
    fn finney_has_every_call_with_exactly_these_arguments() {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        let runtime = OfflineRuntime::from_metadata(&bytes, BlockHash([0; 32]), 365, 1).unwrap();
        let weights = WeightVector::new(vec![(Uid(1), 64), (Uid(2), 16_384)]).unwrap();
        let salt = CommitSalt::new(vec![1, 65_535]);
        let netuid = NetUid(7);
        let mut names = Vec::new();
        for mechid in [MechId(0), MechId(1)] {
            names.extend([
                commit_weights(netuid, mechid, [9; 32]),
                reveal_weights(netuid, mechid, &weights, &salt, 3),
                commit_timelocked_weights(netuid, mechid, &[1, 2, 3], 1_000, 4),
            ]);
        }
        names.extend([
            batch_commit_weights(&[(netuid, [9; 32])]),
            batch_reveal_weights(netuid, &[(weights, salt, 3)]),
        ]);
        for call in names {
            let data = runtime
                .call_data(&call)
                .unwrap_or_else(|error| panic!("{}: {error:?}", call.name()));
            assert_eq!(runtime.call_from_data(&data).unwrap().name(), call.name());
        }
    }
}
