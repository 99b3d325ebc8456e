//! `list` and `show`: what wallets there are, read without a password.

use std::process::ExitCode;

use adit_wallet::{ListedKey, ListedWallet, SecretState, Wallet, list_wallets};
use serde_json::{Value, json};

use super::{
    Outcome,
    args::{ListArgs, ShowArgs},
    warn,
};
use crate::{Error, Result};

pub(super) fn list(args: &ListArgs) -> Result<Outcome> {
    let folder = args.place.config()?.folder();
    let wallets = match list_wallets(&folder) {
        Ok(wallets) => wallets,
        Err(adit_wallet::Error::Missing { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let text = if wallets.is_empty() {
        format!("no wallets in {}\n", folder.display())
    } else {
        wallets.iter().map(described).collect()
    };
    Ok(Outcome {
        text,
        json: json!({ "path": folder, "wallets": encode(&wallets)? }),
        as_json: args.place.json,
        code: ExitCode::SUCCESS,
    })
}

pub(super) fn show(args: &ShowArgs) -> Result<Outcome> {
    let config = args.place.config()?;
    let wallet = Wallet::open(&config.folder(), &config.name, &config.hotkey)?;
    let mut found = list_wallets(&config.folder())?
        .into_iter()
        .find(|listed| listed.name == config.name)
        .ok_or_else(|| Error::Command(format!("{} holds no key", config.name)))?;
    found.hotkeys.retain(|key| key.name == config.hotkey);
    let exposures = wallet.exposures();
    for exposure in &exposures {
        warn(&format!("warning: {exposure}"));
    }
    let mut json = encode(&found)?;
    if let Some(fields) = json.as_object_mut() {
        let told: Vec<String> = exposures.iter().map(ToString::to_string).collect();
        fields.insert("exposures".into(), told.into());
    }
    Ok(Outcome {
        text: described(&found),
        json,
        as_json: args.place.json,
        code: ExitCode::SUCCESS,
    })
}

fn encode(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|source| Error::Encode {
        what: "listing",
        source,
    })
}

fn described(wallet: &ListedWallet) -> String {
    let keys = wallet.coldkey.iter().map(|key| line("coldkey", key));
    let hotkeys = wallet
        .hotkeys
        .iter()
        .map(|key| line(&format!("hotkey {}", key.name), key));
    let keys: String = keys.chain(hotkeys).collect();
    format!("{}\n{keys}", wallet.name)
}

fn line(what: &str, key: &ListedKey) -> String {
    let address = key
        .account
        .map_or_else(|| "address unknown".into(), |account| account.to_string());
    let secret = match key.secret {
        SecretState::Absent => "public only",
        SecretState::Plaintext => "not encrypted",
        SecretState::Encrypted => "encrypted",
        _ => "cannot be read",
    };
    format!("  {what:<24} {address}  {secret}\n")
}
