//! What the Python wallets sign when they are given text.

use std::borrow::Cow;

use crate::{Error, Result};

/// The bytes that the Python wallets' `Keypair.sign` signs for a `str`: those in hex behind `0x`,
/// any other text as UTF-8 (`0X…` too).
///
/// It is for checking signatures that Python code made over text. Never pass text of a user
/// through it: whoever chooses the text then chooses the bytes, those of a transaction too.
///
/// # Errors
/// [`Error::MessageHex`] when `0x` is not followed by whole bytes in hex.
pub fn python_message(text: &str) -> Result<Cow<'_, [u8]>> {
    match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits)
            .map(Cow::Owned)
            .map_err(|_| Error::MessageHex),
        None => Ok(Cow::Borrowed(text.as_bytes())),
    }
}
