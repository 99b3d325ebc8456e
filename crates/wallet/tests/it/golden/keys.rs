//! Keys, addresses, signatures and the meaning of text messages.

use adit_primitives::AccountId;
use adit_testkit::Outcome;
use adit_wallet::{
    Keypair, Signature, SignatureScheme, Ss58Address, is_valid_address_or_public_key,
    python_message, verify, verify_wrapped,
};
use serde_json::Value;

use super::{all, bytes, each, same, text};

pub(super) fn settle(document: &Value) -> Vec<(String, String, Outcome)> {
    let of = |section: &str, name: &str, settle: fn(&Value) -> Outcome| {
        each(
            document.get(section),
            &format!("wallet.{section}"),
            name,
            settle,
        )
    };
    [
        of("keys", "input", key),
        of("addresses", "label", address),
        of("signatures", "label", signature),
        of("string_message_semantics", "message", message),
    ]
    .concat()
}

fn key(case: &Value) -> Outcome {
    let input = text(case, "input").unwrap();
    let kind = text(case, "kind").unwrap();
    // Seeds and private keys that are not the right number of digits are no key either.
    let digits = || hex::decode(input.strip_prefix("0x").unwrap_or(input)).ok();
    let made = match kind.trim_end_matches("_invalid") {
        "mnemonic" => Keypair::from_mnemonic(input, "").ok(),
        "uri" => Keypair::from_uri(input).ok(),
        "seed" => digits()
            .and_then(|bytes| bytes.try_into().ok())
            .map(|seed| Keypair::from_seed(&seed)),
        "private_key" => digits()
            .and_then(|bytes| bytes.try_into().ok())
            .and_then(|secret| Keypair::from_secret_key(&secret).ok()),
        kind => return Outcome::Failed(format!("unknown kind {kind}")),
    };
    let (made, ss58) = match (made, text(case, "ss58")) {
        (Some(made), Some(ss58)) => (made, ss58),
        (None, None) => return Outcome::Passed,
        (made, ss58) => return Outcome::Failed(format!("{made:?}, recorded {ss58:?}")),
    };
    let public_key = bytes(text(case, "public_key").unwrap());
    let mut checks = vec![
        same("ss58", made.account().to_string().as_str(), ss58),
        same("public key", &made.account().as_bytes()[..], &public_key),
    ];
    // The recorder printed seeds that happen to be text as that text; then the input tells.
    let seed = match text(case, "seed") {
        Some(seed) if seed.len() == 66 && seed.is_ascii() => Some(seed),
        Some(_) if kind == "seed" => Some(input),
        _ => None,
    };
    if let Some(seed) = seed {
        let found = made.expose_seed().map(|seed| seed.to_vec());
        checks.push(same("seed", found, Some(bytes(seed))));
    }
    let private_key = bytes(text(case, "private_key").unwrap());
    let found = made.expose_secret_key();
    // A soft step draws the nonce half of the secret at random.
    let soft = kind == "uri" && input.replace("//", "").contains('/');
    let half = if soft { 32 } else { 64 };
    checks.push(same("secret", &found[..half], &private_key[..half]));
    all(checks)
}

fn address(case: &Value) -> Outcome {
    let address = text(case, "address").unwrap();
    let recorded = |field: &str| case.get(field).and_then(Value::as_bool).unwrap();
    let parsed = Ss58Address::parse(address);
    let format = case.get("get_ss58_format").and_then(Value::as_u64);
    let key = text(case, "keypair_public_key").map(bytes);
    let own = address.parse::<AccountId>();
    all([
        same(
            "is_valid_ss58_address",
            parsed.as_ref().is_ok_and(Ss58Address::is_registered),
            recorded("is_valid_ss58_address"),
        ),
        same(
            "is_valid_bittensor_address_or_public_key",
            is_valid_address_or_public_key(address),
            recorded("is_valid_bittensor_address_or_public_key"),
        ),
        same(
            "format",
            parsed.as_ref().ok().map(|found| u64::from(found.format)),
            format,
        ),
        same(
            "public key",
            parsed.ok().map(|found| found.account.as_bytes().to_vec()),
            key.clone(),
        ),
        // Ours are of format 42 alone.
        same(
            "our own address",
            own.ok().map(|account| account.as_bytes().to_vec()),
            key.filter(|_| format == Some(42)),
        ),
    ])
}

fn signature(case: &Value) -> Outcome {
    let key = bytes(text(case, "public_key").unwrap());
    let signer = AccountId::new(key.try_into().unwrap());
    let message = bytes(text(case, "message_hex").unwrap());
    let signature = text(case, "signature").unwrap().parse::<Signature>();
    let (signature, recorded) = match (signature, case.get("verify").and_then(Value::as_bool)) {
        (Ok(signature), Some(recorded)) => (signature, recorded),
        (Err(_), None) => return Outcome::Passed,
        (found, recorded) => return Outcome::Failed(format!("{found:?}, recorded {recorded:?}")),
    };
    let scheme = SignatureScheme::Sr25519;
    let tolerant = verify_wrapped(scheme, &signer, &message, &signature);
    // The strict rule accepts nothing that the tolerant one refuses.
    let strict = verify(scheme, &signer, &message, &signature);
    all([
        same("verify", tolerant, recorded),
        Outcome::when(tolerant || !strict, "the strict rule accepts more"),
    ])
}

fn message(case: &Value) -> Outcome {
    let message = text(case, "message").unwrap();
    let signed = case
        .get("signs_bytes_of")
        .and_then(|list| list.as_array())
        .map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    match (python_message(message), signed) {
        (Err(_), None) => Outcome::Passed,
        (Ok(found), Some(signed)) => {
            let decoded = message
                .strip_prefix("0x")
                .and_then(|digits| hex::decode(digits).ok());
            Outcome::when(
                signed.iter().any(|reading| match *reading {
                    "utf8" => *found == *message.as_bytes(),
                    "hexdecoded" => Some(&*found) == decoded.as_deref(),
                    _ => false,
                }),
                format!("{found:?}, recorded {signed:?}"),
            )
        }
        (found, signed) => Outcome::Failed(format!("{found:?}, recorded {signed:?}")),
    }
}
