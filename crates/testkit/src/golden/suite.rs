use std::{
    collections::BTreeMap,
    env, fs, io,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    Failure, FunctionReport, GoldenCase, GoldenFile, GoldenReport, GoldenRules, Tolerance,
    difference, file,
};
use crate::{Error, Result, fixture};

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Ours gave the recorded answer.
    Passed,
    /// Ours differs by the rule of this name, which `deviations.toml` must know.
    Deviates(&'static str),
    /// Ours differs; why.
    Failed(String),
}

impl Outcome {
    /// Compares an answer with the case's, by its tolerance ([`Tolerance::of`]).
    pub fn compare(file: &GoldenFile, case: &GoldenCase, found: &Value) -> Self {
        Self::compare_within(case, found, Tolerance::of(file, case))
    }

    /// Compares an answer with the case's, by a tolerance that the handler knows.
    pub fn compare_within(case: &GoldenCase, found: &Value, tolerance: Tolerance) -> Self {
        match difference(found, &case.expected, tolerance) {
            None => Self::Passed,
            Some(why) => Self::Failed(why),
        }
    }

    /// Passed if so, else failed for the reason.
    pub fn when(so: bool, why: impl Into<String>) -> Self {
        if so {
            Self::Passed
        } else {
            Self::Failed(why.into())
        }
    }
}

type CaseHandler = Box<dyn Fn(&GoldenFile, &GoldenCase) -> Outcome>;
type DocumentHandler = Box<dyn Fn(&Value) -> Vec<(String, String, Outcome)>>;

/// A package's answers to recorded functions.
///
/// A handler is given a case and says what became of it. One that panics has failed, so a handler
/// may unwrap what the file promises.
pub struct GoldenSuite {
    package: String,
    cases: BTreeMap<(String, String), CaseHandler>,
    documents: BTreeMap<(String, String), DocumentHandler>,
}

impl std::fmt::Debug for GoldenSuite {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("GoldenSuite")
            .field("package", &self.package)
            .field("functions", &self.cases.keys())
            .field("documents", &self.documents.keys())
            .finish()
    }
}

impl GoldenSuite {
    /// An empty suite of a package, such as `adit-scoring`.
    pub fn new(package: &str) -> Self {
        Self {
            package: package.to_owned(),
            cases: BTreeMap::new(),
            documents: BTreeMap::new(),
        }
    }

    /// Answers a function: `on("quasar", "metrics.rouge_score", …)`.
    pub fn on(
        &mut self,
        system: &str,
        function: &str,
        handler: impl Fn(&GoldenFile, &GoldenCase) -> Outcome + 'static,
    ) {
        let known = (system.to_owned(), function.to_owned());
        self.cases.insert(known, Box::new(handler));
    }

    /// Answers a file that has another layout than cases: `on_document("chain", "weights", …)` for
    /// `chain/weights.json`. The handler gives `(function, case, outcome)` for each case in it.
    pub fn on_document(
        &mut self,
        system: &str,
        stem: &str,
        handler: impl Fn(&Value) -> Vec<(String, String, Outcome)> + 'static,
    ) {
        let known = (system.to_owned(), stem.to_owned());
        self.documents.insert(known, Box::new(handler));
    }

    /// Runs over `$ADIT_GOLDEN`, or `fixtures/golden`, prints the table, and writes it as JSON to
    /// `$ADIT_GOLDEN_REPORT` when that is set.
    ///
    /// With `whole`, every file of the folder must be accounted for; else only the functions that
    /// `deviations.toml` lists as this package's.
    ///
    /// # Errors
    /// A file that cannot be read, or rules that cannot.
    pub fn run(&self, whole: bool) -> Result<GoldenReport> {
        let root = env::var_os("ADIT_GOLDEN").map_or_else(|| fixture("golden"), PathBuf::from);
        let report = self.run_in(&root, &GoldenRules::load()?, whole)?;
        // Not `print!`, which the test runner keeps to itself when a test passes.
        let _ = writeln!(io::stdout().lock(), "\n{report}");
        if let Some(path) = env::var_os("ADIT_GOLDEN_REPORT") {
            let path = PathBuf::from(path);
            let text = serde_json::to_vec_pretty(&report).unwrap_or_default();
            fs::write(&path, text).map_err(|source| Error::Write { path, source })?;
        }
        Ok(report)
    }

    /// [`GoldenSuite::run`] over a folder with given rules, saying nothing.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn run_in(&self, root: &Path, rules: &GoldenRules, whole: bool) -> Result<GoldenReport> {
        let mut functions: BTreeMap<(String, String), FunctionReport> = BTreeMap::new();
        for path in golden_files(root)? {
            let system = name_of(path.parent().unwrap_or(root));
            let stem = name_of(&path.with_extension(""));
            if let Some(handler) = self.documents.get(&(system.clone(), stem.clone())) {
                for (function, id, outcome) in handler(&file::load(&path)?) {
                    let report = entry(&mut functions, &system, &function);
                    settle(report, &id, outcome, rules);
                }
                continue;
            }
            let golden = match GoldenFile::open(&path) {
                Ok(golden) => golden,
                // A document that no handler of this package reads.
                Err(Error::Layout { .. }) => {
                    if whole || rules.package(&system, &stem) == Some(&*self.package) {
                        self.account(entry(&mut functions, &system, &stem), rules, 1);
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            let function = golden.function.clone();
            let known = (golden.system.clone(), function.clone());
            if let Some(handler) = self.cases.get(&known) {
                let report = entry(&mut functions, &golden.system, &function);
                for case in &golden.cases {
                    let outcome = catch_unwind(AssertUnwindSafe(|| handler(&golden, case)))
                        .unwrap_or_else(|panic| Outcome::Failed(told(&*panic)));
                    settle(report, &case.id, outcome, rules);
                }
            } else if whole || rules.package(&golden.system, &function) == Some(&*self.package) {
                let report = entry(&mut functions, &golden.system, &function);
                self.account(report, rules, golden.cases.len());
            }
        }
        Ok(GoldenReport::new(
            &self.package,
            functions.into_values().collect(),
        ))
    }

    /// Counts cases that no handler answered.
    fn account(&self, report: &mut FunctionReport, rules: &GoldenRules, cases: usize) {
        match rules.package(&report.system, &report.function) {
            Some(package) if package != self.package => {
                report.package = Some(package.to_owned());
                report.elsewhere += cases;
            }
            None if rules.not_needed(&report.system, &report.function).is_some() => {
                report.not_needed += cases;
            }
            _ => report.not_covered += cases,
        }
    }
}

fn settle(report: &mut FunctionReport, id: &str, outcome: Outcome, rules: &GoldenRules) {
    let mut failed = |why: String| {
        let id = id.to_owned();
        report.failures.push(Failure { id, why });
    };
    match outcome {
        Outcome::Passed => report.passed += 1,
        Outcome::Failed(why) => failed(why),
        Outcome::Deviates(rule) if rules.allows(&report.system, &report.function, rule) => {
            *report.deviations.entry(rule.to_owned()).or_default() += 1;
        }
        Outcome::Deviates(rule) => failed(format!("deviations.toml has no rule {rule} for it")),
    }
}

fn entry<'map>(
    functions: &'map mut BTreeMap<(String, String), FunctionReport>,
    system: &str,
    function: &str,
) -> &'map mut FunctionReport {
    functions
        .entry((system.to_owned(), function.to_owned()))
        .or_insert_with(|| FunctionReport {
            system: system.to_owned(),
            function: function.to_owned(),
            ..FunctionReport::default()
        })
}

/// The JSON files of the folder's folders, sorted.
fn golden_files(root: &Path) -> Result<Vec<PathBuf>> {
    let list = |folder: &Path| -> Result<Vec<PathBuf>> {
        let read = |source| Error::Read {
            path: folder.to_owned(),
            source,
        };
        fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(read)
    };
    let mut files = Vec::new();
    for folder in list(root)?.into_iter().filter(|path| path.is_dir()) {
        let inside = list(&folder)?;
        files.extend(
            inside
                .into_iter()
                .filter(|path| path.extension().is_some_and(|end| end == "json")),
        );
    }
    files.sort();
    Ok(files)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn told(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a word"))
}
