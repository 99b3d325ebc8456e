use adit_wallet::{Keypair, Signature, SignatureScheme, verify, verify_wrapped};
use proptest::prelude::*;

#[test]
fn a_browser_wallets_wrapping_is_tolerated_where_asked_for() {
    for scheme in [SignatureScheme::Sr25519, SignatureScheme::Ed25519] {
        let keypair = Keypair::from_uri_with_scheme(scheme, "//Alice").unwrap();
        let signer = keypair.account();
        let wrapped = keypair.sign(b"<Bytes>hello</Bytes>");
        assert!(verify_wrapped(scheme, &signer, b"hello", &wrapped));
        assert!(!verify(scheme, &signer, b"hello", &wrapped));
        let raw = keypair.sign(b"hello");
        assert!(verify_wrapped(scheme, &signer, b"hello", &raw));
        assert!(!verify_wrapped(
            scheme,
            &signer,
            b"<Bytes>hello</Bytes>",
            &raw
        ));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone(
        seed: [u8; 32],
        other: [u8; 32],
        message in prop::collection::vec(any::<u8>(), 0..200),
        flipped in 0_usize..512,
    ) {
        prop_assume!(seed != other);
        let schemes = [SignatureScheme::Sr25519, SignatureScheme::Ed25519];
        for (scheme, wrong) in schemes.into_iter().zip(schemes.into_iter().rev()) {
            let keypair = Keypair::from_seed_with_scheme(scheme, &seed);
            let signer = keypair.account();
            let stranger = Keypair::from_seed_with_scheme(scheme, &other).account();
            let signature = keypair.sign(&message);
            prop_assert!(verify(scheme, &signer, &message, &signature));
            prop_assert!(!verify(wrong, &signer, &message, &signature));
            prop_assert!(!verify(scheme, &stranger, &message, &signature));
            let mut longer = message.clone();
            longer.push(0);
            prop_assert!(!verify(scheme, &signer, &longer, &signature));
            let mut bytes = *signature.as_bytes();
            bytes[flipped / 8] ^= 1 << (flipped % 8);
            prop_assert!(!verify(scheme, &signer, &message, &Signature::new(bytes)));
        }
    }
}
