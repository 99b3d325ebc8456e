//! The thread a model runs on.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{queue::Entry, stats::Counts};
use crate::{Error, Result};

/// Longest message of a panic, in characters.
const LONGEST_MESSAGE: usize = 300;
/// What drivers and burn say when the device's memory is used up; the last is this crate's own.
const OUT_OF_MEMORY: [&str; 7] = [
    "out of memory",
    "out-of-memory",
    "out_of_memory",
    "outofmemory",
    "can't allocate buffer",
    "buffertoobig",
    "memory does not hold",
];

type Passes<Item, Answer> = mpsc::Sender<Vec<Entry<Item, Answer>>>;

/// Starts the thread. It says each time that it is free again, and ends when the sender is dropped.
pub(super) fn start<Item: Send + 'static, Answer: Send + 'static>(
    name: &'static str,
    counts: Arc<Counts>,
    mut run: impl FnMut(&[Item]) -> Result<Vec<Answer>> + Send + 'static,
) -> Result<(Passes<Item, Answer>, UnboundedReceiver<()>)> {
    let (sender, passes) = mpsc::channel::<Vec<Entry<Item, Answer>>>();
    let (free, finished) = unbounded_channel();
    let work = move || {
        for pass in passes {
            pass_over(pass, &counts, &mut run);
            if free.send(()).is_err() {
                return;
            }
        }
    };
    // The system cuts names of threads after 15 bytes.
    let spawned = thread::Builder::new()
        .name(format!("batch-{name}"))
        .spawn(work);
    match spawned {
        Ok(_detached) => Ok((sender, finished)),
        Err(error) => Err(Error::Batching {
            reason: format!("no thread: {error}"),
        }),
    }
}

/// Runs a pass, gives its room back, then answers.
fn pass_over<Item, Answer>(
    pass: Vec<Entry<Item, Answer>>,
    counts: &Counts,
    run: &mut impl FnMut(&[Item]) -> Result<Vec<Answer>>,
) {
    let (mut items, mut replies, mut rooms) = (Vec::new(), Vec::new(), Vec::new());
    let mut cost = 0;
    for entry in pass {
        cost += entry.cost;
        items.push(entry.item);
        replies.push(entry.reply);
        rooms.push(entry.room);
    }
    let started = Instant::now();
    let outcomes = settle(&items, run, counts, true);
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    counts.ends(items.len(), cost, failed, started.elapsed());
    drop(items);
    drop(rooms);
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        // Whoever has stopped waiting does not miss it.
        let _ = reply.send(outcome);
    }
}

/// One outcome for each item, in order.
fn settle<Item, Answer>(
    items: &[Item],
    run: &mut impl FnMut(&[Item]) -> Result<Vec<Answer>>,
    counts: &Counts,
    may_split: bool,
) -> Vec<Result<Answer>> {
    let inputs = items.len();
    let error = match attempt(items, run) {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    if matches!(error, Error::Panicked { .. }) {
        counts.panicked();
    }
    let mut several = |parts: std::slice::Chunks<'_, Item>| {
        parts
            .flat_map(|part| settle(part, run, counts, false))
            .collect()
    };
    match error {
        Error::OutOfMemory { .. } if inputs > 1 && may_split => {
            counts.split();
            tracing::warn!(inputs, %error, "the pass is too large for the device; splitting it");
            several(items.chunks(inputs.div_ceil(2)))
        }
        Error::OutOfMemory { reason, .. } => {
            let refuse = |_| {
                Err(Error::OutOfMemory {
                    inputs,
                    reason: reason.clone(),
                })
            };
            items.iter().map(refuse).collect()
        }
        error if inputs > 1 => {
            tracing::warn!(inputs, %error, "a pass failed; running its inputs one by one");
            several(items.chunks(1))
        }
        error => vec![Err(error)],
    }
}

/// One pass, its panic caught, its answers counted, its lack of memory told from other errors.
fn attempt<Item, Answer>(
    items: &[Item],
    run: &mut impl FnMut(&[Item]) -> Result<Vec<Answer>>,
) -> Result<Vec<Answer>> {
    let inputs = items.len();
    let memory = |reason: String| Error::OutOfMemory { inputs, reason };
    // Models are not changed by a pass; what a closure keeps besides is its own affair.
    match catch_unwind(AssertUnwindSafe(|| run(items))) {
        Ok(Ok(answers)) if answers.len() == inputs => Ok(answers),
        Ok(Ok(answers)) => Err(Error::AnswerCount {
            inputs,
            found: answers.len(),
        }),
        Ok(Err(Error::OutOfMemory { reason, .. })) => Err(memory(reason)),
        Ok(Err(error)) => {
            let said = error.to_string();
            Err(if tells_of_memory(&said) {
                memory(said)
            } else {
                error
            })
        }
        Err(panic) => {
            let message = message(&*panic);
            Err(if tells_of_memory(&message) {
                memory(message)
            } else {
                Error::Panicked { message }
            })
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("it said nothing");
    text.chars().take(LONGEST_MESSAGE).collect()
}

fn tells_of_memory(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    OUT_OF_MEMORY.iter().any(|words| text.contains(words))
}
