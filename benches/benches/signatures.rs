//! Signing and verifying on one core beside the libraries' own calls, and what it costs to unlock
//! a keyfile.

use std::hint::black_box;

use adit_wallet::{
    EncryptionFormat, Keypair, Password, Signature, SignatureScheme, decrypt, encrypt, verify,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::Signer as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// About as long as the text that a request signs.
const MESSAGE: [u8; 256] = [7; 256];
const SEED: [u8; 32] = [9; 32];

fn signatures(criterion: &mut Criterion) {
    for scheme in [SignatureScheme::Sr25519, SignatureScheme::Ed25519] {
        let keypair = Keypair::from_seed_with_scheme(scheme, &SEED);
        let signer = keypair.account();
        let signature = keypair.sign(&MESSAGE);
        let mut group = criterion.benchmark_group(format!("signatures/{scheme}"));
        group.throughput(Throughput::Elements(1));
        group.bench_function("sign", |bench| {
            bench.iter(|| keypair.sign(black_box(&MESSAGE)));
        });
        group.bench_function("verify", |bench| {
            bench.iter(|| verify(scheme, black_box(&signer), &MESSAGE, &signature));
        });
        match scheme {
            SignatureScheme::Sr25519 => schnorrkel_itself(&mut group),
            SignatureScheme::Ed25519 => dalek_itself(&mut group, &signature),
        }
        group.finish();
    }
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn schnorrkel_itself(group: &mut Group<'_>) {
    let Ok(secret) = schnorrkel::MiniSecretKey::from_bytes(&SEED) else {
        return;
    };
    let pair = secret.expand_to_keypair(schnorrkel::ExpansionMode::Ed25519);
    let signature = pair.sign_simple(b"substrate", &MESSAGE);
    group.bench_function("sign, schnorrkel", |bench| {
        bench.iter(|| pair.sign_simple(b"substrate", black_box(&MESSAGE)));
    });
    // The key is a point already, where ours starts from 32 bytes.
    group.bench_function("verify, schnorrkel", |bench| {
        bench.iter(|| {
            pair.public
                .verify_simple(b"substrate", black_box(&MESSAGE), &signature)
        });
    });
}

fn dalek_itself(group: &mut Group<'_>, signature: &Signature) {
    let pair = ed25519_dalek::SigningKey::from_bytes(&SEED);
    let (key, signature) = (
        pair.verifying_key(),
        ed25519_dalek::Signature::from_bytes(signature.as_bytes()),
    );
    group.bench_function("sign, dalek", |bench| {
        bench.iter(|| pair.sign(black_box(&MESSAGE)));
    });
    group.bench_function("verify, dalek", |bench| {
        bench.iter(|| key.verify_strict(black_box(&MESSAGE), &signature));
    });
}

fn unlocking(criterion: &mut Criterion) {
    let password = Password::from("correct horse battery");
    let mut rng = ChaCha8Rng::from_seed(SEED);
    let mut group = criterion.benchmark_group("unlock");
    group.sample_size(10);
    for format in [EncryptionFormat::Nacl, EncryptionFormat::AnsibleVault] {
        let Ok(sealed) = encrypt(format, &MESSAGE, &password, &mut rng) else {
            continue;
        };
        group.bench_function(format.to_string(), |bench| {
            bench.iter(|| decrypt(black_box(&sealed), &password));
        });
    }
    group.finish();
}

criterion_group!(benches, signatures, unlocking);
criterion_main!(benches);
