use adit_wallet::Keypair;
use subxt::{
    SubstrateConfig,
    transactions::Signer,
    utils::{AccountId32, MultiSignature},
};

/// Our key as subxt wants it.
pub(super) struct SigningKey<'a>(pub(super) &'a Keypair);

impl Signer<SubstrateConfig> for SigningKey<'_> {
    fn account_id(&self) -> AccountId32 {
        AccountId32(*self.0.account().as_bytes())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(*self.0.sign(payload).as_bytes())
    }
}
