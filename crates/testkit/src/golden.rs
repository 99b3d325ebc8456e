use std::{fs, path::Path};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, Result, fixture};

/// Loads a fixture that is JSON of any shape.
///
/// # Errors
/// [`Error::Read`] or [`Error::Shape`].
pub fn load_json<T: DeserializeOwned>(relative: &str) -> Result<T> {
    let path = fixture(relative);
    load(&path)
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<T> {
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GoldenFile {
    /// The original system.
    pub system: String,
    /// The function that was run.
    #[serde(rename = "fn")]
    pub function: String,
    /// Its answers.
    pub cases: Vec<GoldenCase>,
    /// The file's other fields, such as its encoding or its tolerance.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

impl GoldenFile {
    /// Loads the file under `fixtures/`.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Shape`].
    pub fn load(relative: &str) -> Result<Self> {
        load_json(relative)
    }
}

/// One question and the original's answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GoldenCase {
    /// Its name, unique in the file. Some files number their cases instead.
    #[serde(default, deserialize_with = "text_or_number")]
    pub id: String,
    /// What the function was given.
    #[serde(default)]
    pub input: Value,
    /// What it answered, or `{"raises": …}`.
    #[serde(default)]
    pub expected: Value,
    /// The absolute tolerance of this case, where it has its own.
    #[serde(default)]
    pub tol: Option<Real>,
    /// A remark on the case, such as that it records a defect.
    #[serde(default)]
    pub note: Option<String>,
    /// The case's other fields.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

impl GoldenCase {
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

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
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
        let file: GoldenFile = serde_json::from_str(text).unwrap();
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
    fn says_which_fixture_is_missing_or_misshapen() {
        assert!(matches!(
            GoldenFile::load("no/such.json"),
            Err(Error::Read { path, .. }) if path.ends_with("fixtures/no/such.json")
        ));
        assert!(matches!(
            GoldenFile::load("chain/wallet.json"),
            Err(Error::Shape { .. })
        ));
    }
}
