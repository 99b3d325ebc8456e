//! A metagraph of a running chain, from the request to the finished value, over one connection.
//!
//! `benches/peers/run-metagraph` starts a devnet with 256 neurons and runs this beside the Python
//! SDK; by hand: `cargo bench -p adit-benches --features metagraph --bench metagraph --
//! ws://127.0.0.1:9944`.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot go on fails by panicking"
)]

use std::hint::black_box;

use adit_chain::{
    Chain as _,
    client::{Client, ClientOptions},
};
use adit_primitives::NetUid;
use criterion::Criterion;
use tokio::runtime::Runtime;

fn main() {
    // Without a chain, as when every bench is run, there is nothing to read.
    let Some(url) = std::env::args().find(|argument| argument.starts_with("ws://")) else {
        return;
    };
    let runtime = Runtime::new().expect("a runtime");
    let client = runtime
        .block_on(Client::connect(&[url], ClientOptions::default()))
        .expect("the chain answers");
    let read = || {
        runtime
            .block_on(client.metagraph(NetUid(1)))
            .expect("the subnet is there")
    };
    let neurons = read().neurons().len();
    let mut criterion = Criterion::default();
    criterion.bench_function(&format!("metagraph of {neurons}"), |bencher| {
        bencher.iter(|| black_box(read()));
    });
    criterion.final_summary();
}
