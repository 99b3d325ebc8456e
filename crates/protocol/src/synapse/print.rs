//! Python's `str()` and `repr()` of plain values, which body hashes are made of.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::value::PyValue;

/// Python's `str(value)`: text as it is, everything else as [`py_repr`] prints it.
pub fn py_str(value: &PyValue) -> String {
    match value {
        PyValue::Str(text) => text.clone(),
        other => py_repr(other),
    }
}

/// Python's `repr(value)`.
///
/// A set of several values prints in the order given here; Python's own order depends on the
/// process, so no two neurons agree on it.
pub fn py_repr(value: &PyValue) -> String {
    let mut out = String::new();
    print(value, &mut out);
    out
}

fn print(value: &PyValue, out: &mut String) {
    match value {
        PyValue::None => out.push_str("None"),
        PyValue::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        PyValue::Int(value) => out.push_str(&value.to_string()),
        PyValue::Float(value) => out.push_str(&float_repr(*value)),
        PyValue::Str(text) => print_text(text, out),
        PyValue::Bytes(bytes) => print_bytes(bytes, out),
        PyValue::List(items) => print_items("[", items, "]", out),
        PyValue::Tuple(items) if items.len() == 1 => print_items("(", items, ",)", out),
        PyValue::Tuple(items) => print_items("(", items, ")", out),
        PyValue::Set(items) if items.is_empty() => out.push_str("set()"),
        PyValue::Set(items) => print_items("{", items, "}", out),
        PyValue::Dict(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                print(key, out);
                out.push_str(": ");
                print(value, out);
            }
            out.push('}');
        }
    }
}

fn print_items(open: &str, items: &[PyValue], close: &str, out: &mut String) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        print(item, out);
    }
    out.push_str(close);
}

/// Python's `repr` of a float: the shortest digits that read back, with an exponent of at least two
/// digits from 1e16 on and below 1e-4.
pub(super) fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return String::from(if value > 0.0 { "inf" } else { "-inf" });
    }
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Double quotes only where the text has a single one and no double one.
fn quote_of(single: bool, double: bool) -> char {
    if single && !double { '"' } else { '\'' }
}

fn print_text(text: &str, out: &mut String) {
    let quote = quote_of(text.contains('\''), text.contains('"'));
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => match u32::from(c) {
                code @ ..0x100 => out.push_str(&format!("\\x{code:02x}")),
                code @ ..0x1_0000 => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push(quote);
}

/// Python's `str.isprintable`: neither other nor separator, save the ASCII space.
fn is_printable(c: char) -> bool {
    if (' '..='~').contains(&c) {
        return true;
    }
    !matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Surrogate
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::SpaceSeparator
    )
}

fn print_bytes(bytes: &[u8], out: &mut String) {
    let quote = quote_of(bytes.contains(&b'\''), bytes.contains(&b'"'));
    out.push('b');
    out.push(quote);
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(*byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            byte => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_print_as_python_prints_them() {
        let bytes = PyValue::Bytes(b"a'\"\\\n\x00\xff".to_vec());
        assert_eq!(py_repr(&bytes), r#"b'a\'"\\\n\x00\xff'"#);
        assert_eq!(py_repr(&PyValue::Bytes(b"it's".to_vec())), r#"b"it's""#);
        assert_eq!(
            py_repr(&"\u{e000}\u{2028}\u{1f30d}\u{e0001}".into()),
            "'\\ue000\\u2028🌍\\U000e0001'"
        );
        assert_eq!(py_repr(&PyValue::Set(Vec::new())), "set()");
        assert_eq!(py_repr(&PyValue::Tuple(Vec::new())), "()");
        assert_eq!(py_str(&"it's".into()), "it's");
        let dict = PyValue::Dict(vec![(1.into(), PyValue::None), ("k".into(), true.into())]);
        assert_eq!(py_str(&dict), "{1: None, 'k': True}");
    }

    #[test]
    fn floats_print_as_python_prints_them() {
        for (value, printed) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e16, "1e+16"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.00001, "1e-05"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float_repr(value), printed);
        }
    }

    proptest! {
        #[test]
        fn printed_floats_read_back(value in any::<f64>()) {
            let read: f64 = float_repr(value).parse().unwrap();
            prop_assert!(read == value || value.is_nan());
        }

        #[test]
        fn printed_text_is_one_line_between_quotes(text in any::<String>()) {
            let printed = py_repr(&text.into());
            prop_assert!(printed.len() >= 2 && !printed.contains('\n'));
            prop_assert_eq!(printed.chars().next(), printed.chars().last());
        }
    }
}
