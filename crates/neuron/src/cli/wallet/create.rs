//! `new`, `regen` and `import`: everything that writes keyfiles.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use adit_wallet::{
    EncryptionFormat, Keyfile, Keypair, LONGEST_KEYFILE, Mnemonic, Password, PasswordSource, Wallet,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Outcome,
    args::{ImportArgs, Kept, NewArgs, NewKeys, OneKey, RegenArgs, RegenKey},
    secrets::{PhrasePaper, Sealing, absolute, key_of, secret},
};
use crate::{Error, Result, config::expand_home};

pub(super) fn new(args: &NewArgs) -> Result<Outcome> {
    let wallet = args.place.wallet()?;
    let keys: &[OneKey] = match args.key {
        NewKeys::Both => &[OneKey::Coldkey, OneKey::Hotkey],
        NewKeys::Coldkey => &[OneKey::Coldkey],
        NewKeys::Hotkey => &[OneKey::Hotkey],
    };
    for key in keys {
        refuse_existing(&wallet, *key)?;
    }
    // Everything that can be refused is, before a phrase is shown or a file written.
    let phrases: Vec<Mnemonic> = keys
        .iter()
        .map(|_| Mnemonic::generate(&mut rand::rng(), args.words))
        .collect::<Result<_, _>>()?;
    let sealings: Vec<Sealing> = keys
        .iter()
        .map(|key| Sealing::choose(&args.kept, *key, &path_of(&wallet, *key)))
        .collect::<Result<_>>()?;
    let mut paper = PhrasePaper::open(args.mnemonic_file.as_deref())?;
    let mut written = Vec::new();
    for ((key, phrase), sealing) in keys.iter().zip(&phrases).zip(&sealings) {
        let words = phrase.expose();
        let scheme = args.kept.scheme.scheme();
        let keypair = Keypair::from_mnemonic_with_scheme(scheme, &words, "")?;
        paper.write(&format!("{} {}", name(*key), keypair.account()), &words)?;
        written.push(write(&wallet, *key, &keypair, sealing)?);
    }
    Ok(told(written, args.place.json))
}

pub(super) fn regen(args: &RegenArgs) -> Result<Outcome> {
    let wallet = args.place.wallet()?;
    let scheme = args.kept.scheme.scheme();
    let key = match (args.key, args.address) {
        (RegenKey::Coldkey, _) => OneKey::Coldkey,
        (RegenKey::Hotkey, _) => OneKey::Hotkey,
        (RegenKey::Coldkeypub, Some(account)) => {
            wallet.create_coldkey_public(account, scheme)?;
            let path = wallet.coldkey_public_path();
            let written = json!({"key": "coldkeypub", "address": account, "path": path});
            return Ok(told(vec![written], args.place.json));
        }
        (RegenKey::Coldkeypub, None) => {
            return Err(Error::Command("a coldkeypub.txt needs an --address".into()));
        }
    };
    refuse_existing(&wallet, key)?;
    let secret = secret(args.secret_file.as_deref(), args.secret_fd)?;
    let keypair = key_of(&secret, scheme)?;
    if let Some(expected) = args.address.filter(|address| *address != keypair.account()) {
        return Err(Error::Command(format!(
            "the secret is of {}, not of {expected}",
            keypair.account()
        )));
    }
    kept(&wallet, key, &keypair, &args.kept, args.place.json)
}

pub(super) fn import(args: &ImportArgs) -> Result<Outcome> {
    let wallet = args.place.wallet()?;
    refuse_existing(&wallet, args.key)?;
    let path = expand_home(&args.file);
    let bytes = read(&path)?;
    let source = match (&args.from_password_file, args.from_password_fd) {
        (Some(file), _) => PasswordSource::File(expand_home(file)),
        (None, Some(number)) => PasswordSource::Descriptor(number),
        (None, None) => PasswordSource::Usual,
    };
    let password = || source.read(&absolute(&path));
    let exported = std::str::from_utf8(&bytes)
        .ok()
        .filter(|text| is_exported(text));
    let keypair = if let Some(json) = exported {
        Keypair::from_polkadot_json(json, &password()?)?
    } else {
        let password = match EncryptionFormat::of(&bytes) {
            Some(_) => password()?,
            None => Password::from(""),
        };
        let keyfile = Keyfile::open(&bytes, &password)?;
        if args.ignore_address {
            keyfile.keypair_ignoring_address()?
        } else {
            keyfile.keypair()?
        }
    };
    kept(&wallet, args.key, &keypair, &args.kept, args.place.json)
}

/// Whether the text is the JSON of a polkadot.js export; a keyfile has no such field.
fn is_exported(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("\"encoded\"")
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_KEYFILE + 1));
    File::open(path)
        .and_then(|file| {
            file.take(LONGEST_KEYFILE as u64 + 1)
                .read_to_end(&mut bytes)
        })
        .map_err(|source| Error::Io {
            what: format!("cannot read {}", path.display()),
            source,
        })?;
    Ok(bytes)
}

/// Chooses how to keep the key, writes it and tells so.
fn kept(
    wallet: &Wallet,
    key: OneKey,
    keypair: &Keypair,
    kept: &Kept,
    as_json: bool,
) -> Result<Outcome> {
    let sealing = Sealing::choose(kept, key, &path_of(wallet, key))?;
    let written = write(wallet, key, keypair, &sealing)?;
    Ok(told(vec![written], as_json))
}

/// Before anybody types a password in vain.
fn refuse_existing(wallet: &Wallet, key: OneKey) -> Result<()> {
    let path = path_of(wallet, key);
    match path.symlink_metadata() {
        Ok(_) => Err(adit_wallet::Error::Exists { path }.into()),
        Err(_) => Ok(()),
    }
}

fn write(wallet: &Wallet, key: OneKey, keypair: &Keypair, sealing: &Sealing) -> Result<Value> {
    let mut rng = rand::rng();
    match key {
        OneKey::Coldkey => wallet.create_coldkey(keypair, sealing.protection(), &mut rng)?,
        OneKey::Hotkey => wallet.create_hotkey(keypair, sealing.protection(), &mut rng)?,
    }
    Ok(json!({
        "key": name(key),
        "address": keypair.account(),
        "scheme": keypair.scheme().to_string(),
        "path": path_of(wallet, key),
        "encrypted": matches!(sealing, Sealing::With(..)),
    }))
}

fn told(written: Vec<Value>, as_json: bool) -> Outcome {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |entry: &Value| {
        let encrypted = match entry.get("encrypted").and_then(Value::as_bool) {
            Some(true) => ", encrypted",
            Some(false) => ", not encrypted",
            None => "",
        };
        format!(
            "{} {} in {}{encrypted}\n",
            text(&entry["key"]),
            text(&entry["address"]),
            text(&entry["path"]),
        )
    };
    Outcome {
        text: written.iter().map(line).collect(),
        json: json!({ "written": written }),
        as_json,
        code: ExitCode::SUCCESS,
    }
}

fn name(key: OneKey) -> &'static str {
    match key {
        OneKey::Coldkey => "coldkey",
        OneKey::Hotkey => "hotkey",
    }
}

fn path_of(wallet: &Wallet, key: OneKey) -> PathBuf {
    match key {
        OneKey::Coldkey => wallet.coldkey_path(),
        OneKey::Hotkey => wallet.hotkey_path(),
    }
}
