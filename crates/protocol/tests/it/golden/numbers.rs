//! Nonce windows, addresses and versions as numbers, tensors.

use std::net::IpAddr;

use adit_protocol::synapse::{
    PyValue, Tensor, allowed_nonce_window, int_to_ip, ip_to_int, version_as_int,
};
use adit_testkit::{GoldenSuite, Outcome};

use super::{Judge, all, items, on_lists, same, text};

pub(super) fn register(suite: &mut GoldenSuite) {
    let lists: [(_, Judge); 4] = [
        ("nonce_window", nonce_window),
        ("ip", ip),
        ("version_int", version_int),
        ("tensor", tensor),
    ];
    on_lists(suite, "misc", lists);
}

/// Python calculates in doubles when the timeout is one; so are the answers compared.
fn nonce_window(case: &PyValue) -> Outcome {
    let now = case
        .get("current_time_ns")
        .and_then(PyValue::as_i64)
        .unwrap() as u64;
    let timeout = case.get("timeout").and_then(PyValue::as_f64);
    let expected = case.get("allowed_window_ns").and_then(PyValue::as_f64);
    same(Some(allowed_nonce_window(now, timeout) as f64), expected)
}

fn ip(case: &PyValue) -> Outcome {
    let ip: IpAddr = text(case, "ip").parse().unwrap();
    let number = ip_to_int(ip);
    all([
        same(number.to_string(), text(case, "int").to_owned()),
        same(
            Some(if ip.is_ipv4() { 4 } else { 6 }),
            case.get("version").and_then(PyValue::as_i64),
        ),
        same(int_to_ip(number), text(case, "back").parse().unwrap()),
    ])
}

fn version_int(case: &PyValue) -> Outcome {
    let expected = case.get("as_int").and_then(PyValue::as_i64);
    same(version_as_int(text(case, "version")), expected)
}

/// Unpacks the buffer, compares all parts, and packs it again to the same bytes.
fn tensor(case: &PyValue) -> Outcome {
    let sides = |shape: Option<&PyValue>| -> Vec<u64> {
        let sides = items(shape).iter();
        sides.map(|side| side.as_i64().unwrap() as u64).collect()
    };
    let given = Tensor {
        buffer: text(case, "buffer").to_owned(),
        dtype: text(case, "dtype").to_owned(),
        shape: sides(case.get("shape")),
    };
    let array = given.array(1 << 20).unwrap();
    let map = case.get("msgpack_map").unwrap();
    let mut values = Vec::new();
    flatten(case.get("values").unwrap(), &mut values);
    all([
        same(Tensor::from_array(&array), given),
        same(array.shape().to_vec(), sides(map.get("shape"))),
        same(hex::encode(array.bytes()), text(map, "data").to_owned()),
        same(
            array.kind().name().to_owned(),
            text(case, "dtype").trim_start_matches("torch.").to_owned(),
        ),
        same(array.to_f64(), values),
    ])
}

fn flatten(value: &PyValue, out: &mut Vec<f64>) {
    match value {
        PyValue::List(items) => items.iter().for_each(|item| flatten(item, out)),
        PyValue::Bool(value) => out.push(f64::from(u8::from(*value))),
        other => out.push(other.as_f64().unwrap()),
    }
}
