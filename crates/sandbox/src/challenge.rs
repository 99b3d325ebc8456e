//! Challenges of test cases: code out of an answer, run on inputs, compared with what was expected.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CaseFailure, CaseOutcome, PythonCase, PythonPool, PythonProgram, Result};

/// The time of a case that names none, as in the field.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A test case in the field's format, `{"input_code": …, "expected_output": …}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestCase {
    /// The input, as [`PythonCase::input`].
    pub input_code: Value,
    /// What the function should return.
    pub expected_output: Value,
    /// Milliseconds on the wall; 30 s when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// When an output counts as the expected one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Comparison {
    /// The same JSON value; 1 and 1.0 are the same number, 1 and true are not.
    Value,
    /// As [`Comparison::Value`], but numbers may differ by this much, absolutely.
    Within(f64),
    /// The same text, white space around it and at the ends of lines aside. Other values are
    /// compared by value.
    Text,
}

/// The outcome of a case, and whether it passed.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseVerdict {
    /// What happened.
    pub outcome: CaseOutcome,
    /// Whether the output is the expected one.
    pub passed: bool,
}

/// Runs a submission on test cases. The expected outputs never enter the sandbox.
///
/// # Errors
/// As for [`PythonPool::run`].
pub async fn run_test_cases(
    pool: &PythonPool,
    answer: &str,
    function: &str,
    cases: &[TestCase],
    comparison: Comparison,
) -> Result<Vec<CaseVerdict>> {
    let program = PythonProgram {
        source: extract_code(answer).to_owned(),
        function: function.to_owned(),
        cases: cases
            .iter()
            .map(|case| PythonCase {
                input: case.input_code.clone(),
                timeout: case.timeout_ms.map_or(TIMEOUT, Duration::from_millis),
            })
            .collect(),
    };
    let outcomes = pool.run(&program).await?;
    Ok(outcomes
        .into_iter()
        .zip(cases)
        .map(|(outcome, case)| CaseVerdict {
            passed: outcome
                .result
                .as_ref()
                .is_ok_and(|output| comparison.accepts(output, &case.expected_output)),
            outcome,
        })
        .collect())
}

/// The code in an answer: the first fenced block, without the line that names the language, or all of
/// it when there are fewer than two fences.
///
/// ```
/// use adit_sandbox::extract_code;
///
/// assert_eq!(extract_code("So:\n```python\nx = 1\n```\nDone."), "x = 1\n");
/// assert_eq!(extract_code("  x = 1 "), "x = 1");
/// ```
pub fn extract_code(answer: &str) -> &str {
    let answer = answer.trim();
    let mut parts = answer.split("```");
    let (Some(_), Some(block), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return answer;
    };
    match block.split_once('\n') {
        Some((first, rest)) if names_python(first) => rest,
        _ => block,
    }
}

fn names_python(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.eq_ignore_ascii_case("python") || line.eq_ignore_ascii_case("py")
}

impl Comparison {
    /// Whether an output counts as the expected one.
    pub fn accepts(self, output: &Value, expected: &Value) -> bool {
        match (output, expected) {
            (Value::Number(output), Value::Number(expected)) => {
                if output == expected {
                    return true;
                }
                let (Some(output), Some(expected)) = (output.as_f64(), expected.as_f64()) else {
                    return false;
                };
                match self {
                    Self::Within(tolerance) => (output - expected).abs() <= tolerance,
                    // Whole numbers beyond 2^53 are the same only if they were equal above.
                    _ => output == expected && output.abs() < 9_007_199_254_740_992.0,
                }
            }
            (Value::String(output), Value::String(expected)) if self == Self::Text => {
                let lines = |text: &str| -> Vec<String> {
                    let lines = text.trim().lines();
                    lines.map(|line| line.trim_end().to_owned()).collect()
                };
                lines(output) == lines(expected)
            }
            (Value::Array(output), Value::Array(expected)) => {
                output.len() == expected.len()
                    && output
                        .iter()
                        .zip(expected)
                        .all(|(output, expected)| self.accepts(output, expected))
            }
            (Value::Object(output), Value::Object(expected)) => {
                output.len() == expected.len()
                    && expected.iter().all(|(key, expected)| {
                        output
                            .get(key)
                            .is_some_and(|output| self.accepts(output, expected))
                    })
            }
            _ => output == expected,
        }
    }
}

/// The field's form of an outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExecuteResponse {
    /// Whether the function returned.
    pub success: bool,
    /// What it returned.
    pub output: Value,
    /// Why it did not.
    pub error: Option<String>,
    /// Whether its time was over.
    pub timeout: bool,
}

impl From<CaseOutcome> for ExecuteResponse {
    fn from(outcome: CaseOutcome) -> Self {
        let timeout = outcome.result == Err(CaseFailure::Timeout);
        let error = outcome.result.as_ref().err().map(ToString::to_string);
        Self {
            success: outcome.result.is_ok(),
            output: outcome.result.unwrap_or(Value::Null),
            error,
            timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_as_json() {
        let same = |a: Value, b: Value| Comparison::Value.accepts(&a, &b);
        assert!(same(json!(1), json!(1.0)));
        assert!(!same(json!(1), json!(true)));
        assert!(!same(
            json!(9_007_199_254_740_993_i64),
            json!(9_007_199_254_740_992.0)
        ));
        assert!(same(json!({"a": [1, 2.0]}), json!({"a": [1.0, 2]})));
        assert!(!same(json!({"a": 1, "b": 2}), json!({"a": 1})));
        assert!(!same(json!([1]), json!([1, 2])));
        assert!(!same(json!("a "), json!("a")));
        assert!(Comparison::Text.accepts(&json!(" a \nb\n"), &json!("a\nb")));
        assert!(!Comparison::Text.accepts(&json!("a b"), &json!("ab")));
        assert!(Comparison::Within(0.1).accepts(&json!([1.05]), &json!([1])));
        assert!(!Comparison::Within(0.1).accepts(&json!([1.2]), &json!([1])));
    }

    #[test]
    fn code_is_found_between_fences() {
        assert_eq!(extract_code("```PY\na\n```\n```python\nb\n```"), "a\n");
        assert_eq!(extract_code("``````"), "");
        assert_eq!(extract_code("```python3\na```"), "python3\na");
    }
}
