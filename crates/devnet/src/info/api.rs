//! The runtime APIs' declarations: names, arguments and answers of the live chain.

use super::{
    DynamicInfo, HyperparamEntry, Metagraph, NeuronInfo, NeuronInfoLite, SelectiveMetagraph,
    SimSwapResult, StakeInfo, SubnetHyperparams, SubnetHyperparamsV2, SubnetInfo, SubnetInfoV2,
    SubnetState,
};
use crate::runtime::AccountId;

sp_api::decl_runtime_apis! {
    /// Neurons.
    pub trait NeuronInfoRuntimeApi {
        /// Every neuron of a subnet with its weights and bonds.
        fn get_neurons(netuid: u16) -> Vec<NeuronInfo>;
        /// One neuron.
        fn get_neuron(netuid: u16, uid: u16) -> Option<NeuronInfo>;
        /// Every neuron of a subnet without weights and bonds.
        fn get_neurons_lite(netuid: u16) -> Vec<NeuronInfoLite>;
        /// One neuron without weights and bonds.
        fn get_neuron_lite(netuid: u16, uid: u16) -> Option<NeuronInfoLite>;
    }

    /// Subnets.
    pub trait SubnetInfoRuntimeApi {
        /// One subnet's record.
        fn get_subnet_info(netuid: u16) -> Option<SubnetInfo>;
        /// Every subnet's record.
        fn get_subnets_info() -> Vec<Option<SubnetInfo>>;
        /// One subnet's record with its identity.
        fn get_subnet_info_v2(netuid: u16) -> Option<SubnetInfoV2>;
        /// Every subnet's record with its identity.
        fn get_subnets_info_v2() -> Vec<Option<SubnetInfoV2>>;
        /// Hyperparameters.
        fn get_subnet_hyperparams(netuid: u16) -> Option<SubnetHyperparams>;
        /// Hyperparameters, some more.
        fn get_subnet_hyperparams_v2(netuid: u16) -> Option<SubnetHyperparamsV2>;
        /// Hyperparameters by name.
        fn get_subnet_hyperparams_v3(netuid: u16) -> Option<Vec<HyperparamEntry>>;
        /// Pool and emission of every subnet.
        fn get_all_dynamic_info() -> Vec<Option<DynamicInfo>>;
        /// Everything about every subnet.
        fn get_all_metagraphs() -> Vec<Option<Metagraph>>;
        /// Everything about a subnet.
        fn get_metagraph(netuid: u16) -> Option<Metagraph>;
        /// Everything about every mechanism.
        fn get_all_mechagraphs() -> Vec<Option<Metagraph>>;
        /// Everything about one mechanism of a subnet.
        fn get_mechagraph(netuid: u16, mecid: u8) -> Option<Metagraph>;
        /// Pool and emission of a subnet.
        fn get_dynamic_info(netuid: u16) -> Option<DynamicInfo>;
        /// The neurons of a subnet, column by column.
        fn get_subnet_state(netuid: u16) -> Option<SubnetState>;
        /// The parts of a metagraph that are asked for.
        fn get_selective_metagraph(netuid: u16, metagraph_indexes: Vec<u16>)
            -> Option<SelectiveMetagraph>;
        /// The hotkey a coldkey's incentive goes to.
        fn get_coldkey_auto_stake_hotkey(coldkey: AccountId, netuid: u16) -> Option<AccountId>;
        /// The parts of a mechanism's metagraph that are asked for.
        fn get_selective_mechagraph(netuid: u16, subid: u8, metagraph_indexes: Vec<u16>)
            -> Option<SelectiveMetagraph>;
        /// The subnet that would give way to a new one.
        fn get_subnet_to_prune() -> Option<u16>;
    }

    /// Stake.
    pub trait StakeInfoRuntimeApi {
        /// All stake of a coldkey.
        fn get_stake_info_for_coldkey(coldkey_account: AccountId) -> Vec<StakeInfo>;
        /// All stake of several coldkeys.
        fn get_stake_info_for_coldkeys(coldkey_accounts: Vec<AccountId>)
            -> Vec<(AccountId, Vec<StakeInfo>)>;
        /// One stake.
        fn get_stake_info_for_hotkey_coldkey_netuid(
            hotkey_account: AccountId,
            coldkey_account: AccountId,
            netuid: u16,
        ) -> Option<StakeInfo>;
        /// What a movement of stake costs, in rao.
        fn get_stake_fee(
            origin: Option<(AccountId, u16)>,
            origin_coldkey_account: AccountId,
            destination: Option<(AccountId, u16)>,
            destination_coldkey_account: AccountId,
            amount: u64,
        ) -> u64;
    }

    /// Prices.
    pub trait SwapRuntimeApi {
        /// TAO for one alpha, in rao.
        fn current_alpha_price(netuid: u16) -> u64;
        /// What an amount of TAO would buy.
        fn sim_swap_tao_for_alpha(netuid: u16, tao: u64) -> SimSwapResult;
        /// What an amount of alpha would sell for.
        fn sim_swap_alpha_for_tao(netuid: u16, alpha: u64) -> SimSwapResult;
    }

    /// New subnets.
    pub trait SubnetRegistrationRuntimeApi {
        /// What a new subnet costs, in rao.
        fn get_network_registration_cost() -> u64;
    }

    /// The consensus between authorities.
    pub trait AuraApi {
        /// Milliseconds between two blocks.
        fn slot_duration() -> u64;
    }
}
