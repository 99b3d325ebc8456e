//! Submissions in warm interpreters.

use std::time::{Duration, Instant};

use adit_sandbox::{
    CaseFailure, CaseOutcome, Comparison, Limits, PythonCase, PythonPool, PythonProgram, Sandbox,
    TestCase, run_test_cases,
};
use serde_json::{Value, json};

fn pool() -> PythonPool {
    PythonPool::new(Sandbox::new().unwrap(), Limits::tight(), 1).unwrap()
}

fn submission(source: &str, inputs: &[Value]) -> PythonProgram {
    PythonProgram {
        source: source.to_owned(),
        function: "solve".to_owned(),
        cases: inputs
            .iter()
            .map(|input| PythonCase {
                input: input.clone(),
                timeout: Duration::from_secs(2),
            })
            .collect(),
    }
}

async fn run(source: &str, inputs: &[Value]) -> Vec<Result<Value, CaseFailure>> {
    let outcomes = pool().run(&submission(source, inputs)).await.unwrap();
    outcomes
        .into_iter()
        .map(|outcome: CaseOutcome| outcome.result)
        .collect()
}

#[tokio::test]
async fn cases_are_answered_in_order() {
    let answers = run(
        "def solve(a, b=1): return a * b",
        &[json!("[2, 3]"), json!(4), json!("x")],
    )
    .await;
    assert_eq!(answers, [Ok(json!(6)), Ok(json!(4)), Ok(json!("x"))]);
}

#[tokio::test]
async fn what_the_fields_block_list_forbids_is_allowed_and_harmless() {
    let source = "
import hashlib, random, os.path, os, socket
def solve(x):
    assert not os.path.exists('/etc/passwd')
    return hashlib.sha256(x.encode()).hexdigest()[:4]
";
    assert_eq!(run(source, &[json!("a")]).await, [Ok(json!("ca97"))]);
    let breakout = "
import os
def solve(x): return open('/etc/passwd').read()
";
    let answers = run(breakout, &[json!("a")]).await;
    assert!(
        matches!(&answers[0], Err(CaseFailure::Raised(why)) if why.contains("No such file")),
        "{answers:?}"
    );
}

#[tokio::test]
async fn each_failure_has_its_name() {
    let one = [json!("1")];
    assert!(matches!(
        run("def f(:", &one).await[0],
        Err(CaseFailure::Syntax(_))
    ));
    assert!(matches!(
        run("1/0", &one).await[0],
        Err(CaseFailure::Load(_))
    ));
    assert!(matches!(
        run("raise SystemExit", &one).await[0],
        Err(CaseFailure::Load(_))
    ));
    assert!(matches!(
        run("x = 1", &one).await[0],
        Err(CaseFailure::NoEntry(_))
    ));
    assert!(matches!(
        run("def solve(x): return 1/0", &one).await[0],
        Err(CaseFailure::Raised(_))
    ));
    assert!(matches!(
        run("def solve(x): return {1, 2}", &one).await[0],
        Err(CaseFailure::Raised(_))
    ));
    assert!(matches!(
        run("def solve(x): return float('nan')", &one).await[0],
        Err(CaseFailure::Raised(_))
    ));
    let crash = "import ctypes\ndef solve(x): ctypes.string_at(0)";
    assert_eq!(run(crash, &one).await[0], Err(CaseFailure::Died));
    assert_eq!(
        run("import os\ndef solve(x): os._exit(0)", &one).await[0],
        Err(CaseFailure::Died)
    );
    let large = "def solve(x): return 'x' * (2 << 20)";
    assert_eq!(run(large, &one).await[0], Err(CaseFailure::TooLong));
}

#[tokio::test]
async fn a_slow_case_costs_only_itself() {
    let mut program = submission(
        "
import time
def solve(x):
    if x == 'slow': time.sleep(30)
    return x
",
        &[json!("a"), json!("slow"), json!("b")],
    );
    program.cases[1].timeout = Duration::from_millis(300);
    let outcomes = pool().run(&program).await.unwrap();
    assert_eq!(outcomes[0].result, Ok(json!("a")));
    assert_eq!(outcomes[1].result, Err(CaseFailure::Timeout));
    assert_eq!(outcomes[2].result, Ok(json!("b")));
}

#[tokio::test]
async fn nothing_passes_from_case_to_case_or_from_submission_to_submission() {
    let source = "
import builtins, math, os
def solve(x):
    seen = getattr(builtins, 'left', 0), math.pi > 3.2
    builtins.left, math.pi = 1, 4.0
    return list(seen)
";
    let pool = pool();
    for _ in 0..2 {
        let outcomes = pool
            .run(&submission(source, &[json!(1), json!(2)]))
            .await
            .unwrap();
        for outcome in outcomes {
            assert_eq!(outcome.result, Ok(json!([0, false])));
        }
    }
    let leave = "
def solve(x):
    import os
    before = os.path.exists('/tmp/left') or os.path.exists('/work/left')
    open('/tmp/left', 'w').close(), open('/work/left', 'w').close()
    return before
";
    for _ in 0..2 {
        let outcomes = pool.run(&submission(leave, &[json!(1)])).await.unwrap();
        assert_eq!(outcomes[0].result, Ok(json!(false)));
    }
}

#[tokio::test]
async fn a_submission_cannot_kill_or_answer_for_others() {
    // It stops the interpreter that serves it, leaves daemons, and writes to every descriptor.
    let source = "
import os, signal, time
def solve(x):
    if x == 'stop': os.kill(os.getppid(), signal.SIGSTOP)
    if x == 'kill': os.kill(os.getppid(), signal.SIGKILL)
    if x == 'write':
        for number in range(256):
            try: os.write(number, b'{\"kind\": \"answer\", \"answer\": \"forged\"}\\n')
            except OSError: pass
        os._exit(0)
    if x == 'daemon' and os.fork() == 0:
        os.setsid()
        time.sleep(30)
    return x
";
    let mut program = submission(
        source,
        &[
            json!("write"),
            json!("kill"),
            json!("daemon"),
            json!("stop"),
            json!("fine"),
        ],
    );
    program.cases[3].timeout = Duration::from_millis(200);
    let outcomes = pool().run(&program).await.unwrap();
    let results: Vec<_> = outcomes.into_iter().map(|outcome| outcome.result).collect();
    assert!(
        matches!(results[0], Err(CaseFailure::NotJson(_))),
        "{results:?}"
    );
    assert!(results[1].is_err() && results[3].is_err(), "{results:?}");
    assert_eq!(results[2], Ok(json!("daemon")));
    assert_eq!(results[4], Ok(json!("fine")));
}

#[tokio::test]
async fn hostile_json_is_a_failure_of_the_case() {
    let deep = "
import os
def solve(x):
    text = '{\"kind\": \"done\", \"output\": ' + '[' * 100000 + ']' * 100000 + '}'
    for number in range(3, 256):
        try: os.write(number, text.encode())
        except OSError: pass
    os._exit(0)
";
    assert!(matches!(
        run(deep, &[json!(1)]).await[0],
        Err(CaseFailure::NotJson(_) | CaseFailure::Died)
    ));
    let nested = "
def solve(x):
    nest = []
    for _ in range(900): nest = [nest]
    return nest
";
    assert!(matches!(
        run(nested, &[json!(1)]).await[0],
        Err(CaseFailure::NotJson(_))
    ));
    // Python writes whole numbers of any length; no JSON value of ours holds this one.
    let huge = "def solve(x): return 10 ** 4000";
    assert!(matches!(
        run(huge, &[json!(1)]).await[0],
        Err(CaseFailure::NotJson(_))
    ));
}

#[tokio::test]
async fn a_case_cannot_see_what_comes_next() {
    let source = "
import gc, sys
def solve(x):
    frames, found = sys._getframe(), []
    while frames:
        found.append(repr(frames.f_locals)[:100000])
        frames = frames.f_back
    found += [repr(o) for o in gc.get_objects() if isinstance(o, (str, dict, list))]
    return 'second-' + 'secret' in ' '.join(found)
";
    let answers = run(source, &[json!("first"), json!("second-secret")]).await;
    assert_eq!(answers[0], Ok(json!(false)));
}

#[tokio::test]
async fn test_cases_are_compared_outside() {
    let cases: Vec<TestCase> = [
        r#"{"input_code": "[1, 2]", "expected_output": 3}"#,
        r#"{"input_code": "[1, 2]", "expected_output": 4}"#,
        r#"{"input_code": "[\"a\", \"b\"]", "expected_output": "ab", "timeout_ms": 500}"#,
    ]
    .iter()
    .map(|line| serde_json::from_str(line).unwrap())
    .collect();
    let answer = "Here:\n```python\ndef solve(a, b):\n    return a + b\n```";
    let verdicts = run_test_cases(&pool(), answer, "solve", &cases, Comparison::Value)
        .await
        .unwrap();
    let passed: Vec<_> = verdicts.iter().map(|verdict| verdict.passed).collect();
    assert_eq!(passed, [true, false, true]);
}

#[tokio::test]
async fn the_time_of_a_whole_submission_is_bounded() {
    let limits = Limits {
        wall: Duration::from_secs(2),
        ..Limits::tight()
    };
    let pool = PythonPool::new(Sandbox::new().unwrap(), limits, 0).unwrap();
    let started = Instant::now();
    let source = "import time\ndef solve(x): time.sleep(1.5)";
    let outcomes = pool
        .run(&submission(
            source,
            &[json!(1), json!(2), json!(3), json!(4)],
        ))
        .await
        .unwrap();
    assert_eq!(outcomes[0].result, Ok(Value::Null));
    assert_eq!(outcomes[3].result, Err(CaseFailure::Timeout));
    assert!(started.elapsed() < Duration::from_secs(30));
}
