//! `sign` and `verify`.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read},
    path::Path,
    process::ExitCode,
};

use serde_json::json;

use super::{
    Outcome,
    args::{Message, OneKey, SignArgs, VerifyArgs},
    warn,
};
use crate::{Error, Result};

/// Longest message that is signed or verified, in bytes.
const LONGEST_MESSAGE: u64 = 64 << 20;

pub(super) fn sign(args: &SignArgs) -> Result<Outcome> {
    let message = args.message.bytes()?;
    let wallet = args.place.wallet()?;
    for exposure in wallet.exposures() {
        warn(&format!("warning: {exposure}"));
    }
    let password = args.password.source();
    let keypair = match args.key {
        OneKey::Coldkey => wallet.unlock_coldkey(&password)?,
        OneKey::Hotkey => wallet.unlock_hotkey(&password)?,
    };
    let signature = keypair.sign(&message);
    Ok(Outcome {
        text: format!("{signature}\n"),
        json: json!({
            "address": keypair.account(),
            "scheme": keypair.scheme().to_string(),
            "signature": signature.to_string(),
        }),
        as_json: args.place.json,
        code: ExitCode::SUCCESS,
    })
}

pub(super) fn verify(args: &VerifyArgs) -> Result<Outcome> {
    let message = args.message.bytes()?;
    let verify = if args.wrapped {
        adit_wallet::verify_wrapped
    } else {
        adit_wallet::verify
    };
    let valid = verify(
        args.scheme.scheme(),
        &args.address,
        &message,
        &args.signature,
    );
    Ok(Outcome {
        text: if valid { "valid\n" } else { "not valid\n" }.into(),
        json: json!({ "valid": valid }),
        as_json: args.json,
        code: ExitCode::from(u8::from(!valid)),
    })
}

impl Message {
    fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match (&self.message, &self.message_hex, &self.message_file) {
            (Some(text), ..) => Ok(Cow::Borrowed(text.as_bytes())),
            (None, Some(digits), _) => hex::decode(digits.strip_prefix("0x").unwrap_or(digits))
                .map(Cow::Owned)
                .map_err(|_| Error::Command("--message-hex takes whole bytes in hex".into())),
            (None, None, Some(path)) => read(path).map(Cow::Owned),
            (None, None, None) => Err(Error::Command("there is no message".into())),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let open = || -> io::Result<Box<dyn Read>> {
        if path == Path::new("-") {
            Ok(Box::new(io::stdin()))
        } else {
            Ok(Box::new(File::open(path)?))
        }
    };
    open()
        .and_then(|from| from.take(LONGEST_MESSAGE + 1).read_to_end(&mut bytes))
        .and_then(|length| {
            if length as u64 > LONGEST_MESSAGE {
                return Err(io::Error::other("longer than 64 MiB"));
            }
            Ok(bytes)
        })
        .map_err(|source| Error::Io {
            what: format!("cannot read {}", path.display()),
            source,
        })
}
