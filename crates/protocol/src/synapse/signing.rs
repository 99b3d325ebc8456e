use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Nanoseconds that a request may be old beside its own timeout.
pub const ALLOWED_DELTA_NANOS: u64 = 4_000_000_000;

/// First version of the SDK whose nonces are nanoseconds since the Unix epoch (7.2.0).
pub const FIRST_TIMED_VERSION: i64 = 7_002_000;

/// Version of the SDK that we speak like, 10.5.0; Python axons ask for nonces that follow the
/// clock from 7.2.0 on.
pub const SPOKEN_VERSION: i64 = 10_005_000;

/// The text that the caller's hotkey signs, and that the axon puts together anew:
/// `{nonce}.{caller}.{callee}.{uuid}.{body hash}`. What is missing is written `None`, as in Python.
pub fn signed_message(
    nonce: Option<u64>,
    caller: Option<&str>,
    callee: Option<&str>,
    uuid: Option<&str>,
    body_hash: Option<&str>,
) -> String {
    let nonce = nonce.map_or_else(|| "None".to_owned(), |nonce| nonce.to_string());
    let [caller, callee, uuid, hash] =
        [caller, callee, uuid, body_hash].map(|part| part.unwrap_or("None"));
    format!("{nonce}.{caller}.{callee}.{uuid}.{hash}")
}

/// The nonce at and below which a first request is too old: now less four seconds less the
/// caller's timeout (0 when it gave none), all in nanoseconds. A timeout that is no number counts
/// as 0.
pub fn allowed_nonce_window(now: u64, timeout: Option<f64>) -> i128 {
    // A cast of a float saturates, and makes 0 of NaN.
    let timeout = (timeout.unwrap_or(0.0) * 1e9) as i128;
    i128::from(now)
        .saturating_sub(i128::from(ALLOWED_DELTA_NANOS))
        .saturating_sub(timeout)
}

/// A version such as `10.5.0` as one number: Σ part · 1000^place, so 10005000. `None` when a part
/// is no number, or the sum too large.
pub fn version_as_int(version: &str) -> Option<i64> {
    let mut sum: i64 = 0;
    for part in version.split('.') {
        sum = sum.checked_mul(1000)?.checked_add(part.parse().ok()?)?;
    }
    Some(sum)
}

/// An address as the number that the chain stores.
pub fn ip_to_int(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The address of a number, without knowing its kind: an IPv4 address whenever it fits one, as the
/// Python SDK reads it. Where the kind is known use `adit_primitives::AxonInfo::ip_from_chain`.
pub fn int_to_ip(number: u128) -> IpAddr {
    u32::try_from(number).map_or_else(
        |_| IpAddr::V6(Ipv6Addr::from_bits(number)),
        |number| IpAddr::V4(Ipv4Addr::from_bits(number)),
    )
}

/// A random UUID (version 4).
pub(super) fn random_uuid<R: rand::RngCore + ?Sized>(rng: &mut R) -> String {
    let mut bytes = [0_u8; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex::encode(bytes);
    let mut uuid = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_versions_hold_at_their_edges() {
        assert_eq!(allowed_nonce_window(0, None), -4_000_000_000);
        assert_eq!(allowed_nonce_window(10, Some(f64::NAN)), 10 - 4_000_000_000);
        let endless = allowed_nonce_window(10, Some(f64::INFINITY));
        assert!(endless < i128::from(i64::MIN));
        assert_eq!(version_as_int("10.5.0"), Some(SPOKEN_VERSION));
        assert_eq!(version_as_int("7.2.0"), Some(FIRST_TIMED_VERSION));
        assert_eq!(version_as_int("10.5.0rc1"), None);
        assert_eq!(version_as_int("9999999999999999999"), None);
        assert_eq!(int_to_ip(1).to_string(), "0.0.0.1");
        assert_eq!(
            int_to_ip(ip_to_int("fe80::1".parse().unwrap())).to_string(),
            "fe80::1"
        );
    }
}
