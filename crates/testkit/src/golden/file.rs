use std::{fs, path::Path};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Error, Result, fixture};

/// Loads a fixture that is JSON of any shape.
///
/// # Errors
/// [`Error::Read`] or [`Error::Shape`].
pub fn load_json<T: DeserializeOwned>(relative: &str) -> Result<T> {
    let path = fixture(relative);
    load(&path)
}

pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Shape {
        path: path.to_owned(),
        source,
    })
}

/// One file of golden vectors: what a function of an original system answered.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenFile {
    /// The original system.
    pub system: String,
    /// The function that was run.
    pub function: String,
    /// Its answers.
    pub cases: Vec<GoldenCase>,
    /// The file's other fields, such as its encoding or its tolerance.
    pub rest: Map<String, Value>,
}

impl GoldenFile {
    /// Loads the file under `fixtures/`.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Shape`] or [`Error::Layout`].
    pub fn load(relative: &str) -> Result<Self> {
        Self::open(&fixture(relative))
    }

    /// Loads the file at the path.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Shape`] or [`Error::Layout`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_value(load(path)?).ok_or_else(|| Error::Layout {
            path: path.to_owned(),
        })
    }

    fn from_value(value: Value) -> Option<Self> {
        let Value::Object(mut rest) = value else {
            return None;
        };
        let text = |value: Option<Value>| value?.as_str().map(str::to_owned);
        let system = text(rest.remove("system"))?;
        let function = text(rest.remove("fn"))?;
        let Some(Value::Array(cases)) = rest.remove("cases") else {
            return None;
        };
        let cases = cases.into_iter().enumerate();
        Some(Self {
            system,
            function,
            cases: cases
                .map(|(index, case)| GoldenCase::from_value(index, case))
                .collect::<Option<_>>()?,
            rest,
        })
    }
}

/// One question and the original's answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GoldenCase {
    /// Its name, unique in the file; its number where the file gives it none.
    pub id: String,
    /// What the function was given (`input`, in some files `in`).
    pub input: Value,
    /// What it answered, or `{"raises": …}` (`expected`, in some files `out`).
    pub expected: Value,
    /// The absolute tolerance of this case, where it has its own.
    pub tol: Option<Real>,
    /// A remark on the case, such as that it records a defect.
    pub note: Option<String>,
    /// The case's other fields.
    pub rest: Map<String, Value>,
}

impl GoldenCase {
    fn from_value(index: usize, value: Value) -> Option<Self> {
        let Value::Object(mut rest) = value else {
            return None;
        };
        let mut either = |name: &str, other: &str| {
            let found = rest.remove(name).or_else(|| rest.remove(other));
            found.unwrap_or_default()
        };
        let (input, expected) = (either("input", "in"), either("expected", "out"));
        let id = match rest.remove("id") {
            None | Some(Value::Null) => index.to_string(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };
        let tol = match rest.remove("tol") {
            None | Some(Value::Null) => None,
            Some(tol) => Some(serde_json::from_value(tol).ok()?),
        };
        let note = rest.remove("note");
        Some(Self {
            id,
            input,
            expected,
            tol,
            note: note.and_then(|note| note.as_str().map(str::to_owned)),
            rest,
        })
    }

    /// What the original raised, where it raised something instead of answering.
    pub fn raises(&self) -> Option<&str> {
        self.expected.get("raises").and_then(Value::as_str)
    }

    /// The input as a type of the test.
    ///
    /// # Errors
    /// What serde found different.
    pub fn input_as<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.input)
    }

    /// The expected answer as a type of the test.
    ///
    /// # Errors
    /// What serde found different.
    pub fn expected_as<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.expected)
    }
}

/// A float of a golden file, where those that JSON cannot write are the strings `NaN`,
/// `Infinity` and `-Infinity`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Real(pub f64);

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let value = Value::deserialize(deserializer)?;
        match &value {
            Value::Number(number) => number
                .as_f64()
                .map(Self)
                .ok_or_else(|| D::Error::custom("a number beyond f64")),
            Value::String(text) => match text.as_str() {
                "NaN" => Ok(Self(f64::NAN)),
                "Infinity" => Ok(Self(f64::INFINITY)),
                "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
                _ => Err(D::Error::custom("text that names no float")),
            },
            _ => Err(D::Error::custom("neither a number nor a named float")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_golden_file() {
        let text = r#"{"system": "omega", "fn": "f", "encoding": "x", "cases": [
            {"id": "a", "input": [1, "NaN", "-Infinity"], "expected": "Infinity", "tol": 1e-6},
            {"id": 7, "input": {}, "expected": {"raises": "ValueError"}, "note": "quirk"}]}"#;
        let file = GoldenFile::from_value(serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(
            (file.system.as_str(), file.function.as_str()),
            ("omega", "f")
        );
        assert_eq!(file.rest["encoding"], "x");
        let input: Vec<Real> = file.cases[0].input_as().unwrap();
        assert!(input[0].0 == 1.0 && input[1].0.is_nan());
        assert_eq!(input[2], Real(f64::NEG_INFINITY));
        assert_eq!(
            file.cases[0].expected_as::<Real>().unwrap(),
            Real(f64::INFINITY)
        );
        assert_eq!(file.cases[0].tol, Some(Real(1e-6)));
        assert_eq!(file.cases[0].raises(), None);
        assert_eq!(file.cases[1].id, "7");
        assert_eq!(file.cases[1].raises(), Some("ValueError"));
        assert_eq!(file.cases[1].note.as_deref(), Some("quirk"));
        assert!(serde_json::from_str::<Real>("\"nan\"").is_err());
        assert!(serde_json::from_str::<Real>("[]").is_err());
    }

    #[test]
    fn reads_cases_that_are_named_in_and_out() {
        let text = r#"{"system": "curate", "fn": "f", "cases": [{"in": 1, "out": {"ok": 2}}]}"#;
        let file = GoldenFile::from_value(serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(file.cases[0].id, "0");
        assert_eq!(file.cases[0].input, 1);
        assert_eq!(file.cases[0].expected["ok"], 2);
    }

    #[test]
    fn says_which_fixture_is_missing_or_misshapen() {
        assert!(matches!(
            GoldenFile::load("no/such.json"),
            Err(Error::Read { path, .. }) if path.ends_with("fixtures/no/such.json")
        ));
        assert!(matches!(
            GoldenFile::load("golden/chain/wallet.json"),
            Err(Error::Layout { .. })
        ));
        assert!(matches!(
            GoldenFile::load("chain/PROVENANCE.md"),
            Err(Error::Shape { .. })
        ));
    }
}
