use std::collections::BTreeMap;

use crate::{
    reachable::reached,
    source::Source,
    tree::Tree,
    workspace::{Workspace, is_generated},
};

/// Names that every crate may define for itself; the last two are what FRAME wants in each pallet.
const EVERYWHERE: [&str; 5] = ["Error", "Result", "Config", "Event", "Pallet"];

/// No public type is defined in two places under `crates/` and `bins/`.
fn violations(workspace: &Workspace) -> Vec<String> {
    let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in &workspace.packages {
        let tests = reached(package);
        let place = workspace.relative(package.folder());
        if !place.starts_with("crates/") && !place.starts_with("bins/") {
            continue;
        }
        for file in package.rust_files() {
            let in_source = file.starts_with(package.folder().join("src"));
            let is_test = tests.get(&file).copied().unwrap_or(false);
            if !in_source || is_test || is_generated(package, &file) {
                continue;
            }
            for found in Source::read(&file).types {
                let home = format!("{}:{}", workspace.relative(&file), found.line);
                homes.entry(found.name).or_default().push(home);
            }
        }
    }
    homes
        .into_iter()
        .filter(|(name, homes)| homes.len() > 1 && !EVERYWHERE.contains(&name.as_str()))
        .map(|(name, homes)| format!("{name} is defined in {}", homes.join(" and ")))
        .collect()
}

#[test]
fn every_public_type_has_one_home() {
    let found = violations(&Workspace::here());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn second_homes_are_found() {
    let tree = Tree::new()
        .package("crates/a", "a", 0, "")
        .package("bins/b", "b", 1, "")
        .package("benches", "c", 2, "")
        .file(
            "crates/a/src/lib.rs",
            "//! A.\npub enum Error {}\npub struct Twice;\npub trait Once {}\npub struct Own;\n\
             pub(crate) struct Private;\n#[cfg(test)]\nmod tests { pub struct Own; }\n",
        )
        .file("crates/a/src/gen/made.rs", "pub struct Own;\n")
        .file(
            "bins/b/src/lib.rs",
            "//! B.\npub type Twice = u8;\npub enum Error {}\nstruct Once;\npub struct Private;\n",
        )
        .file("benches/src/lib.rs", "//! C.\npub struct Twice;\n");
    assert_eq!(
        violations(&tree.load()),
        ["Twice is defined in crates/a/src/lib.rs:3 and bins/b/src/lib.rs:2"]
    );
}
