//! Runs a Python file on inputs, each line of standard input one JSON value, in the sandbox:
//! `echo '"[1, 2]"' | cargo run -p adit-sandbox --example run_python -- submission.py solve`

use std::{io::Read, time::Duration};

use adit_sandbox::{Limits, PythonCase, PythonPool, PythonProgram, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), function) = (arguments.next(), arguments.next()) else {
        return Err("usage: run_python FILE [FUNCTION] < INPUTS".into());
    };
    let mut inputs = String::new();
    std::io::stdin().read_to_string(&mut inputs)?;
    let cases: Result<Vec<PythonCase>, serde_json::Error> = inputs
        .lines()
        .map(|line| {
            Ok(PythonCase {
                input: serde_json::from_str(line)?,
                timeout: Duration::from_secs(2),
            })
        })
        .collect();
    let program = PythonProgram {
        source: std::fs::read_to_string(file)?,
        function: function.unwrap_or_else(|| "solve".to_owned()),
        cases: cases?,
    };
    let pool = PythonPool::new(Sandbox::new()?, Limits::tight(), 0)?;
    #[expect(clippy::print_stdout, reason = "the answers are what this is for")]
    for outcome in pool.run(&program).await? {
        let millis = outcome.wall.as_millis();
        match outcome.result {
            Ok(output) => println!("{output}    # {millis} ms"),
            Err(failure) => println!("# {failure}, {millis} ms"),
        }
    }
    Ok(())
}
