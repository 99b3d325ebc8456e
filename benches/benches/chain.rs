//! From scores to bytes that a node takes: weights for 256 uids on finney's metadata, and
//! signatures; the peer is `peers/chain.py`.

use std::hint::black_box;

use adit_chain::client::{OfflineRuntime, SigningTerms, TransactionEra, calls};
use adit_primitives::{Block, BlockHash, NetUid, Uid};
use adit_scoring::weights::{WeightLimits, WeightRules};
use adit_wallet::Keypair;
use anyhow::Context as _;
use criterion::Criterion;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const NEURONS: u16 = 256;

fn main() -> anyhow::Result<()> {
    let metadata = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/chain/finney-365.scale"
    );
    let metadata = std::fs::read(metadata).context("finney's metadata")?;
    let genesis = BlockHash([0x2f; 32]);
    let runtime = OfflineRuntime::from_metadata(&metadata, genesis, 365, 1)?;
    let hotkey = Keypair::from_uri("//Alice")?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let scores: Vec<(Uid, f64)> = (0..NEURONS)
        .map(|uid| (Uid(uid), rng.random_range(0.0..1.0_f64).powi(4)))
        .collect();
    let terms = SigningTerms {
        nonce: 41,
        tip: 0,
        era: TransactionEra::Mortal {
            period: 64,
            current: Block(6_543_210),
            birth_hash: BlockHash([7; 32]),
        },
    };
    let rules = WeightRules::v11();
    let limits = WeightLimits::default();
    let quantise = || rules.quantise(black_box(&scores), limits, usize::from(NEURONS));
    let weights = quantise()?;
    let call = calls::set_weights(NetUid(1), &weights, 0);

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("weights/256");
    group.bench_function("scores to signed extrinsic", |bench| {
        bench.iter(|| {
            let weights = quantise().ok()?;
            let call = calls::set_weights(NetUid(1), &weights, 0);
            runtime.sign(&call, &terms, &hotkey).ok()
        });
    });
    group.bench_function("quantise", |bench| bench.iter(quantise));
    group.bench_function("encode the call", |bench| {
        bench.iter(|| {
            let call = calls::set_weights(NetUid(1), black_box(&weights), 0);
            runtime.call_data(&call)
        });
    });
    group.bench_function("sign", |bench| {
        bench.iter(|| runtime.sign(black_box(&call), &terms, &hotkey));
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}
