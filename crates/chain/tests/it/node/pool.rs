use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use adit_chain::BlockHead;
use adit_primitives::BlockHash;
use serde_json::{Value as Json, json};
use subxt::ext::scale_value::Value;

use super::{
    Shared,
    ledger::blake2_256,
    runtime::{event, number},
};

/// One step of a transaction's way, see [`super::Node::script`].
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The pool does not take it. Must come first.
    Refuse {
        code: i64,
        message: &'static str,
        data: Option<&'static str>,
    },
    /// The socket closes before anything is answered; the pool has the transaction all the same and
    /// puts it into the next block. Must come first.
    TakeAndClose,
    /// The socket closes before anything is answered, and the transaction is gone. Must come first.
    LoseAndClose,
    /// A notification: `"ready"`, `{"usurped": …}` and so on.
    Status(Json),
    /// A block is made with it, and `inBlock` is notified.
    Include(Outcome),
    /// As [`Step::Include`] without a notification.
    IncludeSilently(Outcome),
    /// The block it is in is replaced, and `retracted` is notified.
    Retract,
    /// Everything up to its block is finalised, and `finalized` is notified.
    Finalize,
    /// Empty blocks are made.
    Blocks(usize),
    /// The socket closes.
    Close,
}

/// How a transaction ends in its block.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// With these events before `ExtrinsicSuccess`; the place in their phase is put right.
    Success(Vec<(&'static str, &'static str, Vec<Value>)>),
    /// With a dispatch error, by name.
    Failed {
        pallet: &'static str,
        error: &'static str,
    },
}

impl Outcome {
    pub(crate) fn success() -> Self {
        Self::Success(Vec::new())
    }

    pub(crate) fn failed(pallet: &'static str, error: &'static str) -> Self {
        Self::Failed { pallet, error }
    }
}

#[derive(Default)]
pub(super) struct Pool {
    pub(super) scripts: VecDeque<Vec<Step>>,
    pub(super) submitted: Vec<String>,
    /// To be in the next block.
    pub(super) waiting: Vec<String>,
    nonces: HashMap<[u8; 32], u64>,
}

impl Pool {
    /// Takes note of a transaction; a repetition does not count as a nonce more.
    pub(super) fn take(&mut self, text: &str) {
        let known = self.submitted.iter().any(|old| old == text);
        self.submitted.push(text.to_owned());
        if let Some(account) = signer(text).filter(|_| !known) {
            *self.nonces.entry(account).or_default() += 1;
        }
    }

    pub(super) fn next_nonce(&self, account: [u8; 32]) -> u64 {
        self.nonces.get(&account).copied().unwrap_or_default()
    }

    pub(super) fn script(&mut self) -> Vec<Step> {
        self.scripts.pop_front().unwrap_or_else(|| {
            vec![
                Step::Status(json!("ready")),
                Step::Include(Outcome::success()),
                Step::Finalize,
            ]
        })
    }
}

/// The hash a pool knows a transaction by.
pub(super) fn hash(text: &str) -> BlockHash {
    let bytes = hex::decode(text.trim_start_matches("0x")).unwrap_or_default();
    BlockHash(blake2_256(&bytes))
}

/// The account of a signed transaction of format 4.
fn signer(text: &str) -> Option<[u8; 32]> {
    let bytes = hex::decode(text.trim_start_matches("0x")).ok()?;
    let prefix = [1, 2, 4, 5][usize::from(bytes.first()? & 0b11)];
    let rest = bytes.get(prefix..)?;
    (rest.get(..2)? == [0x84, 0x00]).then(|| rest.get(2..34)?.try_into().ok())?
}

/// Puts a transaction into a new block.
pub(super) fn include(shared: &Arc<Shared>, text: &str, outcome: &Outcome) -> BlockHead {
    let mut extrinsics = std::mem::take(&mut shared.pool.lock().unwrap().waiting);
    let place = u32::try_from(extrinsics.len()).unwrap();
    let mut events = Vec::new();
    for before in 0..place {
        events.push(success(before));
    }
    let mut ledger = shared.ledger.lock().unwrap();
    match outcome {
        Outcome::Success(others) => {
            for (pallet, name, fields) in others {
                events.push(event(Some(place), pallet, name, fields.clone()));
            }
            events.push(success(place));
        }
        Outcome::Failed { pallet, error } => {
            let runtime = ledger.block(ledger.head().hash).unwrap().runtime.clone();
            let (pallet, error) = runtime.error(pallet, error);
            let module = Value::named_composite([
                ("index", number(pallet)),
                (
                    "error",
                    Value::unnamed_composite([error, 0, 0, 0].map(number)),
                ),
            ]);
            let error = Value::unnamed_variant("Module", [module]);
            events.push(event(
                Some(place),
                "System",
                "ExtrinsicFailed",
                [error, dispatch_info()],
            ));
        }
    }
    extrinsics.push(text.to_owned());
    let head = ledger.make(extrinsics, &events);
    drop(ledger);
    shared.changed.send_modify(|tick| *tick += 1);
    head
}

fn success(place: u32) -> Value {
    event(Some(place), "System", "ExtrinsicSuccess", [dispatch_info()])
}

fn dispatch_info() -> Value {
    let weight = Value::named_composite([("ref_time", number(0_u8)), ("proof_size", number(0_u8))]);
    Value::named_composite([
        ("weight", weight),
        ("class", Value::unnamed_variant("Normal", [])),
        ("pays_fee", Value::unnamed_variant("Yes", [])),
    ])
}
