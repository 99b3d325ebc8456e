use adit_embedding::{TextEmbedder, cosine};
use proptest::prelude::*;

use crate::model::minilm;

/// Ordinary sentences of many lengths.
fn sentences(count: usize) -> Vec<String> {
    let words = [
        "a drone",
        "flies",
        "over snow",
        "covered",
        "mountains",
        "at sunrise,",
        "while",
        "two people",
        "discuss",
        "decentralised",
        "machine learning",
        "and rice",
        "cooks",
        "in 東京",
        "café",
    ];
    (0..count)
        .map(|index| {
            let length = 1 + index * 7 % 90;
            let text: Vec<&str> = (0..length)
                .map(|place| words[(index * 31 + place * 17 + place * place) % words.len()])
                .collect();
            text.join(" ")
        })
        .collect()
}

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    left.iter()
        .zip(right)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn an_empty_batch_is_an_empty_answer() {
    assert!(minilm().embed_texts(&[]).unwrap().is_empty());
}

#[test]
fn empty_and_blank_texts_embed_as_the_special_tokens() {
    let embeddings = minilm()
        .embed_texts(&["", "   \n\t", "\u{0}\u{7}"])
        .unwrap();
    for embedding in &embeddings {
        assert!(largest_difference(embedding.values(), embeddings[0].values()) < 1e-6);
    }
    assert_eq!(minilm().token_ids("").unwrap(), [101, 102]);
}

#[test]
fn a_batch_equals_its_texts_one_by_one_in_any_order() {
    let texts = sentences(61);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let forward = minilm().embed_texts(&texts).unwrap();
    let mut shuffled: Vec<usize> = (0..texts.len())
        .map(|index| index * 23 % texts.len())
        .collect();
    let moved: Vec<&str> = shuffled.iter().map(|index| texts[*index]).collect();
    let moved = minilm().embed_texts(&moved).unwrap();
    for (index, embedding) in shuffled.drain(..).zip(&moved) {
        assert!(largest_difference(embedding.values(), forward[index].values()) < 1e-5);
    }
    for (text, embedding) in texts.iter().zip(&forward).step_by(9) {
        let alone = minilm().embed_texts(&[text]).unwrap();
        assert!(
            largest_difference(alone[0].values(), embedding.values()) < 1e-5,
            "{text}"
        );
    }
}

#[test]
fn nearness_follows_meaning() {
    let embeddings = minilm()
        .embed_texts(&[
            "A drone flies over snow covered mountains at sunrise.",
            "Aerial footage of alpine peaks in the early morning.",
            "How to cook rice in a pressure cooker.",
        ])
        .unwrap();
    let near = cosine(&embeddings[0], &embeddings[1]).unwrap();
    let far = cosine(&embeddings[0], &embeddings[2]).unwrap();
    assert!(near > 0.4 && far < 0.2, "near {near}, far {far}");
}

#[test]
fn long_texts_are_those_of_their_first_32_kib() {
    let cut = 32 << 10;
    // One megabyte: prose, one word, an umlaut across the cut, blanks.
    let prose = sentences(4000).join(". ");
    let word = "x".repeat(1 << 20);
    let umlauts = format!("a{}", "ü ".repeat(1 << 19));
    let blanks = format!("{}late", " ".repeat(1 << 20));
    assert!(prose.len() > 1 << 20);
    for text in [&prose, &word, &umlauts, &blanks] {
        let beginning = &text[..text.floor_char_boundary(cut)];
        assert_eq!(
            minilm().token_ids(text).unwrap(),
            minilm().token_ids(beginning).unwrap()
        );
        assert_eq!(minilm().embed_texts(&[text]).unwrap().len(), 1);
    }
    assert_eq!(minilm().token_ids(&prose).unwrap().len(), 256);
    // A word of more than 100 characters is one unknown token.
    assert_eq!(minilm().token_ids(&word).unwrap(), [101, 100, 102]);
    assert_eq!(minilm().token_ids(&blanks).unwrap(), [101, 102]);
}

#[test]
fn truncation_needs_the_first_two_kib_of_prose_only() {
    for text in sentences(4000).chunks(40).map(|texts| texts.join(". ")) {
        let beginning = &text[..text.floor_char_boundary(2 << 10)];
        let ids = minilm().token_ids(&text).unwrap();
        assert_eq!(ids.len(), 256);
        assert_eq!(minilm().token_ids(beginning).unwrap(), ids);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_a_unit_vector(text in "\\PC{0,400}") {
        let ids = minilm().token_ids(&text).unwrap();
        prop_assert!((2..=256).contains(&ids.len()));
        prop_assert_eq!((ids.first(), ids.last()), (Some(&101), Some(&102)));
        prop_assert!(ids.iter().all(|id| *id < 30_522));
        let embeddings = minilm().embed_texts(&[&text]).unwrap();
        let squares: f32 = embeddings[0].values().iter().map(|value| value * value).sum();
        prop_assert!((squares - 1.0).abs() < 1e-4);
    }
}
