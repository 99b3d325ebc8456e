use std::fs;

use serde::Deserialize;

use crate::{Error, Result, fixture};

/// What `fixtures/golden/deviations.toml` says: where our functions differ on purpose, which
/// recorded functions another crate answers, and which a better design does not need.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoldenRules {
    /// Where ours differs on purpose.
    pub deviation: Vec<Deviation>,
    /// Functions that another crate answers.
    pub elsewhere: Vec<Elsewhere>,
    /// Functions that a better design does not need.
    pub not_needed: Vec<NotNeeded>,
}

/// A rule by which our answer may differ from the recorded one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// The original system.
    pub system: String,
    /// The functions that the rule is for.
    pub functions: Vec<String>,
    /// The rule's name, which the handler gives.
    pub rule: String,
    /// Which inputs it is for and what ours does with them, and why.
    pub reason: String,
    /// Our own test of what ours does, as `crate::path`.
    pub test: String,
}

/// Functions that another crate answers, with its own run of this harness.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// The original system.
    pub system: String,
    /// The functions; `*` is every one of the system.
    pub functions: Vec<String>,
    /// The package that answers.
    pub package: String,
    /// What they are about.
    pub reason: String,
}

/// Functions that a better design does not need, such as coercions of the original's language.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotNeeded {
    /// The original system.
    pub system: String,
    /// The functions.
    pub functions: Vec<String>,
    /// Why not.
    pub reason: String,
}

impl GoldenRules {
    /// Loads `fixtures/golden/deviations.toml`.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Rules`].
    pub fn load() -> Result<Self> {
        let path = fixture("golden/deviations.toml");
        let text = fs::read_to_string(&path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| Error::Rules {
            path,
            source: Box::new(source),
        })
    }

    /// Whether the function may deviate by the rule.
    pub(super) fn allows(&self, system: &str, function: &str, rule: &str) -> bool {
        self.deviation.iter().any(|deviation| {
            deviation.system == system
                && deviation.rule == rule
                && names(&deviation.functions, function)
        })
    }

    /// The package that answers the function, where that is told.
    pub(super) fn package(&self, system: &str, function: &str) -> Option<&str> {
        self.elsewhere
            .iter()
            .find(|entry| entry.system == system && names(&entry.functions, function))
            .map(|entry| entry.package.as_str())
    }

    /// Why the function is not needed, where that is told.
    pub(super) fn not_needed(&self, system: &str, function: &str) -> Option<&str> {
        self.not_needed
            .iter()
            .find(|entry| entry.system == system && names(&entry.functions, function))
            .map(|entry| entry.reason.as_str())
    }
}

fn names(functions: &[String], function: &str) -> bool {
    functions.iter().any(|name| name == "*" || name == function)
}
