use adit_primitives::{AccountId, Rao};
use adit_wallet::{Keypair, Signature, SignatureScheme};
use subxt::ext::{
    codec::{Compact, Decode, Encode as _},
    scale_decode::DecodeAsType as _,
    scale_value::Value,
};

use super::{
    Client,
    call::ChainCall,
    connection::{hex_text, read_bytes, unreadable},
    events::{DispatchFailure, name_failure},
    pool::{PoolReason, PoolRefusal},
    runtime::Runtime,
    snapshot::Snapshot,
    submit::terms,
    value::ChainValue,
};
use crate::{Error, Result};

/// What a call would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeEstimate {
    /// The most it can cost, without a tip; weight that is not used is paid back. What neurons call (weights, axons, commitments) is free on chain when
    /// it succeeds, and often when it fails.
    pub fee: Rao,
    /// Computation it is charged for, in picoseconds of reference hardware.
    pub ref_time: u64,
    /// Proof it is charged for, in bytes.
    pub proof_size: u64,
    /// Its class.
    pub class: CallClass,
}

/// How blocks make room for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallClass {
    /// As for all ordinary calls.
    Normal,
    /// Before all ordinary ones.
    Operational,
    /// In any case.
    Mandatory,
}

/// What a transaction would do, told without sending it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRun {
    /// The node ran it on the newest state, and it succeeded.
    Succeeds,
    /// The node ran it on the newest state, and it failed.
    Fails(DispatchFailure),
    /// The node does not run transactions on trial for us; its pool would take this one.
    Taken {
        /// Whether it could be in the next block; if not, an earlier nonce is missing.
        ready: bool,
        /// Its priority in the pool.
        priority: u64,
        /// Blocks for which this answer holds.
        longevity: u64,
    },
    /// The pool would not take it.
    Rejected(PoolRefusal),
}

impl Client {
    /// What a call of an account would cost now. Nothing is signed: a transaction with a signature
    /// of zeros is measured.
    ///
    /// # Errors
    /// [`Error::NoSuchCall`], [`Error::MissingArgument`], [`Error::UnknownArgument`],
    /// [`Error::Build`], or a failure to reach or to understand the chain.
    pub async fn estimate_fee(&self, call: &ChainCall, account: AccountId) -> Result<FeeEstimate> {
        let shared = &self.shared;
        shared
            .retrying(|| async {
                let snapshot = shared.snapshot().await?;
                let nonce = snapshot.connection.next_nonce(account).await?;
                let terms = terms(&snapshot, nonce, shared.options.mortality);
                let unsigned = Signature::from_bytes(&[0; 64])
                    .map_err(|error| unreadable("a signature", &error.to_string()))?;
                let scheme = SignatureScheme::Sr25519;
                let runtime = &snapshot.runtime;
                let bytes = runtime.with_signature(call, &terms, account, scheme, &unsigned)?;
                fee(&snapshot, &bytes.bytes).await
            })
            .await
    }

    /// What a call would do, as far as the node tells without it being sent: `system_dryRun` where
    /// the node offers it, else the pool's own check (`TaggedTransactionQueue`).
    ///
    /// The transaction is signed for this, with the next nonce; it never leaves for a pool.
    ///
    /// # Errors
    /// As [`Client::estimate_fee`].
    pub async fn dry_run(&self, call: &ChainCall, signer: &Keypair) -> Result<DryRun> {
        let shared = &self.shared;
        shared
            .retrying(|| async {
                let snapshot = shared.snapshot().await?;
                let nonce = snapshot.connection.next_nonce(signer.account()).await?;
                let terms = terms(&snapshot, nonce, shared.options.mortality);
                let bytes = snapshot.runtime.sign(call, &terms, signer)?.bytes;
                let params = [hex_text(&bytes).into()];
                let answer = match snapshot.connection.request("system_dryRun", &params).await {
                    Ok(answer) => read_bytes(&answer, "system_dryRun")?,
                    Err(error) if error.is_retryable() => return Err(error),
                    // Unknown to the node or not for strangers.
                    Err(_) => return validate(&snapshot, &bytes).await,
                };
                applied(&snapshot.runtime, &answer)
            })
            .await
    }
}

/// Source `External`: as if it came from another machine.
const EXTERNAL: u8 = 2;

async fn fee(snapshot: &Snapshot, bytes: &[u8]) -> Result<FeeEstimate> {
    const CALL: &str = "TransactionPaymentApi_query_info";
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let input = [bytes, &length.encode()].concat();
    let answer = snapshot
        .connection
        .call(CALL, &input, snapshot.head.hash)
        .await;
    match answer {
        Ok(answer) => read_fee(&answer),
        Err(Error::Rpc { .. }) => {
            let params = [
                hex_text(bytes).into(),
                snapshot.head.hash.to_string().into(),
            ];
            let answer = snapshot
                .connection
                .request("payment_queryInfo", &params)
                .await?;
            read_fee_json(&answer)
        }
        Err(error) => Err(error),
    }
}

/// Weight, class, fee; the fee as wide as the chain's balances.
fn read_fee(answer: &[u8]) -> Result<FeeEstimate> {
    let wrong = || unreadable("a fee", "the answer is cut short");
    let mut rest = answer;
    let Ok(Compact(ref_time)) = Compact::<u64>::decode(&mut rest) else {
        return Err(wrong());
    };
    let Ok(Compact(proof_size)) = Compact::<u64>::decode(&mut rest) else {
        return Err(wrong());
    };
    let (class, fee) = rest.split_first().ok_or_else(wrong)?;
    let class = match class {
        0 => CallClass::Normal,
        1 => CallClass::Operational,
        2 => CallClass::Mandatory,
        _ => return Err(unreadable("a fee", "its class is none")),
    };
    let fee = match fee.len() {
        8 => u64::decode(&mut &*fee).ok(),
        16 => u128::decode(&mut &*fee)
            .ok()
            .and_then(|fee| fee.try_into().ok()),
        _ => None,
    };
    Ok(FeeEstimate {
        fee: Rao(fee.ok_or_else(wrong)?),
        ref_time,
        proof_size,
        class,
    })
}

fn read_fee_json(answer: &serde_json::Value) -> Result<FeeEstimate> {
    let number = |place: &str| {
        let value = answer.pointer(place)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    let class = match answer.get("class").and_then(serde_json::Value::as_str) {
        Some("operational") => CallClass::Operational,
        Some("mandatory") => CallClass::Mandatory,
        _ => CallClass::Normal,
    };
    let fee = number("/partialFee").ok_or_else(|| unreadable("a fee", "it is no number"))?;
    Ok(FeeEstimate {
        fee: Rao(fee),
        ref_time: number("/weight/ref_time").unwrap_or(0),
        proof_size: number("/weight/proof_size").unwrap_or(0),
        class,
    })
}

/// `ApplyExtrinsicResult`: whether it is valid, and if so whether it succeeded.
fn applied(runtime: &Runtime, answer: &[u8]) -> Result<DryRun> {
    match answer {
        [0, 0] => Ok(DryRun::Succeeds),
        [0, 1, error @ ..] => {
            let metadata = runtime.metadata();
            let error_type = metadata.dispatch_error_ty();
            let error_type = error_type
                .ok_or_else(|| unreadable("a dispatch error", "the metadata does not know it"))?;
            let value = Value::decode_as_type(&mut &*error, error_type, metadata.types())
                .map_err(|error| unreadable("a dispatch error", &error.to_string()))?;
            let value: Value = value;
            let failure = name_failure(runtime, &ChainValue::from_scale(value));
            Ok(DryRun::Fails(failure))
        }
        [1, invalid @ ..] => rejected(invalid),
        _ => Err(unreadable("system_dryRun", "the answer is no result")),
    }
}

async fn validate(snapshot: &Snapshot, bytes: &[u8]) -> Result<DryRun> {
    const CALL: &str = "TaggedTransactionQueue_validate_transaction";
    let at = snapshot.head.hash;
    let input = [&[EXTERNAL][..], bytes, &at.0].concat();
    let answer = snapshot.connection.call(CALL, &input, at).await?;
    match answer.as_slice() {
        [0, valid @ ..] => {
            let read = <(u64, Vec<Vec<u8>>, Vec<Vec<u8>>, u64)>::decode(&mut &*valid);
            let (priority, requires, _, longevity) =
                read.map_err(|error| unreadable("a validity", &error.to_string()))?;
            Ok(DryRun::Taken {
                ready: requires.is_empty(),
                priority,
                longevity,
            })
        }
        [1, invalid @ ..] => rejected(invalid),
        _ => Err(unreadable("a validity", "the answer is no result")),
    }
}

/// `TransactionValidityError` in SCALE.
fn rejected(error: &[u8]) -> Result<DryRun> {
    let refusal = match error {
        [0, variant, rest @ ..] => {
            let reason = PoolReason::from_invalid(*variant, rest.first().copied());
            PoolRefusal {
                code: 1010,
                reason,
                message: format!("Invalid Transaction: {}", reason.name()),
            }
        }
        [1, ..] => PoolRefusal {
            code: 1011,
            reason: PoolReason::Unknown,
            message: "Unknown Transaction Validity".to_owned(),
        },
        _ => return Err(unreadable("a validity", "the error is none")),
    };
    Ok(DryRun::Rejected(refusal))
}

#[cfg(test)]
mod tests {
    use adit_primitives::BlockHash;
    use serde_json::json;
    use subxt::Metadata;

    use super::*;
    use crate::client::SubtensorCode;

    #[test]
    fn fees_are_read_in_both_widths_and_from_json() {
        let bytes = [
            &Compact(700_u64).encode()[..],
            &Compact(3_u64).encode(),
            &[1],
        ]
        .concat();
        let narrow = read_fee(&[&bytes[..], &9_u64.encode()].concat()).unwrap();
        let wide = read_fee(&[&bytes[..], &9_u128.encode()].concat()).unwrap();
        assert_eq!(narrow, wide);
        assert_eq!(
            (narrow.fee, narrow.ref_time, narrow.proof_size),
            (Rao(9), 700, 3)
        );
        assert_eq!(narrow.class, CallClass::Operational);
        for length in 0..bytes.len() + 8 {
            let cut = [&bytes[..], &9_u64.encode()].concat();
            assert!(read_fee(&cut[..length]).is_err(), "{length}");
        }
        let json = json!({"partialFee": "12", "class": "normal", "weight": {"ref_time": 5, "proof_size": 6}});
        assert_eq!(read_fee_json(&json).unwrap().fee, Rao(12));
        assert!(read_fee_json(&json!({})).is_err());
    }

    #[test]
    fn a_dry_run_names_what_would_go_wrong() {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        let metadata = Metadata::decode_from(&bytes).unwrap();
        let runtime = Runtime::new(metadata, BlockHash([0; 32]), 365, 1).unwrap();
        assert_eq!(applied(&runtime, &[0, 0]).unwrap(), DryRun::Succeeds);
        // Module error 0 of pallet 7.
        let fails = applied(&runtime, &[0, 1, 3, 7, 0, 0, 0, 0]).unwrap();
        let DryRun::Fails(failure) = fails else {
            panic!("{fails:?}")
        };
        assert_eq!(
            failure.to_string(),
            "SubtensorModule.RootNetworkDoesNotExist"
        );
        let custom = applied(&runtime, &[1, 0, 7, 12]).unwrap();
        let DryRun::Rejected(refusal) = &custom else {
            panic!("{custom:?}")
        };
        assert_eq!(refusal.reason, PoolReason::Custom(SubtensorCode(12)));
        assert!(refusal.message.contains("ServingRateLimitExceeded"));
        assert!(matches!(
            applied(&runtime, &[1, 1, 0]),
            Ok(DryRun::Rejected(_))
        ));
        for nonsense in [&[][..], &[0], &[2], &[1], &[0, 1, 99]] {
            assert!(applied(&runtime, nonsense).is_err(), "{nonsense:?}");
        }
    }
}
