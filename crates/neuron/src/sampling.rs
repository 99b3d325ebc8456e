use adit_primitives::{Hotkey, Metagraph, Neuron, Rao};
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

/// Which neurons count as miners, and how many are asked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Most miners asked in one round.
    pub sample_size: usize,
    /// A neuron with a validator permit and more stake than this is a validator and is not asked.
    pub validator_stake_limit: Rao,
}

impl Sampling {
    /// Draws miners uniformly without replacement, in uid order. Eligible is who serves an axon,
    /// is not `own`, and is no validator.
    pub fn draw<'a>(
        &self,
        metagraph: &'a Metagraph,
        own: &Hotkey,
        rng: &mut ChaCha8Rng,
    ) -> Vec<&'a Neuron> {
        let eligible: Vec<&Neuron> = metagraph
            .neurons()
            .iter()
            .filter(|neuron| neuron.is_serving() && neuron.hotkey != *own)
            .filter(|neuron| {
                !(neuron.validator_permit && neuron.stake > self.validator_stake_limit)
            })
            .collect();
        let mut places =
            index::sample(rng, eligible.len(), self.sample_size.min(eligible.len())).into_vec();
        places.sort_unstable();
        places
            .into_iter()
            .filter_map(|place| eligible.get(place).copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use adit_primitives::{AxonInfo, Block, BlockHash, Coldkey, NetUid, SubnetParameters, Uid};
    use rand::SeedableRng as _;

    use super::*;

    fn neuron(uid: u16, serving: bool, permit: bool, tao: u64) -> Neuron {
        Neuron {
            uid: Uid(uid),
            hotkey: Hotkey::new([uid as u8; 32]),
            coldkey: Coldkey::new([0; 32]),
            axon: serving.then(|| AxonInfo {
                ip: "10.0.0.1".parse().unwrap(),
                port: 80,
                protocol: 4,
                version: 1,
                block: Block(1),
            }),
            stake: Rao::from_tao(tao),
            validator_permit: permit,
            active: true,
            incentive: 0,
            dividends: 0,
            consensus: 0,
            validator_trust: 0,
            emission: Rao(0),
            last_update: Block(0),
            registered_at: Block(0),
        }
    }

    #[test]
    fn asks_serving_miners_only_and_repeats_with_its_seed() {
        let parameters = SubnetParameters {
            tempo: 10,
            min_allowed_weights: 0,
            max_weights_limit: u16::MAX,
            weights_rate_limit: 0,
            weights_version: 0,
            commit_reveal: false,
        };
        let neurons = vec![
            neuron(0, true, true, 10_000),
            neuron(1, true, true, 10),
            neuron(2, false, false, 0),
            neuron(3, true, false, 0),
            neuron(4, true, false, 0),
        ];
        let metagraph = Metagraph::new(
            NetUid(1),
            Block(9),
            BlockHash::default(),
            parameters,
            neurons,
        )
        .unwrap();
        let sampling = Sampling {
            sample_size: 2,
            validator_stake_limit: Rao::from_tao(4096),
        };
        let own = Hotkey::new([4; 32]);
        let uids = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            sampling
                .draw(&metagraph, &own, &mut rng)
                .iter()
                .map(|neuron| neuron.uid.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(uids(1), [1, 3]);
        assert_eq!(uids(1), uids(1));
        let generous = Sampling {
            sample_size: 100,
            ..sampling
        };
        assert_eq!(
            generous
                .draw(&metagraph, &own, &mut ChaCha8Rng::seed_from_u64(0))
                .len(),
            2
        );
    }
}
