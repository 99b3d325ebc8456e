use adit_primitives::AccountId;
use adit_wallet::{EncryptionFormat, Error, Keyfile, Keypair, SignatureScheme};
use proptest::prelude::*;
use serde_json::Value;

const SEED: &str = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
const ADDRESS: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

fn read(text: &str) -> Keyfile {
    Keyfile::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_stated_address_must_be_the_keys() {
    let bob = format!(
        "0x{}",
        hex::encode(BOB.parse::<AccountId>().unwrap().as_bytes())
    );
    for stated in [
        format!(r#""ss58Address": "{BOB}""#),
        format!(r#"" ss58Address": "{BOB}""#),
        format!(r#""publicKey": "{bob}""#),
        format!(r#""ss58Address": "{ADDRESS}", "accountId": "{bob}""#),
    ] {
        let keyfile = read(&format!(r#"{{"secretPhrase": "{PHRASE}", {stated}}}"#));
        let error = keyfile.keypair().unwrap_err();
        assert!(matches!(error, Error::AddressMismatch { .. }), "{error}");
        assert!(keyfile.account().is_err());
        // The explicit way to open it all the same.
        let keypair = keyfile.keypair_ignoring_address().unwrap();
        assert_eq!(keypair.account().to_string(), ADDRESS);
    }
    // An address of another network, or none at all.
    for stated in [
        "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
        "junk",
        "",
    ] {
        let keyfile = read(&format!(
            r#"{{"secretSeed": "{SEED}", "ss58Address": "{stated}"}}"#
        ));
        assert!(
            matches!(keyfile.keypair(), Err(Error::Keyfile { .. })),
            "{stated}"
        );
        assert!(keyfile.keypair_ignoring_address().is_ok());
    }
}

#[test]
fn a_public_key_alone_names_its_account() {
    let key = "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a";
    for field in ["publicKey", "accountId"] {
        for text in [key.to_owned(), format!("0x{key}"), key.to_uppercase()] {
            let keyfile = read(&format!(r#"{{"{field}": "{text}"}}"#));
            assert_eq!(keyfile.account().unwrap().to_string(), ADDRESS);
            assert!(matches!(keyfile.keypair(), Err(Error::NoSecret { .. })));
            assert!(!keyfile.has_secret());
        }
    }
}

#[test]
fn a_number_names_the_kind_of_key() {
    let ed25519 = "5DFJF7tY4bpbpcKPJcBTQaKuCDEPCpiz8TRjpmLeTtweqmXL";
    for (kind, address) in [
        ("1", ADDRESS),
        (r#""1""#, ADDRESS),
        (r#"" 1 ""#, ADDRESS),
        ("null", ADDRESS),
        ("0", ed25519),
        (r#""0""#, ed25519),
    ] {
        // As bittensor-wallet 4.1.1 writes an ed25519 key, its privateKey is its seed.
        for secret in ["secretSeed", "privateKey"] {
            let keyfile = read(&format!(
                r#"{{"{secret}": "0x{SEED}", "cryptoType": {kind}}}"#
            ));
            assert_eq!(
                keyfile.account().unwrap().to_string(),
                address,
                "{secret} {kind}"
            );
        }
        let keyfile = read(&format!(
            r#"{{"secretPhrase": "{PHRASE}", "cryptoType": {kind}}}"#
        ));
        assert_eq!(
            keyfile.keypair().unwrap().account().to_string(),
            address,
            "{kind}"
        );
    }
}

#[test]
fn old_shapes_are_read() {
    let (seed, phrase, address) = (SEED, PHRASE, ADDRESS);
    for text in [
        seed.to_owned(),
        format!("0x{seed}\n"),
        format!("{phrase}\n"),
        format!(r#"{{" ss58Address": "{address}"}}"#),
        format!(r#"{{"secretSeed": "{seed}", "cryptoType": "1"}}"#),
    ] {
        let keyfile = Keyfile::parse(text.as_bytes()).unwrap();
        assert_eq!(keyfile.account().unwrap().to_string(), address, "{text}");
    }
}

#[test]
fn other_kinds_of_key_are_named_and_not_misread() {
    for kind in [
        "2",
        "-1",
        r#""mldsa""#,
        r#""hashed""#,
        r#"{"a": 1}"#,
        "true",
    ] {
        let text = format!(
            r#"{{"secretSeed": "{}", "cryptoType": {kind}}}"#,
            "01".repeat(32)
        );
        let error = read(&text).keypair();
        assert!(matches!(error, Err(Error::CryptoType { .. })), "{kind}");
        // Whose it is, is told all the same.
        let stated = text.replace('{', &format!(r#"{{"ss58Address": "{BOB}", "#));
        if !kind.starts_with('{') {
            assert_eq!(read(&stated).account().unwrap().to_string(), BOB);
        }
    }
}

#[test]
fn encrypted_files_are_named() {
    for (start, format) in [
        ("$NACL\u{1}\u{2}", EncryptionFormat::Nacl),
        (
            "$ANSIBLE_VAULT;1.1;AES256\n",
            EncryptionFormat::AnsibleVault,
        ),
        ("gAAAAABkSomething", EncryptionFormat::Fernet),
    ] {
        let error = Keyfile::parse(start.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Encrypted { format: found } if found == format));
    }
}

#[test]
fn what_is_no_keyfile_is_refused() {
    let long = format!(r#"{{"extra": "{}"}}"#, "x".repeat(70_000));
    for bytes in [
        &b""[..],
        b"  \n",
        b"{",
        b"{}",
        b"[]{",
        b"\xff\xfe",
        br#"{"secretPhrase": 3}"#,
        br#"{"ss58Address": "nonsense"}"#,
        br#"{"publicKey": "0x12"}"#,
        long.as_bytes(),
    ] {
        let refused = Keyfile::parse(bytes).and_then(|keyfile| keyfile.keypair().map(drop));
        assert!(
            refused.is_err(),
            "{}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
        );
    }
    // The error names a rule, never the words.
    let error = Keyfile::parse(b"very secret words here").unwrap().keypair();
    assert!(!format!("{:?}", error.unwrap_err()).contains("secret words"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn written_files_read_back_to_the_same_key(seed: [u8; 32]) {
        let keypair = Keypair::from_seed(&seed);
        let json = Keyfile::secret_json(&keypair);
        let fields: serde_json::Map<String, Value> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(
            fields.keys().collect::<Vec<_>>(),
            ["accountId", "privateKey", "publicKey", "secretSeed", "ss58Address"]
        );
        let read = Keyfile::parse(json.as_bytes()).unwrap().keypair().unwrap();
        prop_assert_eq!(read.account(), keypair.account());
        prop_assert_eq!(read.expose_secret_key(), keypair.expose_secret_key());
        let public = Keyfile::public_json(keypair.account(), SignatureScheme::Sr25519);
        let public = Keyfile::parse(public.as_bytes()).unwrap();
        prop_assert!(!public.has_secret());
        prop_assert_eq!(public.account().unwrap(), keypair.account());
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, text in r#"\{("[ a-zA-Z0-9]{0,14}": ?("[^"]{0,30}"|[0-9]{1,3}|null),?){0,4}\}"#) {
        let _ = Keyfile::parse(&bytes).map(|keyfile| keyfile.account());
        let _ = Keyfile::parse(text.as_bytes()).map(|keyfile| keyfile.account());
    }
}

#[test]
fn a_password_makes_another_key_of_the_same_phrase() {
    let by_uri = Keypair::from_uri(&format!("{PHRASE}///pw")).unwrap();
    let by_phrase = Keypair::from_mnemonic(PHRASE, "pw").unwrap();
    assert_eq!(by_uri.account(), by_phrase.account());
    assert_ne!(by_uri.account().to_string(), ADDRESS);
}
