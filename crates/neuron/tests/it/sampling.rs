use std::collections::BTreeMap;

use adit_neuron::Sampling;
use adit_primitives::{Hotkey, Neuron, Rao};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::harness::{metagraph, neuron, subnet};

fn any_neurons() -> impl Strategy<Value = Vec<Neuron>> {
    let one = (any::<bool>(), any::<bool>(), 0_u64..10);
    prop::collection::vec(one, 0..40).prop_map(|drawn| {
        (0_u8..)
            .zip(drawn)
            .map(|(uid, (serving, permit, tao))| {
                let mut neuron = neuron(u16::from(uid), Hotkey::new([uid; 32]));
                neuron.axon = neuron.axon.filter(|_| serving);
                neuron.validator_permit = permit;
                neuron.stake = Rao::from_tao(tao);
                neuron
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn a_sample_holds_distinct_eligible_miners_and_as_many_as_there_are(
        neurons in any_neurons(),
        sample_size in 0_usize..50,
        limit in 0_u64..10,
        own in 0_u8..40,
        seed: u64,
    ) {
        let own = Hotkey::new([own; 32]);
        let limit = Rao::from_tao(limit);
        let eligible: Vec<u16> = neurons
            .iter()
            .filter(|neuron| neuron.axon.is_some() && neuron.hotkey != own)
            .filter(|neuron| !neuron.validator_permit || neuron.stake <= limit)
            .map(|neuron| neuron.uid.0)
            .collect();
        let metagraph = metagraph(neurons);
        let sampling = Sampling { sample_size, validator_stake_limit: limit };
        let draw = || {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let drawn = sampling.draw(&metagraph, &own, &mut rng);
            drawn.iter().map(|neuron| neuron.uid.0).collect::<Vec<_>>()
        };
        let drawn = draw();
        prop_assert_eq!(drawn.len(), sample_size.min(eligible.len()));
        prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(drawn.iter().all(|uid| eligible.contains(uid)));
        prop_assert_eq!(draw(), drawn);
    }
}

#[test]
fn every_miner_is_drawn_equally_often() {
    const DRAWS: u32 = 4_000;
    let metagraph = subnet((1..=8).map(crate::harness::miner));
    let sampling = Sampling {
        sample_size: 2,
        validator_stake_limit: Rao::from_tao(4096),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut times: BTreeMap<u16, u32> = BTreeMap::new();
    for _ in 0..DRAWS {
        for neuron in sampling.draw(&metagraph, &crate::harness::OWN, &mut rng) {
            *times.entry(neuron.uid.0).or_default() += 1;
        }
    }
    assert_eq!(times.len(), 8);
    // A quarter of the draws each; five standard deviations of the binomial are 137.
    let expected = DRAWS / 4;
    for (uid, count) in times {
        assert!(count.abs_diff(expected) < 137, "uid {uid}: {count}");
    }
}
