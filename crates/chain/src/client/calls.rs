//! Calls by area, ready to be sent with [`Client::submit`](super::Client::submit), put into a batch
//! or signed offline. [`Client`](super::Client) has a method for each that also reads back what came
//! of it.

mod batch;
mod commit_reveal;
mod commitments;
mod delegation;
mod registration;
mod serve;
mod stake;
mod transfer;
mod weights;

pub use batch::{batch, batch_all, force_batch};
pub use commit_reveal::{
    batch_commit_weights, batch_reveal_weights, commit_timelocked_weights, commit_weights,
    reveal_weights,
};
pub use commitments::set_commitment;
pub use delegation::{decrease_take, increase_take, set_childkey_take, set_children};
pub use registration::{burned_register, register_limit, root_register, swap_hotkey};
pub use serve::{serve_axon, serve_axon_tls, serve_prometheus};
pub use stake::{
    add_stake, add_stake_limit, move_stake, remove_stake, remove_stake_full_limit,
    remove_stake_limit, swap_stake, swap_stake_limit, transfer_stake, unstake_all,
    unstake_all_alpha,
};
pub use transfer::{transfer_all, transfer_allow_death, transfer_keep_alive};
pub use weights::{WeightsItem, batch_set_weights, set_mechanism_weights, set_weights};

use super::{call::ChainCall, value::ChainValue};

/// A call of the subnet pallet.
fn subtensor<const N: usize>(
    name: &'static str,
    arguments: [(&'static str, ChainValue); N],
) -> ChainCall {
    ChainCall::new(name, arguments)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use adit_primitives::{
        AccountId, AxonInfo, Block, BlockHash, CommitmentField, Hotkey, MechId, NetUid, Rao, Uid,
        WeightVector,
    };

    use super::*;
    use crate::client::OfflineRuntime;

    #[test]
    fn finney_has_every_call_with_exactly_these_arguments() {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        let runtime = OfflineRuntime::from_metadata(&bytes, BlockHash([0; 32]), 365, 1).unwrap();
        let account = AccountId::new([7; 32]);
        let (hotkey, netuid, other, rao) = (Hotkey(account), NetUid(1), NetUid(2), Rao(5));
        let at: SocketAddr = "203.0.113.7:8091".parse().unwrap();
        let axon = AxonInfo {
            ip: at.ip(),
            port: at.port(),
            protocol: 4,
            version: 1,
            block: Block(0),
        };
        let item = WeightsItem {
            netuid,
            weights: WeightVector::new(vec![(Uid(1), 64), (Uid(2), 16_384)]).unwrap(),
            version_key: 70_000,
        };
        let fields = [
            CommitmentField::None,
            CommitmentField::Raw(b"hello".to_vec()),
            CommitmentField::ResetBondsFlag,
        ];
        let calls = [
            burned_register(netuid, hotkey),
            root_register(hotkey),
            swap_hotkey(hotkey, hotkey, None),
            swap_hotkey(hotkey, hotkey, Some(netuid)),
            serve_axon(netuid, &axon),
            serve_axon_tls(netuid, &axon, &[1, 2, 3]),
            serve_prometheus(netuid, at, 7),
            add_stake(netuid, hotkey, rao),
            remove_stake(netuid, hotkey, rao),
            add_stake_limit(netuid, hotkey, rao, rao, true),
            remove_stake_limit(netuid, hotkey, rao, rao, false),
            remove_stake_full_limit(netuid, hotkey, Some(rao)),
            remove_stake_full_limit(netuid, hotkey, None),
            unstake_all(hotkey),
            unstake_all_alpha(hotkey),
            move_stake((hotkey, netuid), (hotkey, other), rao),
            transfer_stake(account.into(), hotkey, netuid, other, rao),
            swap_stake(hotkey, netuid, other, rao),
            swap_stake_limit(hotkey, netuid, other, rao, rao, true),
            transfer_keep_alive(account, rao),
            transfer_allow_death(account, rao),
            transfer_all(account, true),
            set_commitment(netuid, &fields),
            set_children(netuid, hotkey, &[(1 << 63, hotkey), (1, hotkey)]),
            set_childkey_take(netuid, hotkey, 11_796),
            increase_take(hotkey, 11_796),
            decrease_take(hotkey, 0),
            set_weights(netuid, &item.weights, 0),
            set_mechanism_weights(netuid, MechId(1), &item.weights, 7),
            batch_set_weights(std::slice::from_ref(&item)),
            batch([add_stake(netuid, hotkey, rao), root_register(hotkey)]),
            batch_all([add_stake(netuid, hotkey, rao)]),
            force_batch([add_stake(netuid, hotkey, rao)]),
        ];
        for call in calls {
            let data = runtime
                .call_data(&call)
                .unwrap_or_else(|error| panic!("{error}: {error:?}"));
            assert_eq!(runtime.call_from_data(&data).unwrap().name(), call.name());
        }
        // Newer than this runtime.
        let limited = runtime.call_data(&register_limit(netuid, hotkey, rao));
        assert!(matches!(limited, Err(crate::Error::NoSuchCall { .. })));
    }

    #[test]
    fn commitments_encode_as_the_official_tools_do() {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        let runtime = OfflineRuntime::from_metadata(&bytes, BlockHash([0; 32]), 365, 1).unwrap();
        let data = |fields: &[CommitmentField]| {
            let data = runtime
                .call_data(&set_commitment(NetUid(1), fields))
                .unwrap();
            // Pallet, call and netuid.
            data[4..].to_vec()
        };
        assert_eq!(data(&[]), [0]);
        assert_eq!(
            data(&[CommitmentField::Raw(b"hello".to_vec())]),
            b"\x04\x06hello"
        );
        assert_eq!(data(&[CommitmentField::Raw(vec![])]), [4, 1]);
        let two = [
            CommitmentField::Raw(b"hi".to_vec()),
            CommitmentField::ResetBondsFlag,
        ];
        assert_eq!(data(&two), [8, 3, b'h', b'i', 135]);
        let sha = data(&[CommitmentField::Sha256([9; 32])]);
        assert_eq!((sha[..2].to_vec(), sha.len()), (vec![4, 131], 34));
        let big = data(&[CommitmentField::BigRaw(vec![1; 300])]);
        assert_eq!(big[..4], [4, 136, 0xb1, 0x04]);
        let sealed = CommitmentField::TimelockEncrypted {
            encrypted: vec![3; 4],
            reveal_round: 1,
        };
        let expected = [&[4, 134, 16, 3, 3, 3, 3][..], &1_u64.to_le_bytes()].concat();
        assert_eq!(data(&[sealed]), expected);
    }
}
