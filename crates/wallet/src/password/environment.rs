//! `BT_PW_…`: passwords in the environment as the Python wallets keep them there.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose};
use zeroize::Zeroizing;

use super::LONGEST_PASSWORD;
use crate::{Error, Password, Result};

/// What the names of such variables start with.
pub(super) const PREFIX: &str = "BT_PW_";

/// The variable in which the Python wallets look for a keyfile's password: `BT_PW_` and the path
/// in upper case, with `/` and `.` as `_`. The path is taken as given, so it should be absolute.
///
/// ```
/// let path = std::path::Path::new("/root/.bittensor/wallets/default/coldkey");
/// assert_eq!(
///     adit_wallet::password_variable(path),
///     "BT_PW__ROOT__BITTENSOR_WALLETS_DEFAULT_COLDKEY"
/// );
/// ```
pub fn password_variable(keyfile: &Path) -> String {
    let path = keyfile.to_string_lossy();
    let name: String = path
        .chars()
        .map(|c| if matches!(c, '/' | '.') { '_' } else { c })
        .collect();
    format!("{PREFIX}{}", name.to_uppercase())
}

/// The value of such a variable: base 64 of the password, each byte XORed with the variable's
/// name over and over.
///
/// **This hides nothing**: whoever reads the environment reads the password. A password file or
/// a file descriptor is better.
pub fn mask_password(variable: &str, password: &Password) -> Zeroizing<String> {
    let masked = Zeroizing::new(xor(variable, password.expose().as_bytes()));
    Zeroizing::new(general_purpose::STANDARD.encode(masked.as_slice()))
}

/// The password in such a variable's value: [`mask_password`] undone.
///
/// # Errors
/// [`Error::PasswordSource`] when the value is not base 64 of UTF-8 text, or longer than any
/// password.
pub fn unmask_password(variable: &str, value: &str) -> Result<Password> {
    let refuse = |reason| Error::PasswordSource { reason };
    if value.len() > 2 * LONGEST_PASSWORD {
        return Err(refuse("the environment's value is too long"));
    }
    let masked = general_purpose::STANDARD
        .decode(value.trim())
        .map(Zeroizing::new)
        .map_err(|_| refuse("the environment's value is not base 64"))?;
    let plain = Zeroizing::new(xor(variable, &masked));
    let text = std::str::from_utf8(&plain)
        .map_err(|_| refuse("the environment's value is of another variable"))?;
    Ok(Password::from(text))
}

fn xor(variable: &str, bytes: &[u8]) -> Vec<u8> {
    let name = variable.as_bytes().iter().cycle();
    bytes
        .iter()
        .zip(name)
        .map(|(byte, key)| byte ^ key)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn masking_is_undone(path in "(/[a-zA-Z0-9._-]{1,9}){1,4}", password in ".{0,40}") {
            let variable = password_variable(Path::new(&path));
            prop_assert!(!variable[PREFIX.len()..].contains(['/', '.']));
            let password = Password::from(&*password);
            let value = mask_password(&variable, &password);
            prop_assert_eq!(unmask_password(&variable, &value).unwrap(), password);
        }

        #[test]
        fn no_value_panics(variable in ".{0,9}", value in ".{0,60}|[a-zA-Z0-9+/]{0,60}={0,2}") {
            let _ = unmask_password(&variable, &value);
        }
    }

    #[test]
    fn overlong_values_are_refused() {
        assert!(unmask_password("BT_PW_X", &"A".repeat(9_000)).is_err());
    }
}
