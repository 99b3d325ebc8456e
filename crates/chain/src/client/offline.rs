use std::{fmt, sync::Arc};

use adit_primitives::{AccountId, Block, BlockHash};
use adit_wallet::{Keypair, Signature, SignatureScheme};
use subxt::{
    Metadata, SubstrateConfig,
    config::DefaultExtrinsicParamsBuilder,
    ext::{codec::Encode as _, frame_decode::storage::encode_storage_key, scale_value::Value},
    transactions,
    utils::{AccountId32, Era, H256},
};

use super::{
    call::{ChainCall, names},
    connection::unreadable,
    runtime::Runtime,
    signer::{SigningKey, multi_signature},
    value::ChainValue,
};
use crate::{Error, Result};

/// A runtime without a node: encodes calls and storage keys, signs transactions.
///
/// [`Client`](super::Client) does all this by itself; this is for machines that hold keys and no
/// connection, for tools and for tests.
///
/// ```
/// use adit_chain::client::{ChainCall, OfflineRuntime, SigningTerms, TransactionEra};
/// use adit_primitives::{Block, BlockHash, NetUid};
/// use adit_wallet::Keypair;
///
/// # fn example(metadata: &[u8], genesis: BlockHash, newest: (Block, BlockHash)) -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = OfflineRuntime::from_metadata(metadata, genesis, 365, 1)?;
/// let call = ChainCall::new("SubtensorModule.start_call", [("netuid", NetUid(9).into())]);
/// let terms = SigningTerms {
///     nonce: 4,
///     tip: 0,
///     era: TransactionEra::Mortal { period: 64, current: newest.0, birth_hash: newest.1 },
/// };
/// let signed = runtime.sign(&call, &terms, &Keypair::from_uri("//Alice")?)?;
/// println!("author_submitExtrinsic 0x{}", hex::encode(&signed.bytes));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct OfflineRuntime(Arc<Runtime>);

/// What a signature covers beside the call and the runtime's own versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningTerms {
    /// How many transactions of the account came before.
    pub nonce: u64,
    /// Rao for the block's author. Buys no priority on Subtensor: all ordinary transactions are
    /// equal there.
    pub tip: u64,
    /// How long it can be included.
    pub era: TransactionEra,
}

/// The blocks in which a transaction can be included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEra {
    /// For ever. This crate never signs so by itself: a transaction lost on the way could come
    /// back years later.
    Immortal,
    /// From a block on for a number of blocks.
    Mortal {
        /// Blocks; made a power of two from 4 to 65,536. The chain knows the hashes of its last
        /// 2,400 blocks only.
        period: u64,
        /// The block to begin with. Periods above 4,096 begin at a multiple of `period / 4096`.
        current: Block,
        /// The hash of the block it begins with, see [`TransactionEra::birth`].
        birth_hash: BlockHash,
    },
}

/// A transaction ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// As `author_submitExtrinsic` takes it, length prefix included.
    pub bytes: Vec<u8>,
    /// Its hash (blake2-256 of the bytes).
    pub hash: [u8; 32],
}

impl TransactionEra {
    /// The two bytes a transaction says it with, one for an immortal one.
    pub fn encode(self) -> Vec<u8> {
        self.era().encode()
    }

    /// The block whose hash the signature covers: 0 for an immortal transaction.
    pub fn birth(self) -> Block {
        match (self, self.era()) {
            (Self::Mortal { current, .. }, Era::Mortal { period, phase }) => {
                let periods = current.0.max(phase).saturating_sub(phase) / period.max(1);
                Block(periods.saturating_mul(period).saturating_add(phase))
            }
            _ => Block(0),
        }
    }

    fn era(self) -> Era {
        match self {
            Self::Immortal => Era::Immortal,
            Self::Mortal {
                period, current, ..
            } => Era::mortal(period, current.0),
        }
    }
}

impl OfflineRuntime {
    /// A runtime from its metadata (V14 to V16, with the magic number in front), the chain it runs
    /// and the two versions that signatures cover.
    ///
    /// # Errors
    /// [`Error::Decode`] when the bytes are no metadata that can be read.
    pub fn from_metadata(
        metadata: &[u8],
        genesis: BlockHash,
        spec_version: u32,
        transaction_version: u32,
    ) -> Result<Self> {
        let metadata = Metadata::decode_from(metadata);
        let metadata = metadata.map_err(|error| unreadable("metadata", &error.to_string()))?;
        let runtime = Runtime::new(metadata, genesis, spec_version, transaction_version)?;
        Ok(Self(Arc::new(runtime)))
    }

    /// The version its signatures name.
    pub fn spec_version(&self) -> u32 {
        self.0.spec_version
    }

    /// A call in SCALE bytes, indexes of pallet and call in front.
    ///
    /// # Errors
    /// [`Error::NoSuchCall`], [`Error::MissingArgument`], [`Error::UnknownArgument`], or
    /// [`Error::Build`] for an argument of another type.
    pub fn call_data(&self, call: &ChainCall) -> Result<Vec<u8>> {
        self.0.call_data(call)
    }

    /// The call behind SCALE bytes.
    ///
    /// # Errors
    /// [`Error::Decode`].
    pub fn call_from_data(&self, data: &[u8]) -> Result<ChainCall> {
        let payload = self.0.offline.transactions().from_call_data_bytes(data);
        let payload = payload.map_err(|error| unreadable("a call", &error.to_string()))?;
        let (pallet, call) = (payload.pallet_name(), payload.call_name());
        Ok(ChainCall::decoded(
            pallet,
            call,
            payload.call_data().clone(),
        ))
    }

    /// The key of a storage value; with fewer keys than the item has, the prefix of all that begin
    /// so.
    ///
    /// # Errors
    /// [`Error::Decode`] when there is no such item or a key has another type.
    pub fn storage_key(&self, pallet: &str, item: &str, keys: &[ChainValue]) -> Result<Vec<u8>> {
        let metadata = self.0.metadata();
        let keys: Vec<Value> = keys.iter().map(ChainValue::to_scale).collect();
        encode_storage_key(pallet, item, keys, metadata, metadata.types())
            .map_err(|error| unreadable(&format!("{pallet}.{item}"), &error.to_string()))
    }

    /// The bytes a signature is made over: call, extra and implicit data, hashed when longer than
    /// 256 bytes.
    ///
    /// # Errors
    /// As [`OfflineRuntime::call_data`].
    pub fn signing_payload(&self, call: &ChainCall, terms: &SigningTerms) -> Result<Vec<u8>> {
        self.0.check(call)?;
        let (pallet, name) = call.parts();
        let payload = transactions::dynamic(pallet, name, call.arguments().clone());
        let signable = self.0.offline.transactions();
        let signable = signable.create_signable_offline(&payload, terms.params());
        let bytes = signable.and_then(|signable| signable.signer_payload());
        bytes.map_err(|source| build_error(call, source))
    }

    /// Signs a call.
    ///
    /// # Errors
    /// As [`OfflineRuntime::call_data`].
    pub fn sign(
        &self,
        call: &ChainCall,
        terms: &SigningTerms,
        signer: &Keypair,
    ) -> Result<SignedTransaction> {
        self.0.sign(call, terms, signer)
    }

    /// Puts a signature made elsewhere, as by a hardware wallet over
    /// [`OfflineRuntime::signing_payload`], into the transaction.
    ///
    /// # Errors
    /// As [`OfflineRuntime::call_data`].
    pub fn with_signature(
        &self,
        call: &ChainCall,
        terms: &SigningTerms,
        account: AccountId,
        scheme: SignatureScheme,
        signature: &Signature,
    ) -> Result<SignedTransaction> {
        self.0
            .with_signature(call, terms, account, scheme, signature)
    }
}

impl fmt::Debug for OfflineRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineRuntime")
            .field("spec_version", &self.0.spec_version)
            .finish_non_exhaustive()
    }
}

impl SigningTerms {
    fn params(&self) -> subxt::config::DefaultExtrinsicParams<SubstrateConfig> {
        let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
            .nonce(self.nonce)
            .tip(self.tip.into());
        match self.era {
            TransactionEra::Immortal => params.immortal(),
            TransactionEra::Mortal {
                period,
                current,
                birth_hash,
            } => params.mortal_from_unchecked(period, current.0, H256(birth_hash.0)),
        }
        .build()
    }
}

fn build_error(call: &ChainCall, source: subxt::error::ExtrinsicError) -> Error {
    Error::Build {
        call: call.label(),
        source: source.into(),
    }
}

impl Runtime {
    /// Whether this runtime has the call and exactly these arguments.
    pub(super) fn check(&self, call: &ChainCall) -> Result<()> {
        let (pallet, name) = call.parts();
        let found = self.metadata().pallet_by_name(pallet);
        let variant = found
            .as_ref()
            .and_then(|pallet| pallet.call_variant_by_name(name));
        let Some(variant) = variant else {
            return Err(Error::NoSuchCall { call: call.label() });
        };
        let Some(given) = names(call.arguments()) else {
            return Ok(());
        };
        let fields = || {
            variant
                .fields
                .iter()
                .filter_map(|field| field.name.as_deref())
        };
        if let Some(missing) = fields().find(|field| !given.contains(field)) {
            return Err(Error::MissingArgument {
                call: call.label(),
                argument: missing.to_owned(),
            });
        }
        match given
            .iter()
            .find(|name| !fields().any(|field| field == **name))
        {
            Some(unknown) => Err(Error::UnknownArgument {
                call: call.label(),
                argument: (*unknown).to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Whether this runtime has a call of this name.
    pub(super) fn has_call(&self, pallet: &str, name: &str) -> bool {
        let found = self.metadata().pallet_by_name(pallet);
        found.is_some_and(|pallet| pallet.call_variant_by_name(name).is_some())
    }

    pub(super) fn call_data(&self, call: &ChainCall) -> Result<Vec<u8>> {
        self.check(call)?;
        let (pallet, name) = call.parts();
        let payload = transactions::dynamic(pallet, name, call.arguments().clone());
        let encoded = self.offline.transactions().call_data(&payload);
        encoded.map_err(|source| build_error(call, source))
    }

    pub(super) fn sign(
        &self,
        call: &ChainCall,
        terms: &SigningTerms,
        signer: &Keypair,
    ) -> Result<SignedTransaction> {
        self.check(call)?;
        let (pallet, name) = call.parts();
        let payload = transactions::dynamic(pallet, name, call.arguments().clone());
        let signable = self.offline.transactions();
        let signable = signable.create_signable_offline(&payload, terms.params());
        let signed = signable.and_then(|mut signable| signable.sign(&SigningKey(signer)));
        let signed = signed.map_err(|source| build_error(call, source))?;
        Ok(SignedTransaction {
            hash: signed.hash().0,
            bytes: signed.into_encoded(),
        })
    }

    pub(super) fn with_signature(
        &self,
        call: &ChainCall,
        terms: &SigningTerms,
        account: AccountId,
        scheme: SignatureScheme,
        signature: &Signature,
    ) -> Result<SignedTransaction> {
        self.check(call)?;
        let (pallet, name) = call.parts();
        let payload = transactions::dynamic(pallet, name, call.arguments().clone());
        let account = AccountId32(*account.as_bytes());
        let signature = multi_signature(scheme, signature);
        let signable = self.offline.transactions();
        let signable = signable.create_signable_offline(&payload, terms.params());
        let signed = signable.and_then(|mut signable| {
            signable.sign_with_account_and_signature(&account, &signature)
        });
        let signed = signed.map_err(|source| build_error(call, source))?;
        Ok(SignedTransaction {
            hash: signed.hash().0,
            bytes: signed.into_encoded(),
        })
    }
}

#[cfg(test)]
mod tests {
    use adit_primitives::{NetUid, Rao};
    use proptest::prelude::*;

    use super::*;

    fn runtime() -> OfflineRuntime {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        OfflineRuntime::from_metadata(&bytes, BlockHash([0x2f; 32]), 365, 1).unwrap()
    }

    #[test]
    fn what_a_call_lacks_or_has_too_much_is_named() {
        let runtime = runtime();
        let hotkey = ("hotkey", AccountId::new([1; 32]).into());
        let netuid = ("netuid", NetUid(1).into());
        let call = ChainCall::new("SubtensorModule.burned_register", [hotkey.clone()]);
        let error = runtime.call_data(&call).unwrap_err();
        assert!(
            matches!(&error, Error::MissingArgument { argument, .. } if argument == "netuid"),
            "{error}"
        );
        let extra = ("limit", Rao(3).into());
        let arguments = [netuid.clone(), hotkey.clone(), extra];
        let call = ChainCall::new("SubtensorModule.burned_register", arguments);
        let error = runtime.call_data(&call).unwrap_err();
        assert!(
            matches!(&error, Error::UnknownArgument { argument, .. } if argument == "limit"),
            "{error}"
        );
        for name in ["SubtensorModule.no_such_call", "NoPallet.x", "nonsense", ""] {
            let call = ChainCall::new(name, [netuid.clone()]);
            let error = runtime.call_data(&call).unwrap_err();
            assert!(matches!(error, Error::NoSuchCall { .. }), "{error}");
        }
        let wide = ("netuid", 70_000_u32.into());
        let call = ChainCall::new("SubtensorModule.burned_register", [wide, hotkey]);
        let error = runtime.call_data(&call).unwrap_err();
        assert!(matches!(error, Error::Build { .. }), "{error}");
    }

    #[test]
    fn calls_inside_of_calls_come_back() {
        let runtime = runtime();
        let start = ChainCall::new("SubtensorModule.start_call", [("netuid", NetUid(9).into())]);
        let calls = ChainValue::List(vec![start.as_argument(), start.as_argument()]);
        let batch = ChainCall::new("Utility.batch", [("calls", calls)]);
        let data = runtime.call_data(&batch).unwrap();
        let inner = runtime.call_data(&start).unwrap();
        assert!(data.ends_with(&[inner.clone(), inner].concat()));
        let again = runtime.call_from_data(&data).unwrap();
        assert_eq!(again.name(), "Utility.batch");
        assert_eq!(runtime.call_data(&again).unwrap(), data);
        assert!(runtime.call_from_data(&[7]).is_err());
        assert!(runtime.call_from_data(&[255, 255, 0]).is_err());
    }

    #[test]
    fn truncated_metadata_is_an_error() {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        for length in [0, 4, 5, 1_000, bytes.len() / 2] {
            let read = OfflineRuntime::from_metadata(&bytes[..length], BlockHash([0; 32]), 1, 1);
            assert!(matches!(read, Err(Error::Decode { .. })), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn an_era_begins_at_or_before_its_block_and_less_than_a_step_away(
            period in 0_u64..100_000,
            current in 0_u64..1 << 40,
        ) {
            let birth_hash = BlockHash([0; 32]);
            let current = Block(current);
            let era = TransactionEra::Mortal { period, current, birth_hash };
            let step = (period.next_power_of_two().clamp(4, 65_536) >> 12).max(1);
            prop_assert!(era.birth() <= current);
            prop_assert!(current.0 - era.birth().0 < step);
            prop_assert_eq!(era.encode().len(), 2);
        }
    }
}
