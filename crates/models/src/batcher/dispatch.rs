use std::sync::{Arc, mpsc::Sender};

use tokio::{
    sync::mpsc::{UnboundedReceiver, error::TryRecvError},
    time::{Instant, sleep_until},
};

use super::{
    BatcherConfig,
    queue::{Entry, Queue},
    stats::Counts,
};

/// Decides which inputs run next, and when.
#[derive(Debug)]
pub(super) struct Dispatcher<Item, Answer> {
    incoming: UnboundedReceiver<Entry<Item, Answer>>,
    open: bool,
    passes: Sender<Vec<Entry<Item, Answer>>>,
    finished: UnboundedReceiver<()>,
    queue: Queue<Item, Answer>,
    counts: Arc<Counts>,
}

impl<Item, Answer> Dispatcher<Item, Answer> {
    pub(super) fn new(
        config: &BatcherConfig,
        incoming: UnboundedReceiver<Entry<Item, Answer>>,
        passes: Sender<Vec<Entry<Item, Answer>>>,
        finished: UnboundedReceiver<()>,
        counts: Arc<Counts>,
    ) -> Self {
        Self {
            incoming,
            open: true,
            passes,
            finished,
            queue: Queue::new(config),
            counts,
        }
    }

    /// Until the intake is closed and everything is answered.
    pub(super) async fn run(mut self) {
        let mut busy = false;
        loop {
            self.receive();
            if !busy {
                self.forget_cancelled();
                if let Some(pass) = self.queue.take(Instant::now(), !self.open) {
                    self.counts.starts(&pass, Instant::now());
                    if self.passes.send(pass).is_err() {
                        return;
                    }
                    busy = true;
                    continue;
                }
                if !self.open && self.queue.is_empty() {
                    return;
                }
            }
            let due = self.queue.due();
            tokio::select! {
                biased;
                done = self.finished.recv() => match done {
                    Some(()) => busy = false,
                    None => return,
                },
                entry = self.incoming.recv(), if self.open => match entry {
                    Some(entry) => self.queue.push(entry),
                    None => self.open = false,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if !busy && due.is_some() => {}
            }
        }
    }

    /// Everything that has come by now.
    fn receive(&mut self) {
        while self.open {
            match self.incoming.try_recv() {
                Ok(entry) => self.queue.push(entry),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.open = false,
            }
        }
    }

    fn forget_cancelled(&mut self) {
        let counts = &self.counts;
        self.queue
            .forget_cancelled(|entry| counts.cancelled(entry.cost));
    }
}
