//! Keyfiles, plain and encrypted, what is tolerated in them, and passwords in the environment.

use std::path::Path;

use adit_testkit::Outcome;
use adit_wallet::{
    EncryptionFormat, Error, Keyfile, Password, decrypt, encrypt, mask_password, password_variable,
    unmask_password,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{all, each, same, text};

pub(super) fn settle(document: &Value) -> Vec<(String, String, Outcome)> {
    let of = |section: &str, name: &str, settle: fn(&Value) -> Outcome| {
        each(
            document.get(section),
            &format!("wallet.{section}"),
            name,
            settle,
        )
    };
    [
        of("keyfiles", "label", |case| match text(case, "format") {
            Some("plain") => plain(case),
            _ => encrypted(case),
        }),
        of("keyfile_tolerance", "label", tolerance),
        of("env_passwords", "env_var_name", environment),
    ]
    .concat()
}

fn plain(case: &Value) -> Outcome {
    let plaintext = text(case, "plaintext").unwrap();
    let keyfile = match Keyfile::parse(plaintext.as_bytes()) {
        Ok(keyfile) => keyfile,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let ss58 = text(case, "ss58").map(str::to_owned);
    let account = keyfile.account().ok().map(|account| account.to_string());
    let fields: Value = serde_json::from_str(plaintext).unwrap();
    let secrets = ["secretPhrase", "secretSeed", "privateKey"];
    let has_secret = secrets.iter().any(|name| !fields[name].is_null());
    let rewritten = || match keyfile.keypair() {
        // What we write of it says the same as what Python wrote, `cryptoType` of sr25519 aside.
        Ok(keypair) => {
            let ours: Value = serde_json::from_str(&Keyfile::secret_json(&keypair)).unwrap();
            let mut theirs = fields.clone();
            theirs.as_object_mut().unwrap().remove("cryptoType");
            same("rewritten", ours, theirs)
        }
        Err(error) => Outcome::Failed(error.to_string()),
    };
    all([
        same("account", account, ss58),
        same("has a secret", keyfile.has_secret(), has_secret),
        if has_secret {
            rewritten()
        } else {
            let refused = matches!(keyfile.keypair(), Err(Error::NoSecret { .. }));
            Outcome::when(refused, "a public file must not sign")
        },
    ])
}

/// Opens it with its password, not with another, and writes one like it.
pub(super) fn encrypted(case: &Value) -> Outcome {
    let sealed = match (text(case, "ciphertext_b64"), text(case, "ciphertext")) {
        (Some(encoded), _) => STANDARD.decode(encoded).unwrap(),
        (None, ciphertext) => ciphertext.unwrap().as_bytes().to_vec(),
    };
    let password = Password::from(text(case, "password").unwrap());
    let plaintext = text(case, "plaintext").unwrap();
    let format = match text(case, "format") {
        Some("nacl") => EncryptionFormat::Nacl,
        Some("ansible_vault") => EncryptionFormat::AnsibleVault,
        Some("legacy_fernet") => EncryptionFormat::Fernet,
        other => return Outcome::Failed(format!("unknown format {other:?}")),
    };
    let opened = match decrypt(&sealed, &password) {
        Ok(opened) => opened,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let account = Keyfile::parse(&opened)
        .and_then(|keyfile| keyfile.keypair())
        .map(|keypair| keypair.account().to_string());
    let ss58 = text(case, "ss58").map(str::to_owned);
    all([
        same("format", EncryptionFormat::of(&sealed), Some(format)),
        same("plaintext", &opened[..], plaintext.as_bytes()),
        Outcome::when(
            ss58.is_none() || account.as_ref().ok() == ss58.as_ref(),
            format!("account: {account:?}, recorded {ss58:?}"),
        ),
        written(case, format, plaintext, &password),
    ])
}

/// Ours, of the same plaintext under the same password, has the recorded layout and opens.
fn written(
    case: &Value,
    format: EncryptionFormat,
    plaintext: &str,
    password: &Password,
) -> Outcome {
    // Only this format's layout is recorded; that ours of NaCl opens costs seconds, and is tested
    // beside this and in scripts/interop.
    if format != EncryptionFormat::AnsibleVault {
        return Outcome::Passed;
    }
    let ours = match encrypt(format, plaintext.as_bytes(), password, &mut rand::rng()) {
        Ok(ours) => ours,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let opened = decrypt(&ours, password).map(|opened| opened.to_vec());
    let lines = case.get("line_lengths").and_then(Value::as_array).cloned();
    let layout = lines.map_or(Outcome::Passed, |lines| {
        let found = ours.split(|byte| *byte == b'\n');
        let found: Vec<Value> = found.map(|line| line.len().into()).collect();
        all([
            same("lines", found, lines),
            same(
                "header",
                ours.split(|byte| *byte == b'\n').next(),
                text(case, "header").map(str::as_bytes),
            ),
        ])
    });
    all([
        same(
            "ours opened",
            opened.ok().as_deref(),
            Some(plaintext.as_bytes()),
        ),
        layout,
    ])
}

fn tolerance(case: &Value) -> Outcome {
    let fields = case.get("json").unwrap();
    let ss58 = text(case, "ss58").map(str::to_owned);
    let read = Keyfile::parse(fields.to_string().as_bytes());
    let given = |name: &str| !fields[name].is_null();
    let secret = ["secretPhrase", "secretSeed", "privateKey"]
        .into_iter()
        .any(given);
    let keyfile = match (read, &ss58) {
        (Ok(keyfile), _) => keyfile,
        (Err(_), None) => return Outcome::Passed,
        (Err(error), Some(_)) => return Outcome::Failed(error.to_string()),
    };
    // Ours by intent: a public key alone names its account, and signs nothing.
    if !secret && !given("ss58Address") && given("publicKey") {
        let named = keyfile.account().is_ok() && keyfile.keypair().is_err();
        return match (named, &ss58) {
            (true, None) => Outcome::Deviates("a-public-key-names-its-account"),
            _ => Outcome::Failed(format!("{keyfile:?}, recorded {ss58:?}")),
        };
    }
    let derived = keyfile.keypair_ignoring_address();
    let derived = derived.ok().map(|keypair| keypair.account().to_string());
    // Ours by intent: a file that contradicts itself is an error unless one says otherwise.
    if secret && given("ss58Address") && derived.as_deref() != text(fields, "ss58Address") {
        let refused = matches!(
            keyfile.keypair(),
            Err(Error::AddressMismatch { .. } | Error::Keyfile { .. })
        );
        return match (refused, derived == ss58) {
            (true, true) => Outcome::Deviates("a-stated-address-must-be-the-keys"),
            _ => Outcome::Failed(format!("{derived:?}, recorded {ss58:?}")),
        };
    }
    let account = keyfile.account().ok().map(|account| account.to_string());
    same("account", account, ss58)
}

fn environment(case: &Value) -> Outcome {
    let variable = text(case, "env_var_name").unwrap();
    let value = text(case, "env_value").unwrap();
    let password = Password::from(text(case, "password").unwrap());
    let path = text(case, "path").unwrap();
    let unmasked = unmask_password(variable, value);
    let masked = all([
        same("masked", mask_password(variable, &password).as_str(), value),
        same("unmasked", unmasked.ok(), Some(password)),
    ]);
    if masked != Outcome::Passed {
        return masked;
    }
    // The recorder took its own machine's path out of one case, and left the name made of it.
    if path.starts_with('<') {
        return Outcome::Deviates("the-recording-leaves-out-the-path");
    }
    same(
        "name",
        password_variable(Path::new(path)).as_str(),
        variable,
    )
}
