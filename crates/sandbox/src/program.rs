use std::{
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

use crate::{Error, Result};

/// The folder that inputs appear in.
pub(crate) const INPUTS: &str = "/in";
/// The folder a program may write to, and the one it starts in.
pub(crate) const SCRATCH: &str = "/work";
/// Bytes of arguments and environment together, well below what one message carries.
const WORDS: usize = 32 << 10;
/// Inputs of one program.
const MOST_INPUTS: usize = 64;

/// What to run: everything that the program will see is named here or in the
/// [`HostRoot`](crate::HostRoot).
///
/// The program starts in `/work`, its scratch, which is empty and all it may write to (`/tmp` is a
/// folder of it). The environment is empty unless set, and nothing is on standard input.
///
/// ```
/// use adit_sandbox::Program;
///
/// let program = Program::new("/usr/bin/sort")
///     .argument("/in/words")
///     .input("words", "/var/lib/task/words.txt")
///     .variable("LC_ALL", "C");
/// assert_eq!(program.executable(), "/usr/bin/sort");
/// ```
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) executable: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) inputs: Vec<(String, PathBuf)>,
    pub(crate) folder: PathBuf,
}

impl Program {
    /// A program by the absolute path that it has inside the sandbox.
    pub fn new(executable: impl Into<OsString>) -> Self {
        Self {
            executable: executable.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            stdin: Vec::new(),
            inputs: Vec::new(),
            folder: PathBuf::from(SCRATCH),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Gives bytes on standard input, as a file that cannot be written.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Shows a file or folder of the host, read-only, as `/in/NAME`.
    ///
    /// Links inside a folder are followed inside the sandbox only. When the host's process is root,
    /// the program still runs as a user without rights; yet what the owner of the file or folder may
    /// read, the program may, by an idmapped mount. In a folder, what belongs to others must be
    /// readable by others. So must all be on a file system without such mounts.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.inputs.push((name.into(), path.into()));
        self
    }

    /// Starts in another folder than `/work`.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// The path of the executable inside the sandbox.
    pub fn executable(&self) -> &std::ffi::OsStr {
        &self.executable
    }

    /// Refuses what could not be run, or would be run otherwise than it reads.
    pub(crate) fn check(&self) -> Result<()> {
        if !Path::new(&self.executable).is_absolute() {
            return Err(Error::program("the executable's path is not absolute"));
        }
        if !self.folder.is_absolute() {
            return Err(Error::program("the working folder's path is not absolute"));
        }
        let words = self.arguments.iter().map(|word| word.len() + 1);
        let pairs = self.environment.iter();
        let words = words.chain(
            pairs
                .clone()
                .map(|(name, value)| name.len() + value.len() + 2),
        );
        if words.sum::<usize>() > WORDS {
            return Err(Error::program("arguments and environment exceed 32 KiB"));
        }
        if pairs.clone().any(|(name, _)| {
            let name = name.as_encoded_bytes();
            name.is_empty() || name.contains(&b'=')
        }) {
            return Err(Error::program("a variable's name is empty or holds `=`"));
        }
        if self.inputs.len() > MOST_INPUTS {
            return Err(Error::program("more than 64 inputs"));
        }
        for (index, (name, path)) in self.inputs.iter().enumerate() {
            check_name(name)?;
            if self
                .inputs
                .iter()
                .take(index)
                .any(|(other, _)| other == name)
            {
                return Err(Error::program(format!("two inputs are named {name:?}")));
            }
            if !path.is_absolute() {
                return Err(Error::program(format!(
                    "the path of {name:?} is not absolute"
                )));
            }
        }
        Ok(())
    }
}

/// A name of one plain part: no folder, no `..`.
fn check_name(name: &str) -> Result<()> {
    let mut parts = Path::new(name).components();
    let plain = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(part)), None) if part == name
    );
    if plain && name.len() <= 200 && !name.contains('\0') {
        return Ok(());
    }
    Err(Error::program(format!("{name:?} is not a plain file name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_has_a_plain_name() {
        for name in ["a", "a.b", "..a"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", ".", "..", "a/b", "/a", "a/", "a/..", "a\0b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn programs_that_read_otherwise_than_they_run_are_refused() {
        let good = Program::new("/bin/true");
        assert!(good.check().is_ok());
        let refused = [
            Program::new("true"),
            good.clone().folder("work"),
            good.clone().input("a", "relative"),
            good.clone().input("a", "/x").input("a", "/y"),
            good.clone().variable("A=B", "c"),
            good.argument("x".repeat(WORDS)),
        ];
        for program in refused {
            assert!(
                matches!(program.check(), Err(Error::Program { .. })),
                "{program:?}"
            );
        }
    }
}
