use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use adit_neuron::{
    Assigned, Call, JudgedAnswer, JudgedItem, Judgement, Mechanism, QueryFailure, Received,
    Unavailable,
};
use adit_primitives::{Hotkey, Score, TaskId};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Two numbers to add.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Addition {
    pub(crate) left: u32,
    pub(crate) right: u32,
}

/// What a scripted miner does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Right,
    /// Off by three, so that it earns a quarter.
    Wrong,
    Timeout,
    Unreachable,
    Unauthenticated,
    Refuses,
    Malformed,
    /// Makes the validator's own query code panic.
    Panics,
    /// Never comes back by itself.
    Hangs,
}

/// A number of failures to come, and the token to cancel when they are used up.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    left: AtomicU64,
    then: Mutex<Option<CancellationToken>>,
}

impl Outage {
    /// Fails that many times.
    pub(crate) fn times(&self, count: u64) {
        self.left.store(count, Ordering::SeqCst);
    }

    /// Fails that many times, cancels the token at the last of them, and goes on failing.
    pub(crate) fn until(&self, count: u64, then: &CancellationToken) {
        self.times(count);
        *lock(&self.then) = Some(then.clone());
    }

    pub(crate) fn end(&self) {
        self.times(0);
        *lock(&self.then) = None;
    }

    fn strikes(&self) -> bool {
        let then = lock(&self.then).clone();
        let left = self.left.load(Ordering::SeqCst);
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        match then {
            Some(then) if left <= 1 => {
                then.cancel();
                true
            }
            Some(_) => true,
            None => left > 0,
        }
    }
}

/// A mechanism whose miners live in a table.
#[derive(Debug, Default)]
pub(crate) struct Toy {
    pub(crate) miners: Mutex<BTreeMap<Hotkey, Behaviour>>,
    pub(crate) judge_down: Outage,
    pub(crate) judge_panics: Outage,
    pub(crate) deliver_down: Outage,
    /// Cancelled when the first answer has been given.
    pub(crate) stop_at_first_answer: Mutex<Option<CancellationToken>>,
    /// Tasks in the order in which they were judged.
    pub(crate) judged: Mutex<Vec<TaskId>>,
    /// What the other side of `deliver` holds.
    pub(crate) delivered: Mutex<BTreeMap<String, Value>>,
    /// Batches in the order in which they first arrived there.
    pub(crate) arrivals: Mutex<Vec<String>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `1 / (1 + distance)`.
pub(crate) fn worth(expected: u32, given: u32) -> Score {
    Score::new(1.0 / (1.0 + f64::from(expected.abs_diff(given)))).unwrap()
}

impl Mechanism for Toy {
    type Task = Addition;
    type Answer = u32;

    fn name(&self) -> &'static str {
        "toy"
    }

    fn policy(&self) -> String {
        "toy/1".to_owned()
    }

    async fn next_task(&self, rng: &mut ChaCha8Rng) -> Result<Addition, Unavailable> {
        Ok(Addition {
            left: rng.random_range(0..1_000_000),
            right: rng.random_range(0..1_000_000),
        })
    }

    async fn query(&self, call: Call<'_, Addition>) -> Result<u32, QueryFailure> {
        let behaviour = lock(&self.miners).get(&call.miner.hotkey).copied();
        let total = call.task.left + call.task.right;
        let answer = match behaviour {
            Some(Behaviour::Right) => Ok(total),
            Some(Behaviour::Wrong) => Ok(total + 3),
            Some(Behaviour::Timeout) => Err(QueryFailure::Timeout),
            Some(Behaviour::Unauthenticated) => {
                Err(QueryFailure::Unauthenticated("another key".to_owned()))
            }
            Some(Behaviour::Refuses) => Err(QueryFailure::Refused("busy".to_owned())),
            Some(Behaviour::Malformed) => Err(QueryFailure::Malformed("x".repeat(100_000))),
            Some(Behaviour::Panics) => panic!("scripted"),
            Some(Behaviour::Hangs) => std::future::pending().await,
            Some(Behaviour::Unreachable) | None => {
                Err(QueryFailure::Unreachable("nobody there".to_owned()))
            }
        };
        if let Some(stop) = lock(&self.stop_at_first_answer).take() {
            stop.cancel();
        }
        answer
    }

    async fn judge(
        &self,
        task: &Assigned<Addition>,
        answers: &[Received<u32>],
        _rng: &mut ChaCha8Rng,
    ) -> Result<Judgement, Unavailable> {
        if self.judge_down.strikes() {
            return Err(Unavailable::new("arithmetic", "scripted"));
        }
        assert!(!self.judge_panics.strikes(), "scripted");
        lock(&self.judged).push(task.id);
        let expected = task.task.left + task.task.right;
        let scores = answers.iter().map(|received| JudgedAnswer {
            uid: received.uid,
            hotkey: received.hotkey,
            score: worth(expected, received.answer),
            verdict: "scored".to_owned(),
            reasons: Vec::new(),
            evidence: json!({ "expected": expected, "given": received.answer }),
        });
        let items = answers.iter().map(|received| JudgedItem {
            record_id: format!("{}/{}", task.id, received.hotkey),
            uid: received.uid,
            hotkey: received.hotkey,
            accepted: received.answer == expected,
            reason: (received.answer != expected).then(|| "wrong".to_owned()),
            payload: json!(received.answer),
        });
        let right: BTreeSet<u16> = answers
            .iter()
            .filter(|received| received.answer == expected)
            .map(|received| received.uid.0)
            .collect();
        Ok(Judgement {
            scores: scores.collect(),
            items: items.collect(),
            batch: (!right.is_empty()).then(|| json!({ "total": expected, "right": right })),
        })
    }

    async fn deliver(&self, batch_id: &str, batch: &Value) -> Result<Value, Unavailable> {
        if self.deliver_down.strikes() {
            return Err(Unavailable::new("dataset", "scripted"));
        }
        let mut delivered = lock(&self.delivered);
        match delivered.get(batch_id) {
            Some(held) => assert_eq!(held, batch, "one id, one batch"),
            None => {
                delivered.insert(batch_id.to_owned(), batch.clone());
                lock(&self.arrivals).push(batch_id.to_owned());
            }
        }
        Ok(json!({ "held": delivered.len() }))
    }

    fn recompute(&self, policy: &str, evidence: &Value) -> Result<Score, String> {
        if policy != "toy/1" {
            return Err(format!("policy {policy:?} is unknown"));
        }
        let number = |name: &str| {
            let found = evidence.get(name).and_then(Value::as_u64);
            found
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| format!("the evidence has no {name}"))
        };
        Ok(worth(number("expected")?, number("given")?))
    }
}
