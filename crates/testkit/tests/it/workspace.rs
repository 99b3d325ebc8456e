use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

/// What `cargo metadata` says of a workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    pub(crate) packages: Vec<Package>,
    pub(crate) metadata: Rules,
}

/// The tables under `[workspace.metadata]`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Rules {
    #[serde(default)]
    pub(crate) layers: BTreeMap<String, u32>,
    #[serde(default)]
    pub(crate) owners: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) light: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) rename: Option<String>,
    /// `None` is a normal dependency.
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

impl Workspace {
    /// This workspace.
    pub(crate) fn here() -> Self {
        Self::load(&adit_testkit::workspace_root())
    }

    pub(crate) fn load(root: &Path) -> Self {
        let answer = Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--no-deps",
                "--offline",
                "--format-version",
                "1",
            ])
            .current_dir(root)
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&answer.stderr);
        assert!(answer.status.success(), "{said}");
        serde_json::from_slice(&answer.stdout).expect("metadata has layers")
    }

    /// A path as a reader of the workspace would write it.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

impl Package {
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path
            .parent()
            .expect("a manifest has a folder")
    }

    pub(crate) fn has_library(&self) -> bool {
        let library = |kind: &String| matches!(kind.as_str(), "lib" | "rlib" | "proc-macro");
        self.targets
            .iter()
            .any(|target| target.kind.iter().any(library))
    }

    /// Every Rust file of the package, without packages inside its folder.
    pub(crate) fn rust_files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(self.folder(), &mut found);
        found.sort();
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            let skipped = name == "target" || name.starts_with('.');
            if !skipped && !path.join("Cargo.toml").exists() {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Generated code is exempt from the rules on hand-written files.
pub(crate) fn is_generated(package: &Package, file: &Path) -> bool {
    file.starts_with(package.folder().join("src/gen"))
}
