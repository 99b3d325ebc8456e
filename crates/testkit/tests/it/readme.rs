use std::{collections::BTreeMap, fs};

use crate::{
    tree::Tree,
    workspace::{Package, Workspace},
};

const BEGIN: &str = "<!-- crates:begin -->";
const END: &str = "<!-- crates:end -->";

/// The README's table of crates lists every member once, under its layer, with what it owns.
fn violations(workspace: &Workspace) -> Vec<String> {
    let Ok(readme) = fs::read_to_string(workspace.root.join("README.md")) else {
        return vec!["README.md is missing".to_owned()];
    };
    let table = readme
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END));
    let Some((table, _)) = table else {
        return vec![format!("README.md has no table between {BEGIN} and {END}")];
    };
    let mut found = Vec::new();
    let mut rows = rows(table);
    let header = ["layer", "crate", "what it owns"];
    match rows.first().map(|row| row.join("|").to_lowercase()) {
        Some(first) if first == header.join("|") => drop(rows.remove(0)),
        _ => found.push(format!("the table's columns are not {}", header.join(", "))),
    }
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        let [layer, name, owns] = row.as_slice() else {
            found.push(format!("the row {row:?} does not have three cells"));
            continue;
        };
        let Some(package) = member(workspace, name) else {
            found.push(format!("{name} is not a member"));
            continue;
        };
        *listed.entry(&package.name).or_default() += 1;
        let expected = workspace.metadata.layers.get(&package.name);
        if expected.map(u32::to_string).as_deref() != Some(layer.as_str()) {
            found.push(format!("{name} is not in layer {layer}"));
        }
        if owns.is_empty() {
            found.push(format!("{name} owns nothing"));
        }
    }
    for package in &workspace.packages {
        match listed.get(package.name.as_str()) {
            Some(1) => {}
            Some(times) => found.push(format!("{} is listed {times} times", package.name)),
            None => found.push(format!("{} is not listed", package.name)),
        }
    }
    found
}

/// The cells of each row, without the rule under the header.
fn rows(table: &str) -> Vec<Vec<String>> {
    table
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('|'))
        .filter(|line| line.contains(|c| !matches!(c, '|' | '-' | ':' | ' ')))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

/// The member that a cell means by its package name or its folder, perhaps as a link.
fn member<'a>(workspace: &'a Workspace, cell: &str) -> Option<&'a Package> {
    let name = cell.trim_start_matches('[');
    let name = name.split_once("](").map_or(name, |(name, _)| name);
    let name = name.trim_matches(|c| c == '`' || c == ' ' || c == '/');
    workspace.packages.iter().find(|package| {
        let folder = workspace.relative(package.folder());
        let short = folder.strip_prefix("crates/");
        package.name == name || folder == name || short == Some(name)
    })
}

/// Metrics that the sources count and the README does not list.
fn unlisted_metrics(workspace: &Workspace) -> Vec<String> {
    let readme = fs::read_to_string(workspace.root.join("README.md")).unwrap_or_default();
    let files = workspace.packages.iter().flat_map(Package::rust_files);
    let mut found: Vec<String> = files
        .filter(|file| file.components().any(|part| part.as_os_str() == "src"))
        .flat_map(|file| metrics(&fs::read_to_string(file).expect("a readable source file")))
        .filter(|name| !readme.contains(&format!("`{name}`")))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The names that are given to the macros of the crate `metrics`.
fn metrics(source: &str) -> Vec<String> {
    ["counter!(", "gauge!(", "histogram!("]
        .iter()
        .flat_map(|kind| source.split(kind).skip(1))
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_readme_lists_the_metrics() {
    let workspace = Workspace::here();
    let found = unlisted_metrics(&workspace);
    assert!(found.is_empty(), "not in README.md: {}", found.join(", "));
}

#[test]
fn unlisted_metrics_are_found() {
    let source = "//! A.\nfn f() {\n    metrics::counter!(\n        \"a_total\", \"b\" => \"c\"\n    );\n\
                  describe_gauge!(\"listed\", \"d\");\n}\n";
    let tree = Tree::new()
        .package("crates/one", "one", 0, "")
        .file("crates/one/src/lib.rs", source)
        .file("README.md", "| `listed` | gauge |\n");
    assert_eq!(unlisted_metrics(&tree.load()), ["a_total"]);
}

#[test]
fn the_readme_lists_the_crates_as_they_are() {
    let found = violations(&Workspace::here());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_difference_is_found() {
    let tree = || {
        Tree::new()
            .package("crates/one", "made-one", 0, "")
            .package("crates/deep/two", "made-two", 3, "")
            .package("bins/three", "made-three", 6, "")
    };
    let table = |rows: &str| {
        format!(
            "# Made up\n\n{BEGIN}\n| layer | crate | what it owns |\n|---|:--|---|\n{rows}{END}\n"
        )
    };
    let with = |readme: &str| violations(&tree().file("README.md", readme).load());

    assert_eq!(violations(&tree().load()), ["README.md is missing"]);
    assert_eq!(
        with("# Made up\n"),
        ["README.md has no table between <!-- crates:begin --> and <!-- crates:end -->"]
    );
    let right = "| 0 | `one` | ids |\n| 3 | [`made-two`](crates/deep/two) | x |\n\
                 | 6 | `bins/three` | runs |\n";
    assert!(with(&table(right)).is_empty());
    assert_eq!(
        with(&table(right).replace("what it owns", "remark")),
        [
            "the table's columns are not layer, crate, what it owns",
            "crate is not a member",
        ]
    );
    let wrong = "| 1 | `one` | ids |\n| 3 | `deep/two` |  |\n| 3 | `made-two` | again |\n\
                 | 5 | `four` | nothing |\n| 6 |\n";
    assert_eq!(
        with(&table(wrong)),
        [
            "`one` is not in layer 1",
            "`deep/two` owns nothing",
            "`four` is not a member",
            "the row [\"6\"] does not have three cells",
            "made-two is listed 2 times",
            "made-three is not listed",
        ]
    );
}
