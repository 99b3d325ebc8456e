//! Texts, frames and sound against what the originals make of them.

use std::sync::LazyLock;

use adit_models::{ClipTokenizer, CropPlan, MelBank};
use serde::Deserialize;

use crate::tensors::{Tensors, golden_files};

/// Largest difference of any prepared value.
const TOLERANCE: f32 = 1e-3;

pub(crate) fn tokenizer() -> &'static ClipTokenizer {
    static TOKENIZER: LazyLock<ClipTokenizer> = LazyLock::new(|| ClipTokenizer::new().unwrap());
    &TOKENIZER
}

/// Whether the text looks as if UTF-8 had been read as another encoding: the original repairs it.
pub(crate) fn is_mojibake(text: &str) -> bool {
    let signs = ["â€", "Ã", "Â", "ï»", "Ð", "â\u{80}"];
    signs.iter().any(|sign| text.contains(sign))
        || text
            .chars()
            .any(|sign| ('\u{80}'..'\u{a0}').contains(&sign))
}

#[test]
fn wrongly_decoded_text_stays_as_it_is() {
    let text = "donâ€™t";
    assert!(is_mojibake(text));
    let tokens = tokenizer().encode(text);
    assert_eq!(tokenizer().decode(&tokens).unwrap().replace(' ', ""), text);
}

#[derive(Deserialize)]
struct TokenisedTexts {
    cases: Vec<TokenisedText>,
}

#[derive(Deserialize)]
struct TokenisedText {
    text: String,
    tokens: Vec<u32>,
}

#[test]
fn tokens_of_many_scripts_are_the_original_ones() {
    let path = adit_testkit::fixture("models/clip_texts.json");
    let texts: TokenisedTexts = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for TokenisedText { text, tokens } in &texts.cases {
        assert_eq!(&tokenizer().encode(text), tokens, "{text:?}");
    }
}

#[test]
fn spectrograms_are_the_original_ones() {
    let bank = MelBank::new();
    let files = golden_files("imagebind_mel_", ".safetensors");
    for path in &files {
        let tensors = Tensors::open(path);
        let names = tensors.names("waveform_");
        assert!(!names.is_empty(), "{}", path.display());
        for name in names {
            let (shape, expected) = tensors.f32(&name.replace("waveform", "mel"));
            assert_eq!(shape, [MelBank::BINS, MelBank::FRAMES]);
            let found = bank.spectrogram(&tensors.f32(name).1).unwrap();
            let worst = largest_difference(&found, &expected);
            assert!(worst <= TOLERANCE, "{name}: largest difference {worst}");
        }
    }
}

#[derive(Deserialize)]
struct Crops {
    frames: Vec<CroppedFrame>,
}

#[derive(Deserialize)]
struct CroppedFrame {
    width: usize,
    height: usize,
    crops: Vec<Vec<f32>>,
}

#[test]
fn crops_are_pytorchs() {
    let path = adit_testkit::fixture("models/crops.json");
    let crops: Crops = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for frame in &crops.frames {
        let bytes = frame.width * frame.height * 3;
        let rgb: Vec<u8> = (0..bytes as u64)
            .map(|index| ((index * 2_654_435_761 % (1 << 32)) >> 24) as u8)
            .collect();
        let plan = CropPlan::new(frame.width, frame.height).unwrap();
        let found = plan.crops(&rgb).unwrap();
        for (index, (found, expected)) in found.iter().zip(&frame.crops).enumerate() {
            let sampled: Vec<f32> = (0..expected.len())
                .map(|value| found[(value * 7_919 + index * 13) % found.len()])
                .collect();
            let worst = largest_difference(&sampled, expected);
            let size = (frame.width, frame.height);
            assert!(
                worst <= TOLERANCE,
                "{size:?}, crop {index}: largest difference {worst}"
            );
        }
    }
}

fn largest_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}
