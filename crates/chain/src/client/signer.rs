use adit_wallet::{Keypair, Signature, SignatureScheme};
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
        multi_signature(self.0.scheme(), &self.0.sign(payload))
    }
}

/// A signature with its scheme in front, as transactions carry it.
pub(super) fn multi_signature(scheme: SignatureScheme, signature: &Signature) -> MultiSignature {
    match scheme {
        SignatureScheme::Sr25519 => MultiSignature::Sr25519(*signature.as_bytes()),
        SignatureScheme::Ed25519 => MultiSignature::Ed25519(*signature.as_bytes()),
    }
}
