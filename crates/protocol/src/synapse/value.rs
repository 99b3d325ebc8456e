use std::fmt;

/// Most digits of an integer, as in Python (`sys.get_int_max_str_digits`).
const MOST_DIGITS: usize = 4300;

/// A whole number of any size, kept as its decimal digits: nothing here calculates with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PyInt(String);

impl PyInt {
    /// Reads what Python's `int()` reads: white space around, a sign, leading zeros, single
    /// underscores between digits. `None` for all else, and above 4,300 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(is_space);
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.len() > 2 * MOST_DIGITS || !underscores_stand_between_digits(digits) {
            return None;
        }
        let digits: String = digits.chars().filter(|c| *c != '_').collect();
        if digits.len() > MOST_DIGITS {
            return None;
        }
        let digits = digits.trim_start_matches('0');
        Some(Self(match (digits, negative) {
            ("", _) => "0".into(),
            (digits, true) => format!("-{digits}"),
            (digits, false) => digits.into(),
        }))
    }

    /// The number, where it fits.
    pub fn to_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The number, where it fits.
    pub fn to_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The nearest double; `None` where Python's `float()` overflows.
    pub fn to_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

impl fmt::Display for PyInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<i64> for PyInt {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl From<u64> for PyInt {
    fn from(value: u64) -> Self {
        Self(value.to_string())
    }
}

/// What Python's `str.strip` takes away, of ASCII.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f')
}

/// Digits, with underscores only between two of them; at least one digit.
pub(super) fn underscores_stand_between_digits(text: &str) -> bool {
    text.split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A value as Python holds it once a synapse has been read: the types that JSON tells apart, and
/// those that a field's declared type makes of them.
#[derive(Debug, Clone, PartialEq)]
pub enum PyValue {
    /// `None`, JSON's `null`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of any size.
    Int(PyInt),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Str(String),
    /// `bytes`; never read from JSON without a type that asks for it.
    Bytes(Vec<u8>),
    /// A `list`, JSON's array.
    List(Vec<PyValue>),
    /// A `tuple`.
    Tuple(Vec<PyValue>),
    /// A `set`, each value once, in the order of first mention.
    Set(Vec<PyValue>),
    /// A `dict`, JSON's object, in order; no key stands twice.
    Dict(Vec<(PyValue, PyValue)>),
}

impl PyValue {
    /// The value of a key of a dict; `None` when it is no dict or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| name.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// The text, of a `str`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number, of an `int` that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => number.to_i64(),
            _ => None,
        }
    }

    /// The number, of a `float` or of an `int` that fits.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Int(number) => number.to_f64(),
            _ => None,
        }
    }

    /// The values of a list, tuple or set.
    pub fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => Some(items),
            _ => None,
        }
    }

    /// Name of the Python type, such as `int`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Dict(_) => "dict",
        }
    }

    /// Whether Python would let it be a key of a dict or a member of a set.
    pub(super) fn is_hashable(&self) -> bool {
        match self {
            Self::List(_) | Self::Set(_) | Self::Dict(_) => false,
            Self::Tuple(items) => items.iter().all(Self::is_hashable),
            _ => true,
        }
    }
}

impl From<&str> for PyValue {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for PyValue {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl From<i64> for PyValue {
    fn from(value: i64) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for PyValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for PyValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_python_reads_them() {
        for (text, number) in [
            ("12", "12"),
            (" +1_000\n", "1000"),
            ("-007", "-7"),
            ("-0", "0"),
            ("1180591620717411303424", "1180591620717411303424"),
        ] {
            assert_eq!(PyInt::parse(text).unwrap().to_string(), number, "{text}");
        }
        for text in ["", "-", "_1", "1_", "1__0", "1.0", "0x1", "१", "1 2"] {
            assert_eq!(PyInt::parse(text), None, "{text}");
        }
        assert!(PyInt::parse(&"9".repeat(4300)).is_some());
        assert!(PyInt::parse(&"9".repeat(4301)).is_none());
    }
}
