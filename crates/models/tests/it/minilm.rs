use adit_embedding::TextEmbedder;
use serde::Deserialize;

use crate::model::minilm;

/// Largest difference in any component.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    sentences: Vec<String>,
    token_ids: Vec<Vec<u32>>,
    embeddings: Vec<Vec<f32>>,
}

fn golden() -> Golden {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/models/minilm_dev.json"
    );
    let text = std::fs::read_to_string(path).expect("fixtures/models/minilm_dev.json");
    let golden: Golden = serde_json::from_str(&text).expect("the golden file's format");
    assert_eq!(golden.sentences.len(), 10);
    golden
}

#[test]
fn token_ids_are_the_original_ones() {
    let golden = golden();
    for (sentence, expected) in golden.sentences.iter().zip(&golden.token_ids) {
        assert_eq!(
            &minilm().token_ids(sentence).unwrap(),
            expected,
            "{sentence:?}"
        );
    }
}

#[test]
fn embeddings_are_the_original_ones() {
    let golden = golden();
    let texts: Vec<&str> = golden.sentences.iter().map(String::as_str).collect();
    let embeddings = minilm().embed_texts(&texts).unwrap();
    assert_eq!(embeddings.len(), texts.len());
    let mut worst = 0.0_f32;
    for (embedding, expected) in embeddings.iter().zip(&golden.embeddings) {
        assert_eq!(embedding.space().to_string(), "minilm-l6-v2/384");
        assert_eq!(embedding.values().len(), expected.len());
        for (found, expected) in embedding.values().iter().zip(expected) {
            worst = worst.max((found - expected).abs());
        }
    }
    assert!(worst <= TOLERANCE, "largest difference {worst}");
}
