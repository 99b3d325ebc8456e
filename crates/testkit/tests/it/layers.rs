use std::collections::{BTreeMap, BTreeSet};

use crate::{
    tree::Tree,
    workspace::{Package, Workspace},
};

const TESTKIT: &str = "adit-testkit";

/// Every member has a layer, dependencies point strictly down (those for tests also sideways,
/// without a cycle), and heavy dependencies stay with their owners.
fn violations(workspace: &Workspace) -> Vec<String> {
    let layers = &workspace.metadata.layers;
    let packages: BTreeMap<&str, &Package> = workspace
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let mut found = Vec::new();
    for name in layers
        .keys()
        .filter(|name| !packages.contains_key(name.as_str()))
    {
        found.push(format!("{name} has a layer but is not a member"));
    }
    for package in packages.values() {
        let name = &package.name;
        let Some(layer) = layers.get(name) else {
            found.push(format!("{name} has no layer"));
            continue;
        };
        for dependency in &package.dependencies {
            let for_tests = dependency.kind.as_deref() == Some("dev");
            // A test may hold a crate against what its owner wraps.
            if let Some(owners) = workspace.metadata.owners.get(&dependency.name)
                && !for_tests
                && !owners.contains(name)
            {
                found.push(format!("{name} may not depend on {}", dependency.name));
            }
            let Some(target) = packages.get(dependency.name.as_str()) else {
                continue;
            };
            let other = &target.name;
            if !target.has_library() {
                found.push(format!("{name} depends on {other}, which is a binary"));
            }
            let Some(below) = layers.get(other) else {
                continue;
            };
            if for_tests {
                if other != TESTKIT && below > layer {
                    found.push(format!("{name} (L{layer}) tests with {other} (L{below})"));
                }
            } else if other == TESTKIT {
                found.push(format!("{name} uses {TESTKIT} outside tests"));
            } else if below >= layer {
                found.push(format!("{name} (L{layer}) -> {other} (L{below})"));
            }
        }
    }
    for package in packages.keys() {
        if reaches(&packages, package, package) {
            found.push(format!("{package} depends on itself through others"));
        }
    }
    found
}

/// Whether a way of at least two steps leads from `from` to `to`; a crate that tests itself with
/// other features is no cycle.
fn reaches(packages: &BTreeMap<&str, &Package>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        for dependency in packages.get(name).into_iter().flat_map(|p| &p.dependencies) {
            let next = dependency.name.as_str();
            if next == to && name != to {
                return true;
            }
            if packages.contains_key(next) && seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[test]
fn dependencies_point_down_and_heavy_ones_stay_with_their_owners() {
    let found = violations(&Workspace::here());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_violation_is_found() {
    let path = |kind: &str, other: &str| {
        format!("[{kind}]\n{other} = {{ path = \"../{other}\", version = \"0.1.0\" }}\n")
    };
    let sideways = path("dependencies", "right");
    let tests = path("dev-dependencies", "right");
    let upwards = path("build-dependencies", "above");
    let tree = Tree::new()
        .package(
            "crates/right",
            "right",
            1,
            "[dependencies]\nheavy = \"1\"\n",
        )
        .package("crates/left", "left", 1, &sideways)
        .package("crates/fine", "fine", 1, &(tests + "heavy = \"1\"\n"))
        .package("crates/above", "above", 2, &path("dependencies", "fine"))
        .package("crates/below", "below", 1, &upwards)
        .package("crates/loose", "loose", 0, "")
        .without_layer("loose")
        .layer("gone", 3)
        .owner("heavy", "\"above\"");
    assert_eq!(
        violations(&tree.load()),
        [
            "gone has a layer but is not a member",
            "below (L1) -> above (L2)",
            "left (L1) -> right (L1)",
            "loose has no layer",
            "right may not depend on heavy",
        ]
    );
}

#[test]
fn tests_may_not_reach_up_nor_in_circles() {
    let dev = |other: &str| {
        format!("[dev-dependencies]\n{other} = {{ path = \"../{other}\", version = \"0.1.0\" }}\n")
    };
    let tree = Tree::new()
        .package("crates/one", "one", 1, &dev("two"))
        .package("crates/two", "two", 1, &dev("one"))
        .package("crates/low", "low", 0, &dev("one"));
    assert_eq!(
        violations(&tree.load()),
        [
            "low (L0) tests with one (L1)",
            "one depends on itself through others",
            "two depends on itself through others",
        ]
    );
}

#[test]
fn the_testkit_stays_in_tests_and_binaries_are_not_libraries() {
    let both = "[dependencies]\nadit-testkit = { path = \"../adit-testkit\", version = \"0.1.0\" }\n\
                program = { path = \"../program\", version = \"0.1.0\" }\n";
    let tree = Tree::new()
        .package("crates/adit-testkit", TESTKIT, 0, "")
        .package("crates/program", "program", 0, "")
        .file("crates/program/src/main.rs", "fn main() {}\n")
        .package("crates/user", "user", 1, both);
    std::fs::remove_file(tree.root().join("crates/program/src/lib.rs")).unwrap();
    assert_eq!(
        violations(&tree.load()),
        [
            "user uses adit-testkit outside tests",
            "user depends on program, which is a binary",
        ]
    );
}
