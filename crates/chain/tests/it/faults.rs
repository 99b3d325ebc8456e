//! What a node or the way to it can do wrong, on scripted nodes.

use std::time::{Duration, Instant};

use adit_chain::{
    Chain as _, Error,
    client::{Client, ClientOptions, RateLimit},
};
use adit_primitives::Block;
use futures::StreamExt as _;
use serde_json::{Value as Json, json};

use crate::{
    devnet::{SUBNET, connect, hasty},
    node::{Door, Fault, Node, NodeRuntime},
    scripted::subnet,
};

/// Options that wait for nothing long.
pub(crate) fn quick() -> ClientOptions {
    ClientOptions {
        connect_timeout: Duration::from_secs(2),
        request_timeout: Duration::from_millis(500),
        attempts: 4,
        longest_pause: Duration::from_millis(100),
        ..hasty()
    }
}

async fn connected(nodes: &[&Node], options: ClientOptions) -> Client {
    let urls = nodes.iter().map(|node| node.url()).collect::<Vec<_>>();
    Client::connect(&urls, options).await.unwrap()
}

/// Waits until the client uses that node.
pub(crate) async fn moves_to(client: &Client, node: &Node) {
    let moved = async {
        while client.endpoint().await.ok() != Some(node.url()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let moved = tokio::time::timeout(Duration::from_secs(20), moved).await;
    moved.unwrap_or_else(|_| panic!("the client stays away from {}", node.url()));
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_node_that_stands_still_is_left_for_the_next() {
    let (first, second) = (Node::finney().await, Node::finney().await);
    first.blocks(3);
    second.blocks(5);
    second.run(Duration::from_millis(20));
    let mut options = quick();
    options.stall = Duration::from_millis(300);
    let client = connected(&[&first, &second], options).await;
    assert_eq!(client.endpoint().await.unwrap(), first.url());
    let mut blocks = client.blocks().await.unwrap();
    moves_to(&client, &second).await;
    let mut stalled = false;
    let reached = loop {
        match blocks.next().await.unwrap() {
            Ok(head) if head.number > Block(6) => break head,
            Ok(_) => {}
            Err(error) => {
                stalled |= error.to_string().contains("interrupted") || error.is_retryable()
            }
        }
    };
    assert!(stalled, "the stream says that it was interrupted");
    assert!(reached.number > Block(6));
    let health = client.endpoints().await;
    assert_eq!((health[0].in_use, health[1].in_use), (false, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn finality_that_stands_still_is_told_and_no_reason_to_leave() {
    let (first, second) = (Node::finney().await, Node::finney().await);
    first.blocks(3);
    first.finalising(false);
    let mut options = quick();
    options.stall = Duration::from_secs(5);
    let client = connected(&[&first, &second], options).await;
    let mut blocks = client.blocks().await.unwrap();
    blocks.next().await.unwrap().unwrap();
    let head = first.blocks(6);
    while blocks.next().await.unwrap().unwrap().number < head.number {}
    let progress = client.progress();
    assert_eq!(progress.head, Some(head.number));
    assert_eq!(progress.finalized, Some(Block(3)));
    assert!(progress.finalized_age.unwrap() >= progress.head_age.unwrap());
    assert_eq!(client.endpoint().await.unwrap(), first.url());
    first.finalising(true);
    first.block();
    while client.progress().finalized != Some(Block(10)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn too_many_requests_at_the_door_leads_to_the_next_endpoint() {
    let (first, second) = (Node::finney().await, Node::finney().await);
    first.door(Door::Refused(429));
    let client = connected(&[&first, &second], quick()).await;
    assert_eq!(client.endpoint().await.unwrap(), second.url());
    let health = client.endpoints().await;
    assert_eq!(health[0].reachable, Some(false));
    assert!(
        health[0]
            .last_error
            .as_ref()
            .unwrap()
            .contains("fewer requests"),
        "{health:?}"
    );

    let mut options = quick();
    options.attempts = 1;
    let alone = Client::connect(&[first.url()], options).await.unwrap_err();
    assert!(
        matches!(alone, Error::RateLimited { .. }) && alone.is_retryable(),
        "{alone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn too_many_requests_as_an_answer_is_waited_out() {
    let node = Node::finney().await;
    node.blocks(2);
    let client = connected(&[&node], quick()).await;
    node.fail_times("chain_getHeader", 1, Fault::error(429, "Too Many Requests"));
    node.fail_times(
        "chain_getHeader",
        1,
        Fault::error(-32_005, "rate limit exceeded"),
    );
    let asked = node.asked("chain_getHeader");
    assert_eq!(client.head().await.unwrap(), Block(2));
    assert_eq!(node.asked("chain_getHeader"), asked + 3);
    assert_eq!(node.sockets(), 1, "there was no need for another socket");
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn requests_go_out_as_often_as_the_endpoint_allows() {
    let node = Node::finney().await;
    let interval = Duration::from_millis(40);
    let mut options = quick();
    options.rate_limit = RateLimit::Every { interval, burst: 1 };
    let began = Instant::now();
    let client = connected(&[&node], options).await;
    for _ in 0..5 {
        client.head().await.unwrap();
    }
    let asked = u32::try_from(node.log().len()).unwrap();
    // One request opens the socket and is not in the log.
    assert!(
        began.elapsed() >= interval * (asked - 1),
        "{asked} requests"
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_discarded_state_is_read_from_the_archive_and_nothing_else_is() {
    let (lite, archive) = (Node::finney().await, Node::finney().await);
    for node in [&lite, &archive] {
        subnet(node, &["//one"]);
        node.blocks(20);
    }
    lite.keep_states(10);
    let mut options = quick();
    options.archives = vec![archive.url()];
    let client = connected(&[&lite], options).await;
    client.metagraph(SUBNET).await.unwrap();
    assert_eq!(archive.sockets(), 0, "an archive is asked for history only");

    let then = client.pin_at(Block(1)).await.unwrap();
    let metagraph = then.metagraph(SUBNET).await.unwrap();
    assert_eq!(metagraph.block, Block(1));
    assert_eq!(metagraph.neurons().len(), 1);
    assert_eq!(archive.sockets(), 1);
    assert_eq!(client.endpoint().await.unwrap(), lite.url());

    let without = connected(&[&lite], quick()).await;
    let then = without.pin_at(Block(1)).await.unwrap();
    let lost = then.metagraph(SUBNET).await.unwrap_err();
    assert!(matches!(lost, Error::StateDiscarded { .. }), "{lost:?}");
    let early = without.pin_at(Block(1_000)).await.unwrap_err();
    assert!(
        matches!(
            early,
            Error::NoSuchBlock {
                block: Block(1_000)
            }
        ),
        "{early:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_survived_or_named() {
    let faults: [(Fault, bool); 7] = [
        (Fault::Garbage("{]".to_owned()), true),
        (Fault::Truncated, true),
        (Fault::Close, true),
        (Fault::Silence, true),
        (Fault::Oversized(2 << 20), true),
        (Fault::Answer(json!({"number": 7})), false),
        (Fault::Answer(Json::Null), false),
    ];
    for (fault, passes) in faults {
        let node = Node::finney().await;
        node.blocks(2);
        let mut options = quick();
        options.largest_answer = 1 << 20;
        let client = connected(&[&node], options).await;
        node.fail_times("chain_getHeader", 1, fault.clone());
        let read = client.head().await;
        if passes {
            assert_eq!(read.unwrap(), Block(2), "{fault:?}");
        } else {
            let error = read.unwrap_err();
            assert!(
                matches!(error, Error::Decode { .. }),
                "{fault:?}: {error:?}"
            );
        }
        assert_eq!(client.head().await.unwrap(), Block(2), "after {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_socket_that_hangs_is_given_up_in_time() {
    let (hung, node) = (Node::finney().await, Node::finney().await);
    hung.door(Door::Hung);
    let mut options = quick();
    options.connect_timeout = Duration::from_secs(2);
    let client = connected(&[&hung, &node], options.clone()).await;
    assert_eq!(client.endpoint().await.unwrap(), node.url());
    options.attempts = 1;
    let alone = Client::connect(&[hung.url()], options).await.unwrap_err();
    assert!(
        matches!(alone, Error::Timeout { .. }) && alone.is_retryable(),
        "{alone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn an_idle_socket_that_was_closed_is_opened_again() {
    let node = Node::finney().await;
    node.blocks(2);
    let client = connected(&[&node], quick()).await;
    assert_eq!(client.head().await.unwrap(), Block(2));
    node.hang_up();
    assert_eq!(client.head().await.unwrap(), Block(2));
    assert!(node.sockets() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn many_reads_share_one_socket() {
    let node = Node::finney().await;
    subnet(&node, &["//one"]);
    let client = connect(&[node.url()]).await;
    for _ in 0..20 {
        client.clone().metagraph(SUBNET).await.unwrap();
    }
    assert_eq!(node.sockets(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_of_another_chain_is_never_used() {
    let (ours, other) = (
        Node::finney().await,
        Node::start(NodeRuntime::finney(), 7).await,
    );
    let client = connected(&[&ours, &other], quick()).await;
    let health = client.probe_endpoints().await;
    assert_ne!(health[0].genesis, health[1].genesis);
    ours.hang_up();
    ours.door(Door::Refused(503));
    let refused = client.head().await.unwrap_err();
    assert!(!matches!(refused, Error::Decode { .. }), "{refused:?}");
    ours.door(Door::Open);
    moves_to(&client, &ours).await;
    assert_eq!(
        other.asked("chain_getHeader"),
        0,
        "it was asked for its genesis and no more"
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn an_endpoint_far_behind_is_passed_over() {
    let (behind, ahead) = (Node::finney().await, Node::finney().await);
    behind.blocks(2);
    ahead.blocks(60);
    let client = connected(&[&behind, &ahead], quick()).await;
    assert_eq!(
        client.endpoint().await.unwrap(),
        behind.url(),
        "nothing better is known yet"
    );
    let health = client.probe_endpoints().await;
    assert_eq!(health[0].lag, Some(58));
    assert!(health[1].latency.is_some() && health[1].spec_version == Some(365));
    moves_to(&client, &ahead).await;
    // One that is behind is better than none.
    ahead.door(Door::Refused(500));
    ahead.hang_up();
    moves_to(&client, &behind).await;
    assert_eq!(client.head().await.unwrap(), Block(2));
}
