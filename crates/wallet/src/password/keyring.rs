//! Passwords in the system's keyring: on Linux the Secret Service (GNOME Keyring, KWallet,
//! KeePassXC), over D-Bus.

use std::{path::Path, sync::Arc};

use keyring_core::{CredentialStore, Entry, Error as StoreError};
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

use crate::{Error, Password, Result};

/// The service under which the passwords are kept; the user is the keyfile's path.
const SERVICE: &str = "adit";

/// Keeps a keyfile's password in the system's keyring, replacing one that is there.
///
/// The path is the entry's name, so it should be absolute. Blocks on D-Bus, and perhaps on a
/// person who unlocks the keyring.
///
/// # Errors
/// [`Error::Keyring`].
pub fn keep_in_keyring(keyfile: &Path, password: &Password) -> Result<()> {
    keep(&*system()?, keyfile, password)
}

/// Removes a keyfile's password from the system's keyring.
///
/// # Errors
/// [`Error::Keyring`], also when there is none.
pub fn forget_in_keyring(keyfile: &Path) -> Result<()> {
    forget(&*system()?, keyfile)
}

pub(super) fn read(keyfile: &Path) -> Result<Password> {
    read_from(&*system()?, keyfile)
}

fn system() -> Result<Arc<CredentialStore>> {
    Store::new()
        .map(|store| store as Arc<CredentialStore>)
        .map_err(|error| refused(&error))
}

fn entry(store: &CredentialStore, keyfile: &Path) -> Result<Entry> {
    store
        .build(SERVICE, &keyfile.to_string_lossy(), None)
        .map_err(|error| refused(&error))
}

fn keep(store: &CredentialStore, keyfile: &Path, password: &Password) -> Result<()> {
    entry(store, keyfile)?
        .set_password(password.expose())
        .map_err(|error| refused(&error))
}

fn forget(store: &CredentialStore, keyfile: &Path) -> Result<()> {
    entry(store, keyfile)?
        .delete_credential()
        .map_err(|error| refused(&error))
}

fn read_from(store: &CredentialStore, keyfile: &Path) -> Result<Password> {
    entry(store, keyfile)?
        .get_password()
        .map(|text| Password::new(Zeroizing::new(text)))
        .map_err(|error| refused(&error))
}

/// The store's own errors may carry the secret, so only their kind is told.
fn refused(error: &StoreError) -> Error {
    Error::Keyring {
        reason: match error {
            StoreError::NoEntry => "none is kept for this keyfile",
            StoreError::NoStorageAccess(_) => "it is locked, or refuses",
            StoreError::PlatformFailure(_) => "there is no keyring service to reach",
            StoreError::BadEncoding(_) => "what is kept is not UTF-8 text",
            StoreError::Ambiguous(_) => "several are kept for this keyfile",
            _ => "it does not take the request",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_read_replaced_and_forgotten() {
        let store: Arc<CredentialStore> = keyring_core::mock::Store::new().unwrap();
        let (key, other) = (Path::new("/w/a/coldkey"), Path::new("/w/b/coldkey"));
        assert!(matches!(
            read_from(&*store, key),
            Err(Error::Keyring { .. })
        ));
        keep(&*store, key, &"first".into()).unwrap();
        keep(&*store, key, &"second".into()).unwrap();
        keep(&*store, other, &"other".into()).unwrap();
        assert_eq!(read_from(&*store, key).unwrap().expose(), "second");
        assert_eq!(read_from(&*store, other).unwrap().expose(), "other");
        forget(&*store, key).unwrap();
        assert!(matches!(
            read_from(&*store, key),
            Err(Error::Keyring { .. })
        ));
        assert!(matches!(forget(&*store, key), Err(Error::Keyring { .. })));
    }

    #[test]
    fn the_stores_errors_do_not_show_what_they_carry() {
        let error = refused(&StoreError::BadEncoding(b"hush hush".to_vec()));
        assert!(!format!("{error:?} {error}").contains(&format!("{:?}", b"hush hush")));
    }
}
