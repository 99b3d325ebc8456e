//! The `SubtensorModule` pallet: storage, calls, events and errors under the names and types the
//! live chain has, as far as a neuron needs them (runtime 393; a later runtime wraps the same
//! bytes in newtypes).

mod axon;
mod batch;
mod calls;
mod children;
mod commits;
mod epoch;
mod errors;
mod events;
mod genesis;
mod moves;
mod records;
mod registration;
mod staking;
mod storage;
mod take;
mod timelock;
mod weights;

use frame_support::pallet_macros::import_section;

pub(crate) use commits::Revealed;
pub(crate) use pallet::*;

#[import_section(storage::storage)]
#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(calls::calls)]
#[frame_support::pallet]
pub mod pallet {
    use frame_support::{
        pallet_prelude::*,
        traits::{
            ConstBool, ConstI16, ConstU8, ConstU16, ConstU32, ConstU64,
            fungible::{Inspect, Mutate},
        },
    };
    use frame_system::pallet_prelude::*;
    use sp_core::{H256, crypto::AccountId32};

    pub use super::records::{
        ChainIdentityV2, EpochConsensus, I96F32, NeuronCertificate, StoredPrometheus,
        SubnetIdentityV3,
    };

    /// Where a neuron listens, as the chain encodes its `AxonInfo`.
    #[derive(
        Clone, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo,
    )]
    pub struct StoredAxon {
        /// Block of the announcement.
        pub block: u64,
        /// Version the neuron declares.
        pub version: u32,
        /// The address as an integer.
        pub ip: u128,
        /// Port.
        pub port: u16,
        /// 4 or 6.
        pub ip_type: u8,
        /// Protocol number.
        pub protocol: u8,
        /// Unused.
        pub placeholder1: u8,
        /// Unused.
        pub placeholder2: u8,
    }

    /// A fixed-point number of 64 integer and 64 fraction bits; the unit of stake shares.
    #[derive(
        Clone, Copy, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo,
    )]
    pub struct U64F64 {
        /// The number times 2⁶⁴.
        pub bits: u128,
    }

    use super::{commits::Revealed, moves::Position, timelock::Sealed};
    use crate::drand;

    /// Calls of neurons cost nothing.
    const FREE: (Weight, DispatchClass, Pays) = (
        Weight::from_parts(1_000_000, 0),
        DispatchClass::Normal,
        Pays::No,
    );

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId32> + drand::Config {
        /// The TAO ledger.
        type Currency: Inspect<AccountId32, Balance = u64> + Mutate<AccountId32>;
    }

    #[pallet::pallet]
    #[pallet::without_storage_info]
    pub struct Pallet<T>(_);

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_block: BlockNumberFor<T>) -> Weight {
            Self::step_registration();
            Self::step_timelocks();
            Self::step_epochs();
            Weight::zero()
        }

        fn on_finalize(_block: BlockNumberFor<T>) {
            Self::clear_staking_limits();
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The number of the block being built.
    pub(crate) fn now() -> u64 {
        use sp_runtime::SaturatedConversion as _;
        frame_system::Pallet::<T>::block_number().saturated_into()
    }
}

/// The index under which a mechanism of a subnet keeps what is its own: weights, bonds, updates,
/// incentive and commits. Mechanism 0 has the netuid itself.
pub(crate) fn storage_index(netuid: u16, mecid: u8) -> u16 {
    u16::from(mecid)
        .saturating_mul(MECHANISM_STRIDE)
        .saturating_add(netuid)
}

/// Subnets there can be at most; the distance between two mechanisms' indexes.
const MECHANISM_STRIDE: u16 = 4096;

/// The value of a neuron in one of its subnet's vectors.
pub(crate) fn element<V: Copy + Default>(values: &[V], uid: u16) -> V {
    values.get(usize::from(uid)).copied().unwrap_or_default()
}

/// Sets `values[index]`, growing the vector when it is too short; every per-neuron vector of the
/// chain is as long as its subnet.
pub(crate) fn place<V: Clone + Default>(values: &mut Vec<V>, index: u16, value: V) {
    let index = usize::from(index);
    if values.len() <= index {
        values.resize(index + 1, V::default());
    }
    if let Some(slot) = values.get_mut(index) {
        *slot = value;
    }
}
