//! Signed unary echo of a 1 KB message over loopback, client and server in one process.
//!
//! `cargo bench -p adit-benches --features protocol --bench protocol`. Each request is signed by the caller and
//! verified by the server, each answer signed by the server and verified by the caller. Besides
//! criterion's time per request (throughput, so the inverse of requests per second), the latency's
//! median and 99th percentile are printed for each number of requests in flight.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a bench fails by panicking and reports to its terminal"
)]

use std::{
    hint::black_box,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use adit_protocol::{
    client::{self, SignedChannel},
    server::GrpcServer,
    v1,
};
use adit_wallet::Keypair;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tonic::{Request, Response, Status};

struct Echo;

#[tonic::async_trait]
impl v1::video_miner_server::VideoMiner for Echo {
    async fn scrape(
        &self,
        request: Request<v1::ScrapeRequest>,
    ) -> Result<Response<v1::ScrapeResponse>, Status> {
        let clip = v1::Clip {
            description: request.into_inner().topic,
            ..Default::default()
        };
        Ok(Response::new(v1::ScrapeResponse {
            task_id: String::new(),
            clips: vec![clip],
        }))
    }
}

async fn channel() -> SignedChannel {
    let caller = Arc::new(Keypair::from_uri("//Alice").expect("a key"));
    let server = Arc::new(Keypair::from_uri("//Bob").expect("a key"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let receiver = server.hotkey();
    let serve = GrpcServer::new(server, |_: &_| Ok(())).video_miner(Echo);
    tokio::spawn(serve.serve(listener, std::future::pending()));
    client::connect(address, caller, receiver, Default::default())
        .await
        .expect("a connection")
}

/// Makes `requests` calls, `in_flight` at a time; returns the wall time and every latency.
async fn call(
    channel: &SignedChannel,
    requests: u64,
    in_flight: usize,
) -> (Duration, Vec<Duration>) {
    let left = Arc::new(AtomicU64::new(requests));
    let start = Instant::now();
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (left, mut client) = (left.clone(), channel.video_miner());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                let take = |left: u64| left.checked_sub(1);
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                    .is_ok()
                {
                    let request = v1::ScrapeRequest {
                        topic: "x".repeat(1024),
                        ..Default::default()
                    };
                    let sent = Instant::now();
                    black_box(client.scrape(request).await.expect("an answer"));
                    latencies.push(sent.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.extend(caller.await.expect("a caller"));
    }
    (start.elapsed(), latencies)
}

fn signed_echo(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("signed_unary_echo_1_kib");
    group.throughput(Throughput::Elements(1));
    for in_flight in [1, 16, 64] {
        // A server of its own, so that each run starts with an empty nonce store.
        let channel = runtime.block_on(channel());
        let latencies = Mutex::new(Vec::new());
        group.bench_function(format!("{in_flight}_in_flight"), |bencher| {
            bencher.iter_custom(|requests| {
                let (wall, of_run) = runtime.block_on(call(&channel, requests, in_flight));
                latencies.lock().expect("no panic").extend(of_run);
                wall
            });
        });
        let mut latencies = latencies.into_inner().expect("no panic");
        if latencies.is_empty() {
            // A filter on the command line left this one out.
            continue;
        }
        latencies.sort_unstable();
        let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied();
        eprintln!(
            "{in_flight} in flight: latency p50 {:?}, p99 {:?} of {} requests",
            at(50).unwrap_or_default(),
            at(99).unwrap_or_default(),
            latencies.len()
        );
    }
    group.finish();
}

criterion_group!(benches, signed_echo);
criterion_main!(benches);
