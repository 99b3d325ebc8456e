//! Tags as text: one form for all spellings, cleaning, comparison.

use std::{borrow::Cow, collections::HashSet};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::TagRules;
use crate::characters::is_space;

/// By which rule the spellings of a tag become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagForm {
    /// Latin letters without accents, digits and white space, lower-cased; whatever else is there
    /// becomes a space. Only the first of several white-space characters in a row stays, so that a
    /// space, a tab and a no-break space make different tags. The form of the system in the field.
    AsciiWords,
    /// Any script: NFKC, case folded, invisible characters dropped, white space, dashes and
    /// underscores as one space, quotes and punctuation at the ends dropped.
    Unicode,
}

/// The tag in its one form; empty when nothing of it is left. Borrowed when the text has that form.
///
/// ```
/// use adit_scoring::conversation::{TagForm, normalise_tag};
///
/// assert_eq!(normalise_tag(TagForm::AsciiWords, "Über-Cool"), "ber cool");
/// assert_eq!(normalise_tag(TagForm::Unicode, "Über-Cool"), "über cool");
/// assert_eq!(normalise_tag(TagForm::AsciiWords, "data\u{a0}science"), "data\u{a0}science");
/// assert_eq!(normalise_tag(TagForm::Unicode, "data\u{a0}science"), "data science");
/// ```
pub fn normalise_tag(form: TagForm, text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(match form {
        TagForm::AsciiWords => ascii_words(text),
        TagForm::Unicode => unicode_form(text),
    })
}

/// Whether the text is lower-case ASCII letters and digits with single spaces between words, which
/// both forms leave as it is.
fn is_plain(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        let letter = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !letter && (byte != b' ' || before == b' ') {
            return false;
        }
        before = byte;
    }
    text.is_empty() || before != b' '
}

fn ascii_words(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut after_space = false;
    while let Some(character) = characters.next() {
        let kept = if character.is_ascii_alphanumeric() {
            Some(character.to_ascii_lowercase())
        } else if !is_space(character) {
            Some(' ')
        } else {
            // Two or more white-space characters in a row are one plain space.
            let mut run = false;
            while characters.next_if(|next| is_space(*next)).is_some() {
                run = true;
            }
            Some(if run { ' ' } else { character })
        };
        if let Some(kept) = kept {
            let space = is_space(kept);
            if !(space && after_space) {
                form.push(kept);
            }
            after_space = space;
        }
    }
    form.trim_matches(is_space).to_owned()
}

fn unicode_form(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    let mut gap = false;
    let visible: String = text.chars().filter(|one| !is_invisible(*one)).collect();
    // Compatibility case folding (Unicode, chapter 3, D146).
    let folded: String = caseless::default_case_fold_str(&visible.nfd().collect::<String>());
    let folded = caseless::default_case_fold_str(&folded.nfkc().collect::<String>());
    for character in folded.nfkc() {
        let character = match character {
            '\u{2018}' | '\u{2019}' | '\u{2bc}' => '\'',
            '\u{201c}' | '\u{201d}' => '"',
            other => other,
        };
        if is_gap(character) {
            gap = true;
        } else {
            if gap && !form.is_empty() {
                form.push(' ');
            }
            gap = false;
            form.push(character);
        }
    }
    form.trim_matches(is_fringe).to_owned()
}

/// What separates words: white space, control characters, dashes and the underscore.
fn is_gap(character: char) -> bool {
    is_space(character)
        || character.is_control()
        || matches!(
            character,
            '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{301c}'
        )
}

/// What may surround a tag without belonging to it.
fn is_fringe(character: char) -> bool {
    is_gap(character)
        || matches!(
            character,
            '"' | '\''
                | '`'
                | '\u{ab}'
                | '\u{bb}'
                | '\u{201a}'
                | '\u{201e}'
                | '\u{2039}'
                | '\u{203a}'
        )
        || matches!(
            character,
            '.' | ',' | ';' | ':' | '!' | '?' | '*' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>'
        )
        || matches!(character, '/' | '\\' | '|' | '~' | '\u{3001}' | '\u{3002}')
}

/// Characters without a picture of their own (the common default-ignorable ones), by which two tags
/// could look the same and be different.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The different tags of a list in their one form, in the order of first appearance, those of an
/// unfit length ([`TagRules::length_least`] to [`TagRules::length_most`] characters) left out. Linear
/// in the text.
///
/// ```
/// use adit_scoring::conversation::{ConversationPolicy, clean_tags};
///
/// let rules = ConversationPolicy::hardened().tags;
/// let tags = clean_tags(&rules, ["Self-Care", "self care", "x", "東京"]);
/// assert_eq!(tags, ["self care", "東京"]);
/// ```
pub fn clean_tags<'a>(rules: &TagRules, tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen: HashSet<Cow<'a, str>> = HashSet::new();
    let mut clean = Vec::new();
    for tag in tags {
        let tag = normalise_tag(rules.form, tag);
        // One more than the limit is enough to know.
        let length = tag
            .chars()
            .take(rules.length_most.saturating_add(1))
            .count();
        if (rules.length_least..=rules.length_most).contains(&length) && !seen.contains(&tag) {
            clean.push(tag.clone().into_owned());
            seen.insert(tag);
        }
    }
    clean
}

/// The parts of a comma-separated text, each trimmed, lower-cased and without double quotes; empty
/// parts stay, so that there is always one part more than commas.
///
/// ```
/// use adit_scoring::conversation::split_tags;
///
/// assert_eq!(split_tags("One, \"Two\",,three "), ["one", "two", "", "three"]);
/// ```
pub fn split_tags(text: &str) -> Vec<String> {
    let parts = text.split(',');
    parts
        .map(|part| part.trim_matches(is_space).to_lowercase().replace('"', ""))
        .collect()
}

/// Which tags two lists share, and which only one has: different tags, each list in the order of
/// first appearance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagComparison<'a> {
    /// In both, in the left list's order.
    pub both: Vec<&'a str>,
    /// Only in the left list.
    pub left_only: Vec<&'a str>,
    /// Only in the right list.
    pub right_only: Vec<&'a str>,
}

/// Compares two lists of tags, letter by letter.
pub fn compare_tags<'a>(left: &[&'a str], right: &[&'a str]) -> TagComparison<'a> {
    let (in_left, in_right): (HashSet<&str>, HashSet<&str>) = (
        left.iter().copied().collect(),
        right.iter().copied().collect(),
    );
    let mut comparison = TagComparison::default();
    let mut seen = HashSet::new();
    for tag in left.iter().filter(|tag| seen.insert(**tag)) {
        if in_right.contains(tag) {
            comparison.both.push(tag);
        } else {
            comparison.left_only.push(tag);
        }
    }
    seen.clear();
    let new = right.iter().filter(|tag| !in_left.contains(**tag));
    comparison.right_only = new.filter(|tag| seen.insert(**tag)).copied().collect();
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::ConversationPolicy;

    #[test]
    fn the_original_form_keeps_the_first_white_space_of_a_run() {
        let form = |text| normalise_tag(TagForm::AsciiWords, text).into_owned();
        assert_eq!(form("\u{1c}fs\u{1d}gs"), "fs\u{1d}gs");
        assert_eq!(form("line\r\nbreak"), "line break");
        assert_eq!(form("a\t!b"), "a\tb");
        assert_eq!(form("a!\tb"), "a b");
        assert_eq!(form("İstanbul"), "stanbul");
        assert_eq!(form("東京タワー"), "");
    }

    #[test]
    fn white_space_twins_are_one_tag_in_hardened() {
        let twins = [
            "tag same",
            "tag\tsame",
            "tag\u{a0}same",
            "tag\u{2003}same",
            "tag  same",
        ];
        assert_eq!(
            clean_tags(&ConversationPolicy::original().tags, twins).len(),
            4
        );
        assert_eq!(
            clean_tags(&ConversationPolicy::hardened().tags, twins),
            ["tag same"]
        );
    }

    #[test]
    fn spellings_of_one_tag_have_one_hardened_form() {
        let form = |text| normalise_tag(TagForm::Unicode, text).into_owned();
        for spelling in [
            "Self-Care",
            "SELF_CARE",
            " self\u{2013}care. ",
            "\"self\u{200b} care\"",
            "ｓｅｌｆ ｃａｒｅ",
        ] {
            assert_eq!(form(spelling), "self care");
        }
        assert_eq!(form("STRASSE"), form("Straße"));
        assert_eq!(form("Cafe\u{301}"), form("CAFÉ"));
        assert_eq!(form("ΣΊΣΥΦΟΣ"), form("σίσυφος"));
        assert_eq!(form("C++"), "c++");
        assert_eq!(form("東京タワー"), "東京タワー");
        assert_eq!(form("\u{200b}\u{ad}--"), "");
    }

    #[test]
    fn the_hardened_form_of_a_form_is_itself() {
        for code in (0..=0x2_ffff).filter_map(char::from_u32) {
            let once = normalise_tag(TagForm::Unicode, &format!("a{code}b {code}")).into_owned();
            assert_eq!(
                normalise_tag(TagForm::Unicode, &once),
                once,
                "U+{:04X}",
                code as u32
            );
        }
    }

    #[test]
    fn comparison_is_by_letter_and_without_repeats() {
        let found = compare_tags(&["a", "b", "a"], &["A", "b", "c", "c", "b"]);
        assert_eq!(found.both, ["b"]);
        assert_eq!(found.left_only, ["a"]);
        assert_eq!(found.right_only, ["A", "c"]);
    }
}
