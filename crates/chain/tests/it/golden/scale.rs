//! Calls, storage keys, signatures and eras as bytes, on the metadata of a finney runtime.
//!
//! Metadata of spec 393 is published nowhere that packages come from. What both specs have is encoded
//! with that of 365, under the version that the vector names; calls that only 393 has deviate by
//! name.

use std::sync::OnceLock;

use adit_chain::{
    Error,
    client::{ChainCall, ChainValue, OfflineRuntime, SigningTerms, TransactionEra},
};
use adit_primitives::{AccountId, Block, BlockHash};
use adit_testkit::{GoldenSuite, Outcome};
use adit_wallet::{Signature, SignatureScheme};
use serde_json::Value;

use super::{bytes, items, number};

/// The rule of what only a runtime knows whose metadata nobody publishes.
const UNPUBLISHED: &str = "spec-393-has-no-published-metadata";

/// The runtime whose metadata is at hand.
const KNOWN: u64 = 365;

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on_document("chain", "scale", |document| {
        let mut found = Vec::new();
        for (name, section) in document.as_object().unwrap() {
            let Some(spec) = name.strip_prefix("spec_") else {
                continue;
            };
            let spec: u64 = spec.parse().unwrap();
            let runtime = runtime(spec, section);
            let mut push = |kind: &str, nth: usize, outcome| {
                found.push(("scale".to_owned(), format!("{name}.{kind}.{nth}"), outcome));
            };
            for (nth, case) in items(&section["calls"]).iter().enumerate() {
                push("calls", nth, call(&runtime, spec, case));
            }
            for (nth, case) in items(&section["storage"]).iter().enumerate() {
                let keys = items(&case["keys"]).iter().map(value).collect::<Vec<_>>();
                push("storage", nth, key(&runtime, case, &keys, "storage_key"));
            }
            for (nth, case) in items(&section["prefixes"]).iter().enumerate() {
                push("prefixes", nth, key(&runtime, case, &[], "prefix"));
            }
            for (nth, case) in items(&section["signing"]).iter().enumerate() {
                push("signing", nth, signing(&runtime, case));
            }
            for (nth, case) in items(&section["era"]).iter().enumerate() {
                let era = mortal(case, BlockHash::default());
                push("era", nth, same(&era.encode(), &case["encoded"]));
            }
        }
        found
    });
}

fn runtime(spec: u64, section: &Value) -> OfflineRuntime {
    let metadata = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
    let genesis = items(&section["signing"])
        .first()
        .map_or_else(BlockHash::default, |case| hash(&case["genesis_hash"]));
    OfflineRuntime::from_metadata(&metadata, genesis, u32::try_from(spec).unwrap(), 1).unwrap()
}

fn hash(json: &Value) -> BlockHash {
    BlockHash(bytes(json).try_into().unwrap())
}

fn same(found: &[u8], expected: &Value) -> Outcome {
    let found = format!("0x{}", hex::encode(found));
    Outcome::when(expected == found.as_str(), found)
}

fn key(runtime: &OfflineRuntime, case: &Value, keys: &[ChainValue], field: &str) -> Outcome {
    let name = |of: &str| case[of].as_str().unwrap().to_owned();
    match runtime.storage_key(&name("pallet"), &name("item"), keys) {
        Ok(found) => same(&found, &case[field]),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn call(runtime: &OfflineRuntime, spec: u64, case: &Value) -> Outcome {
    let name = case["call"].as_str().unwrap();
    let full = format!("{}.{name}", case["pallet"].as_str().unwrap());
    let arguments = case["args"].as_object().unwrap().iter();
    let arguments = arguments.map(|(argument, json)| self::argument(runtime, name, argument, json));
    match runtime.call_data(&ChainCall::new(full, arguments)) {
        Ok(found) => same(&found, &case["call_data"]),
        Err(Error::NoSuchCall { .. }) if spec != KNOWN => Outcome::Deviates(UNPUBLISHED),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// The recorder writes nested calls as bytes, and neither addresses nor options as enums.
fn argument(
    runtime: &OfflineRuntime,
    call: &str,
    name: &str,
    json: &Value,
) -> (String, ChainValue) {
    let nested = |json: &Value| runtime.call_from_data(&bytes(json)).unwrap().as_argument();
    let optional = [
        ("remove_stake_full_limit", "limit_price"),
        ("swap_hotkey", "netuid"),
    ];
    match name {
        "nested_call_data" if call == "sudo" => ("call".to_owned(), nested(&json[0])),
        "nested_call_data" => {
            let calls = items(json).iter().map(nested).collect();
            ("calls".to_owned(), ChainValue::List(calls))
        }
        "dest" => (name.to_owned(), ChainValue::variant("Id", [value(json)])),
        _ if optional.contains(&(call, name)) => {
            let inner = (!json.is_null()).then(|| value(json));
            (name.to_owned(), ChainValue::option(inner))
        }
        _ => (name.to_owned(), value(json)),
    }
}

/// JSON as the official tools write arguments.
fn value(json: &Value) -> ChainValue {
    match json {
        Value::Null => ChainValue::option(None),
        Value::Bool(yes) => ChainValue::Bool(*yes),
        Value::Number(number) => ChainValue::Unsigned(
            number
                .as_u64()
                .map_or_else(|| large(number.as_f64().unwrap()), u128::from),
        ),
        Value::String(text) => match text.parse::<AccountId>() {
            Ok(account) => account.into(),
            Err(_) if text.starts_with("0x") => ChainValue::Bytes(bytes(json)),
            Err(_) => ChainValue::variant(text.clone(), []),
        },
        Value::Array(items) => ChainValue::List(items.iter().map(value).collect()),
        Value::Object(fields) => match fields.iter().next() {
            Some((name, inner)) if name.starts_with(char::is_uppercase) => match value(inner) {
                record @ ChainValue::Record(_) => {
                    ChainValue::Variant(name.clone(), Box::new(record))
                }
                inner => ChainValue::variant(name.clone(), [inner]),
            },
            _ => ChainValue::Record(
                fields
                    .iter()
                    .map(|(name, json)| (name.clone(), value(json)))
                    .collect(),
            ),
        },
    }
}

/// A number beyond 64 bits, which the JSON reader rounded: taken from the file's own digits.
fn large(rounded: f64) -> u128 {
    static DIGITS: OnceLock<Vec<u128>> = OnceLock::new();
    let all = DIGITS.get_or_init(|| {
        let root = std::env::var_os("ADIT_GOLDEN")
            .map_or_else(|| adit_testkit::fixture("golden"), Into::into);
        let text = std::fs::read_to_string(root.join("chain/scale.json")).unwrap();
        let numbers = text.split(|c: char| !c.is_ascii_digit());
        numbers
            .filter(|digits| digits.len() > 19)
            .filter_map(|digits| digits.parse().ok())
            .collect()
    });
    let found = all.iter().find(|number| **number as f64 == rounded);
    *found.unwrap()
}

fn mortal(case: &Value, birth_hash: BlockHash) -> TransactionEra {
    TransactionEra::Mortal {
        period: number(&case["period"]),
        current: Block(number(&case["current"])),
        birth_hash,
    }
}

fn signing(runtime: &OfflineRuntime, case: &Value) -> Outcome {
    let call = runtime.call_from_data(&bytes(&case["call_data"])).unwrap();
    let era = &case["era"];
    let terms = SigningTerms {
        nonce: number(&case["nonce"]),
        tip: number(&case["tip"]),
        era: if era.is_object() {
            mortal(era, hash(&case["era_block_hash"]))
        } else {
            TransactionEra::Immortal
        },
    };
    let payload = runtime.signing_payload(&call, &terms).unwrap();
    let outcome = same(&payload, &case["signature_payload"]);
    if outcome != Outcome::Passed {
        return outcome;
    }
    let alice = AccountId::from_ss58("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap();
    let dummy: [u8; 64] = std::array::from_fn(|nth| nth as u8);
    let (scheme, dummy) = (SignatureScheme::Sr25519, Signature::new(dummy));
    let signed = runtime
        .with_signature(&call, &terms, alice, scheme, &dummy)
        .unwrap();
    let whole = same(
        &signed.bytes,
        &case["extrinsic_with_dummy_signature_000102"],
    );
    if whole != Outcome::Passed {
        return whole;
    }
    same(&signed.hash, &case["extrinsic_hash"])
}
