use adit_primitives::AccountId;
use adit_testkit::load_json;
use adit_wallet::{Keypair, Signature, SignatureScheme, verify, verify_wrapped};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    signatures: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    label: String,
    public_key: String,
    message_hex: String,
    signature: String,
    verify: Option<bool>,
}

#[test]
fn signatures_of_the_python_wallet_are_judged_as_it_judges_them() {
    let golden: Golden = load_json("golden/chain/wallet.json").unwrap();
    assert_eq!(golden.signatures.len(), 66);
    for check in golden.signatures {
        let key: [u8; 32] = hex::decode(&check.public_key[2..])
            .unwrap()
            .try_into()
            .unwrap();
        let signer = AccountId::new(key);
        let message = hex::decode(&check.message_hex).unwrap();
        let Some(expected) = check.verify else {
            assert!(
                check.signature.parse::<Signature>().is_err(),
                "{}",
                check.label
            );
            continue;
        };
        let signature: Signature = check.signature.parse().unwrap();
        let scheme = SignatureScheme::Sr25519;
        assert_eq!(
            verify_wrapped(scheme, &signer, &message, &signature),
            expected,
            "{}",
            check.label
        );
        // The strict rule differs only where a browser wallet wrapped the message.
        let wrapped = check.label.starts_with("signed <Bytes>-wrapped");
        assert_eq!(
            verify(scheme, &signer, &message, &signature),
            expected && !wrapped,
            "{}",
            check.label
        );
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
        let keypair = Keypair::from_seed(&seed);
        let scheme = SignatureScheme::Sr25519;
        let signature = keypair.sign(&message);
        prop_assert!(verify(scheme, &keypair.account(), &message, &signature));
        prop_assert!(!verify(scheme, &Keypair::from_seed(&other).account(), &message, &signature));
        let mut longer = message.clone();
        longer.push(0);
        prop_assert!(!verify(scheme, &keypair.account(), &longer, &signature));
        let mut bytes = *signature.as_bytes();
        bytes[flipped / 8] ^= 1 << (flipped % 8);
        prop_assert!(!verify(scheme, &keypair.account(), &message, &Signature::new(bytes)));
    }
}
