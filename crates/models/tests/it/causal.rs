//! Language models against `transformers`, on tiny instances of the real architectures.

mod context;
mod refusals;
mod tokenizing;

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use adit_models::{
    CausalModel, Device, GenerationEnd, GenerationOptions, Placement, Precision, TokenSampling,
    convert,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::tensors::{Tensors, golden_files};

/// Families, by the names of their golden files.
const FAMILIES: [&str; 3] = ["llama_tiny", "qwen2_tiny", "qwen3_tiny"];
/// Precision of the weights, largest difference of a logit, and least cosine.
const TOLERANCES: [(Precision, f32, f64); 3] = [
    (Precision::F32, 1e-4, 0.999_99),
    (Precision::F16, f32::INFINITY, 0.999_9),
    (Precision::Bf16, f32::INFINITY, 0.999),
];

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

/// A folder as [`CausalModel::load`] wants it, of a golden configuration and the weights beside it.
fn folder(config: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let weights = config
        .to_string_lossy()
        .replace(".config.json", ".weights.safetensors");
    fs::copy(config, folder.path().join("config.json")).unwrap();
    fs::copy(weights, folder.path().join("model.safetensors")).unwrap();
    folder
}

fn load(config: &Path, placement: impl Into<Placement>) -> CausalModel {
    CausalModel::load(folder(config).path(), placement).unwrap()
}

fn tiny(name: &str) -> CausalModel {
    let config = adit_testkit::fixture(&format!("models/{name}.config.json"));
    load(&config, Device::Cpu)
}

fn instances() -> Vec<PathBuf> {
    let of = |family: &&str| {
        let given = std::env::var_os("ADIT_GOLDEN").is_some();
        let files = golden_files(family, ".config.json");
        assert!(given || files.len() > 1, "{family}");
        files
    };
    FAMILIES.iter().flat_map(of).collect()
}

fn answers(config: &Path) -> Tensors {
    let io = config
        .to_string_lossy()
        .replace(".config.json", ".io.safetensors");
    Tensors::open(Path::new(&io))
}

fn ids(answers: &Tensors, name: &str) -> Vec<u32> {
    let (_, ids) = answers.i64(name);
    ids.iter().map(|id| u32::try_from(*id).unwrap()).collect()
}

/// Logits of one place each, as `transformers` gave them.
fn rows(answers: &Tensors, name: &str) -> Vec<Vec<f32>> {
    let (shape, values) = answers.f32(name);
    let vocabulary = *shape.last().unwrap();
    values.chunks(vocabulary).map(<[f32]>::to_vec).collect()
}

fn worst(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

fn cosine(found: &[f32], expected: &[f32]) -> f64 {
    let product = |a: &[f32], b: &[f32]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    product(found, expected) / (product(found, found) * product(expected, expected)).sqrt()
}

fn compare(what: &str, found: &[Vec<f32>], expected: &[Vec<f32>], most: f32, least: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (worst, cosine) = (worst(found, expected), cosine(found, expected));
        assert!(
            cosine >= least && worst <= most,
            "{what}, place {row}: cosine {cosine}, largest difference {worst}"
        );
    }
}

#[test]
fn every_golden_instance_equals_transformers() {
    for path in instances() {
        let answers = answers(&path);
        for (precision, most, least) in TOLERANCES {
            let placement = Placement::from(Device::Cpu).with_precision(precision);
            let model = load(&path, placement);
            let what = format!("{} in {precision}", path.display());
            let ids_given = ids(&answers, "input_ids");
            let places: Vec<usize> = (0..ids_given.len()).collect();
            let found = model.logits(&ids_given, &places).unwrap();
            compare(&what, &found, &rows(&answers, "logits"), most, least);
            if answers.names("long_ids").is_empty() {
                continue;
            }
            let (_, places) = answers.i64("long_places");
            let places: Vec<usize> = places.iter().map(|place| *place as usize).collect();
            let found = model.logits(&ids(&answers, "long_ids"), &places).unwrap();
            let expected = rows(&answers, "long_logits");
            compare(&format!("{what}, long"), &found, &expected, most, least);
        }
    }
}

#[test]
fn every_golden_instance_generates_what_transformers_does() {
    const NAME: &str = "greedy_output_from_first_";
    for path in instances() {
        let (answers, model) = (answers(&path), load(&path, Device::Cpu));
        for name in answers.names(NAME) {
            let count = name.strip_prefix(NAME).unwrap();
            let count: usize = count.strip_suffix("_ids").unwrap().parse().unwrap();
            let expected = ids(&answers, name);
            let (prompt, expected) = expected.split_at(count);
            let options = GenerationOptions {
                most_tokens: expected.len(),
                ..GenerationOptions::default()
            };
            let found = model.generate(prompt, &options, &mut rng()).unwrap();
            assert_eq!(found.tokens, expected, "{} {name}", path.display());
        }
    }
}

#[test]
fn tokens_one_by_one_give_what_all_at_once_give() {
    for path in instances() {
        let (answers, model) = (answers(&path), load(&path, Device::Cpu));
        let text = ids(&answers, "input_ids");
        let mut session = model.session();
        let mut found = vec![model.prefill(&mut session, &text[..7]).unwrap()];
        for token in &text[7..] {
            found.push(model.step(&mut session, *token).unwrap());
        }
        assert_eq!(session.len(), text.len());
        let expected = rows(&answers, "logits");
        compare(
            &path.to_string_lossy(),
            &found,
            &expected[6..],
            1e-4,
            0.999_99,
        );
    }
}

#[test]
fn logits_at_a_step_are_those_before_its_token() {
    let model = tiny("llama_tiny_dev");
    let prompt: Vec<u32> = (10..138).collect();
    let options = GenerationOptions {
        most_tokens: 20,
        ignore_ends: true,
        ..GenerationOptions::default()
    };
    let generated = model
        .generate(&prompt, &options, &mut rng())
        .unwrap()
        .tokens;
    let whole = [prompt.clone(), generated.clone()].concat();
    for step in [1, 2, 20] {
        let found = model.logits_at_step(&prompt, step).unwrap();
        let place = prompt.len() + step - 2;
        let taught = model.logits(&whole, &[place]).unwrap();
        assert!(worst(&found, &taught[0]) < 1e-4, "step {step}");
        let chosen = TokenSampling::GREEDY.choose(&found, &mut rng()).unwrap();
        assert_eq!(chosen, generated[step - 1]);
    }
}

#[test]
fn generation_ends_where_it_is_told() {
    let model = tiny("qwen3_tiny_dev");
    let prompt = [5, 6, 7];
    let mut options = GenerationOptions {
        most_tokens: 12,
        ..GenerationOptions::default()
    };
    let all = model.generate(&prompt, &options, &mut rng()).unwrap();
    assert_eq!((all.tokens.len(), all.end), (12, GenerationEnd::Length));
    let stop = all.tokens[4];
    options.stops = vec![stop];
    let first = all.tokens.iter().position(|token| *token == stop).unwrap();
    let stopped = model.generate(&prompt, &options, &mut rng()).unwrap();
    assert_eq!(stopped.tokens, all.tokens[..=first]);
    assert_eq!(stopped.end, GenerationEnd::Stop);
    options.stops.clear();
    let (mut session, mut seen) = (model.session(), Vec::new());
    let broken = model
        .generate_in(&mut session, &prompt, &options, &mut rng(), |token| {
            seen.push(token);
            match seen.len() {
                3 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })
        .unwrap();
    assert_eq!(broken.end, GenerationEnd::Cancelled);
    assert_eq!(seen, all.tokens[..3]);
    // The last token is told, not yet read.
    assert_eq!(session.len(), prompt.len() + 2);
}

#[test]
fn ends_are_those_of_the_generation_configuration_when_there_is_one() {
    let config = adit_testkit::fixture("models/llama_tiny_dev.config.json");
    let folder = folder(&config);
    let load = || CausalModel::load(folder.path(), Device::Cpu).unwrap();
    assert_eq!(load().ends(), [2]);
    let path = folder.path().join("generation_config.json");
    fs::write(path, r#"{"eos_token_id": [7, 9], "temperature": 0.6}"#).unwrap();
    assert_eq!(load().ends(), [7, 9]);
}

#[test]
fn weights_of_half_precision_load() {
    let config = adit_testkit::fixture("models/qwen3_tiny_dev.config.json");
    let (wide, halves) = (folder(&config), tempfile::tempdir().unwrap());
    let halves = halves.path().join("halves");
    convert(wide.path(), &halves, Precision::Bf16).unwrap();
    let placement = Placement::from(Device::Cpu).with_precision(Precision::Bf16);
    let logits = |folder: &Path| {
        let model = CausalModel::load(folder, placement).unwrap();
        model.logits(&[1, 2, 3, 400], &[0, 3]).unwrap()
    };
    // Not equal: here the norms are rounded too.
    let (found, expected) = (logits(&halves), logits(wide.path()));
    compare("halves", &found, &expected, f32::INFINITY, 0.999);
}

#[test]
fn equal_seeds_draw_equal_texts() {
    let model = tiny("qwen2_tiny_tied");
    let options = GenerationOptions {
        most_tokens: 30,
        sampling: TokenSampling {
            temperature: 1.3,
            top_k: Some(40),
            top_p: Some(0.95),
        },
        ..GenerationOptions::default()
    };
    let draw = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        model.generate(&[1, 2, 3], &options, &mut rng).unwrap()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

/// How often each token is drawn, in 20,000 draws.
fn shares(sampling: TokenSampling, logits: &[f32]) -> Vec<f64> {
    let mut counts = vec![0; logits.len()];
    let mut rng = rng();
    for _ in 0..20_000 {
        counts[sampling.choose(logits, &mut rng).unwrap() as usize] += 1;
    }
    counts.iter().map(|n| f64::from(*n) / 20_000.0).collect()
}

#[test]
fn draws_follow_the_probabilities() {
    let logits: Vec<f32> = [0.1_f32, 0.4, 0.2, 0.3].map(f32::ln).to_vec();
    let sampling = |temperature, top_k, top_p| TokenSampling {
        temperature,
        top_k,
        top_p,
    };
    for (sampling, expected) in [
        (sampling(1.0, None, None), [0.1, 0.4, 0.2, 0.3]),
        (
            sampling(1.0, Some(2), None),
            [0.0, 4.0 / 7.0, 0.0, 3.0 / 7.0],
        ),
        // 0.4 is not enough, 0.7 is.
        (
            sampling(1.0, None, Some(0.6)),
            [0.0, 4.0 / 7.0, 0.0, 3.0 / 7.0],
        ),
        (sampling(1.0, None, Some(0.01)), [0.0, 1.0, 0.0, 0.0]),
        // Squares, by a temperature of one half.
        (
            sampling(0.5, None, None),
            [1.0 / 30.0, 16.0 / 30.0, 4.0 / 30.0, 9.0 / 30.0],
        ),
        // The first two of three reach 0.75 of what `top_k` keeps.
        (
            sampling(1.0, Some(3), Some(0.75)),
            [0.0, 4.0 / 7.0, 0.0, 3.0 / 7.0],
        ),
    ] {
        for (found, expected) in shares(sampling, &logits).iter().zip(expected) {
            assert!(
                (found - expected).abs() < 0.02,
                "{sampling:?}: {found} for {expected}"
            );
        }
    }
}

proptest! {
    #[test]
    fn whoever_is_drawn_was_among_the_likeliest(
        logits in prop::collection::vec(-20.0_f32..20.0, 1..200),
        temperature in 0.0_f32..5.0,
        top_k in 1_usize..50,
        top_p in 0.01_f32..1.0,
        seed: u64,
    ) {
        let sampling = TokenSampling { temperature, top_k: Some(top_k), top_p: Some(top_p) };
        let token = sampling.choose(&logits, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        let chosen = logits[token as usize];
        let likelier = logits.iter().filter(|logit| **logit > chosen).count();
        prop_assert!(likelier < top_k);
        if temperature == 0.0 {
            prop_assert_eq!(likelier, 0);
        }
    }
}
