use std::{fmt::Write as _, fs, path::Path};

use tempfile::TempDir;

use crate::workspace::Workspace;

/// A made-up workspace in a temporary folder, to break the rules in.
pub(crate) struct Tree {
    folder: TempDir,
    members: Vec<String>,
    layers: String,
    owners: String,
    light: String,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            members: Vec::new(),
            layers: String::new(),
            owners: String::new(),
            light: String::new(),
        }
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A package that keeps every rule, with these lines after its manifest's.
    pub(crate) fn package(mut self, folder: &str, name: &str, layer: u32, extra: &str) -> Self {
        self.members.push(folder.to_owned());
        writeln!(self.layers, "{name} = {layer}").unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition.workspace = true\n\
             rust-version.workspace = true\nlicense.workspace = true\n\n\
             [lints]\nworkspace = true\n\n{extra}\n"
        );
        self.file(&format!("{folder}/Cargo.toml"), &manifest)
            .file(&format!("{folder}/src/lib.rs"), "//! A made-up crate.\n")
    }

    /// A member whose layer nobody wrote down.
    pub(crate) fn without_layer(mut self, name: &str) -> Self {
        self.layers = self
            .layers
            .lines()
            .filter(|line| !line.starts_with(&format!("{name} = ")))
            .map(|line| format!("{line}\n"))
            .collect();
        self
    }

    pub(crate) fn layer(mut self, name: &str, layer: u32) -> Self {
        writeln!(self.layers, "{name} = {layer}").unwrap();
        self
    }

    pub(crate) fn owner(mut self, dependency: &str, owners: &str) -> Self {
        writeln!(self.owners, "{dependency} = [{owners}]").unwrap();
        self
    }

    /// A dependency that these members must not compile.
    pub(crate) fn light(mut self, dependency: &str, members: &str) -> Self {
        writeln!(self.light, "{dependency} = [{members}]").unwrap();
        self
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn load(&self) -> Workspace {
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = {:?}\n\
             [workspace.package]\nedition = \"2024\"\nrust-version = \"1.85\"\nlicense = \"MIT\"\n\
             [workspace.metadata.layers]\n{}[workspace.metadata.owners]\n{}\
             [workspace.metadata.light]\n{}\
             [workspace.lints.rust]\nmissing_docs = \"deny\"\n",
            self.members, self.layers, self.owners, self.light
        );
        fs::write(self.root().join("Cargo.toml"), manifest).unwrap();
        Workspace::load(self.root())
    }
}
