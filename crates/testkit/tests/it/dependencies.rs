use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde::Deserialize;

use crate::{tree::Tree, workspace::Workspace};

/// The part of `deny.toml` that is enforced here; cargo-deny knows all of it.
#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    deny_multiple_versions: bool,
}

/// A crate that cargo would compile.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Compiled {
    name: String,
    version: String,
    license: String,
}

/// What cargo would compile for these arguments of `cargo tree`, tests aside.
fn compiled(root: &Path, arguments: &[&str]) -> BTreeSet<Compiled> {
    let answer = Command::new(env!("CARGO"))
        .args([
            "tree", "--locked", "--prefix", "none", "--format", "{p}|{l}",
        ])
        .args(arguments)
        .current_dir(root)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{said}");
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .filter_map(read_line)
        .collect()
}

/// Reads `name v1.2.3 (remarks)|licence (*)`.
fn read_line(line: &str) -> Option<Compiled> {
    let (package, license) = line.split_once('|')?;
    let mut words = package.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.trim_start_matches('v').to_owned();
    let license = license.trim_end_matches("(*)").trim().to_owned();
    Some(Compiled {
        name,
        version,
        license,
    })
}

/// Licences are allowed, banned crates absent, and what shall be there once is there once.
fn violations(rules: &Rules, compiled: &BTreeSet<Compiled>) -> Vec<String> {
    let mut found = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Compiled {
        name,
        version,
        license,
    } in compiled
    {
        versions.entry(name).or_default().insert(version);
        let exceptions = rules.licenses.exceptions.iter();
        let extra = exceptions
            .filter(|exception| exception.name == *name)
            .flat_map(|exception| &exception.allow);
        let allowed: BTreeSet<&str> = rules
            .licenses
            .allow
            .iter()
            .chain(extra)
            .map(String::as_str)
            .collect();
        if !is_allowed(license, &allowed) {
            found.push(format!("{name} {version} is licensed as {license:?}"));
        }
    }
    for ban in &rules.bans.deny {
        match versions.get(ban.name.as_str()) {
            Some(_) if !ban.deny_multiple_versions => {
                found.push(format!("{} is banned", ban.name));
            }
            Some(versions) if versions.len() > 1 => {
                let versions: Vec<&str> = versions.iter().copied().collect();
                found.push(format!("{} is there as {}", ban.name, versions.join(", ")));
            }
            _ => {}
        }
    }
    found
}

/// Whether an SPDX licence expression can be met with these licences alone.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    // Old manifests write a slash for OR.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any_of(&mut words, allowed);
    met && words.peek().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    match words.next() {
        Some("(") => {
            let met = any_of(words, allowed);
            met && words.next() == Some(")")
        }
        Some(license) if words.next_if_eq(&"WITH").is_some() => {
            let exception = words.next().unwrap_or_default();
            allowed.contains(format!("{license} WITH {exception}").as_str())
        }
        Some(license) => allowed.contains(license),
        None => false,
    }
}

/// Packages of the lock file that do not come, with a checksum, from the one registry.
fn foreign_sources(lock: &str) -> Vec<String> {
    let lock: toml::Table = lock.parse().expect("a lock file is TOML");
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let mut registries = BTreeSet::new();
    let mut found = Vec::new();
    for package in packages.into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let Some(source) = text("source") else {
            continue;
        };
        registries.insert(source);
        if !source.starts_with("registry+") || text("checksum").is_none() {
            let name = text("name").unwrap_or_default();
            found.push(format!("{name} comes from {source}"));
        }
    }
    if registries.len() > 1 {
        found.push(format!("there are several sources: {registries:?}"));
    }
    found
}

/// Dependencies that no source file of their package names.
fn unused(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for package in &workspace.packages {
        let files = package.rust_files();
        let text: Vec<String> = files
            .iter()
            .map(|file| fs::read_to_string(file).expect("a readable source file"))
            .collect();
        for dependency in &package.dependencies {
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
            let name = name.replace('-', "_");
            if !text.iter().any(|text| names(text, &name)) {
                found.push(format!("{} does not use {name}", package.name));
            }
        }
    }
    found
}

/// Whether a text holds a name as a whole word.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Crates that a light crate compiles against the table, under its default features.
fn heavy(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    let mut trees: BTreeMap<&str, BTreeSet<Compiled>> = BTreeMap::new();
    for (heavy, light) in &workspace.metadata.light {
        let family = format!("{heavy}-");
        for package in light {
            let tree = trees.entry(package).or_insert_with(|| {
                compiled(&workspace.root, &["--edges", "normal", "-p", package])
            });
            let guilty = tree
                .iter()
                .find(|other| other.name == *heavy || other.name.starts_with(&family));
            if let Some(guilty) = guilty {
                found.push(format!("{package} compiles {}", guilty.name));
            }
        }
    }
    found
}

fn rules() -> Rules {
    let path = adit_testkit::workspace_root().join("deny.toml");
    toml::from_str(&fs::read_to_string(path).expect("deny.toml")).expect("deny.toml has the rules")
}

#[test]
fn licences_are_allowed_and_bans_kept() {
    let rules = rules();
    let root = adit_testkit::workspace_root();
    let mut arguments = vec!["--workspace", "--all-features", "--edges", "normal,build"];
    for target in &rules.graph.targets {
        arguments.extend(["--target", target]);
    }
    let found = violations(&rules, &compiled(&root, &arguments));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_package_comes_from_the_registry() {
    let lock = fs::read_to_string(adit_testkit::workspace_root().join("Cargo.lock"));
    let found = foreign_sources(&lock.expect("a lock file"));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_dependency_is_used() {
    let found = unused(&Workspace::here());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn light_crates_stay_light() {
    let workspace = Workspace::here();
    assert!(!workspace.metadata.light.is_empty());
    let found = heavy(&workspace);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn licence_expressions_are_read() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for met in [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-3.0 / Apache-2.0",
        "(GPL-3.0 OR MIT) AND ISC",
        "GPL-3.0 OR MIT AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(met, &allowed), "{met}");
    }
    for unmet in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR ISC) AND GPL-3.0",
        "GPL-3.0 WITH LLVM-exception",
        "MIT WITH a-twist",
        "MIT or later",
        "(MIT",
    ] {
        assert!(!is_allowed(unmet, &allowed), "{unmet}");
    }
}

#[test]
fn every_violation_is_found() {
    let rules: Rules = toml::from_str(
        "[graph]\ntargets = []\n\
         [licenses]\nallow = [\"MIT\"]\nexceptions = [{ crate = \"e\", allow = [\"MPL-2.0\"] }]\n\
         [bans]\ndeny = [{ crate = \"banned\" }, { crate = \"absent\" },\n\
         { crate = \"once\", deny-multiple-versions = true },\n\
         { crate = \"twice\", deny-multiple-versions = true }]\n",
    )
    .unwrap();
    let lines = [
        "a v0.1.0 (proc-macro)|MIT (*)",
        "b v0.1.0|MPL-2.0",
        "banned v1.0.0|MIT",
        "c v0.1.0|",
        "e v0.1.0|MPL-2.0",
        "once v1.0.0|MIT",
        "twice v1.0.0|MIT",
        "twice v2.0.0|MIT",
    ];
    let compiled = lines.into_iter().map(|line| read_line(line).unwrap());
    assert_eq!(
        violations(&rules, &compiled.collect()),
        [
            "b 0.1.0 is licensed as \"MPL-2.0\"",
            "c 0.1.0 is licensed as \"\"",
            "banned is banned",
            "twice is there as 1.0.0, 2.0.0",
        ]
    );
    let package = |name: &str, rest: &str| format!("[[package]]\nname = \"{name}\"\n{rest}\n");
    let lock = package("ours", "")
        + &package("good", "source = \"registry+a\"\nchecksum = \"00\"")
        + &package("unsealed", "source = \"registry+a\"")
        + &package("forked", "source = \"git+b\"");
    assert_eq!(
        foreign_sources(&lock),
        [
            "unsealed comes from registry+a",
            "forked comes from git+b",
            "there are several sources: {\"git+b\", \"registry+a\"}",
        ]
    );
}

#[test]
fn unused_and_heavy_dependencies_are_found() {
    let below = |names: &[&str]| {
        let line =
            |name: &&str| format!("{name} = {{ path = \"../{name}\", version = \"0.1.0\" }}\n");
        "[dependencies]\n".to_owned() + &names.iter().map(line).collect::<String>()
    };
    let tree = Tree::new()
        .package("crates/big", "big", 0, "")
        .package("crates/big-part", "big-part", 0, "")
        .package("crates/middle", "middle", 1, &below(&["big-part"]))
        .package("crates/fine", "fine", 2, "")
        .package("crates/top", "top", 2, &below(&["middle", "big"]))
        .file(
            "crates/top/src/lib.rs",
            "//! Uses middle.\nuse middle as _;\nfn big_part() {}\n",
        )
        .light("big", "\"fine\", \"top\"");
    let workspace = tree.load();
    assert_eq!(
        unused(&workspace),
        ["middle does not use big_part", "top does not use big"]
    );
    lock(&workspace.root);
    assert_eq!(heavy(&workspace), ["top compiles big"]);
}

/// Writes the lock file that `cargo tree --locked` asks for.
fn lock(root: &Path) {
    let answer = Command::new(env!("CARGO"))
        .args(["generate-lockfile", "--offline"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(answer.status.success());
}
