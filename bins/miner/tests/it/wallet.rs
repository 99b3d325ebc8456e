//! `adit-miner wallet …`.

use std::fs;

use super::{Operator, mode, said};

const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
const ADDRESS: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

#[test]
fn a_new_wallet_is_encrypted_listed_signs_and_comes_back_from_its_phrase() {
    let operator = Operator::new();
    let password = operator.secret("password", "correct horse battery");
    let phrases = operator.path("phrases");
    let made = operator.wallet(&[
        "new",
        "--password-file",
        &password,
        "--no-password",
        "--mnemonic-file",
        phrases.to_str().unwrap(),
        "--json",
    ]);
    assert!(made.status.success(), "{}", said(&made));
    // Neither phrase is on standard output or standard error, where logs come from.
    let text = fs::read_to_string(&phrases).unwrap();
    let found: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!(mode(&phrases), 0o600);
    assert!(found.iter().all(|phrase| phrase.split(' ').count() == 12));
    assert!(!found.iter().any(|phrase| said(&made).contains(phrase)));

    let folder = operator.wallets().join("default");
    let coldkey = fs::read(folder.join("coldkey")).unwrap();
    assert!(coldkey.starts_with(b"$NACL"));
    assert!(
        fs::read(folder.join("hotkeys/default"))
            .unwrap()
            .starts_with(b"{")
    );
    for file in [
        "coldkey",
        "coldkeypub.txt",
        "hotkeys/default",
        "hotkeys/defaultpub.txt",
    ] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }

    let listed = operator.json(&["list"]);
    let wallet = &listed["wallets"][0];
    assert_eq!(wallet["coldkey"]["secret"], "encrypted");
    assert_eq!(wallet["hotkeys"][0]["secret"], "plaintext");
    let (cold, hot) = (
        wallet["coldkey"]["account"].as_str().unwrap(),
        wallet["hotkeys"][0]["account"].as_str().unwrap(),
    );
    let shown = said(&operator.wallet(&["show"]));
    assert!(shown.contains(cold) && shown.contains(hot), "{shown}");
    assert!(!shown.contains("warning"), "{shown}");

    // The coldkey signs with its password, and its signature verifies as its alone.
    let signed = operator.json(&[
        "sign",
        "--key",
        "coldkey",
        "--message",
        "a task",
        "--password-file",
        &password,
    ]);
    let signature = signed["signature"].as_str().unwrap();
    let verify = |address: &str, message: &str| {
        operator.wallet(&[
            "verify",
            "--address",
            address,
            "--signature",
            signature,
            "--message",
            message,
        ])
    };
    assert!(verify(cold, "a task").status.success());
    for (address, message) in [(hot, "a task"), (cold, "another")] {
        let refused = verify(address, message);
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(String::from_utf8_lossy(&refused.stdout), "not valid\n");
    }

    // From its phrase the coldkey comes back, elsewhere, with the same address.
    let secret = operator.secret("phrase", found[0]);
    let restored = operator.json(&[
        "regen",
        "--key",
        "coldkey",
        "--wallet.name",
        "again",
        "--secret-file",
        &secret,
        "--password-file",
        &password,
        "--format",
        "ansible-vault",
        "--address",
        cold,
    ]);
    assert_eq!(restored["written"][0]["address"], cold);
    assert_eq!(restored["written"][0]["encrypted"], true);
}

#[test]
fn nothing_is_overwritten_and_no_password_or_terminal_is_a_clear_error() {
    let operator = Operator::new();
    let seed = operator.secret("seed", "//Alice");
    let hotkey = ["regen", "--key", "hotkey", "--secret-file", &seed];
    // A password is expected, and there is nobody to ask.
    let refused = operator.refusal(&hotkey);
    assert!(refused.contains("no terminal to ask on"), "{refused}");
    assert!(!operator.wallets().exists());
    operator.json(&[&hotkey[..], &["--no-password"]].concat());
    let refused = operator.refusal(&[&hotkey[..], &["--no-password"]].concat());
    assert!(
        refused.contains("exists and is not overwritten"),
        "{refused}"
    );
    // A phrase that nobody would see is not drawn.
    let refused = operator.refusal(&[
        "new",
        "--key",
        "hotkey",
        "--wallet.hotkey",
        "h",
        "--no-password",
    ]);
    assert!(refused.contains("--mnemonic-file"), "{refused}");
    assert!(!operator.wallets().join("default/hotkeys/h").exists());
    // --no-password is for hotkeys.
    let refused = operator.refusal(&[
        "regen",
        "--key",
        "coldkey",
        "--secret-file",
        &seed,
        "--no-password",
    ]);
    assert!(refused.contains("no terminal to ask on"), "{refused}");
    let weak = operator.secret("weak", "aaaaaaaa");
    let refused = operator.refusal(&[
        "regen",
        "--key",
        "coldkey",
        "--secret-file",
        &seed,
        "--password-file",
        &weak,
    ]);
    assert!(refused.contains("too regular"), "{refused}");
    let refused = operator.refusal(&[
        "regen",
        "--key",
        "coldkey",
        "--secret-file",
        &seed,
        "--no-coldkey-password",
        "--address",
        BOB,
    ]);
    assert!(refused.contains("not of 5FHneW46"), "{refused}");
    for args in [
        &["show", "--wallet.name", "../x"][..],
        &["show", "--wallet.name", "absent"],
        &["sign", "--message-hex", "0x1", "--wallet.hotkey", "default"],
        &[
            "new",
            "--words",
            "13",
            "--no-password",
            "--key",
            "hotkey",
            "--wallet.hotkey",
            "h",
        ],
        &["regen", "--key", "coldkeypub"],
        &["sign"],
    ] {
        operator.refusal(args);
    }
}

#[test]
fn passwords_come_from_descriptors_and_the_environment() {
    let operator = Operator::new();
    let secret = operator.secret("phrase", PHRASE);
    let password = "correct horse battery";
    // Standard input is descriptor 0.
    let made = operator.fed(
        &[
            "regen",
            "--key",
            "hotkey",
            "--secret-file",
            &secret,
            "--password-fd",
            "0",
            "--format",
            "ansible-vault",
        ],
        format!("{password}\n").as_bytes(),
    );
    assert!(made.status.success(), "{}", said(&made));
    let sign = |name: &str, value: &str, args: &[&str]| {
        let mut command = operator.command();
        command
            .args(["wallet", "sign", "--message", "x"])
            .args(args);
        command.env(name, value).output().unwrap()
    };
    let plain = sign(
        "HOTKEY_PASSWORD",
        password,
        &["--password-env", "HOTKEY_PASSWORD"],
    );
    assert!(plain.status.success(), "{}", said(&plain));
    // The variable of the Python wallets is looked at without being named.
    let path = operator.wallets().join("default/hotkeys/default");
    let variable = adit_wallet::password_variable(&path);
    let masked = adit_wallet::mask_password(&variable, &password.into());
    let found = sign(&variable, &masked, &[]);
    assert!(found.status.success(), "{}", said(&found));
    assert!(
        sign(&variable, &masked, &["--password-env"])
            .status
            .success()
    );
    let wrong = adit_wallet::mask_password(&variable, &"wrong".into());
    let wrong = sign(&variable, &wrong, &[]);
    assert!(
        said(&wrong).contains("wrong password or changed file"),
        "{}",
        said(&wrong)
    );
    let unset = sign("OTHER", "x", &["--password-env"]);
    assert!(said(&unset).contains("not set"), "{}", said(&unset));
    // A password file that others may read is refused.
    let open = operator.secret("open", password);
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&open, all).unwrap();
    let refused = operator.refusal(&["sign", "--message", "x", "--password-file", &open]);
    assert!(refused.contains("chmod 600"), "{refused}");
}

#[test]
fn keys_are_imported_from_keyfiles_and_polkadot_js() {
    let operator = Operator::new();
    let password = operator.secret("password", "whoisalice");
    let alice = adit_wallet::Keypair::from_uri("//Alice").unwrap();
    let exported = alice
        .to_polkadot_json(&"whoisalice".into(), "Alice", &mut rand::rng())
        .unwrap();
    let exported = operator.secret("alice.json", &exported);
    let import = ["import", &exported, "--key", "hotkey", "--no-password"];
    let refused = operator.refusal(&import);
    assert!(refused.contains("no terminal to ask on"), "{refused}");
    let wrong = operator.secret("wrong", "whoisbob");
    let refused = operator.refusal(&[&import[..], &["--from-password-file", &wrong]].concat());
    assert!(refused.contains("wrong password"), "{refused}");
    let made = operator.json(&[&import[..], &["--from-password-file", &password]].concat());
    assert_eq!(made["written"][0]["address"], alice.account().to_string());

    // A file that contradicts itself is taken only when that is asked for.
    let odd = format!(r#"{{"secretPhrase": "{PHRASE}", "ss58Address": "{BOB}"}}"#);
    let odd = operator.secret("odd", &odd);
    let import = ["import", &odd, "--key", "coldkey", "--no-coldkey-password"];
    let refused = operator.refusal(&import);
    assert!(refused.contains("its secret belongs to"), "{refused}");
    let made = operator.wallet(&[&import[..], &["--ignore-address"]].concat());
    assert!(said(&made).contains(ADDRESS), "{}", said(&made));
    assert!(said(&made).contains("warning: the coldkey is written unencrypted"));
}

#[test]
fn a_file_that_others_may_read_is_told_of() {
    let operator = Operator::new();
    let secret = operator.secret("phrase", PHRASE);
    operator.json(&[
        "regen",
        "--key",
        "hotkey",
        "--secret-file",
        &secret,
        "--no-password",
    ]);
    let hotkey = operator.wallets().join("default/hotkeys/default");
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&hotkey, all).unwrap();
    for args in [&["show"][..], &["sign", "--message", "x"]] {
        let output = operator.wallet(args);
        assert!(output.status.success());
        let warned = String::from_utf8_lossy(&output.stderr);
        assert!(warned.contains("warning: other users may open"), "{warned}");
    }
    assert_eq!(
        operator.json(&["show"])["exposures"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn ed25519_keys_sign_and_verify_under_their_scheme() {
    let operator = Operator::new();
    let secret = operator.secret("uri", "//Alice");
    let made = operator.json(&[
        "regen",
        "--key",
        "hotkey",
        "--secret-file",
        &secret,
        "--no-password",
        "--scheme",
        "ed25519",
    ]);
    let address = made["written"][0]["address"].as_str().unwrap();
    assert_eq!(address, "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu");
    let signed = operator.json(&["sign", "--message-hex", "0x00ff"]);
    let signature = signed["signature"].as_str().unwrap();
    let verify = [
        "verify",
        "--address",
        address,
        "--signature",
        signature,
        "--message-file",
        "-",
    ];
    let ed25519 = [&verify[..], &["--scheme", "ed25519"]].concat();
    assert!(operator.fed(&ed25519, &[0, 255]).status.success());
    assert!(!operator.fed(&verify, &[0, 255]).status.success());
}
