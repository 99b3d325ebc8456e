//! The `Drand` pallet: the pulses that open what was sealed to a round. Storage and events are the
//! live chain's. There an offchain worker fetches drand's quicknet; here the chain is its own
//! beacon, with a key of its configuration, and stores the pulse of every round whose time has
//! come.

use std::time::Duration;

use adit_chain::commit_reveal::timelock::{BeaconSecret, RoundSignature};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    BoundedVec,
    traits::{ConstU32, OnTimestampSet},
};
use scale_info::TypeInfo;

pub(crate) use pallet::*;

/// Pulses one block stores; a chain that slept catches up over several.
const MOST_PULSES: u64 = 32;
/// Where the beacon's seed is kept; no item of the pallet, as the live chain has none.
const SEED: &[u8] = b":adit:beacon";
type Bytes<const MOST: u32> = BoundedVec<u8, ConstU32<MOST>>;

/// Which beacon the pulses are of.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo)]
pub struct BeaconConfiguration {
    /// Compressed point of G2.
    pub public_key: Bytes<96>,
    /// Seconds between two rounds; 0 for no beacon.
    pub period: u32,
    /// Time of round 1, in seconds since 1970; 0 until the first block.
    pub genesis_time: u32,
    /// The chain hash of drand.
    pub hash: Bytes<32>,
    /// The group hash of drand.
    pub group_hash: Bytes<32>,
    /// How rounds are signed.
    pub scheme_id: Bytes<32>,
    /// More of it.
    pub metadata: Metadata,
}

/// More of a beacon.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo)]
pub struct Metadata {
    /// Its name.
    pub beacon_id: Bytes<8>,
}

/// What a beacon publishes for a round.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct Pulse {
    /// The round.
    pub round: u64,
    /// SHA-256 of the signature.
    pub randomness: Bytes<32>,
    /// Compressed point of G1.
    pub signature: Bytes<144>,
}

#[frame_support::pallet]
pub mod pallet {
    use frame_support::pallet_prelude::*;

    use super::{BeaconConfiguration, Pulse};

    #[pallet::config]
    pub trait Config: frame_system::Config {}

    #[pallet::pallet]
    #[pallet::without_storage_info]
    pub struct Pallet<T>(_);

    #[pallet::storage]
    pub type BeaconConfig<T> = StorageValue<_, BeaconConfiguration, ValueQuery>;
    #[pallet::storage]
    pub type Pulses<T> = StorageMap<_, Blake2_128Concat, u64, Pulse, OptionQuery>;
    #[pallet::storage]
    pub type LastStoredRound<T> = StorageValue<_, u64, ValueQuery>;
    #[pallet::storage]
    pub type OldestStoredRound<T> = StorageValue<_, u64, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The beacon was set up.
        BeaconConfigChanged {},
        /// Pulses were stored.
        NewPulse {
            /// Their rounds.
            rounds: Vec<u64>,
        },
    }
}

impl<T: Config> Pallet<T> {
    /// Sets up the beacon of a chain: a round every `period` seconds, signed with the key of
    /// `seed`.
    pub(crate) fn found(period: u32, seed: [u8; 32]) {
        sp_io::storage::set(SEED, &seed);
        let public_key = BeaconSecret::from_seed(seed).public_key().to_bytes();
        BeaconConfig::<T>::put(BeaconConfiguration {
            public_key: bounded(&public_key),
            period,
            scheme_id: bounded(b"bls-unchained-g1-rfc9380"),
            metadata: Metadata {
                beacon_id: bounded(b"devnet"),
            },
            ..BeaconConfiguration::default()
        });
    }

    /// Stores the pulses of the rounds that came between the last stored one and `now`.
    fn store_pulses(now: Duration) {
        let mut config = BeaconConfig::<T>::get();
        let seed = sp_io::storage::get(SEED).and_then(|seed| <[u8; 32]>::try_from(&*seed).ok());
        let (Some(seed), true) = (seed, config.period > 0) else {
            return;
        };
        if config.genesis_time == 0 {
            config.genesis_time = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
            BeaconConfig::<T>::put(&config);
            Self::deposit_event(Event::BeaconConfigChanged {});
        }
        let age = now.as_secs().saturating_sub(config.genesis_time.into());
        let newest = (age / u64::from(config.period)).saturating_add(1);
        let last = LastStoredRound::<T>::get();
        let newest = newest.min(last.saturating_add(MOST_PULSES));
        if newest <= last {
            return;
        }
        let secret = BeaconSecret::from_seed(seed);
        let rounds: Vec<u64> = (last + 1..=newest).collect();
        for &round in &rounds {
            let signature = secret.sign(round).to_bytes();
            let pulse = Pulse {
                round,
                randomness: bounded(&sp_crypto_hashing::sha2_256(&signature)),
                signature: bounded(&signature),
            };
            Pulses::<T>::insert(round, pulse);
        }
        if last == 0 {
            OldestStoredRound::<T>::put(1);
        }
        LastStoredRound::<T>::put(newest);
        Self::deposit_event(Event::NewPulse { rounds });
    }

    /// The signature of a round that is stored.
    pub(crate) fn signature(round: u64) -> Option<RoundSignature> {
        RoundSignature::from_bytes(&Pulses::<T>::get(round)?.signature).ok()
    }
}

impl<T: Config> OnTimestampSet<u64> for Pallet<T> {
    fn on_timestamp_set(moment: u64) {
        Self::store_pulses(Duration::from_millis(moment));
    }
}

/// Bytes that are known to fit; empty when they do not.
fn bounded<const MOST: u32>(bytes: &[u8]) -> Bytes<MOST> {
    Bytes::try_from(bytes.to_vec()).unwrap_or_default()
}
