//! No secret shows in Debug or Display of any type or error, and wrong passwords tell nothing.

use adit_wallet::{
    EncryptionFormat, Error, Keyfile, Keypair, Mnemonic, Password, PasswordSource, Protection,
    Signature, SignatureScheme, Wallet, decrypt, encrypt, python_message, unmask_password,
};
use proptest::prelude::*;

const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const SEED: &str = "6fa2796b0071cac425d8a7851038318c2c37dcebfe4bae73197ce93e75909bd2";
const PRIVATE: &str = "ad8a44476e667ef8eab356d1d6f09303f21ba1ac44a3f8b96210bdd603d1900bb25d15f130020fffc3261f584f84168e7a6f0009f6c3abb2f3fa460f493b0595";
const PASSWORD: &str = "Tr0ub4dor&3";

/// Whether any part of a secret that is long enough to help anybody shows.
fn assert_hidden(shown: &str) {
    let lower = shown.to_lowercase();
    for word in ["winner", "sausage", "yellow", "tr0ub4dor"] {
        assert!(!lower.contains(word), "{shown}");
    }
    for secret in [SEED, PRIVATE] {
        for part in 0..secret.len() - 8 {
            assert!(!lower.contains(&secret[part..part + 8]), "{shown}");
        }
    }
    // Bytes, as derived Debug shows them.
    let bytes = hex::decode(SEED).unwrap();
    let listed = format!("{:?}", &bytes[..4]);
    assert!(!shown.contains(listed.trim_matches(['[', ']'])), "{shown}");
}

fn shown(error: Error) -> String {
    let mut text = format!("{error:?} {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text.push_str(&format!(" {inner:?} {inner}"));
        source = inner.source();
    }
    text
}

#[test]
fn no_type_shows_a_secret() {
    let mut rng = rand::rng();
    let seed: [u8; 32] = hex::decode(SEED).unwrap().try_into().unwrap();
    let password = Password::from(PASSWORD);
    for scheme in [SignatureScheme::Sr25519, SignatureScheme::Ed25519] {
        let keypair = Keypair::from_mnemonic_with_scheme(scheme, PHRASE, "").unwrap();
        assert_hidden(&format!("{keypair:?}"));
        let json = Keyfile::secret_json(&keypair);
        assert!(json.contains("sausage") && json.contains(SEED));
        assert_hidden(&format!("{:?}", Keyfile::parse(json.as_bytes()).unwrap()));
        assert_hidden(&Keyfile::public_json(keypair.account(), scheme));
        let exported = keypair.to_polkadot_json(&password, "w", &mut rng).unwrap();
        assert_hidden(&exported);
        let sealed = encrypt(
            EncryptionFormat::AnsibleVault,
            json.as_bytes(),
            &password,
            &mut rng,
        );
        assert_hidden(&String::from_utf8_lossy(&sealed.unwrap()));
    }
    assert_hidden(&format!("{:?}", Keypair::from_seed(&seed)));
    assert_hidden(&format!("{:?}", Mnemonic::parse(PHRASE).unwrap()));
    assert_hidden(&format!("{password:?}"));
    assert_hidden(&format!("{:?}", PasswordSource::Environment(None)));
    let protection = Protection::Encrypted {
        format: EncryptionFormat::Nacl,
        password: &password,
    };
    assert_hidden(&format!("{protection:?}"));
}

#[test]
fn no_error_shows_a_secret() {
    let password = Password::from(PASSWORD);
    let keypair = Keypair::from_mnemonic(PHRASE, "").unwrap();
    let sealed = encrypt(
        EncryptionFormat::AnsibleVault,
        PHRASE.as_bytes(),
        &password,
        &mut rand::rng(),
    );
    let file = |text: String| {
        Keyfile::parse(text.as_bytes())
            .and_then(|keyfile| keyfile.keypair())
            .unwrap_err()
    };
    let bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::named(folder.path(), "w", "h").unwrap();
    wallet
        .create_hotkey(&keypair, Protection::Plaintext, &mut rand::rng())
        .unwrap();
    let broken = format!("{{\"secretPhrase\": \"{PHRASE}\", \"secretSeed\": \"{SEED}");
    std::fs::write(wallet.coldkey_path(), broken).unwrap();
    for error in [
        Keypair::from_mnemonic(&format!("{PHRASE} {PHRASE}x"), "").unwrap_err(),
        Keypair::from_mnemonic(&PHRASE.replace("yellow", "sausage"), "").unwrap_err(),
        Keypair::from_uri(&format!("{PHRASE}!//x///{PASSWORD}")).unwrap_err(),
        Keypair::from_uri(&format!("0x{SEED}00//x")).unwrap_err(),
        decrypt(&sealed.unwrap(), &Password::from("Tr0ub4dor")).unwrap_err(),
        file(format!("{PHRASE} yellow")),
        file(format!(
            "{{\"secretPhrase\": \"{PHRASE}\", \"secretSeed\": 3}}"
        )),
        file(format!(
            "{{\"secretPhrase\": \"{PHRASE}\", \"ss58Address\": \"{bob}\"}}"
        )),
        file(format!(
            "{{\"secretPhrase\": \"{PHRASE}\", \"cryptoType\": \"mldsa\"}}"
        )),
        file(format!("{{\"secretSeed\": \"{SEED}00\"}}")),
        file(format!("{{\"privateKey\": \"{PRIVATE}00\"}}")),
        file(format!("{{\"secretSeed\": {{\"x\": \"{SEED}\"}}}}")),
        wallet.coldkey_keypair().unwrap_err(),
        wallet
            .unlock_coldkey(&PasswordSource::Environment(None))
            .unwrap_err(),
        python_message(&format!("0x{SEED}0")).unwrap_err(),
        unmask_password("BT_PW_X", PASSWORD).unwrap_err(),
        format!("{PRIVATE}00").parse::<Signature>().unwrap_err(),
        Keypair::from_polkadot_json(&format!("{{\"encoded\": \"{SEED}\"}}"), &password)
            .unwrap_err(),
        Password::from("sausag")
            .check_strength()
            .err()
            .unwrap_or(Error::NoTerminal),
    ] {
        assert_hidden(&shown(error));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_wrong_password_and_a_changed_file_answer_the_same(
        wrong in ".{0,16}",
        at: prop::sample::Index,
    ) {
        prop_assume!(wrong != PASSWORD);
        let password = Password::from(PASSWORD);
        let format = EncryptionFormat::AnsibleVault;
        let sealed = encrypt(format, PHRASE.as_bytes(), &password, &mut rand::rng()).unwrap();
        let refused = decrypt(&sealed, &Password::from(&*wrong)).unwrap_err();
        // A digit of the ciphertext: every second digit of the outer hex is the inner one's.
        let mut changed = sealed.clone();
        let tail = sealed.len() - 80;
        let digit = tail + 2 * at.index(30) + 1;
        changed[digit] = if changed[digit] == b'0' { b'1' } else { b'0' };
        let damaged = decrypt(&changed, &password);
        if let Err(damaged @ Error::NotOpened { .. }) = damaged {
            prop_assert_eq!(format!("{refused:?}"), format!("{damaged:?}"));
        } else {
            // The digit stood beside a line's end, and the file is no longer hex.
            prop_assert!(matches!(damaged, Err(Error::Keyfile { .. })), "{:?}", damaged);
        }
    }
}
