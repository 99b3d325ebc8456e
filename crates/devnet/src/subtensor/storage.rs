//! Storage items: names, hashers and value types of the live chain; defaults of runtime 425 where
//! the genesis does not set them.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod storage {
    /// The account a key without a value reads as: 32 zero bytes.
    #[pallet::type_value]
    pub fn NoAccount<T: Config>() -> AccountId32 {
        AccountId32::new([0; 32])
    }

    /// Lower and upper bound of liquid alpha.
    #[pallet::type_value]
    pub fn DefaultAlphaValues<T: Config>() -> (u16, u16) {
        (45_875, 58_982)
    }

    /// What a delegate takes unless it said otherwise: 18 %.
    #[pallet::type_value]
    pub fn DefaultTake<T: Config>() -> u16 {
        11_796
    }

    /// The symbol of a subnet without its own.
    #[pallet::type_value]
    pub fn DefaultSymbol<T: Config>() -> Vec<u8> {
        "α".as_bytes().to_vec()
    }

    // --- networks -----------------------------------------------------------------------------

    #[pallet::storage]
    pub type TotalNetworks<T> = StorageValue<_, u16, ValueQuery>;
    #[pallet::storage]
    pub type NetworksAdded<T> = StorageMap<_, Identity, u16, bool, ValueQuery>;
    #[pallet::storage]
    pub type NetworkRegisteredAt<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type SubnetworkN<T> = StorageMap<_, Identity, u16, u16, ValueQuery>;
    #[pallet::storage]
    pub type SubnetOwner<T: Config> =
        StorageMap<_, Identity, u16, AccountId32, ValueQuery, NoAccount<T>>;
    #[pallet::storage]
    pub type SubnetOwnerHotkey<T: Config> =
        StorageMap<_, Identity, u16, AccountId32, ValueQuery, NoAccount<T>>;
    #[pallet::storage]
    pub type MechanismCountCurrent<T> =
        StorageMap<_, Twox64Concat, u16, u8, ValueQuery, ConstU8<1>>;
    #[pallet::storage]
    pub type MechanismEmissionSplit<T> = StorageMap<_, Twox64Concat, u16, Vec<u16>, OptionQuery>;
    #[pallet::storage]
    pub type SubnetMechanism<T> = StorageMap<_, Identity, u16, u16, ValueQuery>;
    #[pallet::storage]
    pub type TokenSymbol<T: Config> =
        StorageMap<_, Identity, u16, Vec<u8>, ValueQuery, DefaultSymbol<T>>;
    #[pallet::storage]
    pub type SubnetIdentitiesV3<T> =
        StorageMap<_, Blake2_128Concat, u16, SubnetIdentityV3, OptionQuery>;
    #[pallet::storage]
    pub type FirstEmissionBlockNumber<T> = StorageMap<_, Identity, u16, u64, OptionQuery>;
    #[pallet::storage]
    pub type SubtokenEnabled<T> = StorageMap<_, Identity, u16, bool, ValueQuery>;
    #[pallet::storage]
    pub type TransferToggle<T> = StorageMap<_, Identity, u16, bool, ValueQuery, ConstBool<true>>;
    #[pallet::storage]
    pub type SubnetTAO<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type SubnetAlphaIn<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type SubnetAlphaOut<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type SubnetVolume<T> = StorageMap<_, Identity, u16, u128, ValueQuery>;
    #[pallet::storage]
    pub type SubnetMovingPrice<T> = StorageMap<_, Identity, u16, I96F32, ValueQuery>;
    /// How a subnet's epoch reckons; runtimes after 425.
    #[pallet::storage]
    pub type SubnetEpochConsensus<T> = StorageMap<_, Identity, u16, EpochConsensus, ValueQuery>;

    // --- hyperparameters ----------------------------------------------------------------------

    #[pallet::storage]
    pub type Tempo<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<360>>;
    #[pallet::storage]
    pub type Rho<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<10>>;
    #[pallet::storage]
    pub type Kappa<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<32_767>>;
    #[pallet::storage]
    pub type ImmunityPeriod<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<4096>>;
    #[pallet::storage]
    pub type ActivityCutoff<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<5000>>;
    #[pallet::storage]
    pub type MaxAllowedUids<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<256>>;
    #[pallet::storage]
    pub type MaxAllowedValidators<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<128>>;
    #[pallet::storage]
    pub type MinAllowedWeights<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<1024>>;
    #[pallet::storage]
    pub type MaxWeightsLimit<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<65_535>>;
    #[pallet::storage]
    pub type BondsPenalty<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<65_535>>;
    #[pallet::storage]
    pub type BondsMovingAverage<T> =
        StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<900_000>>;
    #[pallet::storage]
    pub type WeightsVersionKey<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type WeightsSetRateLimit<T> = StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<100>>;
    #[pallet::storage]
    pub type ServingRateLimit<T> = StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<50>>;
    #[pallet::storage]
    pub type CommitRevealWeightsEnabled<T> =
        StorageMap<_, Identity, u16, bool, ValueQuery, ConstBool<true>>;
    #[pallet::storage]
    pub type CommitRevealWeightsVersion<T> = StorageValue<_, u16, ValueQuery, ConstU16<4>>;
    #[pallet::storage]
    pub type RevealPeriodEpochs<T> = StorageMap<_, Twox64Concat, u16, u64, ValueQuery, ConstU64<1>>;
    /// Commits of weight hashes: hash, epoch of the commit, its block, 0 (as since runtime 425).
    #[pallet::storage]
    pub type WeightCommits<T> = StorageDoubleMap<
        _,
        Twox64Concat,
        u16,
        Twox64Concat,
        AccountId32,
        Vec<(H256, u64, u64, u64)>,
        OptionQuery,
    >;
    /// Sealed weights by epoch of the commit: hotkey, block, ciphertext, round that opens it.
    #[pallet::storage]
    pub type TimelockedWeightCommits<T> = StorageDoubleMap<
        _,
        Twox64Concat,
        u16,
        Twox64Concat,
        u64,
        Vec<(AccountId32, u64, BoundedVec<u8, ConstU32<5000>>, u64)>,
        ValueQuery,
    >;
    #[pallet::storage]
    pub type Yuma3On<T> = StorageMap<_, Blake2_128Concat, u16, bool, ValueQuery>;
    #[pallet::storage]
    pub type LiquidAlphaOn<T> = StorageMap<_, Blake2_128Concat, u16, bool, ValueQuery>;
    #[pallet::storage]
    pub type AlphaValues<T: Config> =
        StorageMap<_, Identity, u16, (u16, u16), ValueQuery, DefaultAlphaValues<T>>;
    #[pallet::storage]
    pub type AlphaSigmoidSteepness<T> =
        StorageMap<_, Identity, u16, i16, ValueQuery, ConstI16<1000>>;
    #[pallet::storage]
    pub type StakeThreshold<T> = StorageValue<_, u64, ValueQuery>;
    #[pallet::storage]
    pub type TaoWeight<T> = StorageValue<_, u64, ValueQuery, ConstU64<971_718_665_099_567_868>>;

    /// Whether `serve_axon` takes 127.0.0.1 and ::1. The live chain has no such item and refuses
    /// them always.
    #[pallet::storage]
    pub type LoopbackAxonsAllowed<T> = StorageValue<_, bool, ValueQuery>;

    #[pallet::storage]
    pub type ScalingLawPower<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<50>>;
    #[pallet::storage]
    pub type BondsResetOn<T> = StorageMap<_, Identity, u16, bool, ValueQuery>;
    #[pallet::storage]
    pub type MinNonImmuneUids<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<10>>;

    // --- registration -------------------------------------------------------------------------

    #[pallet::storage]
    pub type NetworkRegistrationAllowed<T> = StorageMap<_, Identity, u16, bool, ValueQuery>;
    #[pallet::storage]
    pub type Burn<T> = StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<100_000_000>>;
    #[pallet::storage]
    pub type MinBurn<T> = StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<500_000>>;
    #[pallet::storage]
    pub type MaxBurn<T> = StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<100_000_000_000>>;
    #[pallet::storage]
    pub type RegistrationsThisBlock<T> = StorageMap<_, Identity, u16, u16, ValueQuery>;
    #[pallet::storage]
    pub type MaxRegistrationsPerBlock<T> =
        StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<1>>;

    #[pallet::storage]
    pub type NetworkPowRegistrationAllowed<T> = StorageMap<_, Identity, u16, bool, ValueQuery>;
    #[pallet::storage]
    // Not public: another crate's difficulty has the name.
    pub(crate) type Difficulty<T> =
        StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<10_000_000>>;
    #[pallet::storage]
    pub type MinDifficulty<T> = StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<10_000_000>>;
    #[pallet::storage]
    pub type MaxDifficulty<T> =
        StorageMap<_, Identity, u16, u64, ValueQuery, ConstU64<0x3fff_ffff_ffff_ffff>>;
    #[pallet::storage]
    pub type AdjustmentAlpha<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type AdjustmentInterval<T> = StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<100>>;
    #[pallet::storage]
    pub type LastAdjustmentBlock<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type TargetRegistrationsPerInterval<T> =
        StorageMap<_, Identity, u16, u16, ValueQuery, ConstU16<2>>;
    #[pallet::storage]
    pub type RegistrationsThisInterval<T> = StorageMap<_, Identity, u16, u16, ValueQuery>;

    // --- neurons ------------------------------------------------------------------------------

    #[pallet::storage]
    pub type Keys<T: Config> =
        StorageDoubleMap<_, Identity, u16, Identity, u16, AccountId32, ValueQuery, NoAccount<T>>;
    #[pallet::storage]
    pub type Uids<T> =
        StorageDoubleMap<_, Identity, u16, Blake2_128Concat, AccountId32, u16, OptionQuery>;
    #[pallet::storage]
    pub type IsNetworkMember<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId32, Identity, u16, bool, ValueQuery>;
    #[pallet::storage]
    pub type BlockAtRegistration<T> =
        StorageDoubleMap<_, Identity, u16, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type Axons<T> =
        StorageDoubleMap<_, Identity, u16, Blake2_128Concat, AccountId32, StoredAxon, OptionQuery>;
    #[pallet::storage]
    pub type NeuronCertificates<T> = StorageDoubleMap<
        _,
        Identity,
        u16,
        Blake2_128Concat,
        AccountId32,
        NeuronCertificate,
        OptionQuery,
    >;
    #[pallet::storage]
    pub type Prometheus<T> = StorageDoubleMap<
        _,
        Identity,
        u16,
        Blake2_128Concat,
        AccountId32,
        StoredPrometheus,
        OptionQuery,
    >;
    #[pallet::storage]
    pub type IdentitiesV2<T> =
        StorageMap<_, Blake2_128Concat, AccountId32, ChainIdentityV2, OptionQuery>;
    #[pallet::storage]
    pub type Active<T> = StorageMap<_, Identity, u16, Vec<bool>, ValueQuery>;
    #[pallet::storage]
    pub type ValidatorPermit<T> = StorageMap<_, Identity, u16, Vec<bool>, ValueQuery>;
    #[pallet::storage]
    pub type Consensus<T> = StorageMap<_, Identity, u16, Vec<u16>, ValueQuery>;
    #[pallet::storage]
    pub type Incentive<T> = StorageMap<_, Identity, u16, Vec<u16>, ValueQuery>;
    #[pallet::storage]
    pub type Dividends<T> = StorageMap<_, Identity, u16, Vec<u16>, ValueQuery>;
    #[pallet::storage]
    pub type ValidatorTrust<T> = StorageMap<_, Identity, u16, Vec<u16>, ValueQuery>;
    #[pallet::storage]
    pub type StakeWeight<T> = StorageMap<_, Identity, u16, Vec<u16>, ValueQuery>;
    #[pallet::storage]
    pub type Emission<T> = StorageMap<_, Identity, u16, Vec<u64>, ValueQuery>;
    #[pallet::storage]
    pub type LastUpdate<T> = StorageMap<_, Identity, u16, Vec<u64>, ValueQuery>;
    #[pallet::storage]
    pub type Weights<T> =
        StorageDoubleMap<_, Identity, u16, Identity, u16, Vec<(u16, u16)>, ValueQuery>;
    #[pallet::storage]
    pub type Bonds<T> =
        StorageDoubleMap<_, Identity, u16, Identity, u16, Vec<(u16, u16)>, ValueQuery>;

    // --- epochs -------------------------------------------------------------------------------

    #[pallet::storage]
    pub type BlocksSinceLastStep<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    /// Spelled as on the live chain.
    #[pallet::storage]
    pub type LastMechansimStepBlock<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type LastEpochBlock<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type PendingEpochAt<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type SubnetEpochIndex<T> = StorageMap<_, Identity, u16, u64, ValueQuery>;

    // --- delegation and children --------------------------------------------------------------

    #[pallet::storage]
    pub type Delegates<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId32, u16, ValueQuery, DefaultTake<T>>;
    #[pallet::storage]
    pub type MaxDelegateTake<T> = StorageValue<_, u16, ValueQuery, ConstU16<11_796>>;
    #[pallet::storage]
    pub type MinDelegateTake<T> = StorageValue<_, u16, ValueQuery>;
    #[pallet::storage]
    pub type TxDelegateTakeRateLimit<T> = StorageValue<_, u64, ValueQuery, ConstU64<216_000>>;
    #[pallet::storage]
    pub type LastTxBlockDelegateTake<T> = StorageMap<_, Identity, AccountId32, u64, ValueQuery>;
    #[pallet::storage]
    pub type ChildkeyTake<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId32, Identity, u16, u16, ValueQuery>;
    #[pallet::storage]
    pub type MaxChildkeyTake<T> = StorageValue<_, u16, ValueQuery, ConstU16<11_796>>;
    #[pallet::storage]
    pub type MinChildkeyTake<T> = StorageValue<_, u16, ValueQuery>;
    #[pallet::storage]
    pub type ChildKeys<T> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        AccountId32,
        Identity,
        u16,
        Vec<(u64, AccountId32)>,
        ValueQuery,
    >;
    #[pallet::storage]
    pub type ParentKeys<T> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        AccountId32,
        Identity,
        u16,
        Vec<(u64, AccountId32)>,
        ValueQuery,
    >;
    /// Children that wait for their block: the list and the block.
    #[pallet::storage]
    pub type PendingChildKeys<T> = StorageDoubleMap<
        _,
        Identity,
        u16,
        Blake2_128Concat,
        AccountId32,
        (Vec<(u64, AccountId32)>, u64),
        ValueQuery,
    >;
    #[pallet::storage]
    pub type PendingChildKeyCooldown<T> = StorageValue<_, u64, ValueQuery>;

    // --- stake --------------------------------------------------------------------------------

    #[pallet::storage]
    pub type Owner<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId32, AccountId32, ValueQuery, NoAccount<T>>;
    #[pallet::storage]
    pub type OwnedHotkeys<T> =
        StorageMap<_, Blake2_128Concat, AccountId32, Vec<AccountId32>, ValueQuery>;
    #[pallet::storage]
    pub type StakingHotkeys<T> =
        StorageMap<_, Blake2_128Concat, AccountId32, Vec<AccountId32>, ValueQuery>;
    /// Who staked in this block already, so that nobody trades twice in one.
    #[pallet::storage]
    pub type StakingOperationRateLimiter<T> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId32>,
            NMapKey<Blake2_128Concat, AccountId32>,
            NMapKey<Identity, u16>,
        ),
        bool,
        ValueQuery,
    >;
    #[pallet::storage]
    pub type AlphaDividendsPerSubnet<T> =
        StorageDoubleMap<_, Identity, u16, Blake2_128Concat, AccountId32, u64, ValueQuery>;
    #[pallet::storage]
    pub type TotalStake<T> = StorageValue<_, u64, ValueQuery>;
    #[pallet::storage]
    pub type TotalHotkeyAlpha<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId32, Identity, u16, u64, ValueQuery>;
    #[pallet::storage]
    pub type TotalHotkeyShares<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId32, Identity, u16, U64F64, ValueQuery>;
    #[pallet::storage]
    pub type Alpha<T> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId32>,
            NMapKey<Blake2_128Concat, AccountId32>,
            NMapKey<Identity, u16>,
        ),
        U64F64,
        ValueQuery,
    >;
}
