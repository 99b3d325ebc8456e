//! The live chain's own checks on a transaction. The pool runs them, so what they refuse is never
//! in a block: the answer is `InvalidTransaction::Custom` with one of the live chain's codes.

use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::dispatch::DispatchInfo;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{AsSystemOriginSigner as _, TransactionExtension, ValidateResult},
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
    },
};

use crate::{
    drand,
    runtime::{AccountId, Runtime, RuntimeCall, RuntimeOrigin},
    subtensor::{self, Call, Error, Pallet, Revealed, StoredAxon, storage_index},
};

/// Codes of `InvalidTransaction::Custom`, as clients know them.
mod code {
    pub(super) const STAKE_TOO_LOW: u8 = 1;
    pub(super) const RATE_LIMIT: u8 = 6;
    pub(super) const NOT_REGISTERED: u8 = 10;
    pub(super) const INVALID_IP: u8 = 11;
    pub(super) const SERVING_RATE_LIMIT: u8 = 12;
    pub(super) const INVALID_PORT: u8 = 13;
    pub(super) const INVALID_REVEAL_ROUND: u8 = 15;
    pub(super) const COMMIT_NOT_FOUND: u8 = 16;
    pub(super) const NOT_IN_REVEAL_RANGE: u8 = 17;
    pub(super) const LENGTHS_UNEQUAL: u8 = 18;
    pub(super) const NON_ASSOCIATED_COLDKEY: u8 = 25;
    pub(super) const TAKE_TOO_LOW: u8 = 26;
    pub(super) const TAKE_TOO_HIGH: u8 = 27;
    pub(super) const BAD_REQUEST: u8 = 255;
}

/// Refuses calls of the pallet `SubtensorModule` that could only fail.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct SubtensorTransactionExtension;

impl TransactionExtension<RuntimeCall> for SubtensorTransactionExtension {
    const IDENTIFIER: &'static str = "SubtensorTransactionExtension";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    fn validate(
        &self,
        origin: RuntimeOrigin,
        call: &RuntimeCall,
        _info: &DispatchInfo,
        _len: usize,
        _implicit: Self::Implicit,
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        if let (Some(signer), RuntimeCall::SubtensorModule(call)) =
            (origin.as_system_origin_signer(), call)
        {
            check(signer, call).map_err(|code| {
                TransactionValidityError::Invalid(InvalidTransaction::Custom(code))
            })?;
        }
        Ok((ValidTransaction::default(), (), origin))
    }

    impl_tx_ext_default!(RuntimeCall; weight prepare);
}

fn check(signer: &AccountId, call: &Call<Runtime>) -> Result<(), u8> {
    match call {
        Call::set_weights { netuid, .. }
        | Call::set_mechanism_weights { netuid, .. }
        | Call::commit_weights { netuid, .. }
        | Call::commit_mechanism_weights { netuid, .. } => stake_suffices(signer, *netuid),
        Call::batch_set_weights { netuids, .. } => netuids
            .iter()
            .try_for_each(|netuid| stake_suffices(signer, netuid.0)),
        Call::batch_commit_weights {
            netuids,
            commit_hashes,
        } => {
            require(netuids.len() == commit_hashes.len(), code::LENGTHS_UNEQUAL)?;
            netuids
                .iter()
                .try_for_each(|netuid| stake_suffices(signer, netuid.0))
        }
        Call::commit_timelocked_weights {
            netuid,
            reveal_round,
            ..
        }
        | Call::commit_timelocked_mechanism_weights {
            netuid,
            reveal_round,
            ..
        }
        | Call::commit_crv3_mechanism_weights {
            netuid,
            reveal_round,
            ..
        } => {
            stake_suffices(signer, *netuid)?;
            require(
                *reveal_round >= drand::LastStoredRound::<Runtime>::get(),
                code::INVALID_REVEAL_ROUND,
            )
        }
        Call::reveal_weights {
            netuid,
            uids,
            values,
            salt,
            version_key,
        } => reveal_is_due(signer, *netuid, 0, (uids, values, salt, *version_key)),
        Call::reveal_mechanism_weights {
            netuid,
            mecid,
            uids,
            values,
            salt,
            version_key,
        } => reveal_is_due(signer, *netuid, *mecid, (uids, values, salt, *version_key)),
        Call::batch_reveal_weights {
            netuid,
            uids_list,
            values_list,
            salts_list,
            version_keys,
        } => {
            let count = uids_list.len();
            require(
                values_list.len() == count
                    && salts_list.len() == count
                    && version_keys.len() == count,
                code::LENGTHS_UNEQUAL,
            )?;
            let rows = uids_list.iter().zip(values_list).zip(salts_list);
            rows.zip(version_keys)
                .try_for_each(|(((uids, values), salt), key)| {
                    reveal_is_due(signer, *netuid, 0, (uids, values, salt, *key))
                })
        }
        Call::serve_axon {
            netuid,
            ip,
            port,
            ip_type,
            ..
        }
        | Call::serve_axon_tls {
            netuid,
            ip,
            port,
            ip_type,
            ..
        } => {
            let axon = StoredAxon {
                block: Pallet::<Runtime>::now(),
                ip: *ip,
                port: *port,
                ip_type: *ip_type,
                ..StoredAxon::default()
            };
            Pallet::<Runtime>::check_axon(signer, *netuid, &axon).map_err(|error| code_of(&error))
        }
        Call::register { netuid, .. }
        | Call::burned_register { netuid, .. }
        | Call::register_limit { netuid, .. } => require(
            !subtensor::NetworksAdded::<Runtime>::get(netuid)
                || Pallet::<Runtime>::interval_has_room(*netuid),
            code::RATE_LIMIT,
        ),
        Call::increase_take { hotkey, take } => {
            owns(signer, hotkey)?;
            let present = subtensor::Delegates::<Runtime>::get(hotkey);
            require(*take > present, code::TAKE_TOO_LOW)?;
            let most = subtensor::MaxDelegateTake::<Runtime>::get();
            require(*take <= most, code::TAKE_TOO_HIGH)?;
            require(Pallet::<Runtime>::take_may_rise(hotkey), code::RATE_LIMIT)
        }
        Call::decrease_take { hotkey, take } => {
            owns(signer, hotkey)?;
            let present = subtensor::Delegates::<Runtime>::get(hotkey);
            require(*take < present, code::TAKE_TOO_LOW)
        }
        _ => Ok(()),
    }
}

fn require(holds: bool, code: u8) -> Result<(), u8> {
    if holds { Ok(()) } else { Err(code) }
}

fn stake_suffices(hotkey: &AccountId, netuid: u16) -> Result<(), u8> {
    require(
        Pallet::<Runtime>::stake_suffices(hotkey, netuid),
        code::STAKE_TOO_LOW,
    )
}

fn owns(coldkey: &AccountId, hotkey: &AccountId) -> Result<(), u8> {
    require(
        Pallet::<Runtime>::check_owner(coldkey, hotkey).is_ok(),
        code::NON_ASSOCIATED_COLDKEY,
    )
}

/// A row of weights, its salt and its version key.
type Row<'a> = (&'a Vec<u16>, &'a Vec<u16>, &'a Vec<u16>, u64);

fn reveal_is_due(hotkey: &AccountId, netuid: u16, mecid: u8, row: Row<'_>) -> Result<(), u8> {
    stake_suffices(hotkey, netuid)?;
    let (uids, values, salt, version_key) = row;
    let revealed = Revealed {
        uids: uids.clone(),
        values: values.clone(),
        salt: salt.clone(),
        version_key,
    };
    let index = storage_index(netuid, mecid);
    let hash: H256 = revealed.hash(hotkey, index);
    let commits = subtensor::WeightCommits::<Runtime>::get(index, hotkey).unwrap_or_default();
    let commit = commits.iter().find(|commit| commit.0 == hash);
    let (_, epoch, _, _) = commit.ok_or(code::COMMIT_NOT_FOUND)?;
    require(
        Pallet::<Runtime>::reveal_is_due(netuid, *epoch),
        code::NOT_IN_REVEAL_RANGE,
    )
}

/// The code of what an announcement was refused for.
fn code_of(error: &Error<Runtime>) -> u8 {
    match error {
        Error::HotKeyNotRegisteredInNetwork => code::NOT_REGISTERED,
        Error::InvalidIpType | Error::InvalidIpAddress => code::INVALID_IP,
        Error::ServingRateLimitExceeded => code::SERVING_RATE_LIMIT,
        Error::InvalidPort => code::INVALID_PORT,
        _ => code::BAD_REQUEST,
    }
}

/// Refuses calls of the pallet `Sudo` that its key did not sign.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct SudoTransactionExtension;

impl TransactionExtension<RuntimeCall> for SudoTransactionExtension {
    const IDENTIFIER: &'static str = "SudoTransactionExtension";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    fn validate(
        &self,
        origin: RuntimeOrigin,
        call: &RuntimeCall,
        _info: &DispatchInfo,
        _len: usize,
        _implicit: Self::Implicit,
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        let sudo = pallet_sudo::Key::<Runtime>::get();
        if matches!(call, RuntimeCall::Sudo(_)) && origin.as_system_origin_signer() != sudo.as_ref()
        {
            return Err(InvalidTransaction::BadSigner.into());
        }
        Ok((ValidTransaction::default(), (), origin))
    }

    impl_tx_ext_default!(RuntimeCall; weight prepare);
}

/// Puts the beacon's pulses before other transactions on the live chain. They come another way
/// here, so it only has the place and the name.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct DrandPriority;

impl TransactionExtension<RuntimeCall> for DrandPriority {
    const IDENTIFIER: &'static str = "DrandPriority";
    type Implicit = ();
    type Val = ();
    type Pre = ();
    impl_tx_ext_default!(RuntimeCall; weight validate prepare);
}

/// Whether the signer signed the metadata too. Nobody can here: only "no" is taken.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct CheckMetadataHash {
    /// Whether it is signed.
    pub mode: MetadataMode,
}

/// Whether the metadata's hash is among what is signed.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub enum MetadataMode {
    /// It is not.
    Disabled,
    /// It is.
    Enabled,
}

impl TransactionExtension<RuntimeCall> for CheckMetadataHash {
    const IDENTIFIER: &'static str = "CheckMetadataHash";
    type Implicit = Option<[u8; 32]>;
    type Val = ();
    type Pre = ();

    fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
        match self.mode {
            MetadataMode::Disabled => Ok(None),
            MetadataMode::Enabled => Err(InvalidTransaction::Call.into()),
        }
    }

    impl_tx_ext_default!(RuntimeCall; weight validate prepare);
}
