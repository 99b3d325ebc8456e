use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;
use crate::commit_reveal::Beacon;

/// Published by drand for quicknet's round 1,000.
const ROUND_1000: &str = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125\
                          e342b73a8dd2bacbe47e4b6b63ed5e39";

fn beacon() -> BeaconSecret {
    BeaconSecret::from_seed([5; 32])
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(3);
    seal(&beacon().public_key(), 42, plaintext, &mut rng).unwrap()
}

fn quicknet() -> (BeaconPublicKey, RoundSignature) {
    let signature = hex::decode(ROUND_1000).unwrap();
    (
        BeaconPublicKey::try_from(&Beacon::QUICKNET).unwrap(),
        RoundSignature::from_bytes(&signature).unwrap(),
    )
}

#[test]
fn quicknets_signature_is_that_of_its_round_only_and_opens_what_we_seal() {
    let (key, signature) = quicknet();
    assert!(signature.is_of(&key, 1_000));
    assert!(!signature.is_of(&key, 1_001));
    assert_eq!(key.to_bytes(), Beacon::QUICKNET.public_key);
    assert_eq!(hex::encode(signature.to_bytes()), ROUND_1000);
    let mut rng = StdRng::seed_from_u64(9);
    let sealed = seal(&key, 1_000, b"to the future", &mut rng).unwrap();
    assert_eq!(open(&sealed, &signature).unwrap(), b"to the future");
}

#[test]
fn only_the_rounds_own_signature_opens() {
    let sealed = sealed(b"weights");
    assert_eq!(sealed.len(), 7 + OVERHEAD);
    assert_eq!(open(&sealed, &beacon().sign(42)).unwrap(), b"weights");
    let wrong = [
        beacon().sign(43),
        BeaconSecret::from_seed([6; 32]).sign(42),
        quicknet().1,
    ];
    for signature in wrong {
        let answer = open(&sealed, &signature);
        assert!(matches!(answer, Err(Error::WrongRound)), "{answer:?}");
    }
}

#[test]
fn points_outside_the_groups_are_refused() {
    let mut zero_key = [0; 96];
    zero_key[0] = 0xc0;
    for bytes in [zero_key, [0; 96], [0xff; 96]] {
        let read = BeaconPublicKey::from_bytes(&bytes);
        assert!(matches!(read, Err(Error::BeaconKey)));
    }
    let mut zero = [0; 48];
    zero[0] = 0xc0;
    for bytes in [&zero[..], &[0xff; 48], &[0xb4; 47], &[], &[0; 96]] {
        let read = RoundSignature::from_bytes(bytes);
        assert!(matches!(read, Err(Error::RoundSignature)));
    }
}

#[test]
fn what_is_too_long_is_neither_sealed_nor_opened() {
    let mut rng = StdRng::seed_from_u64(3);
    let key = beacon().public_key();
    let longest = vec![1; LONGEST_COMMIT - OVERHEAD];
    let sealed = seal(&key, 42, &longest, &mut rng).unwrap();
    assert_eq!(sealed.len(), LONGEST_COMMIT);
    assert_eq!(open(&sealed, &beacon().sign(42)).unwrap(), longest);
    let longer = vec![1; LONGEST_COMMIT - OVERHEAD + 1];
    let refused = seal(&key, 42, &longer, &mut rng);
    assert!(matches!(
        refused,
        Err(Error::CommitTooLong { bytes: 5_001 })
    ));
    let padded = [&sealed[..], &[0]].concat();
    let refused = open(&padded, &beacon().sign(42));
    assert!(matches!(refused, Err(Error::SealedFormat { .. })));
}

#[test]
fn secrets_are_not_shown() {
    assert_eq!(format!("{:?}", beacon()), "BeaconSecret(hidden)");
}

#[test]
fn no_change_of_a_byte_goes_unnoticed() {
    let (sealed, signature) = (sealed(b"w"), beacon().sign(42));
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 0x11;
        let answer = open(&changed, &signature);
        assert!(
            matches!(answer, Err(Error::SealedFormat { .. } | Error::WrongRound)),
            "byte {place}: {answer:?}"
        );
    }
    for length in 0..sealed.len() {
        let answer = open(&sealed[..length], &signature);
        assert!(matches!(answer, Err(Error::SealedFormat { .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open(&bytes, &beacon().sign(1)).is_err());
        // A point that is one, and then anything.
        let hostile = [&sealed(b"")[..96], &bytes].concat();
        prop_assert!(open(&hostile, &beacon().sign(1)).is_err());
    }
}
