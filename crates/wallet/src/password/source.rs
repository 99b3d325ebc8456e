//! Where a password comes from.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{LONGEST_PASSWORD, environment};
use crate::{Error, Password, Result, password_variable, unmask_password};

/// Where the password of a keyfile comes from.
///
/// Only the first line is the password, so that editors and `echo` may end it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordSource {
    /// The keyfile's own `BT_PW_…` variable ([`password_variable`]) when it is set, else a prompt.
    #[default]
    Usual,
    /// The terminal, without echo.
    Prompt,
    /// A file that nobody but its owner may read.
    File(PathBuf),
    /// An open file descriptor of this process, such as the 3 of `3<file`; 0 is standard input.
    Descriptor(u32),
    /// A variable of the environment; one whose name starts with `BT_PW_` is unmasked
    /// ([`unmask_password`]), any other holds the password itself. Without a name, it is the
    /// keyfile's own `BT_PW_…`. Other processes of the same user can read the environment.
    Environment(Option<String>),
    /// The system's keyring, under the service `adit` and the keyfile's path.
    #[cfg(feature = "keyring")]
    Keyring,
}

impl PasswordSource {
    /// The password of this keyfile, whose path should be absolute. It may wait for a person, or
    /// for the other end of a pipe.
    ///
    /// # Errors
    /// [`Error::PasswordSource`] when the source has no password, too long a one or none in
    /// UTF-8; [`Error::PasswordFile`] when its file cannot be read or others may read it;
    /// [`Error::NoTerminal`] when there is nobody to ask.
    pub fn read(&self, keyfile: &Path) -> Result<Password> {
        self.read_with(keyfile, |name| env::var_os(name), prompt)
    }

    /// The password to encrypt a new keyfile with: as [`read`](Self::read), but a person is asked
    /// twice, and its strength is checked.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), [`Error::PasswordSource`] when the two differ, and
    /// [`Error::WeakPassword`].
    pub fn choose(&self, keyfile: &Path) -> Result<Password> {
        let twice = |text: &str| {
            let first = prompt(&text.replace("Password", "New password"))?;
            if prompt("The same again: ")? == first {
                Ok(first)
            } else {
                Err(Error::PasswordSource {
                    reason: "the two passwords differ",
                })
            }
        };
        let password = self.read_with(keyfile, |name| env::var_os(name), twice)?;
        password.check_strength()?;
        Ok(password)
    }

    fn read_with(
        &self,
        keyfile: &Path,
        environment: impl Fn(&str) -> Option<OsString>,
        ask: impl Fn(&str) -> Result<Password>,
    ) -> Result<Password> {
        let ask = || ask(&format!("Password of {}: ", keyfile.display()));
        match self {
            Self::Prompt => ask(),
            Self::Usual => {
                let name = password_variable(keyfile);
                match environment(&name) {
                    Some(value) => variable(&name, value),
                    None => ask(),
                }
            }
            Self::Environment(name) => {
                let name = name.clone().unwrap_or_else(|| password_variable(keyfile));
                let value = environment(&name).ok_or(Error::PasswordSource {
                    reason: "the environment's variable is not set",
                })?;
                variable(&name, value)
            }
            Self::File(path) => from_file(path),
            Self::Descriptor(0) => first_line(io::stdin().lock()).map_err(unreadable("fd 0")),
            Self::Descriptor(number) => {
                // Opened anew by name: the number itself may be closed, or another's.
                let path = format!("/dev/fd/{number}");
                File::open(&path)
                    .and_then(first_line)
                    .map_err(unreadable(&path))
            }
            #[cfg(feature = "keyring")]
            Self::Keyring => super::keyring::read(keyfile),
        }
        .and_then(|password| {
            if password.expose().len() > LONGEST_PASSWORD {
                return Err(Error::PasswordSource {
                    reason: "longer than 4,096 bytes",
                });
            }
            Ok(password)
        })
    }
}

fn variable(name: &str, value: OsString) -> Result<Password> {
    let value = value
        .into_string()
        .map(Zeroizing::new)
        .map_err(|_| Error::PasswordSource {
            reason: "the environment's value is not UTF-8",
        })?;
    if name.starts_with(environment::PREFIX) {
        unmask_password(name, &value)
    } else {
        Ok(Password::new(value))
    }
}

fn prompt(text: &str) -> Result<Password> {
    // Both ends are the terminal itself, whatever standard input and output are.
    rpassword::prompt_password(text)
        .map(|typed| Password::new(Zeroizing::new(typed)))
        .map_err(|_| Error::NoTerminal)
}

fn from_file(path: &Path) -> Result<Password> {
    let refused = unreadable(path);
    let look = || {
        let found = fs::metadata(path)?;
        if !found.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mode = found.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("others may read it (mode {:03o}): chmod 600", mode & 0o777),
            ));
        }
        first_line(File::open(path)?)
    };
    look().map_err(refused)
}

fn unreadable(path: impl AsRef<Path>) -> impl Fn(io::Error) -> Error {
    move |source| Error::PasswordFile {
        path: path.as_ref().to_owned(),
        source,
    }
}

/// The first line, without its end.
fn first_line(from: impl io::Read) -> io::Result<Password> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_PASSWORD + 3));
    from.take(LONGEST_PASSWORD as u64 + 2)
        .read_to_end(&mut bytes)?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() || line.len() > LONGEST_PASSWORD {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "no password of 1 to 4,096 bytes in its first line",
        ));
    }
    std::str::from_utf8(line)
        .map(Password::from)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody(_: &str) -> Result<Password> {
        Err(Error::NoTerminal)
    }

    const KEY: &str = "/w/default/coldkey";

    fn read(
        source: &PasswordSource,
        variables: &[(&str, &str)],
        ask: impl Fn(&str) -> Result<Password>,
    ) -> Result<String> {
        let environment = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        source
            .read_with(Path::new(KEY), environment, ask)
            .map(|password| password.expose().to_owned())
    }

    #[test]
    fn the_environment_comes_before_the_terminal() {
        let own = password_variable(Path::new(KEY));
        let masked = crate::mask_password(&own, &Password::from("masked"));
        let set = [(own.as_str(), masked.as_str()), ("PLAIN", "plain")];
        let typed = |text: &str| {
            assert_eq!(text, "Password of /w/default/coldkey: ");
            Ok(Password::from("typed"))
        };
        let named = |name: &str| PasswordSource::Environment(Some(name.into()));
        assert_eq!(read(&PasswordSource::Usual, &set, typed).unwrap(), "masked");
        assert_eq!(read(&PasswordSource::Usual, &[], typed).unwrap(), "typed");
        assert_eq!(read(&PasswordSource::Prompt, &set, typed).unwrap(), "typed");
        assert_eq!(read(&named("PLAIN"), &set, nobody).unwrap(), "plain");
        assert_eq!(read(&named(&own), &set, nobody).unwrap(), "masked");
        let unnamed = PasswordSource::Environment(None);
        assert_eq!(read(&unnamed, &set, nobody).unwrap(), "masked");
        assert!(matches!(
            read(&named("ABSENT"), &set, typed),
            Err(Error::PasswordSource { .. })
        ));
        assert!(matches!(
            read(&PasswordSource::Usual, &[], nobody),
            Err(Error::NoTerminal)
        ));
        let endless = "x".repeat(LONGEST_PASSWORD + 1);
        assert!(read(&named("LONG"), &[("LONG", &endless)], nobody).is_err());
    }

    #[test]
    fn a_file_gives_its_first_line_and_belongs_to_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let source = PasswordSource::File(path.clone());
        let write = |bytes: &[u8], mode| {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            read(&source, &[], nobody)
        };
        assert_eq!(write(b"hush hush\r\nnot this", 0o600).unwrap(), "hush hush");
        assert_eq!(write("ü\n".as_bytes(), 0o400).unwrap(), "ü");
        for mode in [0o640, 0o604, 0o620] {
            let error = write(b"hush", mode).unwrap_err();
            assert!(matches!(error, Error::PasswordFile { .. }), "{error}");
        }
        for bytes in [&b""[..], b"\n", b"\xff\xfe", &[b'x'; LONGEST_PASSWORD + 1]] {
            let error = write(bytes, 0o600).unwrap_err();
            assert!(matches!(error, Error::PasswordFile { .. }), "{error}");
        }
        for path in [folder.path().join("absent"), folder.path().to_owned()] {
            let error = read(&PasswordSource::File(path), &[], nobody).unwrap_err();
            assert!(matches!(error, Error::PasswordFile { .. }), "{error}");
        }
    }

    #[test]
    fn a_descriptor_is_read_and_a_closed_one_is_an_error() {
        use std::os::fd::AsRawFd as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "by number\n").unwrap();
        let open = File::open(&path).unwrap();
        let number = open.as_raw_fd().unsigned_abs();
        let source = PasswordSource::Descriptor(number);
        assert_eq!(read(&source, &[], nobody).unwrap(), "by number");
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, b"piped").unwrap();
        drop(writer);
        let source = PasswordSource::Descriptor(reader.as_raw_fd().unsigned_abs());
        assert_eq!(read(&source, &[], nobody).unwrap(), "piped");
        let closed = PasswordSource::Descriptor(987_654);
        assert!(matches!(
            read(&closed, &[], nobody),
            Err(Error::PasswordFile { .. })
        ));
    }
}
