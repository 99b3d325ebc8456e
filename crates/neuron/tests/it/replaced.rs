use adit_primitives::{Hotkey, Uid};

use crate::{
    harness::{World, averages, miner, subnet},
    toy::{Behaviour, lock},
};

#[tokio::test]
async fn a_newcomer_at_a_uid_inherits_nothing() {
    let mut world = World::new(3, &[Behaviour::Right, Behaviour::Right]);
    let store = world.finish().await;
    assert!(averages(&store).await[&miner(2)] > 0.6);
    store.close().await;

    let newcomer = Hotkey::new([0x77; 32]);
    world.chain.set_metagraph(subnet([miner(1), newcomer]));
    lock(&world.toy.miners).insert(newcomer, Behaviour::Unreachable);
    world.config.rounds = Some(5);
    let store = world.finish().await;
    let averages = averages(&store).await;
    assert_eq!(
        averages.keys().copied().collect::<Vec<_>>(),
        [miner(1), newcomer]
    );
    assert_eq!(averages[&newcomer], 0.0);
    let taken = world.chain.taken_weights();
    assert_eq!(taken.last().unwrap().weights.pairs(), [(Uid(1), 65_535)]);
}
