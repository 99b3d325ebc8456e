//! Programs through a runtime of containers, for who wants its boundary instead of ours.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

pub(crate) mod config;

/// Where runtimes are looked for.
const FOLDERS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];
/// What to do without one.
const INSTALL: &str = "`apt-get install runc` or `crun`, or gVisor's `runsc` from https://gvisor.dev/docs/user_guide/install";

/// A program that runs OCI bundles; each has words of its own for the same things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OciKind {
    /// The Open Container Initiative's own.
    Runc,
    /// The one of Podman, in C.
    Crun,
    /// gVisor's, in which a kernel of its own stands between the program and the host's.
    Runsc,
}

impl OciKind {
    /// All, in the order in which [`OciRuntime::find`] looks.
    pub const ALL: [Self; 3] = [Self::Runc, Self::Crun, Self::Runsc];

    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Runc => "runc",
            Self::Crun => "crun",
            Self::Runsc => "runsc",
        }
    }
}

/// A runtime of containers on this machine, and the devices that programs may use through it.
///
/// ```no_run
/// use adit_sandbox::{HostRoot, OciKind, OciRuntime, Sandbox};
///
/// let runtime = OciRuntime::named(OciKind::Runsc)?.device("/dev/nvidia0");
/// let sandbox = Sandbox::with_runtime(HostRoot::system(), runtime)?;
/// # Ok::<(), adit_sandbox::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OciRuntime {
    pub(crate) kind: OciKind,
    pub(crate) path: PathBuf,
    pub(crate) devices: Vec<PathBuf>,
}

impl OciRuntime {
    /// The first that is installed, in the order of [`OciKind::ALL`].
    ///
    /// # Errors
    /// [`Error::NoRuntime`] when there is none.
    pub fn find() -> Result<Self> {
        OciKind::ALL
            .into_iter()
            .find_map(|kind| Self::named(kind).ok())
            .ok_or_else(|| Error::NoRuntime {
                looked_for: "runc, crun or runsc".to_owned(),
                install: INSTALL,
            })
    }

    /// The one of this kind, in the folders of the system's programs.
    ///
    /// # Errors
    /// [`Error::NoRuntime`] when it is not installed.
    pub fn named(kind: OciKind) -> Result<Self> {
        FOLDERS
            .into_iter()
            .find_map(|folder| Self::at(kind, Path::new(folder).join(kind.name())).ok())
            .ok_or_else(|| Error::NoRuntime {
                looked_for: kind.name().to_owned(),
                install: INSTALL,
            })
    }

    /// The one at this absolute path.
    ///
    /// # Errors
    /// [`Error::NoRuntime`] when it is not a program that this process may run.
    pub fn at(kind: OciKind, path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let runs = rustix::fs::access(&path, rustix::fs::Access::EXEC_OK).is_ok();
        if !path.is_absolute() || !path.is_file() || !runs {
            return Err(Error::NoRuntime {
                looked_for: path.display().to_string(),
                install: INSTALL,
            });
        }
        Ok(Self {
            kind,
            path,
            devices: Vec::new(),
        })
    }

    /// Lets programs use a device below `/dev`, as a GPU's `/dev/nvidia0`, `/dev/nvidiactl` and
    /// `/dev/nvidia-uvm`. Beside those listed there are only null, zero, random and urandom, and what
    /// gVisor makes up itself. The libraries of a GPU's driver are shown by
    /// [`HostRoot::showing`](crate::HostRoot::showing).
    #[must_use]
    pub fn device(mut self, path: impl Into<PathBuf>) -> Self {
        self.devices.push(path.into());
        self
    }

    /// Which it is.
    pub fn kind(&self) -> OciKind {
        self.kind
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses devices that are not below `/dev`.
    pub(crate) fn check(&self) -> Result<()> {
        for device in &self.devices {
            let below = device.starts_with("/dev") && device.components().count() > 2;
            let plain = device
                .components()
                .all(|part| !matches!(part, Component::ParentDir));
            if !below || !plain || device.to_str().is_none() {
                let reason = format!("{} is not a device below /dev", device.display());
                return Err(Error::program(reason));
            }
        }
        Ok(())
    }

    /// What it says of itself: its first line for `--version`, or its path.
    pub(crate) async fn version(&self) -> String {
        let asked = tokio::process::Command::new(&self.path)
            .arg("--version")
            .env_clear()
            .kill_on_drop(true)
            .output();
        let told = tokio::time::timeout(std::time::Duration::from_secs(5), asked).await;
        let line = told.ok().and_then(std::result::Result::ok).map(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(80)
                .collect::<String>()
        });
        line.filter(|line| !line.is_empty())
            .unwrap_or_else(|| self.path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_no_runtime() {
        for path in ["/no/such/runc", "/etc/passwd", "/usr", "bin/sh"] {
            let found = OciRuntime::at(OciKind::Runc, path);
            let error = found.unwrap_err().to_string();
            assert!(error.contains(path) && error.contains("apt-get"), "{error}");
        }
        assert!(OciRuntime::at(OciKind::Runc, "/bin/sh").is_ok());
    }

    #[test]
    fn devices_are_below_dev() {
        let runtime = OciRuntime::at(OciKind::Crun, "/bin/sh").unwrap();
        for good in ["/dev/full", "/dev/nvidia-caps/nvidia-cap1"] {
            assert!(runtime.clone().device(good).check().is_ok(), "{good}");
        }
        for bad in ["/dev", "dev/full", "/etc/shadow", "/dev/../etc/shadow"] {
            assert!(runtime.clone().device(bad).check().is_err(), "{bad}");
        }
    }
}
