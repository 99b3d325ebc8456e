use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use serde::Serialize;

/// A case that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The case.
    pub id: String,
    /// What differs.
    pub why: String,
}

/// How one recorded function fared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FunctionReport {
    /// The original system.
    pub system: String,
    /// The function.
    pub function: String,
    /// Cases equal within tolerance.
    pub passed: usize,
    /// Cases that differ by a rule, by rule.
    pub deviations: BTreeMap<String, usize>,
    /// Cases that differ.
    pub failures: Vec<Failure>,
    /// Cases that nobody answers.
    pub not_covered: usize,
    /// Cases that another package answers, in its own run.
    pub elsewhere: usize,
    /// That package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Cases of a function that is not needed.
    pub not_needed: usize,
}

impl FunctionReport {
    fn deviated(&self) -> usize {
        self.deviations.values().sum()
    }
}

/// Sums over functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// All cases.
    pub cases: usize,
    /// Cases equal within tolerance.
    pub passed: usize,
    /// Cases that differ by a named rule.
    pub deviations: usize,
    /// Cases that differ.
    pub failed: usize,
    /// Cases that nobody answers.
    pub not_covered: usize,
    /// Cases that another package answers.
    pub elsewhere: usize,
    /// Cases of functions that are not needed.
    pub not_needed: usize,
}

impl Totals {
    fn add(&mut self, report: &FunctionReport) {
        self.passed += report.passed;
        self.deviations += report.deviated();
        self.failed += report.failures.len();
        self.not_covered += report.not_covered;
        self.elsewhere += report.elsewhere;
        self.not_needed += report.not_needed;
        self.cases = self.passed
            + self.deviations
            + self.failed
            + self.not_covered
            + self.elsewhere
            + self.not_needed;
    }
}

/// How all recorded functions fared. Its text is the table that the harness prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoldenReport {
    /// The package whose functions were asked.
    pub package: String,
    /// Per function, sorted by system and name.
    pub functions: Vec<FunctionReport>,
    /// Per system.
    pub systems: BTreeMap<String, Totals>,
    /// Over all.
    pub totals: Totals,
}

impl GoldenReport {
    pub(super) fn new(package: &str, functions: Vec<FunctionReport>) -> Self {
        let mut systems: BTreeMap<String, Totals> = BTreeMap::new();
        let mut totals = Totals::default();
        for function in &functions {
            let of_system = systems.entry(function.system.clone()).or_default();
            of_system.add(function);
            totals.add(function);
        }
        Self {
            package: package.to_owned(),
            functions,
            systems,
            totals,
        }
    }

    /// Whether every case passed, deviated by a named rule, or is accounted for elsewhere.
    pub fn is_green(&self) -> bool {
        self.totals.failed == 0 && self.totals.not_covered == 0
    }
}

impl Display for GoldenReport {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{:<72} {:>7} {:>10} {:>6} {:>11}",
            "function", "passed", "deviations", "failed", "not covered"
        )?;
        let mut line = |name: &str, cells: [usize; 4], note: &str| {
            let [passed, deviations, failed, uncovered] = cells;
            writeln!(
                formatter,
                "{name:<72} {passed:>7} {deviations:>10} {failed:>6} {uncovered:>11}{note}"
            )
        };
        for report in &self.functions {
            let mut note = String::new();
            if let Some(package) = &report.package {
                note = format!("  {} in {package}", report.elsewhere);
            }
            if report.not_needed > 0 {
                note = format!("  {} not needed", report.not_needed);
            }
            for (rule, count) in &report.deviations {
                note.push_str(&format!("  {rule}: {count}"));
            }
            let name = format!("{}/{}", report.system, report.function);
            let cells = [
                report.passed,
                report.deviated(),
                report.failures.len(),
                report.not_covered,
            ];
            line(&name, cells, &note)?;
            for failure in report.failures.iter().take(5) {
                let why = format!("    {}: {}", failure.id, failure.why);
                line(&why, [0; 4], "")?;
            }
        }
        let sums = self
            .systems
            .iter()
            .map(|(system, sums)| (system.as_str(), sums));
        for (system, sums) in sums.chain([("total", &self.totals)]) {
            let note = format!(
                "  of {}, {} elsewhere, {} not needed",
                sums.cases, sums.elsewhere, sums.not_needed
            );
            let cells = [sums.passed, sums.deviations, sums.failed, sums.not_covered];
            line(system, cells, &note)?;
        }
        Ok(())
    }
}
