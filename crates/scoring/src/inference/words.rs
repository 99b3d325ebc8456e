//! Words, spaces and letters as the field's interpreter sees them, so that counts agree on any script.

use std::sync::LazyLock;

use regex::Regex;

pub(super) use crate::characters::{is_space, is_word, words};

pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether there are so many words, counting no further.
pub(super) fn has_words(text: &str, least: usize) -> bool {
    words(text).take(least).count() == least
}

/// Decimal digits of any script (general category Nd).
pub(super) fn is_decimal(character: char) -> bool {
    static DECIMAL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d").ok());
    if character.is_ascii() {
        return character.is_ascii_digit();
    }
    character.is_numeric()
        && DECIMAL
            .as_ref()
            .is_some_and(|decimal| decimal.is_match(character.encode_utf8(&mut [0; 4])))
}

/// Whether a character is a lower-case ASCII letter but for case, by the rules of the field's regular
/// expressions: ı and İ are an i, the long ſ is an s, the Kelvin sign a k.
pub(super) fn is_letter(character: char, letter: u8) -> bool {
    match character {
        'ı' | 'İ' => letter == b'i',
        'ſ' => letter == b's',
        '\u{212a}' => letter == b'k',
        other => other.is_ascii() && other.to_ascii_lowercase() == char::from(letter),
    }
}

/// Bytes at the start of `text` that spell `phrase`, in any case ([`is_letter`]).
pub(super) fn spelled(text: &str, phrase: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    for letter in phrase.bytes() {
        let (_, character) = characters.next()?;
        if !is_letter(character, letter) {
            return None;
        }
    }
    Some(characters.offset())
}

/// Whether `text` starts with a character of a word.
pub(super) fn starts_in_word(text: &str) -> bool {
    text.chars().next().is_some_and(is_word)
}

/// The rest of `text` behind its leading spaces.
pub(super) fn behind_spaces(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// The rests of `text` from the first character of each line that is not a space.
pub(super) fn line_starts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        // Blank lines have no character of their own: one search passes over all of them.
        let line = behind_spaces(rest?);
        rest = line.split_once('\n').map(|(_, later)| later);
        Some(line)
    })
}

/// The rest behind a list number such as `12.` or `3)`.
pub(super) fn behind_number(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(is_decimal);
    if rest.len() == line.len() {
        return None;
    }
    rest.strip_prefix(['.', ')'])
}

/// The rest behind a list bullet.
pub(super) fn behind_bullet(line: &str) -> Option<&str> {
    line.strip_prefix(['-', '•', '*'])
}

/// Whether `text` starts with a space.
pub(super) fn starts_with_space(text: &str) -> bool {
    text.starts_with(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_characters_are_letters_and_numbers() {
        let exact = Regex::new(r"^[\p{L}\p{N}_]$").unwrap();
        let differences = ('\0'..='\u{ffff}').filter(|character| {
            exact.is_match(character.encode_utf8(&mut [0; 4])) != is_word(*character)
        });
        // The two tables are of different versions of Unicode, which adds letters.
        assert!(differences.count() < 16);
    }

    #[test]
    fn lines_start_behind_blank_ones() {
        let starts: Vec<&str> = line_starts("  a\n\n  - b\n").collect();
        assert_eq!(starts, ["a\n\n  - b\n", "- b\n", ""]);
    }

    #[test]
    fn spells_in_any_case() {
        assert_eq!(spelled("ThIs", "this"), Some(4));
        assert_eq!(spelled("thıſ!", "this"), Some(6));
        assert_eq!(spelled("th", "this"), None);
        assert!(is_decimal('٣') && !is_decimal('½') && !is_decimal('一'));
    }
}
