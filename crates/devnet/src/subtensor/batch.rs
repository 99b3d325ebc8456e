//! The calls that do several things at once. A batch of settings or commits goes on when an item
//! is refused and tells so in events only; a batch of reveals stops at the first refusal.

use codec::Compact;
use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::{H256, crypto::AccountId32};
use sp_runtime::DispatchError;

use super::{
    commits::Revealed,
    pallet::{Config, Error, Event, Pallet},
};

impl<T: Config> Pallet<T> {
    pub(crate) fn set_many(
        hotkey: &AccountId32,
        netuids: Vec<Compact<u16>>,
        rows: Vec<Vec<(Compact<u16>, Compact<u16>)>>,
        version_keys: &[Compact<u64>],
    ) -> DispatchResult {
        ensure!(
            netuids.len() == rows.len() && netuids.len() == version_keys.len(),
            Error::<T>::InputLengthsUnequal
        );
        let items = netuids.iter().zip(rows).zip(version_keys);
        let results = items.map(|((netuid, row), key)| {
            let (dests, weights): (Vec<u16>, Vec<u16>) = row
                .into_iter()
                .map(|(uid, weight)| (uid.0, weight.0))
                .unzip();
            Self::accept_weights(hotkey, netuid.0, 0, &dests, &weights, key.0)
        });
        let results: Vec<DispatchResult> = results.collect();
        Self::conclude(hotkey, netuids, results);
        Ok(())
    }

    pub(crate) fn commit_many(
        hotkey: &AccountId32,
        netuids: Vec<Compact<u16>>,
        hashes: Vec<H256>,
    ) -> DispatchResult {
        ensure!(
            netuids.len() == hashes.len(),
            Error::<T>::InputLengthsUnequal
        );
        let items = netuids.iter().zip(hashes);
        let results: Vec<DispatchResult> = items
            .map(|(netuid, hash)| Self::commit(hotkey, netuid.0, 0, hash))
            .collect();
        Self::conclude(hotkey, netuids, results);
        Ok(())
    }

    fn conclude(hotkey: &AccountId32, netuids: Vec<Compact<u16>>, results: Vec<DispatchResult>) {
        let mut failed = false;
        for error in results.into_iter().filter_map(Result::err) {
            failed = true;
            Self::deposit_event(Event::BatchWeightItemFailed(error));
        }
        if failed {
            Self::deposit_event(Event::BatchCompletedWithErrors());
        }
        Self::deposit_event(Event::BatchWeightsCompleted(netuids, hotkey.clone()));
    }

    pub(crate) fn reveal_many(
        hotkey: &AccountId32,
        netuid: u16,
        uids: Vec<Vec<u16>>,
        values: Vec<Vec<u16>>,
        salts: Vec<Vec<u16>>,
        version_keys: Vec<u64>,
    ) -> DispatchResult {
        let count = uids.len();
        ensure!(
            count > 0
                && values.len() == count
                && salts.len() == count
                && version_keys.len() == count,
            Error::<T>::InputLengthsUnequal
        );
        let items = uids.into_iter().zip(values).zip(salts).zip(version_keys);
        let hashes: Result<Vec<H256>, DispatchError> = items
            .map(|(((uids, values), salt), version_key)| {
                let revealed = Revealed {
                    uids,
                    values,
                    salt,
                    version_key,
                };
                let hash = revealed.hash(hotkey, netuid);
                Self::open(hotkey, netuid, 0, &revealed, hash)?;
                Ok(hash)
            })
            .collect();
        Self::deposit_event(Event::WeightsBatchRevealed(hotkey.clone(), netuid, hashes?));
        Ok(())
    }
}
