use subxt::{error::DispatchError, events::Phase};

use super::{connection::unreadable, runtime::Runtime};
use crate::Result;

/// Why a transaction failed in its block, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) pallet: String,
    pub(super) error: String,
}

/// What became of the transaction at a place in its block, told by the block's events.
///
/// `runtime` must be the one that made the events: at the block of an upgrade that is the parent's.
pub(super) fn outcome(runtime: &Runtime, events: &[u8], place: usize) -> Result<Option<Failure>> {
    let events = runtime.offline.events().from_bytes(events.to_vec());
    for event in events.iter() {
        let event = event.map_err(|error| unreadable("events", &error.to_string()))?;
        let ours = matches!(event.phase(), Phase::ApplyExtrinsic(nth) if usize::try_from(nth) == Ok(place));
        if !ours || event.pallet_name() != "System" {
            continue;
        }
        match event.event_name() {
            "ExtrinsicSuccess" => return Ok(None),
            "ExtrinsicFailed" => return name_failure(runtime, event.field_bytes()).map(Some),
            _ => {}
        }
    }
    Err(unreadable(
        "events",
        "they do not tell what became of the transaction",
    ))
}

fn name_failure(runtime: &Runtime, bytes: &[u8]) -> Result<Failure> {
    let metadata = runtime.offline.metadata();
    let error = DispatchError::decode_from(bytes, metadata)
        .map_err(|error| unreadable("a dispatch error", &error.to_string()))?;
    Ok(match error {
        DispatchError::Module(module) => match module.details() {
            Ok(details) => Failure {
                pallet: details.pallet.name().to_owned(),
                error: details.variant.name.clone(),
            },
            Err(_) => Failure {
                pallet: format!("pallet {}", module.pallet_index()),
                error: format!("error {}", module.error_index()),
            },
        },
        other => Failure {
            pallet: "System".to_owned(),
            error: format!("{other:?}"),
        },
    })
}

/// Names of the codes a Subtensor pool answers as `Custom error: n` (runtime 425).
const CUSTOM: [&str; 28] = [
    "ColdkeyInSwapSchedule",
    "StakeAmountTooLow",
    "BalanceTooLow",
    "SubnetNotExists",
    "HotkeyAccountDoesntExist",
    "NotEnoughStakeToWithdraw",
    "RateLimitExceeded",
    "InsufficientLiquidity",
    "SlippageTooHigh",
    "TransferDisallowed",
    "HotKeyNotRegisteredInNetwork",
    "InvalidIpAddress",
    "ServingRateLimitExceeded",
    "InvalidPort",
    "ZeroMaxAmount",
    "InvalidRevealRound",
    "CommitNotFound",
    "CommitBlockNotInRevealRange",
    "InputLengthsUnequal",
    "UidNotFound",
    "EvmKeyAssociateRateLimitExceeded",
    "ColdkeySwapDisputed",
    "InvalidRealAccount",
    "FailedShieldedTxParsing",
    "InvalidShieldedTxPubKeyHash",
    "NonAssociatedColdKey",
    "DelegateTakeTooLow",
    "DelegateTakeTooHigh",
];

/// The pool's words with the name of a custom code put in.
pub(super) fn name_pool_message(message: &str) -> String {
    const MARK: &str = "Custom error: ";
    let Some((before, after)) = message.split_once(MARK) else {
        return message.to_owned();
    };
    let digits = after
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or("");
    let name = match digits.parse::<usize>() {
        Ok(255) => Some("BadRequest"),
        Ok(code) => CUSTOM.get(code).copied(),
        Err(_) => None,
    };
    match name {
        Some(name) => format!("{before}{MARK}{digits} ({name})"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_codes_get_their_names() {
        let named = name_pool_message("Invalid Transaction: Custom error: 12");
        assert_eq!(
            named,
            "Invalid Transaction: Custom error: 12 (ServingRateLimitExceeded)"
        );
        assert!(name_pool_message("Custom error: 255").ends_with("(BadRequest)"));
        for plain in [
            "Transaction is outdated",
            "Custom error: 99",
            "Custom error: x",
        ] {
            assert_eq!(name_pool_message(plain), plain);
        }
    }
}
