use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    source::{Module, Source},
    tree::Tree,
    workspace::{Package, Workspace},
};

/// The files that a package's targets are made of, and whether each is for tests only.
pub(crate) fn reached(package: &Package) -> BTreeMap<PathBuf, bool> {
    let mut found = BTreeMap::new();
    for target in &package.targets {
        let for_tests = target.kind.iter().any(|kind| kind == "test");
        walk(&target.src_path, true, for_tests, &mut found);
    }
    found
}

/// `owns_folder`: whether the modules of this file lie beside it, as those of a crate's root do.
fn walk(file: &Path, owns_folder: bool, test: bool, found: &mut BTreeMap<PathBuf, bool>) {
    let file = clean(file);
    if !file.is_file() {
        return;
    }
    match found.get_mut(&file) {
        // A file that some target uses outside tests is not a test.
        Some(known) if *known && !test => *known = false,
        Some(_) => return,
        None => {
            found.insert(file.clone(), test);
        }
    }
    let beside = file.parent().unwrap_or(Path::new("")).to_owned();
    let stem = file.file_stem().unwrap_or_default();
    let folder = if owns_folder {
        beside.clone()
    } else {
        beside.join(stem)
    };
    let source = Source::read(&file);
    for module in source.modules.iter().filter(|module| !module.inline) {
        let test = test || module.test;
        for (path, owns_folder) in candidates(module, &beside, &folder) {
            walk(&path, owns_folder, test, found);
        }
    }
    for include in &source.includes {
        walk(&beside.join(include), owns_folder, test, found);
    }
}

fn candidates(module: &Module, beside: &Path, folder: &Path) -> Vec<(PathBuf, bool)> {
    let folder: PathBuf = folder.join(module.within.iter().collect::<PathBuf>());
    match &module.path {
        Some(path) if module.within.is_empty() => vec![(beside.join(path), true)],
        Some(path) => vec![(folder.join(path), true)],
        None => vec![
            (folder.join(format!("{}.rs", module.name)), false),
            (folder.join(&module.name).join("mod.rs"), true),
        ],
    }
}

/// The path without `.` and `..`, so that one file has one name.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// Every Rust file of a member belongs to one of its targets.
fn violations(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    let all: Vec<BTreeMap<PathBuf, bool>> = workspace.packages.iter().map(reached).collect();
    for file in workspace.packages.iter().flat_map(Package::rust_files) {
        if !all.iter().any(|files| files.contains_key(&file)) {
            found.push(format!(
                "{} belongs to no target",
                workspace.relative(&file)
            ));
        }
    }
    found
}

#[test]
fn every_source_file_belongs_to_a_target() {
    let found = violations(&Workspace::here());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn dead_files_are_found_and_live_ones_are_not() {
    let tree = Tree::new()
        .package("crates/a", "a", 0, "")
        .file(
            "crates/a/src/lib.rs",
            "//! A.\nmod used;\n#[path = \"odd/name.rs\"]\nmod named;\npub mod inline { mod deep; }\n\
             // mod commented;\n#[cfg(test)]\nmod cases;\ninclude!(\"pasted.rs\");\n",
        )
        .file("crates/a/src/used.rs", "mod child;\n")
        .file("crates/a/src/used/child.rs", "")
        .file("crates/a/src/odd/name.rs", "mod beside;\n")
        .file("crates/a/src/odd/beside.rs", "")
        .file("crates/a/src/inline/deep.rs", "")
        .file("crates/a/src/cases.rs", "")
        .file("crates/a/src/pasted.rs", "")
        .file("crates/a/src/commented.rs", "")
        .file("crates/a/src/child.rs", "")
        .file("crates/a/tests/it/main.rs", "mod part;\n")
        .file("crates/a/tests/it/part.rs", "")
        .file("crates/a/tests/it/forgotten.rs", "")
        .file("crates/a/examples/show.rs", "fn main() {}\n");
    let workspace = tree.load();
    assert_eq!(
        violations(&workspace),
        [
            "crates/a/src/child.rs belongs to no target",
            "crates/a/src/commented.rs belongs to no target",
            "crates/a/tests/it/forgotten.rs belongs to no target",
        ]
    );
    let tests: Vec<String> = reached(&workspace.packages[0])
        .iter()
        .filter(|(_, test)| **test)
        .map(|(file, _)| workspace.relative(file))
        .collect();
    assert_eq!(
        tests,
        [
            "crates/a/src/cases.rs",
            "crates/a/tests/it/main.rs",
            "crates/a/tests/it/part.rs",
        ]
    );
}
