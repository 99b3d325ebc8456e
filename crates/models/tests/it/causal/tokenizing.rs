use std::fs;

use adit_models::{CausalTokenizer, Error};
use proptest::prelude::*;

fn tokenizer() -> CausalTokenizer {
    let folder = tempfile::tempdir().unwrap();
    let file = adit_testkit::fixture("models/tokenizer_tiny.json");
    fs::copy(file, folder.path().join("tokenizer.json")).unwrap();
    CausalTokenizer::load(folder.path()).unwrap()
}

/// A text as a stream of its tokens tells it, piece by piece.
fn streamed(tokenizer: &CausalTokenizer, tokens: &[u32]) -> Vec<String> {
    let mut stream = tokenizer.stream();
    let mut pieces: Vec<String> = tokens
        .iter()
        .map(|token| stream.push(*token).unwrap())
        .collect();
    pieces.push(stream.finish().unwrap());
    pieces
}

#[test]
fn characters_of_several_tokens_are_told_whole() {
    let tokenizer = tokenizer();
    let text = "the cat é 猫 🦀!";
    let tokens = tokenizer.encode(text, true).unwrap();
    let pieces = streamed(&tokenizer, &tokens);
    assert_eq!(pieces.concat(), text);
    assert!(pieces.iter().all(|piece| !piece.contains('\u{FFFD}')));
    assert!(pieces.contains(&"🦀".to_owned()), "{pieces:?}");
    assert_eq!(pieces.last().unwrap(), "");
}

#[test]
fn a_text_cut_inside_a_character_ends_with_what_is_there() {
    let tokenizer = tokenizer();
    let tokens = tokenizer.encode("a🦀", true).unwrap();
    let pieces = streamed(&tokenizer, &tokens[..3]);
    assert_eq!(pieces[0], "a");
    assert_eq!(pieces[1..3], ["", ""]);
    assert_eq!(pieces.concat(), tokenizer.decode(&tokens[..3]).unwrap());
}

#[test]
fn special_tokens_are_read_and_not_told() {
    let tokenizer = tokenizer();
    let tokens = tokenizer.encode("the<|end|>cat", true).unwrap();
    assert!(tokens.contains(&0));
    assert_eq!(tokenizer.decode(&tokens).unwrap(), "thecat");
    assert_eq!(streamed(&tokenizer, &tokens).concat(), "thecat");
}

#[test]
fn texts_too_long_and_files_that_are_none_are_refused() {
    let text = "a".repeat(CausalTokenizer::LONGEST_TEXT + 1);
    let refused = tokenizer().encode(&text, true);
    assert!(matches!(refused, Err(Error::Input { .. })));
    let folder = tempfile::tempdir().unwrap();
    let load = || CausalTokenizer::load(folder.path());
    assert!(matches!(load(), Err(Error::Missing { .. })));
    fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(matches!(load(), Err(Error::Tokenizer { .. })));
}

proptest! {
    #[test]
    fn texts_come_back(text in "\\PC{0,60}") {
        let tokenizer = tokenizer();
        let tokens = tokenizer.encode(&text, true).unwrap();
        prop_assert_eq!(streamed(&tokenizer, &tokens).concat(), text.as_str());
        prop_assert_eq!(tokenizer.decode(&tokens).unwrap(), text);
    }

    #[test]
    fn a_stream_tells_what_the_whole_tells(tokens in prop::collection::vec(0_u32..330, 0..40)) {
        let tokenizer = tokenizer();
        let whole = tokenizer.decode(&tokens).unwrap();
        prop_assert_eq!(streamed(&tokenizer, &tokens).concat(), whole);
    }
}
