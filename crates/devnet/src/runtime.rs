//! The runtime: which pallets, under which indexes, with which checks on a transaction, and the
//! runtime APIs that `state_call` and the metadata offer. It runs natively; there is no wasm.

use codec::{Decode as _, Encode as _};
use frame_support::{
    construct_runtime, derive_impl,
    traits::{ConstU8, ConstU16, ConstU32, ConstU64, Get},
    weights::{ConstantMultiplier, FixedFee},
};
use sp_api::impl_runtime_apis;
use sp_core::OpaqueMetadata;
use sp_runtime::{
    ExtrinsicInclusionMode, MultiAddress, MultiSignature, generic,
    traits::{BlakeTwo256, Block as BlockT},
    transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_version::RuntimeVersion;

use crate::{
    check_nonce::CheckNonce,
    commitments, drand,
    extensions::{
        CheckMetadataHash, DrandPriority, SubtensorTransactionExtension, SudoTransactionExtension,
    },
    info, metadata, subtensor,
};

pub(crate) type AccountId = sp_core::crypto::AccountId32;
pub(crate) type Nonce = u32;
pub(crate) type Hash = sp_core::H256;
pub(crate) type Header = generic::Header<u32, BlakeTwo256>;
pub(crate) type Block = generic::Block<Header, Extrinsic>;
/// The checks a signed transaction passes, in the order its extra bytes come.
pub(crate) type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckMortality<Runtime>,
    CheckNonce,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    SudoTransactionExtension,
    SubtensorTransactionExtension,
    DrandPriority,
    CheckMetadataHash,
);
pub(crate) type Extrinsic = generic::UncheckedExtrinsic<
    MultiAddress<AccountId, ()>,
    RuntimeCall,
    MultiSignature,
    TxExtension,
>;
pub(crate) type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// Milliseconds between two blocks' timestamps at least; half the slot of a fast local chain.
pub(crate) const MINIMUM_PERIOD: u64 = 125;

/// Spec 393 is the live runtime whose storage types (plain integers) this runtime has.
pub(crate) const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: std::borrow::Cow::Borrowed("node-subtensor"),
    impl_name: std::borrow::Cow::Borrowed("node-subtensor"),
    authoring_version: 1,
    spec_version: 393,
    impl_version: 1,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// Where the spec version is kept once it rose.
pub(crate) const SPEC: &[u8] = b":adit:spec";

/// The version the chain's state says it has. The code is the same under every version: an upgrade
/// here changes numbers only, among them the metadata's.
#[derive(Debug)]
pub struct Version;

impl Get<RuntimeVersion> for Version {
    fn get() -> RuntimeVersion {
        version(sp_io::storage::get(SPEC).as_deref())
    }
}

/// The version for what is stored under [`SPEC`].
pub(crate) fn version(stored: Option<&[u8]>) -> RuntimeVersion {
    let spec = stored.and_then(|mut bytes| u32::decode(&mut bytes).ok());
    RuntimeVersion {
        spec_version: spec.unwrap_or(VERSION.spec_version),
        ..VERSION
    }
}

/// Raises the version from the next block on. Runs inside the runtime.
pub(crate) fn upgrade(spec: u32) {
    sp_io::storage::set(SPEC, &spec.encode());
    System::deposit_log(generic::DigestItem::RuntimeEnvironmentUpdated);
}

construct_runtime!(
    pub enum Runtime {
        System: frame_system = 0,
        Timestamp: pallet_timestamp = 2,
        Balances: pallet_balances = 5,
        TransactionPayment: pallet_transaction_payment = 6,
        SubtensorModule: subtensor = 7,
        Utility: pallet_utility = 11,
        Sudo: pallet_sudo = 12,
        Commitments: commitments = 18,
        Drand: drand = 26,
    }
);

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type Version = Version;
    type AccountData = pallet_balances::AccountData<u64>;
    type BlockHashCount = ConstU32<2400>;
    type SS58Prefix = ConstU16<42>;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Drand;
    type MinimumPeriod = ConstU64<MINIMUM_PERIOD>;
    type WeightInfo = ();
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Runtime {
    type Balance = u64;
    type ExistentialDeposit = ConstU64<500>;
    type AccountStore = System;
}

/// A flat 0.0002 TAO or so a call; neurons' calls are free.
impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = pallet_transaction_payment::FungibleAdapter<Balances, ()>;
    type WeightToFee = FixedFee<100_000, u64>;
    type LengthToFee = ConstantMultiplier<u64, ConstU64<1>>;
    type FeeMultiplierUpdate = ();
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = ();
}

impl subtensor::Config for Runtime {
    type Currency = Balances;
}

impl commitments::Config for Runtime {}

impl drand::Config for Runtime {}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = ();
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = ();
}

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            Version::get()
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(metadata::at(14).unwrap_or_default())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            metadata::at(version).map(OpaqueMetadata::new)
        }

        fn metadata_versions() -> Vec<u32> {
            metadata::versions()
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, u64> for Runtime {
        fn query_info(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<u64> {
            TransactionPayment::query_info(uxt, len)
        }

        fn query_fee_details(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::FeeDetails<u64> {
            TransactionPayment::query_fee_details(uxt, len)
        }

        fn query_weight_to_fee(weight: frame_support::weights::Weight) -> u64 {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> u64 {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, u64, RuntimeCall>
        for Runtime
    {
        fn query_call_info(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<u64> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::FeeDetails<u64> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: frame_support::weights::Weight) -> u64 {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> u64 {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl info::api::NeuronInfoRuntimeApi<Block> for Runtime {
        fn get_neurons(netuid: u16) -> Vec<info::NeuronInfo> {
            info::NeuronInfo::every(netuid)
        }

        fn get_neuron(netuid: u16, uid: u16) -> Option<info::NeuronInfo> {
            info::NeuronInfo::every(netuid).into_iter().nth(uid.into())
        }

        fn get_neurons_lite(netuid: u16) -> Vec<info::NeuronInfoLite> {
            info::NeuronInfoLite::every(netuid)
        }

        fn get_neuron_lite(netuid: u16, uid: u16) -> Option<info::NeuronInfoLite> {
            info::NeuronInfoLite::every(netuid).into_iter().nth(uid.into())
        }
    }

    impl info::api::SubnetInfoRuntimeApi<Block> for Runtime {
        fn get_subnet_info(netuid: u16) -> Option<info::SubnetInfo> {
            info::SubnetInfo::of(netuid)
        }

        fn get_subnets_info() -> Vec<Option<info::SubnetInfo>> {
            info::networks().map(info::SubnetInfo::of).collect()
        }

        fn get_subnet_info_v2(netuid: u16) -> Option<info::SubnetInfoV2> {
            info::SubnetInfoV2::of(netuid)
        }

        fn get_subnets_info_v2() -> Vec<Option<info::SubnetInfoV2>> {
            info::networks().map(info::SubnetInfoV2::of).collect()
        }

        fn get_subnet_hyperparams(netuid: u16) -> Option<info::SubnetHyperparams> {
            info::SubnetHyperparams::of(netuid)
        }

        fn get_subnet_hyperparams_v2(netuid: u16) -> Option<info::SubnetHyperparamsV2> {
            info::SubnetHyperparamsV2::of(netuid)
        }

        fn get_subnet_hyperparams_v3(netuid: u16) -> Option<Vec<info::HyperparamEntry>> {
            info::SubnetHyperparamsV2::of(netuid).map(info::SubnetHyperparamsV2::entries)
        }

        fn get_all_dynamic_info() -> Vec<Option<info::DynamicInfo>> {
            info::networks().map(info::DynamicInfo::of).collect()
        }

        fn get_all_metagraphs() -> Vec<Option<info::Metagraph>> {
            info::networks().map(|netuid| info::Metagraph::of(netuid, 0)).collect()
        }

        fn get_metagraph(netuid: u16) -> Option<info::Metagraph> {
            info::Metagraph::of(netuid, 0)
        }

        fn get_all_mechagraphs() -> Vec<Option<info::Metagraph>> {
            info::mechanisms()
                .map(|(netuid, mecid)| info::Metagraph::of(netuid, mecid))
                .collect()
        }

        fn get_mechagraph(netuid: u16, mecid: u8) -> Option<info::Metagraph> {
            info::Metagraph::of(netuid, mecid)
        }

        fn get_dynamic_info(netuid: u16) -> Option<info::DynamicInfo> {
            info::DynamicInfo::of(netuid)
        }

        fn get_subnet_state(netuid: u16) -> Option<info::SubnetState> {
            info::SubnetState::of(netuid)
        }

        fn get_selective_metagraph(
            netuid: u16,
            metagraph_indexes: Vec<u16>,
        ) -> Option<info::SelectiveMetagraph> {
            info::SelectiveMetagraph::of(netuid, 0, &metagraph_indexes)
        }

        fn get_coldkey_auto_stake_hotkey(_coldkey: AccountId, _netuid: u16) -> Option<AccountId> {
            None
        }

        fn get_selective_mechagraph(
            netuid: u16,
            subid: u8,
            metagraph_indexes: Vec<u16>,
        ) -> Option<info::SelectiveMetagraph> {
            info::SelectiveMetagraph::of(netuid, subid, &metagraph_indexes)
        }

        fn get_subnet_to_prune() -> Option<u16> {
            None
        }
    }

    impl info::api::StakeInfoRuntimeApi<Block> for Runtime {
        fn get_stake_info_for_coldkey(coldkey_account: AccountId) -> Vec<info::StakeInfo> {
            info::StakeInfo::every(&coldkey_account)
        }

        fn get_stake_info_for_coldkeys(
            coldkey_accounts: Vec<AccountId>,
        ) -> Vec<(AccountId, Vec<info::StakeInfo>)> {
            let accounts = coldkey_accounts.into_iter();
            accounts
                .map(|coldkey| {
                    let stakes = info::StakeInfo::every(&coldkey);
                    (coldkey, stakes)
                })
                .collect()
        }

        fn get_stake_info_for_hotkey_coldkey_netuid(
            hotkey_account: AccountId,
            coldkey_account: AccountId,
            netuid: u16,
        ) -> Option<info::StakeInfo> {
            Some(info::StakeInfo::of(&hotkey_account, &coldkey_account, netuid))
        }

        fn get_stake_fee(
            _origin: Option<(AccountId, u16)>,
            _origin_coldkey_account: AccountId,
            _destination: Option<(AccountId, u16)>,
            _destination_coldkey_account: AccountId,
            _amount: u64,
        ) -> u64 {
            0
        }
    }

    impl info::api::SwapRuntimeApi<Block> for Runtime {
        fn current_alpha_price(_netuid: u16) -> u64 {
            adit_primitives::RAO_PER_TAO
        }

        fn sim_swap_tao_for_alpha(_netuid: u16, tao: u64) -> info::SimSwapResult {
            info::SimSwapResult::even(tao)
        }

        fn sim_swap_alpha_for_tao(_netuid: u16, alpha: u64) -> info::SimSwapResult {
            info::SimSwapResult::even(alpha)
        }
    }

    impl info::api::SubnetRegistrationRuntimeApi<Block> for Runtime {
        fn get_network_registration_cost() -> u64 {
            1_000 * adit_primitives::RAO_PER_TAO
        }
    }

    impl info::api::AuraApi<Block> for Runtime {
        fn slot_duration() -> u64 {
            2 * MINIMUM_PERIOD
        }
    }
}
