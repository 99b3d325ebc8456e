//! What happens to a text before it is split into words.

use std::borrow::Cow;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use super::entities::{Entities, windows};
use crate::Result;

/// Colours and cursor movements of a terminal.
const TERMINAL: &str = r"\x1b\[[\d;]*[a-zA-Z]";
/// Most characters of a line that are cleaned as one.
const LONGEST_LINE: usize = 1_000_000;

/// The original's cleaning: `ftfy.fix_text`, entities twice, blanks joined, lower case.
#[derive(Debug)]
pub(super) struct Cleaner {
    entities: Entities,
    terminal: Regex,
}

impl Cleaner {
    pub(super) fn new(expression: &impl Fn(&str) -> Result<Regex>) -> Result<Self> {
        Ok(Self {
            entities: Entities::new(expression)?,
            terminal: expression(TERMINAL)?,
        })
    }

    pub(super) fn clean(&self, text: &str) -> String {
        let fixed = self.fix(text);
        let resolved = self
            .entities
            .resolve_all(&self.entities.resolve_all(&fixed));
        let words: Vec<&str> = resolved
            .split(is_blank)
            .filter(|word| !word.is_empty())
            .collect();
        words.join(" ").to_lowercase()
    }

    /// Each line by itself. From the first line with a `<` on, entities are left alone: such a text
    /// is HTML.
    fn fix(&self, text: &str) -> String {
        let mut fixed = String::with_capacity(text.len());
        let mut html = false;
        for line in text.split_inclusive('\n') {
            let mut rest = line;
            while !rest.is_empty() {
                let end = rest
                    .char_indices()
                    .nth(LONGEST_LINE)
                    .map_or(rest.len(), |(place, _)| place);
                let (segment, others) = rest.split_at(end);
                html = html || segment.contains('<');
                fixed.push_str(&self.fix_segment(segment, html));
                rest = others;
            }
        }
        fixed
    }

    /// Repeats the repairs until nothing changes. Each shortens the text or takes letters away that no
    /// repair brings back, so it ends; entities within entities are what makes it go round.
    fn fix_segment<'text>(&self, segment: &'text str, html: bool) -> Cow<'text, str> {
        let mut text = Cow::Borrowed(segment);
        loop {
            let fixed = self.fix_once(&text, html);
            if fixed == *text {
                return text;
            }
            text = Cow::Owned(fixed);
        }
    }

    fn fix_once(&self, text: &str, html: bool) -> String {
        let resolved = if html {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(self.entities.resolve_whole(text))
        };
        let mut plain = String::with_capacity(resolved.len());
        let mut letters = resolved.chars().peekable();
        while let Some(letter) = letters.next() {
            match windows(letter) {
                '\r' => {
                    letters.next_if_eq(&'\n');
                    plain.push('\n');
                }
                '\u{2028}' | '\u{2029}' => plain.push('\n'),
                letter => replace(letter, &mut plain),
            }
        }
        let plain = self.terminal.replace_all(&plain, "");
        plain
            .chars()
            .filter(|letter| !is_control(*letter))
            .nfc()
            .collect()
    }
}

/// Ligatures taken apart, wide and narrow forms made ordinary, quotation marks straightened.
fn replace(letter: char, plain: &mut String) {
    match letter {
        '\u{132}' | '\u{133}' | '\u{1c4}'..='\u{1cc}' | '\u{1f1}'..='\u{1f3}' => {
            plain.extend(letter.nfkc());
        }
        '\u{149}' => plain.push_str("'n"),
        '\u{fb05}' => plain.push_str("\u{17f}t"),
        '\u{fb00}'..='\u{fb06}' | '\u{3000}' | '\u{ff01}'..='\u{ffef}' => {
            plain.extend(letter.nfkc());
        }
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => plain.push('\''),
        '\u{201c}'..='\u{201f}' => plain.push('"'),
        _ => plain.push(letter),
    }
}

fn is_control(letter: char) -> bool {
    matches!(letter,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'
        | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}')
}

/// White space as Python's expressions have it: Unicode's, and four separators of ASCII.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use super::Cleaner;

    /// Answers of ftfy 6.3.1 and the original's two steps after it.
    #[test]
    fn texts_are_cleaned_as_the_original_does() {
        let cleaner = Cleaner::new(&|text| Ok(regex::Regex::new(text).unwrap())).unwrap();
        for (text, expected) in [
            ("  A\tB\r\nC\u{2028}D ", "a b c d"),
            ("ﬁne ﬅ Ĳ ǅ ŉ", "fine ſt ij dž 'n"),
            ("ＡＢＣ　１２ ｶﾞ ￥", "abc 12 ガ ¥"),
            ("“curly” ‘quotes’ ʼ", "\"curly\" 'quotes' '"),
            (
                "e\u{301}\u{1b}[31mred\u{1b}[0m\u{7}\u{feff}\u{206b}",
                "éred",
            ),
            ("&amp;amp;lt; &#8217;", "< '"),
            ("<b> &#8217;", "<b> ’"),
            ("&#8217;\n<b>\n&#8217;", "' <b> ’"),
            ("İΣΑΣ", "i\u{307}σας"),
            ("zero\u{200b}width\u{a0}x", "zero\u{200b}width x"),
            ("", ""),
        ] {
            assert_eq!(cleaner.clean(text), expected, "{text:?}");
        }
    }
}
