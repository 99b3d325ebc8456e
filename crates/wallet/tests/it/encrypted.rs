//! Encrypted keyfiles in wallet folders, and the bad files and passwords that meet them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use adit_wallet::{
    EncryptionFormat, Error, Keyfile, Keypair, LONGEST_KEYFILE, Password, PasswordSource,
    Protection, SecretState, SignatureScheme, Wallet, decrypt, encrypt, exposure, list_wallets,
};

fn key(uri: &str) -> Keypair {
    Keypair::from_uri(uri).unwrap()
}

/// A source that gives this password, by a file.
fn typed(folder: &Path, password: &str) -> PasswordSource {
    let path = folder.join("password");
    fs::write(&path, password).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    PasswordSource::File(path)
}

#[test]
fn an_encrypted_wallet_opens_with_its_password_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("wallets");
    let mut rng = rand::rng();
    let (cold, hot) = (key("//Alice"), key("//Alice//hot"));
    let password = Password::from("correct horse");
    let wallet = Wallet::named(&path, "owner", "miner").unwrap();
    let sealed = |format| Protection::Encrypted {
        format,
        password: &password,
    };
    wallet
        .create_coldkey(&cold, sealed(EncryptionFormat::Nacl), &mut rng)
        .unwrap();
    wallet
        .create_hotkey(&hot, sealed(EncryptionFormat::AnsibleVault), &mut rng)
        .unwrap();
    for file in [
        wallet.coldkey_path(),
        wallet.hotkey_path(),
        wallet.coldkey_public_path(),
    ] {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    assert!(
        fs::read(wallet.coldkey_path())
            .unwrap()
            .starts_with(b"$NACL")
    );

    let right = typed(home.path(), "correct horse\n");
    let unlocked = wallet.unlock_coldkey(&right).unwrap();
    assert_eq!(unlocked.expose_secret_key(), cold.expose_secret_key());
    assert_eq!(
        wallet.unlock_hotkey(&right).unwrap().account(),
        hot.account()
    );
    // What is public needs no password.
    assert_eq!(wallet.coldkey_public().unwrap(), cold.coldkey());
    assert_eq!(wallet.hotkey_public().unwrap(), hot.hotkey());

    let wrong = typed(home.path(), "wrong horse");
    for refused in [wallet.unlock_coldkey(&wrong), wallet.unlock_hotkey(&wrong)] {
        let Err(Error::InFile { source, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert!(matches!(*source, Error::NotOpened { .. }), "{source}");
    }
    let Err(Error::InFile { source, .. }) = wallet.hotkey_keypair() else {
        panic!("a password was not asked for")
    };
    assert!(matches!(*source, Error::Encrypted { .. }));
    // Nothing asks for a password when there is none to a file.
    let nobody = PasswordSource::Environment(Some("ADIT_NO_SUCH_VARIABLE".into()));
    let plain = wallet.add_hotkey("plain", &key("//Bob")).unwrap();
    assert_eq!(
        plain.unlock_hotkey(&nobody).unwrap().account(),
        key("//Bob").account()
    );
    assert!(matches!(
        wallet.unlock_hotkey(&nobody),
        Err(Error::PasswordSource { .. })
    ));
}

#[test]
fn truncated_changed_and_oversized_files_are_typed_errors() {
    let mut rng = rand::rng();
    let password = Password::from("correct horse");
    let nacl = encrypt(EncryptionFormat::Nacl, b"{}", &password, &mut rng).unwrap();
    for cut in [5, 20, 44] {
        // Refused before half a gibibyte is touched.
        let error = decrypt(&nacl[..cut], &password).unwrap_err();
        assert!(matches!(error, Error::Keyfile { .. }), "{cut}: {error}");
    }
    let mut changed = nacl.clone();
    changed[40] ^= 1;
    let changed = decrypt(&changed, &password).unwrap_err();
    let wrong = decrypt(&nacl, &Password::from("wrong horse")).unwrap_err();
    assert!(matches!(
        changed,
        Error::NotOpened {
            format: EncryptionFormat::Nacl
        }
    ));
    // The same words for both: the file tells nobody which it was.
    assert_eq!(changed.to_string(), wrong.to_string());

    let oversized = [nacl, vec![0; LONGEST_KEYFILE]].concat();
    for bytes in [
        &oversized[..],
        b"{\"plain\": 1}",
        b"",
        b"$NAC",
        b"gAAAAA",
        b"$ANSIBLE_VAULT",
    ] {
        let error = decrypt(bytes, &password).unwrap_err();
        assert!(matches!(error, Error::Keyfile { .. }), "{error}");
    }
    let long = vec![b'x'; LONGEST_KEYFILE];
    for format in [EncryptionFormat::Nacl, EncryptionFormat::AnsibleVault] {
        assert!(encrypt(format, &long, &password, &mut rng).is_err());
    }
    assert!(matches!(
        encrypt(EncryptionFormat::Fernet, b"{}", &password, &mut rng),
        Err(Error::NotWritten { .. })
    ));
    // What decrypts to no keyfile is no key.
    let sealed = encrypt(EncryptionFormat::AnsibleVault, b"\xff", &password, &mut rng).unwrap();
    assert!(matches!(
        Keyfile::open(&sealed, &password),
        Err(Error::Keyfile { .. })
    ));
}

#[test]
fn odd_things_in_a_keyfiles_place_are_typed_errors() {
    let home = tempfile::tempdir().unwrap();
    let wallet = Wallet::named(home.path(), "w", "h").unwrap();
    let path = wallet.hotkey_path();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let refused = || {
        wallet
            .unlock_hotkey(&PasswordSource::Environment(None))
            .unwrap_err()
    };

    assert!(matches!(refused(), Error::Missing { .. }));
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert!(matches!(refused(), Error::Unreadable { .. }));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(refused(), Error::Unreadable { .. }));
    fs::remove_dir(&path).unwrap();
    // Nobody waits for a pipe's other end.
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if made.is_ok_and(|status| status.success()) {
        assert!(matches!(refused(), Error::Unreadable { .. }));
        fs::remove_file(&path).unwrap();
    }
    for bytes in [
        &b"\xff\xfe{"[..],
        b"{\"secretSeed\":",
        &[b'a'; LONGEST_KEYFILE + 9],
    ] {
        fs::write(&path, bytes).unwrap();
        let Error::InFile { source, .. } = refused() else {
            panic!("no file named")
        };
        assert!(matches!(*source, Error::Keyfile { .. }), "{source}");
    }
    // A link to a keyfile is followed, as in the Python wallets.
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, Keyfile::secret_json(&key("//Bob")).as_bytes()).unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert_eq!(
        wallet.hotkey_keypair().unwrap().account(),
        key("//Bob").account()
    );
}

#[test]
fn world_readable_secrets_are_told_of_and_still_open() {
    let home = tempfile::tempdir().unwrap();
    let wallet = Wallet::create(home.path(), "w", "h", &key("//A"), &key("//B")).unwrap();
    assert_eq!(wallet.exposures(), []);
    let set = |mode| {
        fs::set_permissions(wallet.hotkey_path(), fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o644, 0o640, 0o606] {
        set(mode);
        let found = wallet.exposures();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0].path, found[0].mode),
            (&wallet.hotkey_path(), mode)
        );
        let told = found[0].to_string();
        assert!(
            told.contains(&format!("mode {mode:03o}")) && told.contains("chmod 600"),
            "{told}"
        );
        wallet.hotkey_keypair().unwrap();
    }
    set(0o400);
    assert!(wallet.exposures().is_empty());
    assert_eq!(exposure(&home.path().join("absent")), None);
}

#[test]
fn a_coldkey_comes_back_to_its_public_part_and_to_no_other() {
    let home = tempfile::tempdir().unwrap();
    let wallet = Wallet::named(home.path(), "w", "h").unwrap();
    let mut rng = rand::rng();
    let scheme = SignatureScheme::Sr25519;
    wallet
        .create_coldkey_public(key("//Alice").account(), scheme)
        .unwrap();
    let other = wallet.create_coldkey(&key("//Eve"), Protection::Plaintext, &mut rng);
    assert!(matches!(other, Err(Error::Exists { .. })), "{other:?}");
    assert!(!wallet.coldkey_path().exists());
    wallet
        .create_coldkey(&key("//Alice"), Protection::Plaintext, &mut rng)
        .unwrap();
    let again = wallet.create_coldkey(&key("//Alice"), Protection::Plaintext, &mut rng);
    assert!(matches!(again, Err(Error::Exists { .. })), "{again:?}");
    let again = wallet.create_coldkey_public(key("//Alice").account(), scheme);
    assert!(matches!(again, Err(Error::Exists { .. })), "{again:?}");
}

#[test]
fn ed25519_wallets_are_written_with_their_kind_and_read_back() {
    let home = tempfile::tempdir().unwrap();
    let wallet = Wallet::named(home.path(), "w", "h").unwrap();
    let scheme = SignatureScheme::Ed25519;
    let hotkey = Keypair::from_uri_with_scheme(scheme, "//Alice").unwrap();
    wallet
        .create_hotkey(&hotkey, Protection::Plaintext, &mut rand::rng())
        .unwrap();
    for path in [wallet.hotkey_path(), wallet.hotkey_public_path()] {
        assert!(
            fs::read_to_string(path)
                .unwrap()
                .contains("\"cryptoType\":0")
        );
    }
    let read = wallet.hotkey_keypair().unwrap();
    assert_eq!((read.scheme(), read.account()), (scheme, hotkey.account()));
    assert_eq!(wallet.hotkey_public().unwrap(), hotkey.hotkey());
    assert!(!Keyfile::secret_json(&key("//Alice")).contains("cryptoType"));
}

#[test]
fn every_wallet_and_key_is_listed_without_a_password() {
    let home = tempfile::tempdir().unwrap();
    let mut rng = rand::rng();
    let first = Wallet::create(home.path(), "a", "h1", &key("//A"), &key("//A1")).unwrap();
    first.add_hotkey("h2", &key("//A2")).unwrap();
    let password = Password::from("correct horse");
    let sealed = Protection::Encrypted {
        format: EncryptionFormat::AnsibleVault,
        password: &password,
    };
    let second = Wallet::named(home.path(), "b", "sealed").unwrap();
    second
        .create_coldkey(&key("//B"), sealed, &mut rng)
        .unwrap();
    second
        .create_hotkey(&key("//B1"), sealed, &mut rng)
        .unwrap();
    fs::remove_file(second.hotkey_public_path()).unwrap();
    fs::write(home.path().join("b/hotkeys/broken"), "{").unwrap();
    fs::remove_file(home.path().join("a/coldkey")).unwrap();
    fs::create_dir(home.path().join("empty")).unwrap();
    fs::write(home.path().join("a-file"), "").unwrap();
    fs::write(home.path().join("a/hotkeys/.hidden"), "").unwrap();

    let found = list_wallets(home.path()).unwrap();
    let shown: Vec<String> = found
        .iter()
        .flat_map(|wallet| {
            wallet.coldkey.iter().chain(&wallet.hotkeys).map(|key| {
                let known = key.account.is_some();
                format!("{} {} {:?} {known}", wallet.name, key.name, key.secret)
            })
        })
        .collect();
    assert_eq!(
        shown,
        [
            "a coldkey Absent true",
            "a h1 Plaintext true",
            "a h2 Plaintext true",
            "b coldkey Encrypted true",
            "b broken Unreadable false",
            "b sealed Encrypted false",
        ]
    );
    assert_eq!(found[0].hotkeys[1].account, Some(key("//A2").account()));
    assert_eq!(found[1].hotkeys[0].secret, SecretState::Unreadable);
    assert!(matches!(
        list_wallets(&home.path().join("absent")),
        Err(Error::Missing { .. })
    ));
}
