use sha3::{Digest, Sha3_256};

use super::{
    fault::SynapseError,
    json::write_json,
    print::py_str,
    schema::SynapseSchema,
    terminal::{TerminalInfo, cast_float, cast_int},
    value::{PyInt, PyValue},
};

/// Seconds a caller waits when it says nothing.
pub const DEFAULT_TIMEOUT: f64 = 12.0;

/// A whole synapse: the fields that every synapse has, and those its schema declares.
#[derive(Debug, Clone, PartialEq)]
pub struct SynapseBody {
    /// Name of the class.
    pub name: String,
    /// Seconds the caller waits.
    pub timeout: Option<f64>,
    /// What Python says the whole takes in memory; informs only.
    pub total_size: i64,
    /// What Python says the headers take in memory; informs only.
    pub header_size: i64,
    /// The caller.
    pub dendrite: TerminalInfo,
    /// The callee.
    pub axon: TerminalInfo,
    /// Empty in bodies: the hash travels as a header.
    pub computed_body_hash: String,
    fields: Vec<(String, PyValue)>,
}

impl SynapseBody {
    /// The declared field of this name.
    pub fn field(&self, name: &str) -> Option<&PyValue> {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Sets a declared field, without a check of its type; false when it is not declared.
    pub fn set(&mut self, name: &str, value: impl Into<PyValue>) -> bool {
        let known = self.fields.iter_mut().find(|(known, _)| known == name);
        let found = known.is_some();
        if let Some((_, old)) = known {
            *old = value.into();
        }
        found
    }

    /// The declared fields, in order.
    pub fn fields(&self) -> &[(String, PyValue)] {
        &self.fields
    }

    /// The declared fields as one object.
    pub fn to_object(&self) -> PyValue {
        let pairs = self.fields.iter().cloned();
        PyValue::Dict(pairs.map(|(name, value)| (name.into(), value)).collect())
    }

    /// The JSON that goes over the wire.
    pub fn to_json(&self) -> String {
        let base = [
            ("name", PyValue::Str(self.name.clone())),
            (
                "timeout",
                self.timeout.map_or(PyValue::None, PyValue::Float),
            ),
            ("total_size", self.total_size.into()),
            ("header_size", self.header_size.into()),
            ("dendrite", self.dendrite.to_value()),
            ("axon", self.axon.to_value()),
            (
                "computed_body_hash",
                self.computed_body_hash.as_str().into(),
            ),
        ];
        let base = base.map(|(name, value)| (PyValue::from(name), value));
        let own = self.fields.iter();
        let own = own.map(|(name, value)| (name.as_str().into(), value.clone()));
        write_json(&PyValue::Dict(base.into_iter().chain(own).collect()))
    }
}

impl SynapseSchema {
    /// Reads a parsed body, coercing every field as Pydantic does; what is not declared is left
    /// out. `dendrite` and `axon` are what the sender wrote: never read an identity from them.
    ///
    /// # Errors
    /// [`SynapseError`] naming the first field that does not fit.
    pub fn read(&self, body: &PyValue) -> Result<SynapseBody, SynapseError> {
        let fields = self.read_fields(body)?;
        let malformed = |header: &str| SynapseError::Header {
            header: header.to_owned(),
        };
        let number = |name: &str| match body.get(name) {
            None | Some(PyValue::None) => Ok(0),
            Some(value) => cast_int(value)
                .as_ref()
                .and_then(PyInt::to_i64)
                .ok_or_else(|| malformed(name)),
        };
        let timeout = match body.get("timeout") {
            None => Some(DEFAULT_TIMEOUT),
            Some(PyValue::None) => None,
            Some(value) => Some(cast_float(value).ok_or_else(|| malformed("timeout"))?),
        };
        let computed_body_hash = match body.get("computed_body_hash") {
            None | Some(PyValue::None) => String::new(),
            Some(PyValue::Str(text)) => text.clone(),
            Some(_) => return Err(malformed("computed_body_hash")),
        };
        let terminal = |whose: &str| {
            body.get(whose).map_or_else(
                || Ok(TerminalInfo::default()),
                |value| TerminalInfo::read(value, whose),
            )
        };
        Ok(SynapseBody {
            name: self.name().to_owned(),
            timeout,
            total_size: number("total_size")?,
            header_size: number("header_size")?,
            dendrite: terminal("dendrite")?,
            axon: terminal("axon")?,
            computed_body_hash,
            fields,
        })
    }

    /// The body hash: SHA3-256 over the joined SHA3-256 digests (lower-case hexadecimal) of the
    /// printed values of the hashed fields.
    ///
    /// # Errors
    /// [`SynapseError::UnknownHashField`]; [`SynapseError::UnorderedHashField`].
    pub fn body_hash(&self, body: &SynapseBody) -> Result<String, SynapseError> {
        let mut joined = String::with_capacity(64 * self.hashed().len());
        for field in self.hashed() {
            joined.push_str(&text_hash(&self.hashed_text(body, field)?));
        }
        Ok(text_hash(&joined))
    }

    /// The text of one field that the body hash covers: Python's `str()` of its value.
    ///
    /// # Errors
    /// [`SynapseError::UnknownHashField`]; [`SynapseError::UnorderedHashField`].
    pub fn hashed_text(&self, body: &SynapseBody, field: &str) -> Result<String, SynapseError> {
        let base = match field {
            "name" => Some(PyValue::Str(body.name.clone())),
            "timeout" => Some(body.timeout.map_or(PyValue::None, PyValue::Float)),
            "total_size" => Some(body.total_size.into()),
            "header_size" => Some(body.header_size.into()),
            "dendrite" => Some(body.dendrite.to_value()),
            "axon" => Some(body.axon.to_value()),
            "computed_body_hash" => Some(body.computed_body_hash.as_str().into()),
            _ => body.field(field).cloned(),
        };
        let value = base.ok_or_else(|| SynapseError::UnknownHashField {
            field: field.to_owned(),
        })?;
        if holds_large_set(&value) {
            return Err(SynapseError::UnorderedHashField {
                field: field.to_owned(),
            });
        }
        Ok(py_str(&value))
    }
}

fn holds_large_set(value: &PyValue) -> bool {
    match value {
        PyValue::Set(items) => items.len() > 1 || items.iter().any(holds_large_set),
        PyValue::List(items) | PyValue::Tuple(items) => items.iter().any(holds_large_set),
        PyValue::Dict(entries) => entries.iter().any(|(_, value)| holds_large_set(value)),
        _ => false,
    }
}

/// SHA3-256 (FIPS 202) of a text, as 64 lower-case hexadecimal digits.
pub fn text_hash(text: &str) -> String {
    hex::encode(Sha3_256::digest(text.as_bytes()))
}
