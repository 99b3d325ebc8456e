use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::Instant,
};

use super::BatcherConfig;
use crate::Result;

/// An input that waits for its pass.
#[derive(Debug)]
pub(super) struct Entry<Item, Answer> {
    pub(super) item: Item,
    pub(super) bucket: usize,
    pub(super) cost: usize,
    pub(super) arrived: Instant,
    pub(super) reply: oneshot::Sender<Result<Answer>>,
    /// Its place and its cost in the queue, given back when it is answered or cancelled.
    pub(super) room: [OwnedSemaphorePermit; 2],
}

/// The inputs that wait, by bucket.
#[derive(Debug)]
pub(super) struct Queue<Item, Answer> {
    buckets: BTreeMap<usize, Bucket<Item, Answer>>,
    /// Entries seen so far: arrival times alone do not order what arrives at once.
    seen: u64,
    pass_items: usize,
    pass_cost: usize,
    longest_wait: Duration,
}

#[derive(Debug)]
struct Bucket<Item, Answer> {
    entries: VecDeque<(u64, Entry<Item, Answer>)>,
    cost: usize,
}

impl<Item, Answer> Queue<Item, Answer> {
    pub(super) fn new(config: &BatcherConfig) -> Self {
        Self {
            buckets: BTreeMap::new(),
            seen: 0,
            pass_items: config.pass_items,
            pass_cost: config.pass_cost,
            longest_wait: config.longest_wait,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    pub(super) fn push(&mut self, entry: Entry<Item, Answer>) {
        let bucket = self.buckets.entry(entry.bucket).or_insert_with(|| Bucket {
            entries: VecDeque::new(),
            cost: 0,
        });
        bucket.cost = bucket.cost.saturating_add(entry.cost);
        bucket.entries.push_back((self.seen, entry));
        self.seen += 1;
    }

    /// Takes out what nobody waits for any more.
    pub(super) fn forget_cancelled(&mut self, mut forgotten: impl FnMut(&Entry<Item, Answer>)) {
        self.buckets.retain(|_, bucket| {
            let cost = &mut bucket.cost;
            bucket.entries.retain(|(_, entry)| {
                let wanted = !entry.reply.is_closed();
                if !wanted {
                    *cost = cost.saturating_sub(entry.cost);
                    forgotten(entry);
                }
                wanted
            });
            !bucket.entries.is_empty()
        });
    }

    /// When the next pass is due although it is not full; nothing when nothing waits.
    pub(super) fn due(&self) -> Option<Instant> {
        let heads = self.buckets.values().filter_map(Bucket::head);
        heads
            .map(|(_, entry)| entry.arrived + self.longest_wait)
            .min()
    }

    /// The next pass, if one is full or due, or whatever waits with `all`: of the bucket whose first entry
    /// is the oldest.
    pub(super) fn take(&mut self, now: Instant, all: bool) -> Option<Vec<Entry<Item, Answer>>> {
        let ready = |bucket: &Bucket<Item, Answer>| {
            let head = bucket.head();
            let due = head.is_some_and(|(_, head)| head.arrived + self.longest_wait <= now);
            let full = bucket.entries.len() >= self.pass_items || bucket.cost >= self.pass_cost;
            all || due || full
        };
        let candidates = self.buckets.iter().filter(|(_, bucket)| ready(bucket));
        let (&key, _) =
            candidates.min_by_key(|(_, bucket)| bucket.head().map(|(number, _)| *number))?;
        let bucket = self.buckets.get_mut(&key)?;
        let mut pass = Vec::new();
        let mut cost = 0_usize;
        while let Some((_, head)) = bucket.entries.front() {
            let with_head = cost.saturating_add(head.cost);
            let fits = pass.len() < self.pass_items && with_head <= self.pass_cost;
            if !pass.is_empty() && !fits {
                break;
            }
            cost = with_head;
            pass.extend(bucket.entries.pop_front().map(|(_, entry)| entry));
        }
        bucket.cost = bucket.cost.saturating_sub(cost);
        if bucket.entries.is_empty() {
            self.buckets.remove(&key);
        }
        Some(pass)
    }
}

impl<Item, Answer> Bucket<Item, Answer> {
    fn head(&self) -> Option<&(u64, Entry<Item, Answer>)> {
        self.entries.front()
    }
}
