//! Commit and reveal of weights by hash: when a commit is taken, when it can be revealed, when it
//! is too late (the live chain's rules since runtime 425).

use codec::Encode as _;
use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::{H256, crypto::AccountId32};
use sp_crypto_hashing::blake2_256;

use super::{
    element,
    pallet::{
        CommitRevealWeightsEnabled, Config, Error, Event, LastUpdate, Pallet, RevealPeriodEpochs,
        SubnetEpochIndex, TimelockedWeightCommits, Uids, WeightCommits, WeightsSetRateLimit,
    },
    place, storage_index,
};

/// Commits that may wait for their reveal.
pub(crate) const MOST_UNREVEALED: usize = 10;

/// What a reveal carries, and what the commit was the hash of.
pub(crate) struct Revealed {
    pub(crate) uids: Vec<u16>,
    pub(crate) values: Vec<u16>,
    pub(crate) salt: Vec<u16>,
    pub(crate) version_key: u64,
}

impl Revealed {
    pub(crate) fn hash(&self, hotkey: &AccountId32, index: u16) -> H256 {
        let tuple = (
            hotkey,
            index,
            &self.uids,
            &self.values,
            &self.salt,
            self.version_key,
        );
        blake2_256(&tuple.encode()).into()
    }
}

impl<T: Config> Pallet<T> {
    /// Takes the hash of weights that `hotkey` will reveal.
    pub(crate) fn commit(
        hotkey: &AccountId32,
        netuid: u16,
        mecid: u8,
        hash: H256,
    ) -> DispatchResult {
        let index = storage_index(netuid, mecid);
        let uid = Self::check_commit(hotkey, netuid, index)?;
        let mut commits = WeightCommits::<T>::get(index, hotkey).unwrap_or_default();
        let expired = commits
            .iter()
            .take_while(|commit| Self::commit_expired(netuid, commit.1))
            .count();
        commits.drain(..expired);
        ensure!(
            commits.len() < MOST_UNREVEALED,
            Error::<T>::TooManyUnrevealedCommits
        );
        commits.push((hash, Self::commit_epoch(netuid), Self::now(), 0));
        WeightCommits::<T>::insert(index, hotkey, commits);
        LastUpdate::<T>::mutate(index, |updates| place(updates, uid, Self::now()));
        Self::deposit_event(Event::WeightsCommitted(hotkey.clone(), index, hash));
        Ok(())
    }

    /// What every kind of commit is checked for; the neuron's uid.
    pub(crate) fn check_commit(
        hotkey: &AccountId32,
        netuid: u16,
        index: u16,
    ) -> Result<u16, Error<T>> {
        ensure!(
            CommitRevealWeightsEnabled::<T>::get(netuid),
            Error::<T>::CommitRevealDisabled
        );
        let uid = Uids::<T>::get(netuid, hotkey).ok_or(Error::<T>::HotKeyNotRegisteredInSubNet)?;
        ensure!(
            Self::update_is_due(netuid, index, uid),
            Error::<T>::CommittingWeightsTooFast
        );
        Ok(uid)
    }

    /// Whether the rate limit lets the neuron set or commit weights.
    pub(crate) fn update_is_due(netuid: u16, index: u16, uid: u16) -> bool {
        let last_update = element(&LastUpdate::<T>::get(index), uid);
        let elapsed = Self::now().saturating_sub(last_update);
        last_update == 0 || elapsed >= WeightsSetRateLimit::<T>::get(netuid)
    }

    /// Takes the weights whose hash was committed, and drops every older commit with it.
    pub(crate) fn reveal(
        hotkey: &AccountId32,
        netuid: u16,
        mecid: u8,
        revealed: &Revealed,
    ) -> DispatchResult {
        let index = storage_index(netuid, mecid);
        let hash = revealed.hash(hotkey, index);
        Self::open(hotkey, netuid, mecid, revealed, hash)?;
        Self::deposit_event(Event::WeightsRevealed(hotkey.clone(), index, hash));
        Ok(())
    }

    /// A reveal without its event.
    pub(crate) fn open(
        hotkey: &AccountId32,
        netuid: u16,
        mecid: u8,
        revealed: &Revealed,
        hash: H256,
    ) -> DispatchResult {
        ensure!(
            CommitRevealWeightsEnabled::<T>::get(netuid),
            Error::<T>::CommitRevealDisabled
        );
        let index = storage_index(netuid, mecid);
        let mut commits =
            WeightCommits::<T>::get(index, hotkey).ok_or(Error::<T>::NoWeightsCommitFound)?;
        let expired = commits
            .iter()
            .take_while(|commit| Self::commit_expired(netuid, commit.1))
            .count();
        let expired: Vec<H256> = commits.drain(..expired).map(|commit| commit.0).collect();
        let position = commits.iter().position(|commit| commit.0 == hash);
        let Some((position, epoch)) =
            position.and_then(|place| Some((place, commits.get(place)?.1)))
        else {
            let error = if expired.contains(&hash) {
                Error::<T>::ExpiredWeightCommit
            } else if commits.is_empty() {
                Error::<T>::NoWeightsCommitFound
            } else {
                Error::<T>::InvalidRevealCommitHashNotMatch
            };
            return Err(error.into());
        };
        ensure!(
            Self::reveal_is_due(netuid, epoch),
            Error::<T>::RevealTooEarly
        );
        commits.drain(..=position);
        if commits.is_empty() {
            WeightCommits::<T>::remove(index, hotkey);
        } else {
            WeightCommits::<T>::insert(index, hotkey, commits);
        }
        let Revealed {
            uids,
            values,
            version_key,
            ..
        } = revealed;
        Self::store_weights(hotkey, netuid, mecid, uids, values, *version_key)
    }

    /// The epoch a commit of this block belongs to: the present one, or the next when the very
    /// next block starts it.
    pub(crate) fn commit_epoch(netuid: u16) -> u64 {
        let next = u64::from(Self::epoch_is_due(netuid, Self::now().saturating_add(1)));
        SubnetEpochIndex::<T>::get(netuid).saturating_add(next)
    }

    /// Whether the reveal epoch of a commit has passed.
    pub(crate) fn commit_expired(netuid: u16, epoch: u64) -> bool {
        Self::commit_epoch(netuid) > epoch.saturating_add(RevealPeriodEpochs::<T>::get(netuid))
    }

    /// Whether a commit can be revealed now.
    pub(crate) fn reveal_is_due(netuid: u16, epoch: u64) -> bool {
        Self::commit_epoch(netuid) == epoch.saturating_add(RevealPeriodEpochs::<T>::get(netuid))
    }

    /// The block of each neuron's earliest commit that has not expired, in uid order.
    pub(crate) fn earliest_commits(netuid: u16, index: u16, neurons: u16) -> Vec<Option<u64>> {
        let mut earliest = vec![None; usize::from(neurons)];
        if !CommitRevealWeightsEnabled::<T>::get(netuid) {
            return earliest;
        }
        let mut note = |hotkey: &AccountId32, block: u64| {
            let uid = Uids::<T>::get(netuid, hotkey).map(usize::from);
            if let Some(slot) = uid.and_then(|uid| earliest.get_mut(uid)) {
                *slot = Some(slot.map_or(block, |before: u64| before.min(block)));
            }
        };
        for (hotkey, commits) in WeightCommits::<T>::iter_prefix(index) {
            for (_, epoch, block, _) in commits {
                if !Self::commit_expired(netuid, epoch) {
                    note(&hotkey, block);
                }
            }
        }
        for (epoch, commits) in TimelockedWeightCommits::<T>::iter_prefix(index) {
            if !Self::commit_expired(netuid, epoch) {
                for (hotkey, block, _, _) in commits {
                    note(&hotkey, block);
                }
            }
        }
        earliest
    }
}
