use adit_primitives::{Coldkey, SubnetParameters};
use futures::executor::block_on;

use super::*;
use crate::WeightsOutcome;

fn neuron(uid: u16) -> Neuron {
    Neuron {
        uid: Uid(uid),
        hotkey: Hotkey::new([uid as u8 + 1; 32]),
        coldkey: Coldkey::new([200; 32]),
        axon: None,
        stake: Rao(5),
        validator_permit: uid == 0,
        active: true,
        incentive: 0,
        dividends: 0,
        consensus: 0,
        validator_trust: 0,
        emission: Rao(0),
        last_update: Block(0),
        registered_at: Block(1),
    }
}

fn chain() -> FakeChain {
    let parameters = SubnetParameters {
        tempo: 10,
        min_allowed_weights: 1,
        max_weights_limit: u16::MAX,
        weights_rate_limit: 20,
        weights_version: 0,
        commit_reveal: false,
    };
    let neurons = (0..3).map(neuron).collect();
    let hash = BlockHash::default();
    let metagraph = Metagraph::new(NetUid(1), Block(100), hash, parameters, neurons).unwrap();
    FakeChain::new(metagraph, Hotkey::new([1; 32]))
}

fn weights() -> WeightVector {
    WeightVector::new(vec![(Uid(1), 10), (Uid(2), 5)]).unwrap()
}

#[test]
fn weights_are_scaled_kept_and_rate_limited() {
    let chain = chain();
    let outcome = block_on(chain.set_weights(NetUid(1), &weights(), 4)).unwrap();
    let WeightsOutcome::OnChain {
        block,
        weights: stored,
        ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(block, Block(100));
    assert_eq!(stored.pairs(), [(Uid(1), 65_535), (Uid(2), 32_768)]);
    assert_eq!(
        block_on(chain.weights_on_chain(NetUid(1), Uid(0))).unwrap(),
        stored
    );
    assert_eq!(chain.taken_weights()[0].weights, weights());

    chain.advance(5);
    let again = block_on(chain.set_weights(NetUid(1), &weights(), 4)).unwrap();
    let wait = WeightsRefusal::RateLimited { blocks_to_wait: 15 };
    assert_eq!(again, WeightsOutcome::Refused(wait));
    chain.advance(15);
    let again = block_on(chain.set_weights(NetUid(1), &weights(), 4)).unwrap();
    assert!(matches!(again, WeightsOutcome::OnChain { .. }));
}

#[test]
fn handles_share_one_chain() {
    let chain = chain();
    let miner = chain.signed_by(Hotkey::new([2; 32]));
    let axon = AxonInfo {
        ip: "10.0.0.1".parse().unwrap(),
        port: 9,
        protocol: 4,
        version: 1,
        block: Block(0),
    };
    assert!(matches!(
        block_on(miner.serve_axon(NetUid(1), &axon)),
        Ok(Served::OnChain { .. })
    ));
    chain.advance(1);
    assert_eq!(
        block_on(miner.serve_axon(NetUid(1), &axon)).unwrap(),
        Served::AlreadySo
    );
    let seen = block_on(chain.metagraph(NetUid(1))).unwrap();
    assert_eq!(seen.block, Block(101));
    assert_eq!(seen.neuron(Uid(1)).unwrap().axon.unwrap().port, 9);
    let refused = block_on(miner.set_weights(NetUid(1), &weights(), 0)).unwrap();
    let no_permit = WeightsRefusal::NoValidatorPermit { uid: Uid(1) };
    assert_eq!(refused, WeightsOutcome::Refused(no_permit));
    let stranger = chain.signed_by(Hotkey::new([99; 32]));
    assert!(matches!(
        block_on(stranger.serve_axon(NetUid(1), &axon)),
        Err(Error::Refused { .. })
    ));
}

#[test]
fn scripted_failures_happen_once_and_in_order() {
    let chain = chain();
    let lost = || Error::Scripted {
        reason: "socket".into(),
        retryable: true,
    };
    chain.fail_next(ChainRequest::Head, lost());
    assert!(block_on(chain.head()).unwrap_err().is_retryable());
    assert_eq!(block_on(chain.head()).unwrap(), Block(100));
    chain.refuse_next(WeightsRefusal::CommitRevealRequired);
    let refused = block_on(chain.set_weights(NetUid(1), &weights(), 0)).unwrap();
    assert_eq!(
        refused,
        WeightsOutcome::Refused(WeightsRefusal::CommitRevealRequired)
    );
    assert!(chain.taken_weights().is_empty());
}

#[test]
fn blocks_come_in_order_from_the_head_on() {
    let chain = chain();
    let mut blocks = block_on(chain.blocks()).unwrap();
    chain.advance(2);
    chain.interrupt_blocks(|| Error::Scripted {
        reason: "cut".into(),
        retryable: true,
    });
    chain.advance(1);
    chain.end_blocks();
    let mut numbers = Vec::new();
    let mut interruptions = 0;
    while let Some(block) = block_on(blocks.next()) {
        match block {
            Ok(head) => numbers.push(head.number.0),
            Err(_) => interruptions += 1,
        }
    }
    assert_eq!((numbers, interruptions), (vec![100, 101, 102, 103], 1));
}
