use std::time::Duration;

use tokio::sync::Semaphore;

/// How much a [`crate::Batcher`] gathers, how long it waits, how much it holds.
///
/// Costs are in whatever unit the batcher's own measure has; the embedders' is bytes. A limit of 0 counts
/// as 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatcherConfig {
    /// Names its thread and its metrics.
    pub name: &'static str,
    /// Most inputs of one pass.
    pub pass_items: usize,
    /// Most that the inputs of one pass cost together; one that costs more has a pass to itself.
    pub pass_cost: usize,
    /// How long the first input of a pass waits for company.
    pub longest_wait: Duration,
    /// Most inputs that wait or are worked on.
    pub queue_items: usize,
    /// Most that they cost together; at most 2³² − 1.
    pub queue_cost: usize,
}

impl BatcherConfig {
    /// Passes of up to 64 inputs and 64 MiB, two milliseconds of patience, a queue of 1,024 inputs and
    /// 512 MiB.
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            pass_items: 64,
            pass_cost: 64 << 20,
            longest_wait: Duration::from_millis(2),
            queue_items: 1_024,
            queue_cost: 512 << 20,
        }
    }

    /// Within what can be counted.
    pub(super) fn bounded(self) -> Self {
        let largest = Semaphore::MAX_PERMITS;
        Self {
            pass_items: self.pass_items.max(1),
            pass_cost: self.pass_cost.max(1),
            queue_items: self.queue_items.clamp(1, largest),
            queue_cost: self.queue_cost.clamp(1, largest.min(u32::MAX as usize)),
            ..self
        }
    }
}
