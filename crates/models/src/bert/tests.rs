use burn_flex::{Flex, FlexDevice};
use burn_tensor::{Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::bert::{Bert, Layer, Linear, Norm};

const HIDDEN: usize = 96;
const WIDE: usize = 160;
const VOCABULARY: usize = 50;

struct Dice(ChaCha8Rng);

impl Dice {
    fn place<const D: usize>(&mut self, shape: [usize; D], around: f32) -> Tensor<Flex, D> {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|_| around + self.0.random_range(-0.3..0.3))
            .collect();
        Tensor::from_data(TensorData::new(values, shape), &FlexDevice)
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Linear<Flex> {
        Linear {
            weight: self.place([inputs, outputs], 0.0),
            bias: self.place([outputs], 0.0),
        }
    }

    fn norm(&mut self) -> Norm<Flex> {
        Norm {
            scale: self.place([HIDDEN], 1.0),
            shift: self.place([HIDDEN], 0.0),
        }
    }

    fn bert(&mut self) -> Bert<Flex> {
        let layer = |dice: &mut Self| Layer {
            attention_input: dice.linear(HIDDEN, 3 * HIDDEN),
            attention_output: dice.linear(HIDDEN, HIDDEN),
            attention_norm: dice.norm(),
            feed_input: dice.linear(HIDDEN, WIDE),
            feed_output: dice.linear(WIDE, HIDDEN),
            feed_norm: dice.norm(),
        };
        Bert {
            words: self.place([VOCABULARY, HIDDEN], 0.0),
            positions: self.place([64, HIDDEN], 0.0),
            embedding_norm: self.norm(),
            layers: vec![layer(self), layer(self)],
            hidden: HIDDEN,
            heads: 3,
            epsilon: 1e-12,
        }
    }
}

#[test]
fn the_packed_pass_equals_the_padded_one() {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(7));
    let bert = dice.bert();
    for lengths in [vec![1], vec![2, 7, 16, 33, 64], vec![64, 1, 5], vec![12; 9]] {
        let sequences: Vec<Vec<u32>> = lengths
            .iter()
            .map(|length| {
                (0..*length)
                    .map(|_| dice.0.random_range(0..VOCABULARY as u32))
                    .collect()
            })
            .collect();
        let sequences: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        let packed = bert.pooled_packed(&sequences);
        let padded = bert.pooled_padded(&sequences);
        assert_eq!(packed.len(), lengths.len());
        for (packed, padded) in packed.iter().flatten().zip(padded.iter().flatten()) {
            assert!((packed - padded).abs() < 2e-5, "{packed} for {padded}");
        }
    }
}
