//! JSON as Python's `json` module reads and writes it: the order of keys, the difference between
//! `1` and `1.0`, and integers of any size are kept; `NaN` and `Infinity` are numbers.

use std::collections::HashMap;

use super::{
    print::float_repr,
    value::{PyInt, PyValue},
};

/// Deepest nesting that is read; Python's own limit lies near a thousand.
const MOST_DEPTH: usize = 128;

/// Why a text is no JSON, in the words of Python's decoder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {position}")]
pub struct JsonError {
    /// What is wrong.
    pub message: &'static str,
    /// Characters (not bytes) before the fault.
    pub position: usize,
}

/// Reads one JSON value and nothing after it.
///
/// Stricter than Python in two things: nesting ends at 128, and a `\u` escape of half a surrogate
/// pair, which is no text, is refused.
///
/// # Errors
/// [`JsonError`] with the first fault.
pub fn read_json(bytes: &[u8]) -> Result<PyValue, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|fault| JsonError {
        message: "Not UTF-8",
        position: fault.valid_up_to(),
    })?;
    let mut reader = JsonReader { text, at: 0 };
    reader.skip_space();
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.fault("Extra data")),
    }
}

struct JsonReader<'t> {
    text: &'t str,
    /// Byte offset; always a character's boundary.
    at: usize,
}

impl<'t> JsonReader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, message: &'static str) -> JsonError {
        self.fault_at(message, self.at)
    }

    fn fault_at(&self, message: &'static str, at: usize) -> JsonError {
        let before = self.text.get(..at).unwrap_or(self.text);
        JsonError {
            message,
            position: before.chars().count(),
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<PyValue, JsonError> {
        if depth > MOST_DEPTH {
            return Err(self.fault("Nested too deeply"));
        }
        match self.peek() {
            Some(b'"') => self.string().map(PyValue::Str),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            _ if self.take("null") => Ok(PyValue::None),
            _ if self.take("true") => Ok(PyValue::Bool(true)),
            _ if self.take("false") => Ok(PyValue::Bool(false)),
            _ if self.take("NaN") => Ok(PyValue::Float(f64::NAN)),
            _ if self.take("Infinity") => Ok(PyValue::Float(f64::INFINITY)),
            _ if self.take("-Infinity") => Ok(PyValue::Float(f64::NEG_INFINITY)),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<PyValue, JsonError> {
        const NAME: &str = "Expecting property name enclosed in double quotes";
        self.at += 1;
        let mut entries: Vec<(PyValue, PyValue)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        self.skip_space();
        if self.take("}") {
            return Ok(PyValue::Dict(entries));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.fault(NAME));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(":") {
                return Err(self.fault("Expecting ':' delimiter"));
            }
            self.skip_space();
            let value = self.value(depth + 1)?;
            // As in Python, a name given again keeps its place and takes the new value.
            let known = places.get(&name).and_then(|place| entries.get_mut(*place));
            if let Some((_, old)) = known {
                *old = value;
            } else {
                places.insert(name.clone(), entries.len());
                entries.push((PyValue::Str(name), value));
            }
            self.skip_space();
            if self.take("}") {
                return Ok(PyValue::Dict(entries));
            }
            if !self.take(",") {
                return Err(self.fault("Expecting ',' delimiter"));
            }
            self.skip_space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<PyValue, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take("]") {
            return Ok(PyValue::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take("]") {
                return Ok(PyValue::List(items));
            }
            if !self.take(",") {
                return Err(self.fault("Expecting ',' delimiter"));
            }
            self.skip_space();
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let begin = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                None => return Err(self.fault_at("Unterminated string starting at", begin)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape(begin)?),
                Some(_) => return Err(self.fault("Invalid control character at")),
            }
        }
    }

    fn escape(&mut self, begin: usize) -> Result<char, JsonError> {
        let backslash = self.at;
        self.at += 1;
        let Some(kind) = self.peek() else {
            return Err(self.fault_at("Unterminated string starting at", begin));
        };
        let plain = match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape(backslash);
            }
            _ => return Err(self.fault_at("Invalid \\escape", backslash)),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode_escape(&mut self, backslash: usize) -> Result<char, JsonError> {
        const BAD: &str = "Invalid \\uXXXX escape";
        let unit = self
            .four_digits()
            .ok_or_else(|| self.fault_at(BAD, backslash + 1))?;
        let code = if (0xD800..0xDC00).contains(&unit) && self.take("\\u") {
            let low = self
                .four_digits()
                .filter(|low| (0xDC00..0xE000).contains(low))
                .ok_or_else(|| self.fault_at(BAD, backslash + 1))?;
            0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
        } else {
            unit
        };
        char::from_u32(code).ok_or_else(|| self.fault_at(BAD, backslash + 1))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Result<PyValue, JsonError> {
        let start = self.at;
        let missing = self.fault("Expecting value");
        self.take("-");
        if !self.take("0") && self.digits() == 0 {
            self.at = start;
            return Err(missing);
        }
        let mut whole = true;
        let after_whole = self.at;
        if self.take(".") {
            if self.digits() == 0 {
                self.at = after_whole;
            } else {
                whole = false;
            }
        }
        let after_fraction = self.at;
        if self.take("e") || self.take("E") {
            let _sign = self.take("+") || self.take("-");
            if self.digits() == 0 {
                self.at = after_fraction;
            } else {
                whole = false;
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let value = if whole {
            PyInt::parse(text).map(PyValue::Int)
        } else {
            text.parse().ok().map(PyValue::Float)
        };
        value.ok_or_else(|| self.fault_at("Number too long", start))
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }
}

/// Writes a value compactly. Bytes become text with replacement characters, tuples and sets
/// arrays, and the floats that JSON lacks the words `NaN`, `Infinity` and `-Infinity`, as Python
/// writes them.
pub fn write_json(value: &PyValue) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &PyValue, out: &mut String) {
    match value {
        PyValue::None => out.push_str("null"),
        PyValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        PyValue::Int(value) => out.push_str(&value.to_string()),
        PyValue::Float(value) => out.push_str(&float_text(*value)),
        PyValue::Str(text) => write_text(text, out),
        PyValue::Bytes(bytes) => write_text(&String::from_utf8_lossy(bytes), out),
        PyValue::List(items) | PyValue::Tuple(items) | PyValue::Set(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        PyValue::Dict(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                match key {
                    PyValue::Str(text) => write_text(text, out),
                    other => write_text(&write_json(other), out),
                }
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn float_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        String::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        float_repr(value)
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> (&'static str, usize) {
        let error = read_json(text.as_bytes()).unwrap_err();
        (error.message, error.position)
    }

    #[test]
    fn faults_are_told_as_python_tells_them() {
        let name = "Expecting property name enclosed in double quotes";
        assert_eq!(fault("{not json"), (name, 1));
        assert_eq!(fault("{\"é\":1,}"), (name, 7));
        assert_eq!(fault(""), ("Expecting value", 0));
        assert_eq!(fault("[1,"), ("Expecting value", 3));
        assert_eq!(fault("[1 2]"), ("Expecting ',' delimiter", 3));
        assert_eq!(fault("{\"a\" 1}"), ("Expecting ':' delimiter", 5));
        assert_eq!(fault("01"), ("Extra data", 1));
        assert_eq!(fault("-"), ("Expecting value", 0));
        assert_eq!(fault("\"ab"), ("Unterminated string starting at", 0));
        assert_eq!(fault("\"a\nb\""), ("Invalid control character at", 2));
        assert_eq!(fault("\"\\q\""), ("Invalid \\escape", 1));
        assert_eq!(fault("\"\\u12\""), ("Invalid \\uXXXX escape", 2));
        assert_eq!(fault("\"\\ud800\""), ("Invalid \\uXXXX escape", 2));
        assert_eq!(fault(&"[".repeat(200)), ("Nested too deeply", 129));
        assert_eq!(read_json(b"\"\xff\"").unwrap_err().message, "Not UTF-8");
    }

    #[test]
    fn order_kinds_of_numbers_and_their_size_are_kept() {
        let text = r#"{"b":1,"a":1.0,"big":1180591620717411303424,"n":[1e400,-0.0],"b":2}"#;
        let value = read_json(text.as_bytes()).unwrap();
        assert_eq!(
            write_json(&value),
            r#"{"b":2,"a":1.0,"big":1180591620717411303424,"n":[Infinity,-0.0]}"#
        );
        let value = read_json(br#""\ud83c\udf0d\/\u0000""#).unwrap();
        assert_eq!(value, PyValue::Str("🌍/\0".into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_json(&bytes);
        }

        #[test]
        fn jsonlike_texts_are_read_exactly_when_serde_json_reads_them(
            text in r#"[\[\]{}:,"\\ 0-9a-fntrul.eE+-]{0,24}"#,
        ) {
            let ours = read_json(text.as_bytes());
            let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
            match theirs {
                Ok(theirs) => {
                    let ours = write_json(&ours.unwrap());
                    let again: serde_json::Value = serde_json::from_str(&ours).unwrap();
                    prop_assert_eq!(again, theirs);
                }
                // Python and we read numbers beyond a double's range; serde_json does not.
                Err(error) => {
                    let beyond = error.to_string().starts_with("number out of range");
                    prop_assert!(ours.is_err() || beyond, "{}", text);
                }
            }
        }

        #[test]
        fn what_is_written_is_read_back(text in any::<String>(), number in any::<f64>(), whole in any::<i64>()) {
            let value = PyValue::List(vec![text.into(), whole.into(), number.into()]);
            let read = read_json(write_json(&value).as_bytes()).unwrap();
            prop_assert_eq!(format!("{read:?}"), format!("{value:?}"));
        }
    }
}
