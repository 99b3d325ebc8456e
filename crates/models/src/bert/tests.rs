use std::{collections::BTreeMap, io::Write};

use burn_flex::{Flex, FlexDevice};
use burn_tensor::FloatDType;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::{
    SentencePooling,
    bert::{BertConfig, Family, PackedBert, PaddedBert, SentenceNetwork, names::shapes},
    checkpoint::Checkpoint,
};

const VOCABULARY: usize = 50;

fn config(family: Family, heads: usize) -> BertConfig {
    BertConfig {
        model_type: String::new(),
        family,
        vocabulary: VOCABULARY,
        positions: 170,
        types: (family == Family::Bert).then_some(2),
        hidden: 96,
        wide: 150,
        layers: 2,
        heads,
        epsilon: 1e-12,
        padding: (family == Family::Mpnet).then_some(1),
        buckets: (family == Family::Mpnet).then_some(32),
    }
}

/// A checkpoint of random values, norms near 1.
fn checkpoint(config: &BertConfig, dice: &mut ChaCha8Rng) -> (tempfile::NamedTempFile, Checkpoint) {
    let shapes = shapes(config);
    let (mut header, mut data) = (BTreeMap::new(), Vec::new());
    for (name, shape) in shapes.iter() {
        let start = data.len();
        let around = if name.ends_with("orm.weight") {
            1.0
        } else {
            0.0
        };
        for _ in 0..shape.iter().product() {
            let value: f32 = around + dice.random_range(-0.3..0.3);
            data.extend(value.to_le_bytes());
        }
        header.insert(
            name,
            json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}),
        );
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = tempfile::NamedTempFile::with_suffix(".safetensors").unwrap();
    for part in [&(header.len() as u64).to_le_bytes()[..], &header, &data] {
        file.write_all(part).unwrap();
    }
    let checkpoint = Checkpoint::open(file.path()).unwrap();
    (file, checkpoint)
}

#[test]
fn the_packed_pass_equals_the_padded_one() {
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    for (family, heads) in [(Family::Bert, 3), (Family::Mpnet, 12), (Family::Distil, 1)] {
        let config = config(family, heads);
        let (_file, mut checkpoint) = checkpoint(&config, &mut dice);
        let packed = PackedBert::load(&mut checkpoint, &config).unwrap();
        let padded =
            PaddedBert::<Flex>::load(&mut checkpoint, &config, &FlexDevice, FloatDType::F32)
                .unwrap();
        for lengths in [
            vec![1],
            vec![2, 7, 16, 33, 160],
            vec![64, 1, 5],
            vec![12; 9],
        ] {
            let sequences: Vec<Vec<u32>> = lengths
                .iter()
                .map(|length| {
                    (0..*length)
                        .map(|_| dice.random_range(0..VOCABULARY as u32))
                        .collect()
                })
                .collect();
            let sequences: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
            for pooling in [SentencePooling::Mean, SentencePooling::Cls] {
                let packed = packed.pooled(&sequences, pooling);
                let padded = padded.pooled(&sequences, pooling);
                assert_eq!(packed.len(), lengths.len());
                for (packed, padded) in packed.iter().flatten().zip(padded.iter().flatten()) {
                    assert!(
                        (packed - padded).abs() < 3e-5,
                        "{family:?} by {pooling:?}: {packed} for {padded}"
                    );
                }
            }
        }
    }
}
