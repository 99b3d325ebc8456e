use std::{fs, path::Path};

use crate::{
    reachable::reached,
    source::Source,
    tree::Tree,
    workspace::{Package, Workspace, is_generated},
};

const MOST_LINES: usize = 600;
const MOST_MAIN_LINES: usize = 60;

const BANNED: [&str; 8] = [
    "common", "utils", "helpers", "misc", "base", "core", "manager", "types",
];

/// Small files, telling names, documented crates, inherited manifests.
fn violations(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for package in &workspace.packages {
        let tests = reached(package);
        for file in package.rust_files() {
            if is_generated(package, &file) {
                continue;
            }
            let is_test = tests.get(&file).copied().unwrap_or(false);
            let name = workspace.relative(&file);
            found.extend(
                about_file(package, &file, is_test)
                    .into_iter()
                    .map(|complaint| format!("{name} {complaint}")),
            );
        }
        let manifest = workspace.relative(&package.manifest_path);
        let text = fs::read_to_string(&package.manifest_path).expect("a manifest");
        found.extend(
            not_inherited(&text)
                .into_iter()
                .map(|key| format!("{manifest} does not inherit {key}")),
        );
    }
    found
}

fn about_file(package: &Package, file: &Path, is_test: bool) -> Vec<String> {
    let mut found = Vec::new();
    let text = fs::read_to_string(file).expect("a readable source file");
    let source = Source::parse(&text);
    let lines = source.lines - source.test_lines;
    if !is_test && lines > MOST_LINES {
        found.push(format!("has {lines} lines, more than {MOST_LINES}"));
    }
    let within = file.strip_prefix(package.folder()).unwrap_or(file);
    if within == Path::new("src/main.rs") && source.lines > MOST_MAIN_LINES {
        found.push(format!(
            "has {} lines, more than {MOST_MAIN_LINES}",
            source.lines
        ));
    }
    if within == Path::new("src/lib.rs") && !text.trim_start().starts_with("//!") {
        found.push("does not open with what the crate is for".to_owned());
    }
    let stem = within.with_extension("");
    let folders = stem.iter().map(|part| part.to_string_lossy().into_owned());
    let inline = source.modules.iter().filter(|module| module.inline);
    for name in folders.chain(inline.map(|module| module.name.clone())) {
        if BANNED.contains(&name.as_str()) {
            found.push(format!("is or holds a module named {name}"));
        }
    }
    found
}

fn not_inherited(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let inherits = |table: Option<&toml::Value>| {
        table.and_then(|table| table.get("workspace")) == Some(&toml::Value::Boolean(true))
    };
    let package = manifest.get("package");
    let mut found: Vec<String> = ["edition", "rust-version", "license"]
        .into_iter()
        .filter(|key| !inherits(package.and_then(|package| package.get(key))))
        .map(|key| format!("package.{key}"))
        .collect();
    if !inherits(manifest.get("lints")) {
        found.push("lints".to_owned());
    }
    found
}

#[test]
fn files_are_small_named_and_documented() {
    let found = violations(&Workspace::here());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_violation_is_found() {
    let line = "const _: () = ();\n";
    let long = line.repeat(MOST_LINES + 1);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
    let bare = "[package]\nname = \"bare\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let tree = Tree::new()
        .package("crates/a", "a", 0, "")
        .package("crates/bare", "bare", 0, "")
        .file("crates/bare/Cargo.toml", bare)
        .file(
            "crates/a/src/lib.rs",
            "mod fits;\nmod long;\nmod utils;\n#[cfg(test)]\nmod cases;\nmod types {}\n",
        )
        .file("crates/a/src/fits.rs", &(line.repeat(MOST_LINES) + &tests))
        .file("crates/a/src/long.rs", &long)
        .file("crates/a/src/gen/made.rs", &long)
        .file("crates/a/src/cases.rs", &long)
        .file("crates/a/src/utils.rs", "")
        .file("crates/a/src/main.rs", &line.repeat(MOST_MAIN_LINES + 1))
        .file("crates/a/tests/it/main.rs", &long);
    assert_eq!(
        violations(&tree.load()),
        [
            "crates/a/src/lib.rs does not open with what the crate is for",
            "crates/a/src/lib.rs is or holds a module named types",
            "crates/a/src/long.rs has 601 lines, more than 600",
            "crates/a/src/main.rs has 61 lines, more than 60",
            "crates/a/src/utils.rs is or holds a module named utils",
            "crates/bare/Cargo.toml does not inherit package.edition",
            "crates/bare/Cargo.toml does not inherit package.rust-version",
            "crates/bare/Cargo.toml does not inherit package.license",
            "crates/bare/Cargo.toml does not inherit lints",
        ]
    );
}
