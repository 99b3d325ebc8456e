//! Characters as the strings of Python 3.11 class them, on which the recorded metrics rest.

use unicode_normalization::char::is_combining_mark;

/// Whether `str.split()` splits here: Unicode's white space, and the four separators U+001C to
/// U+001F that Unicode does not count.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// The words that `str.split()` gives.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Whether `\w` matches: letters, numbers and the underscore, but neither marks nor the letters
/// in circles and squares, which Unicode counts as alphabetic.
pub(crate) fn is_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    character.is_alphanumeric()
        && !is_combining_mark(character)
        && !matches!(
            character,
            '\u{24b6}'..='\u{24e9}'
                | '\u{1f130}'..='\u{1f149}'
                | '\u{1f150}'..='\u{1f169}'
                | '\u{1f170}'..='\u{1f189}'
        )
}

/// Whether `\d` matches: the decimal digits of every script.
pub(crate) fn is_decimal(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_digit();
    }
    let code = u32::from(character);
    // Mathematical digits follow each other in five styles; every other script has one row of ten.
    if (0x1d7ce..=0x1d7ff).contains(&code) {
        return true;
    }
    let next = ZEROES.partition_point(|zero| *zero <= code);
    let row = next.checked_sub(1).and_then(|row| ZEROES.get(row));
    row.is_some_and(|zero| code - zero < 10)
}

/// The digit nought of each script, in order (Unicode 14, as Python 3.11 has it).
#[rustfmt::skip]
const ZEROES: [u32; 60] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50,
    0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
    0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30,
    0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
    0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_those_of_str_split() {
        let split: Vec<&str> = words(" a\u{1c}b\u{85}c\u{3000}d\u{200b}e\u{a0}").collect();
        assert_eq!(split, ["a", "b", "c", "d\u{200b}e"]);
        assert_eq!(words("").count(), 0);
    }

    #[test]
    fn word_characters_are_those_of_the_regular_expressions() {
        for yes in ['a', 'Z', '9', '_', 'é', '中', '²', '½', 'Ⅷ', '１', 'ª', 'ʰ'] {
            assert!(is_word(yes), "{yes}");
        }
        for no in [
            '-', ' ', '\0', '\u{307}', '\u{93f}', 'Ⓐ', '🄰', '€', '\u{200b}',
        ] {
            assert!(!is_word(no), "{no}");
        }
        // Letters, marks left out, and numbers: as many as Python 3.11 counts, or more where
        // Unicode has grown since.
        let all = ('\0'..=char::MAX).filter(|c| is_word(*c)).count();
        assert!(all >= 133_000, "{all}");
    }

    #[test]
    fn decimals_are_digits_of_any_script() {
        for yes in ['0', '9', '１', '٣', '९', '𝟗', '𝟎', '\u{1fbf9}'] {
            assert!(is_decimal(yes), "{yes}");
        }
        for no in ['a', '²', '½', '三', 'Ⅷ', '\u{66a}', '①'] {
            assert!(!is_decimal(no), "{no}");
        }
        assert_eq!(('\0'..=char::MAX).filter(|c| is_decimal(*c)).count(), 660);
    }
}
