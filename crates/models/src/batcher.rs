//! Many tasks' inputs in the same passes of one model.

mod config;
mod dispatch;
mod embedders;
mod passes;
mod queue;
mod stats;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, TryAcquireError, mpsc, oneshot, watch},
    time::Instant,
};

use crate::{Error, Result};
use dispatch::Dispatcher;
use queue::Entry;
use stats::Counts;

pub use config::BatcherConfig;
pub use embedders::{BatchedAudio, BatchedText, BatchedVideo};
pub use stats::BatcherStats;

/// What an input counts as, in buckets or in cost.
type Measure<Item> = Box<dyn Fn(&Item) -> usize + Send + Sync>;

/// Gathers what many tasks ask of one model into passes.
///
/// Any task may submit an input and wait for its answer. Inputs of one *bucket* (inputs that share a
/// shape, as the caller defines it) are gathered until a pass is full or its first input has waited
/// [`BatcherConfig::longest_wait`]; while a pass runs, the next one fills. The model runs on a thread
/// of its own, one pass at a time.
///
/// - **Order.** Within a bucket inputs run in the order they came. Of several buckets that are due, the
///   one whose first input is oldest runs next, so none starves.
/// - **Bounds.** Inputs that wait or are worked on number at most [`BatcherConfig::queue_items`] and cost
///   at most [`BatcherConfig::queue_cost`] together. Where there is no room, [`Self::submit`] waits, first
///   come, first served, and [`Self::try_submit`] refuses.
/// - **Failures stay where they belong.** When a pass of several inputs fails or panics, each of them is
///   run again alone, so that one unsound input costs its neighbours time and nothing else; what fails
///   alone gets its own error, [`Error::Panicked`] for a panic. The next passes go on.
/// - **Memory of the device.** A pass that the device's memory does not hold is split in two, once; a half
///   that fails again answers [`Error::OutOfMemory`]. That is told by the error or by what the panic
///   says, because burn panics.
/// - **Cancelling.** A caller that stops waiting (its future or [`Ticket`] is dropped) takes its input
///   out of the queue; a pass that runs already is not stopped.
/// - **End.** [`Self::shutdown`] takes no more inputs, answers those that wait, and returns. Dropping the
///   batcher does so too, but does not wait.
///
/// Time is tokio's, so tests can pause it. [`Self::stats`] says how it goes; the same figures go to the
/// `metrics` facade under `adit_batch_…`, labelled with [`BatcherConfig::name`].
///
/// ```
/// use adit_models::{Batcher, BatcherConfig};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// // A model that takes words of one length at once.
/// let batcher = Batcher::start(
///     BatcherConfig::named("shout"),
///     |word: &String| word.len(),
///     |word| word.len(),
///     |words: &[String]| Ok(words.iter().map(|word| word.to_uppercase()).collect()),
/// )?;
/// let (cat, dog) = tokio::join!(batcher.submit("cat".to_owned()), batcher.submit("dog".to_owned()));
/// assert_eq!((cat?, dog?), ("CAT".to_owned(), "DOG".to_owned()));
/// assert_eq!(batcher.stats().answered, 2);
/// batcher.shutdown().await;
/// # Ok::<(), adit_models::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Batcher<Item, Answer> {
    config: BatcherConfig,
    bucket: Measure<Item>,
    cost: Measure<Item>,
    items: Arc<Semaphore>,
    costs: Arc<Semaphore>,
    /// Gone once it is closed.
    intake: Mutex<Option<mpsc::UnboundedSender<Entry<Item, Answer>>>>,
    counts: Arc<Counts>,
    /// Its sender is dropped when everything is answered.
    ended: watch::Receiver<()>,
}

/// An answer that is on its way: await it, or drop it to take the input back.
#[derive(Debug)]
#[must_use = "dropping a ticket takes its input back"]
pub struct Ticket<Answer> {
    reply: oneshot::Receiver<Result<Answer>>,
}

impl<Answer> Future for Ticket<Answer> {
    type Output = Result<Answer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Answer>> {
        let reply = ready!(Pin::new(&mut self.reply).poll(context));
        Poll::Ready(reply.unwrap_or(Err(Error::QueueClosed)))
    }
}

impl<Item: Send + 'static, Answer: Send + 'static> Batcher<Item, Answer> {
    /// Starts a batcher over `run`, which answers the inputs of a pass in their order. `bucket` says which
    /// inputs may share a pass, `cost` what an input weighs against the limits of
    /// [`BatcherConfig`]; both are called by those who submit.
    ///
    /// # Errors
    /// [`Error::Batching`] outside a tokio runtime with time, or when the system gives no thread.
    pub fn start(
        config: BatcherConfig,
        bucket: impl Fn(&Item) -> usize + Send + Sync + 'static,
        cost: impl Fn(&Item) -> usize + Send + Sync + 'static,
        run: impl FnMut(&[Item]) -> Result<Vec<Answer>> + Send + 'static,
    ) -> Result<Self> {
        let config = config.bounded();
        let runtime = Handle::try_current().map_err(|error| Error::Batching {
            reason: error.to_string(),
        })?;
        let counts = Arc::new(Counts::new(config.name));
        let (passes, finished) = passes::start(config.name, Arc::clone(&counts), run)?;
        let (intake, incoming) = mpsc::unbounded_channel();
        let (ending, ended) = watch::channel(());
        let dispatcher = Dispatcher::new(&config, incoming, passes, finished, Arc::clone(&counts));
        runtime.spawn(async move {
            dispatcher.run().await;
            drop(ending);
        });
        Ok(Self {
            bucket: Box::new(bucket),
            cost: Box::new(cost),
            items: Arc::new(Semaphore::new(config.queue_items)),
            costs: Arc::new(Semaphore::new(config.queue_cost)),
            intake: Mutex::new(Some(intake)),
            counts,
            ended,
            config,
        })
    }

    /// Waits for room in the queue, then for the answer. Dropping the future takes the input back.
    ///
    /// # Errors
    /// Whatever `run` answers to this input; [`Error::Panicked`], [`Error::OutOfMemory`],
    /// [`Error::AnswerCount`] for the pass; [`Error::QueueCost`] for an input that no queue of this size
    /// can hold; [`Error::QueueClosed`] after [`Self::close`].
    pub async fn submit(&self, item: Item) -> Result<Answer> {
        self.enqueue(item).await?.await
    }

    /// Waits for room in the queue only; the answer is awaited by the ticket.
    ///
    /// # Errors
    /// [`Error::QueueCost`], [`Error::QueueClosed`].
    pub async fn enqueue(&self, item: Item) -> Result<Ticket<Answer>> {
        let (cost, permits) = self.measure(&item)?;
        let closed = |_| Error::QueueClosed;
        let place = Arc::clone(&self.items).acquire_owned().await;
        let place = place.map_err(closed)?;
        let costs = Arc::clone(&self.costs).acquire_many_owned(permits).await;
        self.push(item, cost, [place, costs.map_err(closed)?])
    }

    /// Queues an input if there is room now.
    ///
    /// # Errors
    /// [`Error::QueueFull`]; [`Error::QueueCost`], [`Error::QueueClosed`].
    pub fn try_submit(&self, item: Item) -> Result<Ticket<Answer>> {
        let (cost, permits) = self.measure(&item)?;
        let refuse = |error| match error {
            TryAcquireError::Closed => Error::QueueClosed,
            TryAcquireError::NoPermits => {
                let queued = self.counts.refused();
                Error::QueueFull { queued, cost }
            }
        };
        let place = Arc::clone(&self.items).try_acquire_owned();
        let place = place.map_err(refuse)?;
        let costs = Arc::clone(&self.costs).try_acquire_many_owned(permits);
        self.push(item, cost, [place, costs.map_err(refuse)?])
    }

    /// Its limits.
    pub fn config(&self) -> &BatcherConfig {
        &self.config
    }

    /// How it goes.
    pub fn stats(&self) -> BatcherStats {
        self.counts.snapshot()
    }

    /// Takes no more inputs; those that wait for room are refused, those in the queue still answered.
    pub fn close(&self) {
        self.items.close();
        self.costs.close();
        drop(self.intake().take());
    }

    /// Closes, and waits until everything in the queue is answered.
    pub async fn shutdown(&self) {
        self.close();
        // Nothing is ever sent: this ends when the sender is dropped.
        let _ = self.ended.clone().changed().await;
    }

    /// What an item costs, and as permits.
    fn measure(&self, item: &Item) -> Result<(usize, u32)> {
        let cost = (self.cost)(item);
        let limit = self.config.queue_cost;
        match u32::try_from(cost) {
            Ok(permits) if cost <= limit => Ok((cost, permits)),
            _ => Err(Error::QueueCost { cost, limit }),
        }
    }

    fn push(
        &self,
        item: Item,
        cost: usize,
        room: [tokio::sync::OwnedSemaphorePermit; 2],
    ) -> Result<Ticket<Answer>> {
        let (sender, reply) = oneshot::channel();
        let entry = Entry {
            bucket: (self.bucket)(&item),
            item,
            cost,
            arrived: Instant::now(),
            reply: sender,
            room,
        };
        let intake = self.intake();
        let intake = intake.as_ref().ok_or(Error::QueueClosed)?;
        self.counts.queued(cost);
        match intake.send(entry) {
            Ok(()) => Ok(Ticket { reply }),
            Err(_gone) => {
                self.counts.left(1, cost);
                Err(Error::QueueClosed)
            }
        }
    }

    fn intake(
        &self,
    ) -> std::sync::MutexGuard<'_, Option<mpsc::UnboundedSender<Entry<Item, Answer>>>> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Item, Answer> fmt::Debug for Batcher<Item, Answer> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("config", &self.config)
            .field("stats", &self.counts.snapshot())
            .finish_non_exhaustive()
    }
}
