use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    body::SynapseBody,
    coerce::{coerce, float_of_text},
    fault::SynapseError,
    json::{read_json, write_json},
    print::float_repr,
    schema::SynapseSchema,
    terminal::TerminalInfo,
    value::{PyInt, PyValue},
};

const AXON: &str = "bt_header_axon_";
const DENDRITE: &str = "bt_header_dendrite_";
const INPUT: &str = "bt_header_input_obj_";

/// What the headers of a request or an answer say.
///
/// Only a request's headers are signed, and of those only the caller's nonce, hotkey and uuid and
/// the body hash; see [`super::signed_message`].
#[derive(Debug, Clone, PartialEq)]
pub struct SynapseHead {
    /// Name of the class.
    pub name: String,
    /// Seconds the caller waits; not signed.
    pub timeout: Option<f64>,
    /// The callee.
    pub axon: TerminalInfo,
    /// The caller, not yet believed.
    pub dendrite: TerminalInfo,
    /// Zero values of the required fields, by field.
    pub inputs: Vec<(String, PyValue)>,
    /// SHA3-256 over the hashed fields.
    pub computed_body_hash: Option<String>,
}

impl SynapseHead {
    /// A head that says nothing but its name.
    pub fn empty(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            timeout: None,
            axon: TerminalInfo::default(),
            dendrite: TerminalInfo::default(),
            inputs: Vec::new(),
            computed_body_hash: None,
        }
    }

    /// Reads headers as Python's `from_headers` does, leaving out what it does not know. Names are
    /// compared as given; HTTP servers hand them over in lower case.
    ///
    /// # Errors
    /// [`SynapseError::Header`] where a number is none.
    pub fn parse<'h>(
        name: &str,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    ) -> Result<Self, SynapseError> {
        let mut head = Self::empty(name);
        let of = |header: &str| SynapseError::Header {
            header: header.to_owned(),
        };
        for (header, text) in headers {
            if let Some(field) = after(header, AXON) {
                head.axon.set_text(field, text).map_err(|_| of(header))?;
            } else if let Some(field) = after(header, DENDRITE) {
                head.dendrite
                    .set_text(field, text)
                    .map_err(|_| of(header))?;
            } else if let Some(field) = after(header, INPUT) {
                if let Some(value) = decoded(text) {
                    head.inputs.push((field.to_owned(), value));
                }
            } else if header == "timeout" {
                head.timeout = Some(float_of_text(text).ok_or_else(|| of(header))?);
            } else if matches!(header, "header_size" | "total_size") {
                // They inform only, but a wrong one is wrong in Python too.
                PyInt::parse(text).ok_or_else(|| of(header))?;
            } else if header == "computed_body_hash" {
                head.computed_body_hash = Some(text.to_owned());
            }
        }
        Ok(head)
    }

    /// Checks that the zero values of all required fields are there and have their types, without
    /// which a Python axon cannot make the object it judges.
    ///
    /// # Errors
    /// [`SynapseError::MissingField`] or [`SynapseError::FieldType`].
    pub fn check_inputs(&self, schema: &SynapseSchema) -> Result<(), SynapseError> {
        for field in schema.fields() {
            let given = self.inputs.iter().find(|(name, _)| *name == field.name);
            match given {
                Some((_, value)) => {
                    coerce(&field.kind, value, &field.name)?;
                }
                None if field.default.is_none() => {
                    return Err(SynapseError::MissingField {
                        field: field.name.clone(),
                    });
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The head that belongs to a body: its name, timeout and terminals, the zero values of the
    /// required fields, and the given hash.
    ///
    /// # Errors
    /// [`SynapseError::FieldType`] when a required field holds a value that has no zero: bytes.
    pub fn of(
        schema: &SynapseSchema,
        body: &SynapseBody,
        computed_body_hash: Option<String>,
    ) -> Result<Self, SynapseError> {
        let mut inputs = Vec::new();
        for field in schema
            .fields()
            .iter()
            .filter(|field| field.default.is_none())
        {
            let value = body.field(&field.name).unwrap_or(&PyValue::None);
            if *value == PyValue::None {
                continue;
            }
            let zero = zero_of(value).ok_or_else(|| SynapseError::FieldType {
                field: field.name.clone(),
                expected: "JSON value".to_owned(),
                found: value.type_name(),
            })?;
            inputs.push((field.name.clone(), zero));
        }
        Ok(Self {
            name: schema.name().to_owned(),
            timeout: body.timeout,
            axon: body.axon.clone(),
            dendrite: body.dendrite.clone(),
            inputs,
            computed_body_hash,
        })
    }

    /// The headers, in lower case as the Python client looks them up. Values that HTTP cannot carry
    /// are left out by whoever sends them.
    pub fn to_pairs(&self) -> Vec<(String, String)> {
        let timeout = self.timeout.map_or_else(|| "None".to_owned(), float_repr);
        let mut pairs = vec![
            ("name".to_owned(), self.name.clone()),
            ("timeout".to_owned(), timeout),
        ];
        for (prefix, terminal) in [(AXON, &self.axon), (DENDRITE, &self.dendrite)] {
            let texts = terminal.texts().into_iter();
            pairs.extend(texts.map(|(field, text)| (format!("{prefix}{field}"), text)));
        }
        for (field, value) in &self.inputs {
            pairs.push((format!("{INPUT}{field}"), encoded(value)));
        }
        if let Some(hash) = &self.computed_body_hash {
            pairs.push(("computed_body_hash".to_owned(), hash.clone()));
        }
        pairs
    }
}

/// The field named after a prefix, which Python finds anywhere in the name.
fn after<'h>(header: &'h str, prefix: &str) -> Option<&'h str> {
    header.split(prefix).nth(1)
}

fn decoded(text: &str) -> Option<PyValue> {
    read_json(&STANDARD.decode(text).ok()?).ok()
}

/// The base64 of a value's JSON, as `bt_header_input_obj_…` carries it: `""` is `IiI=`.
pub fn encoded(value: &PyValue) -> String {
    STANDARD.encode(write_json(value))
}

/// The zero value of a value's Python type, which stands for it in the headers; `None` for bytes
/// and sets, which JSON cannot write.
pub fn zero_of(value: &PyValue) -> Option<PyValue> {
    Some(match value {
        PyValue::None => PyValue::None,
        PyValue::Bool(_) => PyValue::Bool(false),
        PyValue::Int(_) => 0_i64.into(),
        PyValue::Float(_) => PyValue::Float(0.0),
        PyValue::Str(_) => PyValue::Str(String::new()),
        PyValue::List(_) | PyValue::Tuple(_) => PyValue::List(Vec::new()),
        PyValue::Dict(_) => PyValue::Dict(Vec::new()),
        PyValue::Bytes(_) | PyValue::Set(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_headers_are_read_or_refused(
            headers in proptest::collection::vec(("(bt_header_(axon|dendrite|input_obj)_)?[a-z_]{0,12}", any::<String>()), 0..8),
        ) {
            let pairs = headers.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            let _ = SynapseHead::parse("Any", pairs);
        }

        #[test]
        fn what_is_written_is_read_back(
            nonce in any::<u64>(),
            port in any::<i64>(),
            time in 0.0..1e9_f64,
            text in "[ -~]{0,20}",
        ) {
            let terminal = TerminalInfo {
                status_code: Some(200),
                status_message: Some(text.clone()),
                process_time: Some(time),
                port: Some(port),
                nonce: Some(nonce),
                ..Default::default()
            };
            let head = SynapseHead {
                name: "Any".into(),
                timeout: Some(time),
                axon: terminal.clone(),
                dendrite: terminal,
                inputs: vec![("a".into(), PyValue::Float(0.0)), ("b".into(), text.into())],
                computed_body_hash: Some("ab".into()),
            };
            let pairs = head.to_pairs();
            let pairs = pairs.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            prop_assert_eq!(SynapseHead::parse("Any", pairs).unwrap(), head);
        }
    }
}
