//! Bytes against vectors from the official Rust codec, on the metadata of a finney runtime.

use adit_primitives::{AccountId, BlockHash};
use serde_json::Value as Json;
use subxt::{
    Metadata, SubstrateConfig,
    config::DefaultExtrinsicParamsBuilder,
    ext::{
        frame_decode::storage::encode_storage_key,
        scale_value::{Composite, Value, ValueDef},
    },
    transactions,
    utils::{AccountId32, H256, MultiSignature},
};

use super::{connection::read_hash, runtime::Runtime};

fn vectors() -> Json {
    let all: Json = adit_testkit::load_json("golden/chain/scale.json").unwrap();
    all["spec_365"].clone()
}

fn runtime() -> Runtime {
    let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
    let signing = &vectors()["signing"][0];
    let genesis = read_hash(&signing["genesis_hash"], "genesis").unwrap();
    Runtime::new(Metadata::decode_from(&bytes).unwrap(), genesis, 365, 1).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.trim_start_matches("0x")).unwrap()
}

/// JSON as the official tools write arguments, as values.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::unnamed_variant("None", []),
        Json::Bool(yes) => Value::bool(*yes),
        // serde_json reads the one number beyond 64 bits, 2001:db8::1, as a float.
        Json::Number(number) => Value::u128(number.as_u64().map_or_else(
            || std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
            u128::from,
        )),
        Json::String(text) => match text.parse::<AccountId>() {
            Ok(account) => Value::from_bytes(account.as_bytes()),
            Err(_) if text.starts_with("0x") => Value::from_bytes(bytes(text)),
            Err(_) => Value::unnamed_variant(text.clone(), []),
        },
        Json::Array(items) => Value::unnamed_composite(items.iter().map(value)),
        Json::Object(fields) => match fields.iter().next() {
            Some((name, inner)) if name.starts_with(char::is_uppercase) => match inner {
                Json::Object(_) => match value(inner).value {
                    ValueDef::Composite(inner) => Value::variant(name.clone(), inner),
                    _ => unreachable!(),
                },
                _ => Value::unnamed_variant(name.clone(), [value(inner)]),
            },
            _ => Value::named_composite(
                fields
                    .iter()
                    .map(|(name, json)| (name.clone(), value(json))),
            ),
        },
    }
}

fn arguments(runtime: &Runtime, call: &str, args: &Json) -> Composite<()> {
    let nested = |text: &Json| {
        let transactions = runtime.offline.transactions();
        let payload = transactions.from_call_data_bytes(&bytes(text.as_str().unwrap()));
        payload.unwrap().into_value()
    };
    let optional = |name: &str, json: &Json| {
        let is_optional = [
            ("remove_stake_full_limit", "limit_price"),
            ("swap_hotkey", "netuid"),
        ];
        is_optional.contains(&(call, name)) && !json.is_null()
    };
    let fields = args
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, json)| match name.as_str() {
            "nested_call_data" if call == "sudo" => ("call".to_owned(), nested(&json[0])),
            "nested_call_data" => {
                let calls = json.as_array().unwrap().iter().map(nested);
                ("calls".to_owned(), Value::unnamed_composite(calls))
            }
            "dest" => (name.clone(), Value::unnamed_variant("Id", [value(json)])),
            name if optional(name, json) => (
                name.to_owned(),
                Value::unnamed_variant("Some", [value(json)]),
            ),
            _ => (name.clone(), value(json)),
        });
    Composite::named(fields)
}

#[test]
fn calls_encode_to_the_same_bytes() {
    let (runtime, vectors) = (runtime(), vectors());
    let calls = vectors["calls"].as_array().unwrap();
    assert!(calls.len() > 50);
    for case in calls {
        let (pallet, call) = (
            case["pallet"].as_str().unwrap(),
            case["call"].as_str().unwrap(),
        );
        let payload = transactions::dynamic(pallet, call, arguments(&runtime, call, &case["args"]));
        let encoded = runtime.offline.transactions().call_data(&payload);
        let encoded = encoded.unwrap_or_else(|error| panic!("{pallet}.{call}: {error}"));
        let expected = case["call_data"].as_str().unwrap();
        assert_eq!(
            format!("0x{}", hex::encode(encoded)),
            expected,
            "{pallet}.{call}"
        );
    }
}

#[test]
fn storage_keys_are_the_same() {
    let (runtime, vectors) = (runtime(), vectors());
    let items = vectors["storage"].as_array().unwrap();
    assert!(items.len() > 30);
    for case in items {
        let (pallet, item) = (
            case["pallet"].as_str().unwrap(),
            case["item"].as_str().unwrap(),
        );
        let keys = case["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(value)
            .collect::<Vec<_>>();
        let metadata = runtime.metadata();
        let key = encode_storage_key(pallet, item, keys, metadata, metadata.types()).unwrap();
        let expected = case["storage_key"].as_str().unwrap();
        assert_eq!(
            format!("0x{}", hex::encode(key)),
            expected,
            "{pallet}.{item}"
        );
    }
}

#[test]
fn what_is_signed_and_sent_is_the_same() {
    let (runtime, vectors) = (runtime(), vectors());
    for case in vectors["signing"].as_array().unwrap() {
        let transactions = runtime.offline.transactions();
        let call = bytes(case["call_data"].as_str().unwrap());
        let call = transactions.from_call_data_bytes(&call).unwrap();
        let number = |json: &Json| json.as_u64().unwrap();
        let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
            .nonce(number(&case["nonce"]))
            .tip(number(&case["tip"]).into());
        let era = &case["era"];
        let BlockHash(birth) = read_hash(&case["era_block_hash"], "era").unwrap();
        let params = match era.as_object() {
            None => params.immortal(),
            Some(era) => params.mortal_from_unchecked(
                number(&era["period"]),
                number(&era["current"]),
                H256(birth),
            ),
        };
        let mut signable = transactions
            .create_signable_offline(&call, params.build())
            .unwrap();
        let payload = hex::encode(signable.signer_payload().unwrap());
        assert_eq!(
            format!("0x{payload}"),
            case["signature_payload"].as_str().unwrap()
        );

        let expected = case["extrinsic_with_dummy_signature_000102"]
            .as_str()
            .unwrap();
        let signer = AccountId::from_ss58("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
        let signer = AccountId32(*signer.unwrap().as_bytes());
        let dummy: [u8; 64] = std::array::from_fn(|nth| nth as u8);
        let signed = signable
            .sign_with_account_and_signature(&signer, &MultiSignature::Sr25519(dummy))
            .unwrap();
        assert_eq!(format!("0x{}", hex::encode(signed.encoded())), expected);
        let hash = BlockHash(signed.hash().0).to_string();
        assert_eq!(hash, case["extrinsic_hash"].as_str().unwrap());
    }
}
