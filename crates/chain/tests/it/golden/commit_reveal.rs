//! Hashes of commits, and what is sealed to a round.

use adit_chain::{
    Error,
    commit_reveal::{
        Beacon, CommitSalt, TimelockedWeights, commit_hash,
        timelock::{BeaconPublicKey, RoundSignature, open, seal},
    },
};
use adit_primitives::{Hotkey, Uid};
use adit_testkit::{GoldenSuite, Outcome};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::Value;

use super::{bytes, items, number, numbers, schedule};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on_document("chain", "commit_hash", |document| {
        let cases = items(&document["cases"]).iter().enumerate();
        cases
            .map(|(nth, case)| ("commit_hash".to_owned(), nth.to_string(), hash(case)))
            .collect()
    });
    suite.on_document("chain", "drand_timelock", |document| {
        let mut found = Vec::new();
        let mut push = |id: String, outcome| found.push(("drand_timelock".to_owned(), id, outcome));
        let v2 = &document["v2"];
        push("v2.drand".into(), beacon(v2));
        for (nth, case) in items(&v2["tle"]).iter().enumerate() {
            push(format!("v2.tle.{nth}"), sealed(case));
            if v2["tle_wrong_signature"].is_string() {
                push(
                    format!("v2.tle_wrong_signature.{nth}"),
                    wrong_signature(case),
                );
            }
        }
        for (nth, case) in items(&v2["commit_v2"]).iter().enumerate() {
            push(format!("v2.commit_v2.{nth}"), schedule::stateful(case));
        }
        for (nth, case) in items(&document["v1"]["commit_v1"]).iter().enumerate() {
            push(format!("v1.commit_v1.{nth}"), schedule::fixed(case));
        }
        if v2["commit_v2_tempo_zero"].is_string() {
            push("v2.commit_v2_tempo_zero".into(), schedule::tempo_zero());
        }
        found
    });
}

fn weights(case: &Value) -> Vec<(Uid, u16)> {
    let (uids, values) = (numbers(&case["uids"]), numbers(&case["values"]));
    assert_eq!(uids.len(), values.len());
    uids.into_iter().map(Uid).zip(values).collect()
}

fn hash(case: &Value) -> Outcome {
    let key: [u8; 32] = bytes(&case["public_key"]).try_into().unwrap();
    let hotkey: Hotkey = case["hotkey"].as_str().unwrap().parse().unwrap();
    if hotkey != Hotkey::new(key) {
        return Outcome::Failed("the address is another key's".into());
    }
    let index = u16::try_from(number(&case["netuid_index"])).unwrap();
    let salt = CommitSalt::new(numbers(&case["salt"]));
    let version_key = number(&case["version_key"]);
    let found = commit_hash(hotkey, index, &weights(case), &salt, version_key);
    let found = hex::encode(found);
    Outcome::when(found == hex::encode(bytes(&case["hash"])), found)
}

/// The beacon's facts are ours, and the recorded pulse is its signature of that round.
fn beacon(v2: &Value) -> Outcome {
    let ours = Beacon::QUICKNET;
    let told = &v2["drand"];
    let same = number(&told["genesis_time"]) == ours.genesis
        && number(&told["period"]) == ours.period.as_secs()
        && (told["public_key"].is_null() || bytes(&told["public_key"]) == ours.public_key);
    let pulses = v2.as_object().unwrap().iter();
    let signed = pulses
        .filter(|(name, _)| name.starts_with("pulse_round_"))
        .all(|(_, pulse)| {
            let key = BeaconPublicKey::try_from(&ours).unwrap();
            RoundSignature::from_bytes(&bytes(&pulse["signature"]))
                .is_ok_and(|signature| signature.is_of(&key, number(&pulse["round"])))
        });
    Outcome::when(same && signed, "another beacon, or not its signature")
}

fn signature(case: &Value) -> RoundSignature {
    RoundSignature::from_bytes(&bytes(&case["drand_signature"])).unwrap()
}

/// Theirs opens here to what was sealed; ours, sealed to the same round, opens by the same
/// signature; and what is sealed reads as the weights it is made from.
fn sealed(case: &Value) -> Outcome {
    let recorded = bytes(&case["ciphertext_compressed"]);
    let is_weights = case["kind"] == "WeightsTlockPayload";
    let expected = bytes(
        &case[if is_weights {
            "payload_scale"
        } else {
            "payload"
        }],
    );
    let opened = match open(&recorded, &signature(case)) {
        Ok(opened) => opened,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    if opened != expected {
        return Outcome::Failed("it opens to something else".into());
    }
    if is_weights {
        let hotkey: [u8; 32] = bytes(&case["hotkey_bytes"]).try_into().unwrap();
        let ours = TimelockedWeights {
            hotkey: Some(Hotkey::new(hotkey)),
            weights: weights(case),
            version_key: number(&case["version_key"]),
        };
        if ours.encode() != expected || TimelockedWeights::decode(&opened).unwrap() != ours {
            return Outcome::Failed("the payload reads differently".into());
        }
    }
    let key = BeaconPublicKey::try_from(&Beacon::QUICKNET).unwrap();
    let mut rng = StdRng::seed_from_u64(recorded.len() as u64);
    let ours = seal(&key, number(&case["round"]), &expected, &mut rng).unwrap();
    let again = open(&ours, &signature(case));
    let length = usize::try_from(number(&case["ciphertext_len"])).unwrap();
    Outcome::when(
        ours.len() == length && again.is_ok_and(|opened| opened == expected),
        "ours does not open",
    )
}

/// A changed signature is refused, and the signature of something else opens nothing.
fn wrong_signature(case: &Value) -> Outcome {
    let recorded = bytes(&case["ciphertext_compressed"]);
    let mut changed = bytes(&case["drand_signature"]);
    *changed.last_mut().unwrap() ^= 1;
    let changed = match RoundSignature::from_bytes(&changed) {
        Err(Error::RoundSignature) => true,
        Ok(other) => matches!(open(&recorded, &other), Err(Error::WrongRound)),
        Err(_) => false,
    };
    let other = adit_chain::commit_reveal::timelock::BeaconSecret::from_seed([1; 32]);
    let other = open(&recorded, &other.sign(number(&case["round"])));
    Outcome::when(
        changed && matches!(other, Err(Error::WrongRound)),
        "a wrong signature opens it",
    )
}
