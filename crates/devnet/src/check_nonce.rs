//! The nonce check, with the live chain's exception: an account without funds may send calls that
//! cost nothing, so that a hotkey need not hold TAO to set weights or announce its axon.

use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::dispatch::{DispatchInfo, Pays};
use frame_system::Account;
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{AsSystemOriginSigner as _, TransactionExtension, ValidateResult},
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
    },
};

use crate::runtime::{AccountId, Nonce, Runtime, RuntimeCall, RuntimeOrigin};

/// Orders an account's transactions and refuses their replay.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct CheckNonce(#[codec(compact)] pub Nonce);

impl TransactionExtension<RuntimeCall> for CheckNonce {
    const IDENTIFIER: &'static str = "CheckNonce";
    type Implicit = ();
    type Val = Option<AccountId>;
    type Pre = ();

    fn validate(
        &self,
        origin: RuntimeOrigin,
        _call: &RuntimeCall,
        info: &DispatchInfo,
        _len: usize,
        _implicit: Self::Implicit,
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        let Some(signer) = origin.as_system_origin_signer().cloned() else {
            return Ok((ValidTransaction::default(), None, origin));
        };
        let account = Account::<Runtime>::get(&signer);
        let unfunded = account.providers == 0 && account.sufficients == 0;
        if unfunded && info.pays_fee == Pays::Yes {
            return Err(InvalidTransaction::Payment.into());
        }
        if self.0 < account.nonce {
            return Err(InvalidTransaction::Stale.into());
        }
        let validity = ValidTransaction {
            provides: vec![(&signer, self.0).encode()],
            requires: if self.0 > account.nonce {
                vec![(&signer, self.0 - 1).encode()]
            } else {
                Vec::new()
            },
            ..ValidTransaction::default()
        };
        Ok((validity, Some(signer), origin))
    }

    fn prepare(
        self,
        signer: Self::Val,
        _origin: &RuntimeOrigin,
        _call: &RuntimeCall,
        _info: &DispatchInfo,
        _len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        let Some(signer) = signer else {
            return Ok(());
        };
        Account::<Runtime>::mutate(&signer, |account| {
            if self.0 > account.nonce {
                return Err(InvalidTransaction::Future.into());
            }
            account.nonce = self.0.saturating_add(1);
            Ok(())
        })
    }

    impl_tx_ext_default!(RuntimeCall; weight);
}
