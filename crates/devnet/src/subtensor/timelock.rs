//! Commit and reveal of weights that a round of the beacon opens (version 4). The chain reveals by
//! itself, and what it cannot reveal it drops without a word, as the live chain does.

use adit_chain::commit_reveal::{TimelockedWeights, timelock};
use frame_support::{BoundedVec, dispatch::DispatchResult, ensure, traits::ConstU32};
use sp_core::{H256, crypto::AccountId32};
use sp_crypto_hashing::blake2_256;

use super::{
    commits::MOST_UNREVEALED,
    pallet::{
        CommitRevealWeightsVersion, Config, Error, Event, LastUpdate, MechanismCountCurrent,
        Pallet, RevealPeriodEpochs, SubnetEpochIndex, TimelockedWeightCommits,
    },
    place, storage_index,
};
use crate::drand;

/// Sealed weights, as a commit carries them.
pub(crate) type Sealed = BoundedVec<u8, ConstU32<5000>>;
/// A commit as it is stored: hotkey, block, sealed weights, round.
type Commit = (AccountId32, u64, Sealed, u64);

impl<T: Config> Pallet<T> {
    /// Takes weights sealed to `round`.
    pub(crate) fn commit_sealed(
        hotkey: &AccountId32,
        netuid: u16,
        mecid: u8,
        sealed: Sealed,
        round: u64,
        version: u16,
    ) -> DispatchResult {
        ensure!(
            version == CommitRevealWeightsVersion::<T>::get(),
            Error::<T>::IncorrectCommitRevealVersion
        );
        let index = storage_index(netuid, mecid);
        let uid = Self::check_commit(hotkey, netuid, index)?;
        let epoch = Self::commit_epoch(netuid);
        let commits = TimelockedWeightCommits::<T>::get(index, epoch);
        let own = commits.iter().filter(|commit| commit.0 == *hotkey).count();
        ensure!(own < MOST_UNREVEALED, Error::<T>::TooManyUnrevealedCommits);
        let hash: H256 = blake2_256(&codec::Encode::encode(&sealed)).into();
        TimelockedWeightCommits::<T>::append(
            index,
            epoch,
            (hotkey.clone(), Self::now(), sealed, round),
        );
        LastUpdate::<T>::mutate(index, |updates| place(updates, uid, Self::now()));
        Self::deposit_event(Event::TimelockedWeightsCommitted(
            hotkey.clone(),
            index,
            hash,
            round,
        ));
        Ok(())
    }

    /// Start of a block: reveals what is due, and forgets what was due before and never opened.
    pub(crate) fn step_timelocks() {
        for netuid in Self::networks().into_iter().filter(|&netuid| netuid != 0) {
            let next = u64::from(Self::epoch_is_due(netuid, Self::now()));
            let epoch = SubnetEpochIndex::<T>::get(netuid).saturating_add(next);
            let Some(due) = epoch.checked_sub(RevealPeriodEpochs::<T>::get(netuid)) else {
                continue;
            };
            for mecid in 0..MechanismCountCurrent::<T>::get(netuid) {
                let index = storage_index(netuid, mecid);
                let expired: Vec<u64> = TimelockedWeightCommits::<T>::iter_key_prefix(index)
                    .filter(|&epoch| epoch < due)
                    .collect();
                for epoch in expired {
                    TimelockedWeightCommits::<T>::remove(index, epoch);
                }
                let waiting = TimelockedWeightCommits::<T>::take(index, due);
                let left: Vec<Commit> = waiting
                    .into_iter()
                    .filter(|commit| !Self::open_sealed(netuid, mecid, commit))
                    .collect();
                if !left.is_empty() {
                    TimelockedWeightCommits::<T>::insert(index, due, left);
                }
            }
        }
    }

    /// Opens a commit and sets its weights; false when its pulse has not come yet.
    fn open_sealed(netuid: u16, mecid: u8, (hotkey, _, sealed, round): &Commit) -> bool {
        let Some(signature) = drand::Pallet::<T>::signature(*round) else {
            return false;
        };
        if Self::set_opened(hotkey, netuid, mecid, sealed, &signature).is_some() {
            Self::deposit_event(Event::TimelockedWeightsRevealed(
                storage_index(netuid, mecid),
                hotkey.clone(),
            ));
        } else {
            tracing::debug!(%hotkey, netuid, mecid, round, "a sealed commit was dropped");
        }
        true
    }

    fn set_opened(
        hotkey: &AccountId32,
        netuid: u16,
        mecid: u8,
        sealed: &[u8],
        signature: &timelock::RoundSignature,
    ) -> Option<()> {
        let payload = timelock::open(sealed, signature).ok()?;
        let opened = TimelockedWeights::decode(&payload).ok()?;
        let signer: &[u8; 32] = hotkey.as_ref();
        if opened
            .hotkey
            .is_some_and(|named| named.account().as_bytes() != signer)
        {
            return None;
        }
        let (uids, values): (Vec<u16>, Vec<u16>) = opened
            .weights
            .into_iter()
            .map(|(uid, value)| (uid.0, value))
            .unzip();
        Self::store_weights(hotkey, netuid, mecid, &uids, &values, opened.version_key).ok()
    }
}
