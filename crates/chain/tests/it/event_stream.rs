//! Events by block: none lost, none twice, and said so where that cannot be.

use std::time::Duration;

use adit_chain::client::{BlockEvents, EventNotice, EventStream, Following};
use adit_primitives::Block;
use futures::StreamExt as _;

use crate::{
    devnet::{Devnet, SUBNET, connect, registered},
    faults::quick,
    node::{Door, Node, NodeRuntime, event, number},
};

/// A block in which weights were set for that uid.
fn set_by(node: &Node, uid: u16) {
    let told = event(
        None,
        "SubtensorModule",
        "WeightsSet",
        [number(1_u8), number(uid)],
    );
    node.block_with(Vec::new(), &[told]);
}

async fn next(stream: &mut EventStream) -> EventNotice {
    let waiting = async {
        loop {
            match stream.next().await.unwrap() {
                Ok(notice) => return notice,
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap()
}

async fn next_block(stream: &mut EventStream) -> BlockEvents {
    match next(stream).await {
        EventNotice::Block(block) => block,
        other => panic!("{other:?}"),
    }
}

fn uids(block: &BlockEvents) -> Vec<u128> {
    let set = block.events.iter().map(|(_, event)| event);
    let set = set.filter(|event| event.is("SubtensorModule", "WeightsSet"));
    set.map(|event| event.fields.item(1).unwrap().number().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn events_come_once_each_across_a_break() {
    let node = Node::finney().await;
    (0..5).for_each(|uid| set_by(&node, uid));
    let client = connect(&[node.url()]).await;
    // Resumed from a block long past.
    let mut stream = client.events(Following::Best, Some(Block(2)));
    for number in 2..=5 {
        let block = next_block(&mut stream).await;
        assert_eq!(block.head.number, Block(number));
        assert_eq!(uids(&block), [u128::from(number - 1)]);
    }
    // The node is away while blocks are made.
    node.door(Door::Refused(503));
    node.hang_up();
    (5..20).for_each(|uid| set_by(&node, uid));
    node.door(Door::Open);
    for number in 6..=20 {
        let block = next_block(&mut stream).await;
        assert_eq!(block.head, node.at(Block(number)));
        assert_eq!(uids(&block), [u128::from(number - 1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_reorganisation_is_told_on_the_best_chain_and_unseen_on_the_final_one() {
    let node = Node::finney().await;
    node.blocks(2);
    node.finalising(false);
    let client = connect(&[node.url()]).await;
    let mut best = client.events(Following::Best, Some(Block(1)));
    let mut last = client.events(Following::Finalized, Some(Block(1)));
    node.blocks(4);
    for number in 1..=6 {
        assert_eq!(next_block(&mut best).await.head, node.at(Block(number)));
    }
    node.reorganise(3);
    assert_eq!(
        next(&mut best).await,
        EventNotice::Reorganised { from: Block(4) }
    );
    for number in 4..=7 {
        assert_eq!(next_block(&mut best).await.head, node.at(Block(number)));
    }
    node.finalising(true);
    for number in 1..=7 {
        assert_eq!(next_block(&mut last).await.head, node.at(Block(number)));
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_gap_that_cannot_be_filled_is_told_and_an_archive_fills_it() {
    let (lite, archive) = (Node::finney().await, Node::finney().await);
    for node in [&lite, &archive] {
        (0..40).for_each(|uid| set_by(node, uid));
    }
    lite.keep_states(10);
    let client = connect(&[lite.url()]).await;
    let mut stream = client.events(Following::Best, Some(Block(3)));
    let EventNotice::Gap { first, last } = next(&mut stream).await else {
        panic!("there must be a gap");
    };
    assert_eq!(first, Block(3));
    assert!(last < Block(34) && last >= Block(30), "{last}");
    let block = next_block(&mut stream).await;
    assert_eq!(block.head.number, Block(last.0 + 1));
    assert_eq!(uids(&block), [u128::from(last.0)]);

    let mut options = quick();
    options.archives = vec![archive.url()];
    let client = adit_chain::client::Client::connect(&[lite.url()], options)
        .await
        .unwrap();
    let mut stream = client.events(Following::Best, Some(Block(3)));
    for number in 3..=40 {
        assert_eq!(
            uids(&next_block(&mut stream).await),
            [u128::from(number - 1_u64)]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn events_of_an_upgrade_block_are_read_with_the_old_metadata() {
    let node = Node::finney().await;
    node.block();
    let client = connect(&[node.url()]).await;
    let mut stream = client.events(Following::Best, Some(Block(2)));
    // The next runtime calls the same index by another name.
    node.upgrade(NodeRuntime::edited(366, |metadata| {
        let mut types = metadata.types.types.iter_mut();
        let events =
            types.find(|known| known.ty.path.segments == ["pallet_subtensor", "pallet", "Event"]);
        let scale_info::TypeDef::Variant(variants) = &mut events.unwrap().ty.type_def else {
            panic!("events are an enum");
        };
        let mut variants = variants.variants.iter_mut();
        variants
            .find(|variant| variant.name == "WeightsSet")
            .unwrap()
            .name = "WeightsStored".to_owned();
    }));
    set_by(&node, 7);
    assert_eq!(client.spec_version().await.unwrap(), 366);
    assert_eq!(uids(&next_block(&mut stream).await), [7]);
    let after = event(
        None,
        "SubtensorModule",
        "WeightsStored",
        [number(1_u8), number(8_u8)],
    );
    node.block_with(Vec::new(), &[after]);
    let block = next_block(&mut stream).await;
    assert!(
        block.events[0].1.is("SubtensorModule", "WeightsStored"),
        "{block:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_devnet_tells_of_a_registration() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let mut stream = client.events(Following::Best, None);
    let (_, hotkey) = registered(&client, "//miner").await;
    loop {
        let block = next_block(&mut stream).await;
        let told = |name: &str| {
            block
                .events
                .iter()
                .find(|(_, event)| event.is("SubtensorModule", name))
        };
        if let Some((place, event)) = told("NeuronRegistered") {
            assert!(place.is_some(), "a transaction did it");
            assert_eq!(
                event.fields.item(0).unwrap().number(),
                Some(SUBNET.0.into())
            );
            assert_eq!(
                event.fields.item(2).unwrap().account(),
                Some(hotkey.account())
            );
            break;
        }
    }
}
