//! Reads JSON as Python's parser does: `NaN` and infinities are numbers, the last of several equal
//! names counts. Nothing deeper than 128 levels is read.

use serde::{Deserialize, Serialize};

/// Deepest nesting that is read.
const DEPTH_MOST: usize = 128;

/// A value that a model wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JsonValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number; whole ones are exact up to 2⁵³.
    Number(f64),
    /// A text. A lone surrogate, which Rust's texts cannot hold, is the replacement character.
    Text(String),
    /// A list.
    List(Vec<JsonValue>),
    /// Names and values, in the order of the names' first appearance.
    #[serde(with = "object")]
    Object(Vec<(String, JsonValue)>),
}

/// Entries are serialised as a map.
mod object {
    use std::{collections::BTreeMap, fmt};

    use serde::{Deserializer, Serializer, de};

    use super::JsonValue;

    pub(super) fn serialize<S: Serializer>(
        entries: &[(String, JsonValue)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(entries.iter().map(|(name, value)| (name, value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, JsonValue)>, D::Error> {
        struct Entries;
        impl<'de> de::Visitor<'de> for Entries {
            type Value = Vec<(String, JsonValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut entries, mut places) = (Vec::new(), BTreeMap::new());
                while let Some((name, value)) = map.next_entry::<String, JsonValue>()? {
                    super::insert(&mut entries, &mut places, name, value);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

fn insert(
    entries: &mut Vec<(String, JsonValue)>,
    places: &mut std::collections::BTreeMap<String, usize>,
    name: String,
    value: JsonValue,
) {
    match places.get(&name).and_then(|place| entries.get_mut(*place)) {
        Some((_, earlier)) => *earlier = value,
        None => {
            places.insert(name.clone(), entries.len());
            entries.push((name, value));
        }
    }
}

/// What happens to control characters within texts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Controls {
    /// They make the text invalid, as the standard has it.
    Refused,
    /// They are part of it.
    Taken,
}

/// The one value of a text, if it is valid.
pub(super) fn read(text: &str, controls: Controls) -> Option<JsonValue> {
    let mut reader = Reader {
        rest: text,
        controls,
    };
    let value = reader.value(0)?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'text> {
    rest: &'text str,
    controls: Controls,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes the word if it comes next.
    fn takes(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<JsonValue> {
        self.skip_space();
        if depth > DEPTH_MOST {
            return None;
        }
        let words = [
            ("null", JsonValue::Null),
            ("true", JsonValue::Flag(true)),
            ("false", JsonValue::Flag(false)),
            ("NaN", JsonValue::Number(f64::NAN)),
            ("Infinity", JsonValue::Number(f64::INFINITY)),
            ("-Infinity", JsonValue::Number(f64::NEG_INFINITY)),
        ];
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => self.list(depth),
            '"' => self.text().map(JsonValue::Text),
            _ => {
                let word = words.into_iter().find(|(word, _)| self.takes(word));
                word.map(|(_, value)| value).or_else(|| self.number())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<JsonValue> {
        self.takes("{");
        let (mut entries, mut places) = (Vec::new(), std::collections::BTreeMap::new());
        self.skip_space();
        if self.takes("}") {
            return Some(JsonValue::Object(entries));
        }
        loop {
            self.skip_space();
            let name = self.text()?;
            self.skip_space();
            if !self.takes(":") {
                return None;
            }
            let value = self.value(depth + 1)?;
            insert(&mut entries, &mut places, name, value);
            self.skip_space();
            if self.takes("}") {
                return Some(JsonValue::Object(entries));
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<JsonValue> {
        self.takes("[");
        let mut values = Vec::new();
        self.skip_space();
        if self.takes("]") {
            return Some(JsonValue::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.skip_space();
            if self.takes("]") {
                return Some(JsonValue::List(values));
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<JsonValue> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut length = usize::from(self.rest.starts_with('-'));
        let whole = digits(self.rest.get(length..)?);
        // A leading zero ends the number, as in Python; what follows is then invalid.
        length += match self.rest.as_bytes().get(length)? {
            b'0' => 1,
            _ => whole,
        };
        if whole == 0 {
            return None;
        }
        if let Some(fraction) = self.rest.get(length..)?.strip_prefix('.') {
            let fraction = digits(fraction);
            if fraction > 0 {
                length += 1 + fraction;
            }
        }
        if let Some(exponent) = self.rest.get(length..)?.strip_prefix(['e', 'E']) {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let digits = digits(exponent.get(sign..)?);
            if digits > 0 {
                length += 1 + sign + digits;
            }
        }
        let (number, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        number.parse().ok().map(JsonValue::Number)
    }

    fn text(&mut self) -> Option<String> {
        if !self.takes("\"") {
            return None;
        }
        let mut text = String::new();
        loop {
            let mut characters = self.rest.chars();
            let character = characters.next()?;
            self.rest = characters.as_str();
            match character {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                control if control < ' ' && self.controls == Controls::Refused => return None,
                other => text.push(other),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        Some(match character {
            '"' | '\\' | '/' => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.code_unit()?;
                if (0xd800..0xdc00).contains(&unit) {
                    let before = self.rest;
                    if self.takes("\\u")
                        && let Some(low @ 0xdc00..0xe000) = self.code_unit()
                    {
                        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return char::from_u32(code);
                    }
                    self.rest = before;
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    fn code_unit(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = rest;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(text: &str) -> Option<JsonValue> {
        read(text, Controls::Refused)
    }

    #[test]
    fn reads_what_python_reads() {
        let text = r#" {"a": [1, -2.5e3, 0], "b": null, "a": "\u00e9\ud83d\ude00\n/"} "#;
        let read = strict(text).unwrap();
        let JsonValue::Object(entries) = &read else {
            panic!()
        };
        assert_eq!(entries.len(), 2, "the later of two equal names counts");
        assert_eq!(entries[0].1, JsonValue::Text("é😀\n/".to_owned()));
        assert!(matches!(strict("NaN"), Some(JsonValue::Number(number)) if number.is_nan()));
        assert_eq!(
            strict("-Infinity"),
            Some(JsonValue::Number(f64::NEG_INFINITY))
        );
        assert_eq!(
            strict(r#""\ud800x""#),
            Some(JsonValue::Text("\u{fffd}x".to_owned()))
        );
        assert_eq!(strict("1e400"), Some(JsonValue::Number(f64::INFINITY)));
    }

    #[test]
    fn refuses_what_python_refuses() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{'a':1}",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "1 2",
            "tru",
            "{\"a\" 1}",
            "\u{feff}1",
            "\"\\u00é\"",
            "nan",
        ] {
            assert_eq!(strict(text), None, "{text}");
        }
        assert_eq!(strict("\"a\nb\""), None);
        assert!(read("\"a\nb\"", Controls::Taken).is_some());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(strict(&nested(128)).is_some());
        assert!(strict(&nested(1_000_000)).is_none());
    }
}
