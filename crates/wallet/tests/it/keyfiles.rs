use adit_testkit::load_json;
use adit_wallet::{EncryptionFormat, Error, Keyfile, Keypair};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Golden {
    keyfiles: Vec<File>,
    keyfile_tolerance: Vec<Tolerance>,
}

#[derive(Deserialize)]
struct File {
    format: String,
    label: String,
    plaintext: String,
    ss58: String,
}

#[derive(Deserialize)]
struct Tolerance {
    label: String,
    json: Value,
    ss58: Option<String>,
}

fn golden() -> Golden {
    load_json("golden/chain/wallet.json").unwrap()
}

#[test]
fn what_the_python_wallet_wrote_is_read() {
    let files = golden().keyfiles;
    assert_eq!(files.len(), 14);
    for file in files {
        let keyfile = Keyfile::parse(file.plaintext.as_bytes()).unwrap();
        assert_eq!(
            keyfile.account().unwrap().to_string(),
            file.ss58,
            "{} {}",
            file.format,
            file.label
        );
        if file.label.starts_with("pub only") {
            assert!(matches!(keyfile.keypair(), Err(Error::NoSecret { .. })));
        } else {
            assert_eq!(keyfile.keypair().unwrap().account().to_string(), file.ss58);
        }
    }
}

#[test]
fn tolerates_what_the_python_wallet_tolerates() {
    for case in golden().keyfile_tolerance {
        let text = case.json.to_string();
        let read = Keyfile::parse(text.as_bytes());
        match (case.label.as_str(), case.ss58) {
            // On purpose: a file that contradicts itself is an error unless one says otherwise.
            ("phrase wins over mismatching seed" | "mismatching ss58 with phrase", Some(ss58)) => {
                let keyfile = read.unwrap();
                let error = keyfile.keypair().unwrap_err();
                assert!(matches!(error, Error::AddressMismatch { .. }), "{error}");
                let keypair = keyfile.keypair_ignoring_address().unwrap();
                assert_eq!(keypair.account().to_string(), ss58);
            }
            // On purpose: the key is public, so its account is known, and nothing can be signed.
            ("only publicKey", None) => {
                let keyfile = read.unwrap();
                assert!(matches!(keyfile.keypair(), Err(Error::NoSecret { .. })));
                assert!(keyfile.account().is_ok() && !keyfile.has_secret());
            }
            (label, None) => assert!(read.is_err(), "{label}"),
            (label, Some(ss58)) => {
                let account = read.and_then(|keyfile| keyfile.account());
                let account = account.unwrap_or_else(|error| panic!("{label}: {error}"));
                assert_eq!(account.to_string(), ss58, "{label}");
            }
        }
    }
}

#[test]
fn old_shapes_are_read() {
    let seed = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
    let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    let address = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
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
    for kind in [r#"0"#, r#""0""#, r#""mldsa""#, r#"{"a": 1}"#] {
        let text = format!(
            r#"{{"secretSeed": "{}", "cryptoType": {kind}}}"#,
            "01".repeat(32)
        );
        let error = Keyfile::parse(text.as_bytes()).unwrap().keypair();
        assert!(matches!(error, Err(Error::CryptoType { .. })), "{kind}");
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
        prop_assert_eq!(*read.expose_secret_key(), *keypair.expose_secret_key());
        let public = Keyfile::public_json(keypair.account());
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
