use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a program sees of the host: an allow-list, mounted read-only, without set-user-id and
/// devices, at the same paths. All else does not exist for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRoot {
    /// Folders and files.
    pub(crate) shown: Vec<PathBuf>,
    /// Links: where, and what it says.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
}

impl HostRoot {
    /// The programs and libraries of the system: `/usr/bin`, `/usr/lib*`, `/usr/local/bin` and
    /// `/usr/local/lib`, the places that link to them, and the cache of the dynamic linker.
    pub fn system() -> Self {
        let mut root = Self {
            shown: Vec::new(),
            links: Vec::new(),
        };
        for path in ["/bin", "/lib", "/lib32", "/lib64", "/sbin"] {
            let path = Path::new(path);
            if let Ok(says) = std::fs::read_link(path) {
                root.links.push((path.into(), says));
            } else if path.is_dir() {
                root.shown.push(path.into());
            }
        }
        for path in [
            "/usr/bin",
            "/usr/lib",
            "/usr/lib32",
            "/usr/lib64",
            "/usr/libexec",
            "/usr/local/bin",
            "/usr/local/lib",
            "/etc/ld.so.cache",
            "/etc/alternatives",
            "/nix/store",
        ] {
            root = root.showing_if_there(path);
        }
        root
    }

    /// Adds a file or folder of the host that must be there.
    #[must_use]
    pub fn showing(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        if !self.shows(&path) {
            self.shown.push(path);
        }
        self
    }

    fn showing_if_there(self, path: &str) -> Self {
        if Path::new(path).exists() {
            self.showing(path)
        } else {
            self
        }
    }

    /// Whether a path of the host lies below one that is shown.
    pub fn shows(&self, path: &Path) -> bool {
        self.shown.iter().any(|shown| path.starts_with(shown))
    }
}

impl Default for HostRoot {
    /// [`HostRoot::system`].
    fn default() -> Self {
        Self::system()
    }
}
