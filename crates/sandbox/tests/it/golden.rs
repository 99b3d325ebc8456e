//! Every vector recorded from the field's code runner, or from `$ADIT_GOLDEN`.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use adit_sandbox::{
    CaseFailure, ExecuteResponse, Limits, PythonCase, PythonPool, PythonProgram, Sandbox,
    extract_code,
};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome};
use serde_json::{Value, json};

/// What the original's list names: modules, and functions when called by their bare name.
const BLOCKED: [&str; 26] = [
    "os",
    "sys",
    "subprocess",
    "shutil",
    "pickle",
    "marshal",
    "ctypes",
    "multiprocessing",
    "socket",
    "http",
    "urllib",
    "ftplib",
    "telnetlib",
    "smtplib",
    "imaplib",
    "poplib",
    "nntplib",
    "ssl",
    "hashlib",
    "secrets",
    "random",
    "exec",
    "eval",
    "compile",
    "open",
    "__import__",
];

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

#[test]
fn every_vector_of_the_code_runner() {
    let mut suite = GoldenSuite::new("adit-sandbox");
    suite.on("quasar", "quasar.code_runner.extract_code", |file, case| {
        let found = extract_code(text(case, "raw"));
        Outcome::compare(file, case, &json!(found))
    });
    let pool = PythonPool::new(Sandbox::new().unwrap(), Limits::tight(), 1).unwrap();
    suite.on(
        "quasar",
        "quasar.code_runner.execute_code",
        move |file, case| RUNTIME.block_on(execute(&pool, file, case)),
    );
    let report = suite.run(false).unwrap();
    assert!(report.is_green(), "some vectors fail or are not covered");
}

fn text<'a>(case: &'a GoldenCase, name: &str) -> &'a str {
    case.input[name].as_str().unwrap()
}

async fn execute(pool: &PythonPool, file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let program = PythonProgram {
        source: text(case, "code").to_owned(),
        function: text(case, "function_name").to_owned(),
        cases: vec![PythonCase {
            input: case.input["test_input"].clone(),
            timeout: Duration::from_secs(5),
        }],
    };
    let outcome = pool.run(&program).await.unwrap().remove(0);
    let unparsable = matches!(outcome.result, Err(CaseFailure::Syntax(_)));
    let found: Value = serde_json::to_value(ExecuteResponse::from(outcome)).unwrap();
    match Outcome::compare(file, case, &found) {
        Outcome::Failed(_) if unparsable || names_blocked(&program.source) => {
            Outcome::Deviates("no-block-list")
        }
        outcome => outcome,
    }
}

/// Whether the list could apply: the code imports a module of it, or calls a function of it.
fn names_blocked(source: &str) -> bool {
    let words: BTreeSet<&str> = source
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    BLOCKED.iter().any(|word| words.contains(word))
}
