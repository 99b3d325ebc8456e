use super::{
    coerce::float_of_text,
    fault::SynapseError,
    print::float_repr,
    value::{PyInt, PyValue},
};

/// What a message says of one of its two ends: the caller (`dendrite`) or the callee (`axon`).
///
/// Where it comes from decides what it is worth: an [`super::Axon`] fills the caller's in from
/// verified headers, and everything else is what the other side wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TerminalInfo {
    /// HTTP status code.
    pub status_code: Option<i64>,
    /// What the status is about.
    pub status_message: Option<String>,
    /// Seconds spent.
    pub process_time: Option<f64>,
    /// Address, without port.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<i64>,
    /// The SDK's version, see [`super::version_as_int`].
    pub version: Option<i64>,
    /// Nanoseconds since the Unix epoch, strictly rising for each `uuid`.
    pub nonce: Option<u64>,
    /// Names the end's process, or one lane of its requests.
    pub uuid: Option<String>,
    /// SS58 address of the hotkey.
    pub hotkey: Option<String>,
    /// `0x` and 128 hexadecimal digits.
    pub signature: Option<String>,
}

impl TerminalInfo {
    /// Sets a field from a header's text, as Python's `int()` and `float()` read it; an unknown
    /// field changes nothing.
    pub(super) fn set_text(&mut self, field: &str, text: &str) -> Result<(), SynapseError> {
        self.set(field, &PyValue::Str(text.to_owned()))
    }

    /// Reads a body's `dendrite` or `axon`.
    pub(super) fn read(value: &PyValue, whose: &str) -> Result<Self, SynapseError> {
        let mut read = Self::default();
        match value {
            PyValue::None => {}
            PyValue::Dict(entries) => {
                for (field, value) in entries {
                    read.set(field.as_str().unwrap_or_default(), value)?;
                }
            }
            _ => {
                return Err(SynapseError::Header {
                    header: whose.to_owned(),
                });
            }
        }
        Ok(read)
    }

    fn set(&mut self, field: &str, value: &PyValue) -> Result<(), SynapseError> {
        let malformed = || SynapseError::Header {
            header: field.to_owned(),
        };
        if *value == PyValue::None {
            return Ok(());
        }
        let int = || cast_int(value).ok_or_else(malformed);
        let small = || int().and_then(|number| number.to_i64().ok_or_else(malformed));
        let text = || value.as_str().map(str::to_owned).ok_or_else(malformed);
        match field {
            "status_code" => self.status_code = Some(small()?),
            "status_message" => self.status_message = Some(text()?),
            "process_time" => self.process_time = Some(cast_float(value).ok_or_else(malformed)?),
            "ip" => self.ip = Some(text()?),
            "port" => self.port = Some(small()?),
            "version" => self.version = Some(small()?),
            "nonce" => self.nonce = Some(int()?.to_u64().ok_or_else(malformed)?),
            "uuid" => self.uuid = Some(text()?),
            "hotkey" => self.hotkey = Some(text()?),
            "signature" => self.signature = Some(text()?),
            _ => {}
        }
        Ok(())
    }

    /// The fields that are set, by name, as text.
    pub(super) fn texts(&self) -> Vec<(&'static str, String)> {
        let int = |number: Option<i64>| number.map(|number| number.to_string());
        let all = [
            ("status_code", int(self.status_code)),
            ("status_message", self.status_message.clone()),
            ("process_time", self.process_time.map(float_repr)),
            ("ip", self.ip.clone()),
            ("port", int(self.port)),
            ("version", int(self.version)),
            ("nonce", self.nonce.map(|nonce| nonce.to_string())),
            ("uuid", self.uuid.clone()),
            ("hotkey", self.hotkey.clone()),
            ("signature", self.signature.clone()),
        ];
        all.into_iter()
            .filter_map(|(field, text)| Some((field, text?)))
            .collect()
    }

    /// The object that stands in a body.
    pub fn to_value(&self) -> PyValue {
        let int = |number: Option<i64>| number.map_or(PyValue::None, PyValue::from);
        let text = |text: &Option<String>| {
            text.as_deref()
                .map_or(PyValue::None, |text| PyValue::Str(text.to_owned()))
        };
        let nonce = self
            .nonce
            .map(PyInt::from)
            .map_or(PyValue::None, PyValue::Int);
        let entries = [
            ("status_code", int(self.status_code)),
            ("status_message", text(&self.status_message)),
            (
                "process_time",
                self.process_time.map_or(PyValue::None, PyValue::Float),
            ),
            ("ip", text(&self.ip)),
            ("port", int(self.port)),
            ("version", int(self.version)),
            ("nonce", nonce),
            ("uuid", text(&self.uuid)),
            ("hotkey", text(&self.hotkey)),
            ("signature", text(&self.signature)),
        ];
        PyValue::Dict(entries.map(|(name, value)| (name.into(), value)).into())
    }
}

/// Python's `int(value)`: floats lose their fraction.
pub(super) fn cast_int(value: &PyValue) -> Option<PyInt> {
    match value {
        PyValue::Int(number) => Some(number.clone()),
        PyValue::Bool(value) => Some(PyInt::from(i64::from(*value))),
        PyValue::Float(number) if number.is_finite() && number.abs() < 2f64.powi(63) => {
            Some(PyInt::from(number.trunc() as i64))
        }
        PyValue::Str(text) => PyInt::parse(text),
        _ => None,
    }
}

/// Python's `float(value)`.
pub(super) fn cast_float(value: &PyValue) -> Option<f64> {
    match value {
        PyValue::Int(number) => number.to_f64(),
        PyValue::Bool(value) => Some(f64::from(u8::from(*value))),
        PyValue::Float(number) => Some(*number),
        PyValue::Str(text) => float_of_text(text),
        _ => None,
    }
}
