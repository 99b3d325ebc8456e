//! Whose turn it is: a bounded number of requests are worked on, the others wait by priority.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::oneshot;

#[derive(Debug)]
struct Waiting {
    priority: f64,
    /// Order of arrival, which decides among equals.
    ticket: u64,
    wake: oneshot::Sender<Turn>,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_priority = self.priority.total_cmp(&other.priority);
        by_priority.then(other.ticket.cmp(&self.ticket))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

#[derive(Debug)]
struct State {
    free: usize,
    tickets: u64,
    waiting: BinaryHeap<Waiting>,
}

/// Hands out turns.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    state: Arc<Mutex<State>>,
    most_waiting: usize,
}

/// The right to be worked on, until dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// `None` once it was handed on.
    of: Option<Arc<Mutex<State>>>,
}

impl Turns {
    pub(super) fn new(most: usize, most_waiting: usize) -> Self {
        let state = State {
            free: most.max(1),
            tickets: 0,
            waiting: BinaryHeap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            most_waiting,
        }
    }

    /// Waits for a turn; `None` at once when too many wait. Not a number counts as priority 0.
    pub(super) async fn take(&self, priority: f64) -> Option<Turn> {
        let waiting = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.free > 0 {
                state.free -= 1;
                return Some(self.turn());
            }
            // Those that gave up still stand in the heap.
            if state.waiting.len() >= self.most_waiting {
                state.waiting.retain(|waiting| !waiting.wake.is_closed());
            }
            if state.waiting.len() >= self.most_waiting {
                return None;
            }
            let (wake, woken) = oneshot::channel();
            let ticket = state.tickets;
            state.tickets += 1;
            state.waiting.push(Waiting {
                priority: if priority.is_nan() { 0.0 } else { priority },
                ticket,
                wake,
            });
            woken
        };
        waiting.await.ok()
    }

    fn turn(&self) -> Turn {
        Turn {
            of: Some(self.state.clone()),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(shared) = self.of.take() else {
            return;
        };
        loop {
            let next = {
                let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                match state.waiting.pop() {
                    Some(next) => next,
                    None => {
                        state.free += 1;
                        return;
                    }
                }
            };
            let turn = Turn {
                of: Some(shared.clone()),
            };
            match next.wake.send(turn) {
                Ok(()) => return,
                // That one gave up: its turn comes back and goes to the next.
                Err(mut turn) => turn.of = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_highest_priority_goes_first_and_equals_in_order() {
        let turns = Turns::new(1, 8);
        let first = turns.take(0.0).await.unwrap();
        let order: Arc<Mutex<Vec<&str>>> = Arc::default();
        let mut tasks = Vec::new();
        for (name, priority) in [
            ("low", 1.0),
            ("high", 5.0),
            ("nan", f64::NAN),
            ("high too", 5.0),
        ] {
            let (turns, order) = (turns.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let _turn = turns.take(priority).await.unwrap();
                order.lock().unwrap().push(name);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["high", "high too", "low", "nan"]);
    }

    #[tokio::test]
    async fn those_who_give_up_lose_no_turn_and_a_full_queue_refuses() {
        let turns = Turns::new(1, 1);
        let first = turns.take(0.0).await.unwrap();
        let gave_up = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(9.0).await }
        });
        tokio::task::yield_now().await;
        assert!(turns.take(1.0).await.is_none());
        gave_up.abort();
        let _ = gave_up.await;
        let waits = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(1.0).await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waits.await.unwrap());
        assert!(turns.take(0.0).await.is_some());
    }
}
