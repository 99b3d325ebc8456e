use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use adit_wallet::{EncryptionFormat, Error, Keypair, Wallet};

fn key(uri: &str) -> Keypair {
    Keypair::from_uri(uri).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_created_wallet_opens_with_its_keys() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("wallets");
    let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    let cold = Keypair::from_mnemonic(phrase, "").unwrap();
    let hot = key("//Alice//hot");
    Wallet::create(&path, "alice", "miner-1", &cold, &hot).unwrap();
    let wallet = Wallet::open(&path, "alice", "miner-1").unwrap();
    assert_eq!((wallet.name(), wallet.hotkey_name()), ("alice", "miner-1"));
    assert_eq!(wallet.hotkey_keypair().unwrap().account(), hot.account());
    assert_eq!(wallet.coldkey_keypair().unwrap().account(), cold.account());
    assert_eq!(wallet.coldkey_public().unwrap(), cold.coldkey());
    assert_eq!(wallet.hotkey_public().unwrap(), hot.hotkey());
    for file in [
        wallet.coldkey_path(),
        wallet.coldkey_public_path(),
        wallet.hotkey_path(),
        wallet.hotkey_public_path(),
    ] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(&path.join("alice")), 0o700);
    assert_eq!(mode(&path.join("alice/hotkeys")), 0o700);
    // Nothing temporary is left behind.
    assert_eq!(fs::read_dir(path.join("alice")).unwrap().count(), 3);
    assert_eq!(fs::read_dir(path.join("alice/hotkeys")).unwrap().count(), 2);

    let second = wallet.add_hotkey("miner-2", &key("//Bob")).unwrap();
    assert_eq!(second.hotkey_public().unwrap(), key("//Bob").hotkey());
    assert_eq!(wallet.hotkey_public().unwrap(), hot.hotkey());
}

#[test]
fn keys_are_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let (cold, hot) = (key("//Alice"), key("//Alice//hot"));
    let wallet = Wallet::create(home.path(), "w", "h", &cold, &hot).unwrap();
    let other = key("//Eve");
    for refused in [
        Wallet::create(home.path(), "w", "h", &other, &other),
        Wallet::create(home.path(), "w", "another", &other, &other),
        wallet.add_hotkey("h", &other),
    ] {
        assert!(matches!(refused, Err(Error::Exists { .. })));
    }
    assert!(!home.path().join("w/hotkeys/another").exists());
    assert_eq!(wallet.coldkey_public().unwrap(), cold.coldkey());
    assert_eq!(wallet.hotkey_keypair().unwrap().account(), hot.account());
}

#[test]
fn a_machine_with_only_the_hotkey_works() {
    let home = tempfile::tempdir().unwrap();
    let hot = key("//Alice//hot");
    let wallet = Wallet::create(home.path(), "w", "h", &key("//Alice"), &hot).unwrap();
    fs::remove_file(wallet.coldkey_path()).unwrap();
    fs::remove_file(wallet.hotkey_public_path()).unwrap();
    let wallet = Wallet::open(home.path(), "w", "h").unwrap();
    assert_eq!(wallet.hotkey_public().unwrap(), hot.hotkey());
    assert_eq!(wallet.coldkey_public().unwrap(), key("//Alice").coldkey());
    assert!(matches!(
        wallet.coldkey_keypair(),
        Err(Error::Missing { .. })
    ));
    fs::remove_file(wallet.coldkey_public_path()).unwrap();
    assert!(matches!(
        wallet.coldkey_public(),
        Err(Error::Missing { .. })
    ));
}

#[test]
fn missing_unreadable_encrypted_and_malformed_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(
        Wallet::open(home.path(), "none", "h"),
        Err(Error::Missing { .. })
    ));
    let hotkeys = home.path().join("w/hotkeys");
    fs::create_dir_all(&hotkeys).unwrap();
    let wallet = Wallet::open(home.path(), "w", "h").unwrap();
    assert!(matches!(
        wallet.hotkey_keypair(),
        Err(Error::Missing { .. })
    ));

    // A folder in the file's place cannot be read, whoever runs the test.
    fs::create_dir(hotkeys.join("h")).unwrap();
    assert!(matches!(
        wallet.hotkey_keypair(),
        Err(Error::Unreadable { .. })
    ));
    fs::remove_dir(hotkeys.join("h")).unwrap();

    let inner = |bytes: &[u8]| {
        fs::write(hotkeys.join("h"), bytes).unwrap();
        match wallet.hotkey_keypair().unwrap_err() {
            Error::InFile { path, source } => {
                assert_eq!(path, wallet.hotkey_path());
                *source
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(
        inner(b"$NACL\0\0"),
        Error::Encrypted {
            format: EncryptionFormat::Nacl
        }
    ));
    assert!(matches!(inner(b"{\"a\":"), Error::Keyfile { .. }));
    assert!(matches!(inner(&[b'a'; 70_000]), Error::Keyfile { .. }));
}

#[test]
fn names_cannot_leave_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let long = "n".repeat(201);
    for name in [
        "", ".", "..", "../w", "w/..", "/etc", "a/b", "a/", "./a", "a\\b", "a\0b", "a\nb", &long,
    ] {
        for refused in [
            Wallet::open(home.path(), name, "h"),
            Wallet::open(home.path(), "w", name),
            Wallet::create(home.path(), name, "h", &key("//A"), &key("//B")),
            Wallet::create(home.path(), "w", name, &key("//A"), &key("//B")),
        ] {
            assert!(matches!(refused, Err(Error::Name { .. })), "{name:?}");
        }
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}
