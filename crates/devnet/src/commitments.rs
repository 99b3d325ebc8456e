//! The `Commitments` pallet: what a neuron publishes about itself in a subnet. Names, types and
//! the budget are the live chain's; sealed fields are kept as they are.

mod data;

pub(crate) use pallet::*;

#[frame_support::pallet]
pub mod pallet {
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_core::crypto::AccountId32;

    pub(crate) use super::data::Registration;
    pub use super::data::{CommitmentInfo, UsageTracker};
    use crate::subtensor;

    /// Bytes a neuron may publish in one epoch of a subnet.
    const DEFAULT_SPACE: u32 = 3_100;
    /// What the smallest commitment counts for.
    const LEAST_CHARGE: u64 = 100;

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId32> + subtensor::Config {}

    #[pallet::pallet]
    #[pallet::without_storage_info]
    pub struct Pallet<T>(_);

    #[pallet::storage]
    pub type CommitmentOf<T> =
        StorageDoubleMap<_, Identity, u16, Twox64Concat, AccountId32, Registration, OptionQuery>;
    #[pallet::storage]
    pub type LastCommitment<T> =
        StorageDoubleMap<_, Identity, u16, Twox64Concat, AccountId32, u32, OptionQuery>;
    #[pallet::storage]
    pub type RevealedCommitments<T> = StorageDoubleMap<
        _,
        Identity,
        u16,
        Twox64Concat,
        AccountId32,
        Vec<(Vec<u8>, u64)>,
        OptionQuery,
    >;
    #[pallet::storage]
    pub type UsedSpaceOf<T> =
        StorageDoubleMap<_, Identity, u16, Twox64Concat, AccountId32, UsageTracker, OptionQuery>;
    #[pallet::storage]
    pub type MaxSpace<T> = StorageValue<_, u32, ValueQuery, ConstU32<DEFAULT_SPACE>>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A neuron published something readable.
        Commitment {
            /// The subnet.
            netuid: u16,
            /// The hotkey.
            who: AccountId32,
        },
        /// A neuron published something sealed.
        TimelockCommitment {
            /// The subnet.
            netuid: u16,
            /// The hotkey.
            who: AccountId32,
            /// The round that opens it.
            reveal_round: u64,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// More than three fields.
        TooManyFieldsInCommitmentInfo,
        /// The hotkey is not registered in the subnet.
        AccountNotAllowedCommit,
        /// The epoch's budget is spent.
        SpaceLimitExceeded,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Publishes the caller's commitment in a subnet in place of the one before.
        #[pallet::call_index(0)]
        #[pallet::weight((Weight::from_parts(1_000_000, 0), DispatchClass::Normal, Pays::No))]
        pub fn set_commitment(
            origin: OriginFor<T>,
            netuid: u16,
            info: Box<CommitmentInfo>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(
                subtensor::Uids::<T>::contains_key(netuid, &who),
                Error::<T>::AccountNotAllowedCommit
            );
            let epoch = subtensor::SubnetEpochIndex::<T>::get(netuid);
            let mut usage = UsedSpaceOf::<T>::get(netuid, &who).unwrap_or_default();
            if usage.last_epoch != epoch {
                usage = UsageTracker {
                    last_epoch: epoch,
                    used_space: 0,
                };
            }
            let charge = info.space().max(LEAST_CHARGE);
            usage.used_space = usage.used_space.saturating_add(charge);
            ensure!(
                usage.used_space <= u64::from(MaxSpace::<T>::get()),
                Error::<T>::SpaceLimitExceeded
            );
            UsedSpaceOf::<T>::insert(netuid, &who, usage);
            let block = u32::try_from(subtensor::Pallet::<T>::now()).unwrap_or(u32::MAX);
            let sealed = info.reveal_round();
            let registration = Registration {
                deposit: 0,
                block,
                info: *info,
            };
            CommitmentOf::<T>::insert(netuid, &who, registration);
            LastCommitment::<T>::insert(netuid, &who, block);
            Self::deposit_event(match sealed {
                Some(reveal_round) => Event::TimelockCommitment {
                    netuid,
                    who,
                    reveal_round,
                },
                None => Event::Commitment { netuid, who },
            });
            Ok(())
        }
    }
}
