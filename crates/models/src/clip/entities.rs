//! HTML entities, as Python resolves them.

use regex::{Captures, Regex};

use crate::Result;

/// Where Python's `html.unescape` looks.
const LOOSE: &str = r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)";
/// Where `ftfy` looks.
const STRICT: &str = r"&#?[0-9A-Za-z]{1,24};";

/// What numbers 128 to 159 mean by HTML: Windows-1252.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A character of the C1 range as Windows-1252 has it; others as they are.
pub(super) fn windows(letter: char) -> char {
    let place = (letter as usize).wrapping_sub(0x80);
    WINDOWS.get(place).copied().unwrap_or(letter)
}

#[derive(Debug)]
pub(super) struct Entities {
    loose: Regex,
    strict: Regex,
}

impl Entities {
    pub(super) fn new(expression: &impl Fn(&str) -> Result<Regex>) -> Result<Self> {
        Ok(Self {
            loose: expression(LOOSE)?,
            strict: expression(STRICT)?,
        })
    }

    /// As Python's `html.unescape`: also names without a semicolon, where HTML knows them so.
    pub(super) fn resolve_all(&self, text: &str) -> String {
        let one = |found: &Captures<'_>| {
            let found = found.get(0).map_or("", |found| found.as_str());
            match number(found) {
                Some(resolved) => resolved,
                None => htmlize::unescape(found).into_owned(),
            }
        };
        self.loose.replace_all(text, one).into_owned()
    }

    /// As `ftfy.fixes.unescape_html`: whole entities only, also in capitals.
    pub(super) fn resolve_whole(&self, text: &str) -> String {
        let one = |found: &Captures<'_>| {
            let found = found.get(0).map_or("", |found| found.as_str());
            if found.starts_with("&#") {
                // «&#x;» and the like are none.
                return number(found).unwrap_or_else(|| found.to_owned());
            }
            whole(found).unwrap_or_else(|| found.to_owned())
        };
        self.strict.replace_all(text, one).into_owned()
    }
}

/// The meaning of `&name;`, or of `&NAME;` where only `&name;` has one.
fn whole(entity: &str) -> Option<String> {
    if let Some(resolved) = named(entity) {
        return Some(resolved);
    }
    let lower = entity.to_lowercase();
    let shouted = entity == entity.to_uppercase() && htmlize::unescape(entity) == entity;
    named(&lower)
        .filter(|_| shouted)
        .map(|resolved| resolved.to_uppercase())
}

fn named(entity: &str) -> Option<String> {
    let resolved = htmlize::unescape(entity);
    // What resolves only in its beginning keeps its semicolon; `&semi;` is one.
    let whole = resolved != entity && (resolved == ";" || !resolved.ends_with(';'));
    whole.then(|| resolved.into_owned())
}

/// The meaning of a numeric entity, as Python has it: where HTML would keep a control character or a
/// non-character, nothing.
fn number(entity: &str) -> Option<String> {
    let digits = entity.strip_prefix("&#")?.trim_end_matches(';');
    let (digits, base) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    // More digits than any number of a character has.
    let significant = digits.trim_start_matches('0');
    let number = match significant {
        "" => 0,
        _ => u32::from_str_radix(significant, base).unwrap_or(u32::MAX),
    };
    Some(match number {
        0 => "\u{fffd}".to_owned(),
        0x80..=0x9f => windows(char::from_u32(number)?).to_string(),
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => String::new(),
        _ if number & 0xfffe == 0xfffe && number <= 0x10_ffff => String::new(),
        _ => char::from_u32(number).unwrap_or('\u{fffd}').to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::Entities;

    fn entities() -> Entities {
        Entities::new(&|text| Ok(regex::Regex::new(text).unwrap())).unwrap()
    }

    /// Answers of CPython 3.11.
    #[test]
    fn all_entities_are_pythons() {
        for (text, expected) in [
            ("&amp;amp;", "&amp;"),
            ("&ampx &notit; &notin;", "&x ¬it; ∉"),
            ("&#65&#x42;&#X43", "ABC"),
            ("&#128;&#x85;&#150;", "€…–"),
            (
                "[&#1;&#0;&#xfffe;&#x110000;&#xd800;]",
                "[\u{fffd}\u{fffd}\u{fffd}]",
            ),
            ("&#99999999999999999999;", "\u{fffd}"),
            ("&; &# &#x; &unknown; &#12a", "&; &# &#x; &unknown; \u{c}a"),
            ("&#13;&#129;", "\r\u{81}"),
        ] {
            assert_eq!(entities().resolve_all(text), expected, "{text:?}");
        }
    }

    /// Answers of ftfy 6.3.1.
    #[test]
    fn whole_entities_are_ftfys() {
        for (text, expected) in [
            ("&lt;tag&gt; &amp &ampx;", "<tag> &amp &ampx;"),
            (
                "P&EACUTE;REZ &ntilde;&NTILDE;&Ntilde;&nTILDE;",
                "PÉREZ ñÑÑ&nTILDE;",
            ),
            ("BUNDESSTRA&SZLIG;E", "BUNDESSTRASSE"),
            ("&semi;&#x;&#65;&#zz;&notsemi;", ";&#x;A&#zz;&notsemi;"),
        ] {
            assert_eq!(entities().resolve_whole(text), expected, "{text:?}");
        }
    }
}
