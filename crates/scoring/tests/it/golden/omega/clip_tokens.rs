//! CLIP's tokens, for the formulas that take them. The tokenizer of neurons is adit-models'; a test
//! of this crate cannot use a higher one, so a small published one stands in, with the clean-up of
//! text that the original runs before (all but the repair of text that was decoded wrongly).

use std::sync::OnceLock;

use adit_scoring::video::original::distinct_tokens;
use instant_clip_tokenizer::{Token, Tokenizer};
use unicode_normalization::UnicodeNormalization as _;

/// The marks, which are tokens of their own where a text spells them out.
const MARKS: [(&str, u32); 2] = [("<|startoftext|>", 49_406), ("<|endoftext|>", 49_407)];

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(Tokenizer::new)
}

/// The number of different tokens that the whole reward takes.
pub(super) fn unique_tokens(text: &str) -> u32 {
    distinct_tokens(&encode(text), 1_024)
}

/// The tokens of a text, without marks.
pub(super) fn encode(text: &str) -> Vec<u32> {
    let text = clean(text).to_lowercase();
    let mut tokens = Vec::new();
    let mut rest = text.as_str();
    loop {
        let next = MARKS
            .iter()
            .filter_map(|(mark, token)| Some((rest.find(mark)?, mark, token)));
        let Some((place, mark, token)) = next.min_by_key(|(place, ..)| *place) else {
            break;
        };
        encode_plain(&rest[..place], &mut tokens);
        tokens.push(*token);
        rest = &rest[place + mark.len()..];
    }
    encode_plain(rest, &mut tokens);
    tokens
}

fn encode_plain(text: &str, tokens: &mut Vec<u32>) {
    let mut found = Vec::new();
    tokenizer().encode(text, &mut found);
    tokens.extend(found.into_iter().map(Token::to_u16).map(u32::from));
}

/// The text of tokens.
pub(super) fn decode(tokens: &[u32]) -> String {
    let tokens = tokens.iter().map(|token| u16::try_from(*token).unwrap());
    let tokens = tokens.filter_map(|token| Token::from_u16(token, tokenizer()));
    let text = tokenizer().decode(tokens);
    text.replace("<start_of_text>", MARKS[0].0)
        .replace("<end_of_text>", MARKS[1].0)
}

/// Whether the text looks as if UTF-8 had been read as another encoding: the original repairs it.
pub(super) fn is_mojibake(text: &str) -> bool {
    let signs = ["â€", "Ã", "Â", "ï»", "Ð", "â\u{80}"];
    signs.iter().any(|sign| text.contains(sign))
        || text
            .chars()
            .any(|sign| ('\u{80}'..'\u{a0}').contains(&sign))
}

/// Entities resolved, ligatures and wide letters taken apart, quotes straightened, controls removed,
/// composed.
fn clean(text: &str) -> String {
    let entities = |text: &str| htmlize::unescape(text).into_owned();
    let text = entities(&entities(
        &text
            .replace("\r\n", "\n")
            .replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n"),
    ));
    let mut cleaned = String::new();
    for letter in text.chars() {
        match letter {
            '\u{3000}'
            | '\u{ff01}'..='\u{fff3}'
            | '\u{fb00}'..='\u{fb06}'
            | '\u{132}'
            | '\u{133}' => {
                cleaned.extend([letter].into_iter().nfkc());
            }
            '\u{2018}'..='\u{201b}' | '\u{2bc}' => cleaned.push('\''),
            '\u{201c}'..='\u{201f}' => cleaned.push('"'),
            '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{feff}' => {}
            _ => cleaned.push(letter),
        }
    }
    cleaned.nfc().collect()
}
