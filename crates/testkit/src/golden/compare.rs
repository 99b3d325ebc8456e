use serde_json::Value;

use super::{GoldenCase, GoldenFile};

/// How far a number may be from the recorded one: `|found - expected| <= abs + rel * |expected|`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tolerance {
    /// The absolute part.
    pub abs: f64,
    /// The part of the expected value.
    pub rel: f64,
}

impl Tolerance {
    /// Equal to the last digit.
    pub const EXACT: Self = Self { abs: 0.0, rel: 0.0 };

    /// An absolute tolerance.
    pub fn absolute(abs: f64) -> Self {
        Self { abs, rel: 0.0 }
    }

    /// The tolerance of a case: its own, else its file's, else none. A file states it as
    /// `{"abs": …, "rel": …}`; sentences are for the handler to read.
    pub fn of(file: &GoldenFile, case: &GoldenCase) -> Self {
        if let Some(own) = case.tol {
            return Self::absolute(own.0);
        }
        let part = |name: &str| {
            let stated = case.rest.get("tolerance").or(file.rest.get("tolerance"));
            stated
                .and_then(|stated| stated.get(name))
                .and_then(Value::as_f64)
                .unwrap_or(0.0)
        };
        Self {
            abs: part("abs"),
            rel: part("rel"),
        }
    }

    /// Whether a number is near enough. Non-finite numbers must be the same one.
    pub fn accepts(self, found: f64, expected: f64) -> bool {
        if !found.is_finite() || !expected.is_finite() {
            return (found.is_nan() && expected.is_nan()) || found == expected;
        }
        (found - expected).abs() <= self.abs + self.rel * expected.abs()
    }
}

/// A float as golden files write it: a number, or the name of one that JSON lacks.
pub fn real(number: f64) -> Value {
    if number.is_nan() {
        Value::from("NaN")
    } else if number == f64::INFINITY {
        Value::from("Infinity")
    } else if number == f64::NEG_INFINITY {
        Value::from("-Infinity")
    } else {
        Value::from(number)
    }
}

/// Where two values differ, or nothing: numbers by the tolerance (`1` and `1.0` are the same),
/// everything else exactly. Only the first difference is told.
pub fn difference(found: &Value, expected: &Value, tolerance: Tolerance) -> Option<String> {
    at(found, expected, tolerance, &mut String::new())
}

fn at(found: &Value, expected: &Value, tolerance: Tolerance, path: &mut String) -> Option<String> {
    let told = |path: &str, found: &Value, expected: &Value| {
        let place = if path.is_empty() { "the answer" } else { path };
        Some(format!(
            "{place} is {}, expected {}",
            short(found),
            short(expected)
        ))
    };
    match (found, expected) {
        (Value::Array(found_items), Value::Array(items)) => {
            if found_items.len() != items.len() {
                return told(path, found, expected);
            }
            let mut pairs = found_items.iter().zip(items).enumerate();
            pairs.find_map(|(index, (found, expected))| {
                within(path, &format!("[{index}]"), |path| {
                    at(found, expected, tolerance, path)
                })
            })
        }
        (Value::Object(found_fields), Value::Object(fields)) => {
            if !found_fields.keys().eq(fields.keys()) {
                let mut names: [Vec<&String>; 2] =
                    [found_fields.keys().collect(), fields.keys().collect()];
                names.iter_mut().for_each(|names| names.sort());
                if names[0] != names[1] {
                    return told(path, found, expected);
                }
            }
            fields.iter().find_map(|(name, expected)| {
                within(path, &format!(".{name}"), |path| {
                    at(&found_fields[name.as_str()], expected, tolerance, path)
                })
            })
        }
        _ => {
            if found == expected {
                return None;
            }
            match (number(found), number(expected)) {
                (Some(a), Some(b)) if tolerance.accepts(a, b) => None,
                _ => told(path, found, expected),
            }
        }
    }
}

fn within<T>(path: &mut String, step: &str, work: impl FnOnce(&mut String) -> T) -> T {
    let before = path.len();
    path.push_str(step);
    let result = work(path);
    path.truncate(before);
    result
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tells_the_first_difference() {
        let tolerance = Tolerance::absolute(1e-6);
        let same = |a: Value, b: Value| difference(&a, &b, tolerance);
        assert_eq!(same(json!({"a": [1, 2.0]}), json!({"a": [1.0, 2]})), None);
        assert_eq!(same(json!(["NaN", 1.000_000_5]), json!(["NaN", 1])), None);
        assert_eq!(
            same(json!({"a": [1, 2]}), json!({"a": [1, 3]})).unwrap(),
            "the answer.a[1] is 2, expected 3".replace("the answer", "")
        );
        assert!(same(json!("NaN"), json!(1.0)).is_some());
        assert!(same(json!([1]), json!([1, 1])).is_some());
        assert!(same(json!({"a": 1}), json!({"b": 1})).is_some());
        assert!(same(json!(true), json!(1)).is_some());
        assert!(same(json!(null), json!(0)).is_some());
    }

    #[test]
    fn infinities_are_equal_only_to_themselves() {
        let wide = Tolerance::absolute(f64::INFINITY);
        assert!(wide.accepts(f64::INFINITY, f64::INFINITY));
        assert!(!wide.accepts(f64::INFINITY, 1.0));
        assert!(!wide.accepts(f64::NAN, 1.0));
        let relative = Tolerance { abs: 0.0, rel: 0.1 };
        assert!(relative.accepts(1.09, 1.0) && !relative.accepts(1.11, 1.0));
    }
}
