use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::queue::Entry;

/// How a [`crate::Batcher`] does, since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatcherStats {
    /// Inputs that wait or are worked on now.
    pub queued: usize,
    /// What they cost together.
    pub queued_cost: usize,
    /// Most inputs that ever did at once.
    pub most_queued: usize,
    /// The most they ever cost.
    pub most_queued_cost: usize,
    /// Inputs answered well.
    pub answered: u64,
    /// Inputs answered with an error.
    pub failed: u64,
    /// Inputs taken back before they ran.
    pub cancelled: u64,
    /// Inputs refused for want of room.
    pub refused: u64,
    /// Passes run; runs again after a failure do not count.
    pub passes: u64,
    /// Inputs of the largest pass.
    pub largest_pass: usize,
    /// Passes split because the device's memory did not hold them.
    pub splits: u64,
    /// Panics of the model.
    pub panics: u64,
    /// What all inputs waited for their passes together.
    pub waited: Duration,
    /// What the longest wait was.
    pub longest_wait: Duration,
    /// What all passes took together.
    pub busy: Duration,
}

impl BatcherStats {
    /// Inputs of a pass, on average; 0 before the first.
    pub fn mean_pass(&self) -> f64 {
        ratio(self.ran() as f64, self.passes as f64)
    }

    /// What an input waited for its pass, on average.
    pub fn mean_wait(&self) -> Duration {
        Duration::from_secs_f64(ratio(self.waited.as_secs_f64(), self.ran() as f64))
    }

    /// Inputs per second of the model's time; 0 before the first.
    pub fn throughput(&self) -> f64 {
        ratio(self.ran() as f64, self.busy.as_secs_f64())
    }

    fn ran(&self) -> u64 {
        self.answered + self.failed
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// What is counted while it happens, for [`BatcherStats`] and for the `metrics` facade.
#[derive(Debug)]
pub(super) struct Counts {
    name: &'static str,
    stats: Mutex<BatcherStats>,
}

impl Counts {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            stats: Mutex::new(BatcherStats::default()),
        }
    }

    pub(super) fn snapshot(&self) -> BatcherStats {
        *self.stats()
    }

    /// An input found room.
    pub(super) fn queued(&self, cost: usize) {
        let mut stats = self.stats();
        stats.queued += 1;
        stats.queued_cost += cost;
        stats.most_queued = stats.most_queued.max(stats.queued);
        stats.most_queued_cost = stats.most_queued_cost.max(stats.queued_cost);
        self.depth(&stats);
    }

    /// Inputs gave their room back.
    pub(super) fn left(&self, items: usize, cost: usize) {
        let mut stats = self.stats();
        stats.leave(items, cost);
        self.depth(&stats);
    }

    pub(super) fn cancelled(&self, cost: usize) {
        let mut stats = self.stats();
        stats.cancelled += 1;
        stats.leave(1, cost);
        self.depth(&stats);
        metrics::counter!("adit_batch_inputs_total", "model" => self.name, "outcome" => "cancelled")
            .increment(1);
    }

    /// There was no room; answers how many inputs took it.
    pub(super) fn refused(&self) -> usize {
        metrics::counter!("adit_batch_inputs_total", "model" => self.name, "outcome" => "refused")
            .increment(1);
        let mut stats = self.stats();
        stats.refused += 1;
        stats.queued
    }

    /// A pass starts.
    pub(super) fn starts<Item, Answer>(&self, pass: &[Entry<Item, Answer>], now: Instant) {
        let mut stats = self.stats();
        stats.passes += 1;
        stats.largest_pass = stats.largest_pass.max(pass.len());
        let waits = metrics::histogram!("adit_batch_wait_seconds", "model" => self.name);
        for entry in pass {
            let wait = now.saturating_duration_since(entry.arrived);
            stats.waited += wait;
            stats.longest_wait = stats.longest_wait.max(wait);
            waits.record(wait.as_secs_f64());
        }
        metrics::histogram!("adit_batch_pass_inputs", "model" => self.name)
            .record(pass.len() as f64);
    }

    /// A pass of so many inputs has ended after `busy`, and `failed` of them with an error.
    pub(super) fn ends(&self, items: usize, cost: usize, failed: usize, busy: Duration) {
        let answered = (items - failed) as u64;
        {
            let mut stats = self.stats();
            stats.answered += answered;
            stats.failed += failed as u64;
            stats.busy += busy;
            stats.leave(items, cost);
            self.depth(&stats);
        }
        tracing::debug!(model = self.name, items, failed, ?busy, "pass");
        metrics::histogram!("adit_batch_pass_seconds", "model" => self.name)
            .record(busy.as_secs_f64());
        for (outcome, count) in [("answered", answered), ("failed", failed as u64)] {
            metrics::counter!("adit_batch_inputs_total", "model" => self.name, "outcome" => outcome)
                .increment(count);
        }
    }

    pub(super) fn split(&self) {
        self.stats().splits += 1;
        metrics::counter!("adit_batch_splits_total", "model" => self.name).increment(1);
    }

    pub(super) fn panicked(&self) {
        self.stats().panics += 1;
        metrics::counter!("adit_batch_panics_total", "model" => self.name).increment(1);
    }

    fn depth(&self, stats: &BatcherStats) {
        metrics::gauge!("adit_batch_queue", "model" => self.name).set(stats.queued as f64);
    }

    fn stats(&self) -> MutexGuard<'_, BatcherStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BatcherStats {
    fn leave(&mut self, items: usize, cost: usize) {
        self.queued = self.queued.saturating_sub(items);
        self.queued_cost = self.queued_cost.saturating_sub(cost);
    }
}
