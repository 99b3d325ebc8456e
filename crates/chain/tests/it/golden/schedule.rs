//! Epochs, the block of a reveal, and its round.

use std::time::Duration;

use adit_chain::commit_reveal::{Beacon, EpochSchedule, FixedTempo};
use adit_primitives::{Block, NetUid};
use adit_testkit::{GoldenSuite, Outcome};
use serde_json::Value;

use super::{items, number};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on_document("chain", "epoch_schedule_predict", |document| {
        let mut found = Vec::new();
        let mut push = |id: &Value, outcome| {
            let function = "epoch_schedule_predict".to_owned();
            found.push((
                function,
                id.as_str().unwrap_or("unnamed").to_owned(),
                outcome,
            ));
        };
        for case in items(&document["cases"]) {
            push(&case["name"], reveal_block(case));
        }
        for case in items(&document["commit_epoch"]) {
            let (schedule, head) = state(&case["state"]);
            let found = schedule.commit_epoch(head);
            let same = found == number(&case["result"]);
            push(&case["name"], Outcome::when(same, found.to_string()));
        }
        found
    });
}

fn state(state: &Value) -> (EpochSchedule, Block) {
    let schedule = EpochSchedule {
        tempo: u16::try_from(number(&state["tempo"])).unwrap(),
        last_epoch_block: Block(number(&state["last_epoch_block"])),
        pending_epoch_at: Block(number(&state["pending_epoch_at"])),
        subnet_epoch_index: number(&state["subnet_epoch_index"]),
        blocks_since_last_step: number(&state["blocks_since_last_step"]),
    };
    (schedule, Block(number(&state["current_block"])))
}

fn reveal_block(case: &Value) -> Outcome {
    let (schedule, head) = state(&case["state"]);
    match schedule.reveal_block(head, number(&case["reveal_period_epochs"])) {
        Ok(Block(found)) => Outcome::when(case["result"] == found, found.to_string()),
        Err(error) => {
            let told = case["result"].as_str().unwrap_or("a block");
            let same = error
                .to_string()
                .starts_with(told.trim_start_matches("error: "));
            Outcome::when(same, format!("{error} where it says {told}"))
        }
    }
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap())
}

/// Whether the recorded round lies between ours for the two times that bracket it.
fn bracketed(case: &Value, reveal_block: Block, head: Block) -> Outcome {
    let block_time = seconds(&case["block_time"]);
    let round = |time: &str| {
        let now = seconds(&case[time]);
        Beacon::QUICKNET.round_for_block(reveal_block, head, now, block_time)
    };
    let (first, last) = (round("wallclock_before"), round("wallclock_after"));
    let recorded = number(&case["reveal_round_executed"]);
    let range = items(&case["formula_round_range"]);
    let same = range.is_empty() || range == [Value::from(first), Value::from(last)];
    Outcome::when(
        same && (first..=last).contains(&recorded),
        format!("{recorded} is not from {first} to {last}"),
    )
}

pub(super) fn stateful(case: &Value) -> Outcome {
    let (schedule, head) = state(&case["state"]);
    let period = number(&case["reveal_period_epochs"]);
    let block = schedule.reveal_block(head, period).unwrap();
    if schedule.commit_epoch(head) != number(&case["commit_epoch"])
        || block.0 != number(&case["predicted_first_reveal_block"])
    {
        let epoch = schedule.commit_epoch(head);
        return Outcome::Failed(format!("epoch {epoch}, block {block}"));
    }
    bracketed(case, block, head)
}

pub(super) fn fixed(case: &Value) -> Outcome {
    // Older SDKs pass a mechanism's storage index as the subnet.
    let fixed = FixedTempo {
        netuid: NetUid(u16::try_from(number(&case["netuid_passed"])).unwrap()),
        tempo: u16::try_from(number(&case["tempo"])).unwrap(),
    };
    let head = Block(number(&case["current_block"]));
    let block = fixed.reveal_block(head, number(&case["reveal_period_epochs"]));
    if fixed.epoch(head) != number(&case["current_epoch"])
        || block.0 != number(&case["first_reveal_block"])
    {
        return Outcome::Failed(format!("epoch {}, block {block}", fixed.epoch(head)));
    }
    bracketed(case, block, head)
}

pub(super) fn tempo_zero() -> Outcome {
    let error = EpochSchedule::default().reveal_block(Block(1), 1);
    Outcome::when(
        error
            .as_ref()
            .is_err_and(|error| error.to_string().contains("tempo is zero")),
        format!("{error:?}"),
    )
}
