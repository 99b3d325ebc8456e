//! The decoder in burn's operations against the one over plain memory, which is tested against
//! `transformers`.

use std::path::Path;

use super::{backend::BackendParts, config::CausalConfig, decoder::Decoder, host::HostDecoder};
use crate::{Device, Placement, Precision, Result, checkpoint::Checkpoint, placement::place};

/// The configuration as the fixture's own file would be read, and the weights beside it.
fn instance(name: &str) -> Result<(CausalConfig, Checkpoint)> {
    let fixture = |suffix: &str| adit_testkit::fixture(&format!("models/{name}.{suffix}"));
    let folder = tempfile::tempdir().unwrap_or_else(|error| unreachable!("{error}"));
    std::fs::copy(fixture("config.json"), folder.path().join("config.json"))
        .unwrap_or_else(|error| unreachable!("{error}"));
    let weights = fixture("weights.safetensors");
    Ok((
        CausalConfig::load(folder.path())?,
        Checkpoint::open(Path::new(&weights))?,
    ))
}

fn both(name: &str, precision: Precision) -> Result<[Box<dyn Decoder>; 2]> {
    let (config, mut checkpoint) = instance(name)?;
    let host = HostDecoder::load(&mut checkpoint, &config, Precision::F32)?;
    let parts = BackendParts {
        checkpoint: &mut checkpoint,
        config: &config,
    };
    let placement = Placement::from(Device::Cpu).with_precision(precision);
    Ok([Box::new(host), place(placement, parts)?])
}

/// Logits at a few places of a text that comes in pieces and crosses pages.
fn logits(decoder: &dyn Decoder) -> Vec<f32> {
    let text: Vec<u32> = (0..1300_u32).map(|index| index * 7919 % 96).collect();
    let mut cache = decoder.cache();
    let (mut past, mut all) = (0, Vec::new());
    for size in [700, 1, 400, 199] {
        let piece = text.get(past..past + size).unwrap_or_default();
        let found = decoder.extend(cache.as_mut(), past, piece, &[0, size - 1]);
        all.extend(found.unwrap_or_default());
        past += size;
    }
    all
}

const INSTANCES: [&str; 8] = [
    "llama_tiny_dev",
    "qwen3_tiny_dev",
    "qwen2_tiny_tied",
    "qwen2_tiny_window",
    "qwen2_tiny_yarn",
    "qwen3_tiny_wide_heads",
    "llama_tiny_llama3",
    "llama_tiny_linear",
];

#[test]
fn both_decoders_give_the_same() -> Result<()> {
    for name in INSTANCES {
        let [host, backend] = both(name, Precision::F32)?;
        let (expected, found) = (logits(host.as_ref()), logits(backend.as_ref()));
        assert_eq!(found.len(), expected.len());
        let differences = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0, f32::max);
        assert!(worst < 1e-4, "{name}: {worst}");
    }
    Ok(())
}

#[test]
fn half_precision_throughout_stays_near() -> Result<()> {
    for name in ["qwen3_tiny_dev", "qwen2_tiny_window"] {
        let [host, backend] = both(name, Precision::Bf16)?;
        let (expected, found) = (logits(host.as_ref()), logits(backend.as_ref()));
        let product = |a: &[f32], b: &[f32]| -> f64 {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let lengths = (product(&found, &found) * product(&expected, &expected)).sqrt();
        let cosine = product(&found, &expected) / lengths;
        assert!(cosine > 0.999, "{name}: {cosine}");
    }
    Ok(())
}

#[test]
fn a_cache_of_another_kind_gives_nothing() -> Result<()> {
    let [host, backend] = both("qwen2_tiny_tied", Precision::F32)?;
    let mut cache = host.cache();
    assert!(backend.extend(cache.as_mut(), 0, &[1], &[0]).is_none());
    let mut cache = backend.cache();
    assert!(host.extend(cache.as_mut(), 0, &[1], &[0]).is_none());
    Ok(())
}
