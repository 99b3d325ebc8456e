use std::{
    path::Path,
    process::{Command, Output},
};

use adit_wallet::Keypair;
use serde_json::Value;

use crate::devnet::{Devnet, key, validator};

fn doctor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_adit-validator"))
        .args(["chain", "doctor"])
        .args(arguments)
        .env("HOME", "/nonexistent")
        .output()
        .unwrap()
}

/// A wallet of which only public parts can be read: the coldkey is encrypted, the hotkey's secret
/// is not there.
fn public_wallet(folder: &Path, hotkey: &Keypair) {
    let hotkeys = folder.join("cold").join("hotkeys");
    std::fs::create_dir_all(&hotkeys).unwrap();
    let public = |keypair: &Keypair| {
        let account = keypair.account();
        let hex = account.as_bytes().iter().map(|byte| format!("{byte:02x}"));
        let hex = hex.collect::<String>();
        format!(r#"{{"accountId":"0x{hex}","publicKey":"0x{hex}","ss58Address":"{account}"}}"#)
    };
    let cold = folder.join("cold");
    std::fs::write(cold.join("coldkey"), b"$NACL rubbish that nobody can open").unwrap();
    std::fs::write(cold.join("coldkeypub.txt"), public(&key("//Alice"))).unwrap();
    std::fs::write(hotkeys.join("hot"), b"$NACL rubbish that nobody can open").unwrap();
    std::fs::write(hotkeys.join("hotpub.txt"), public(hotkey)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_a_validators_standing_from_public_keys() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (_, hotkey) = validator(&client).await;
    let folder = tempfile::tempdir().unwrap();
    public_wallet(folder.path(), &hotkey);
    let url = devnet.url();
    let wallets = folder.path().display().to_string();
    let arguments = [
        "--subtensor.network",
        &url,
        "--netuid",
        "1",
        "--wallet.path",
        &wallets,
        "--wallet.name",
        "cold",
        "--wallet.hotkey",
        "hot",
        "--json",
    ];
    let output = doctor(&arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    assert!(output.status.success(), "{report:#}");
    assert_eq!(report["healthy"], true, "{report:#}");
    assert_eq!(report["endpoints"][0]["reachable"], true);
    assert_eq!(report["neuron"]["validator_permit"], true);
    assert_eq!(report["neuron"]["hotkey"], hotkey.hotkey().to_string());
    assert_eq!(report["neuron"]["weights"], 0);
    assert!(report["neuron"]["weights_rate_limit_blocks"].is_u64());
    let head = adit_chain::Chain::head(&client).await.unwrap().0;
    assert!(report["chain"]["block"].as_u64().unwrap() <= head);

    let text = doctor(&arguments[..arguments.len() - 1]);
    let text = String::from_utf8(text.stdout).unwrap();
    for expected in ["endpoint", "permit    yes", "commit-reveal", "healthy"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_exits_1_and_says_why() {
    let devnet = Devnet::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    public_wallet(folder.path(), &key("//nobody"));
    let (url, wallets) = (devnet.url(), folder.path().display().to_string());
    let unregistered = doctor(&[
        "--subtensor.network",
        &url,
        "--netuid",
        "1",
        "--wallet.path",
        &wallets,
        "--wallet.name",
        "cold",
        "--wallet.hotkey",
        "hot",
    ]);
    assert_eq!(unregistered.status.code(), Some(1));
    let text = String::from_utf8(unregistered.stdout).unwrap();
    assert!(text.contains("is not registered on subnet 1"), "{text}");

    // Nothing listens on port 1 of loopback.
    let nowhere = doctor(&["--subtensor.network", "ws://127.0.0.1:1"]);
    assert_eq!(nowhere.status.code(), Some(1));
    let text = String::from_utf8(nowhere.stdout).unwrap();
    assert!(text.contains("DOWN") && text.contains("PROBLEM"), "{text}");
}
