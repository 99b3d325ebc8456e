//! A node that does what a test says, for everything a real one does too rarely.
//!
//! It listens on a port of its own and speaks JSON-RPC over a WebSocket: blocks, storage, runtime
//! versions, metadata, subscriptions and a transaction pool. Nothing happens by itself: blocks are
//! made by [`Node::block`] (or by a clock after [`Node::run`]), storage is what [`Node::set`] put
//! there, and a submitted transaction goes the way of a script ([`Node::script`]). Signatures and
//! nonces are not checked. Headers hash to the hashes they are announced under.
//!
//! ```ignore
//! let node = Node::finney().await;                       // finney's metadata (V16, spec 365)
//! node.set("SubtensorModule", "Tempo", [number(1)], 360_u16);
//! node.block();                                          // storage shows in the next block
//! let client = Client::connect(&[node.url()], hasty()).await?;
//!
//! node.fail("state_queryStorageAt", Fault::error(4003, "State already discarded for 0x"));
//! node.fail_times("chain_getHeader", 2, Fault::Silence);
//! node.heal("state_queryStorageAt");
//!
//! node.script([Step::Status(json!("ready")), Step::Include(Outcome::failed("SubtensorModule", "NotRegistered")), Step::Finalize]);
//! assert_eq!(node.asked("author_submitAndWatchExtrinsic"), 1);
//! ```

mod ledger;
mod pool;
mod runtime;
mod serve;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use adit_chain::BlockHead;
use adit_primitives::Block;
use serde_json::Value as Json;
use subxt::ext::{scale_encode::EncodeAsType, scale_value::Value};
use tokio::{net::TcpListener, sync::watch, task::AbortHandle};

use ledger::Ledger;
use pool::Pool;
pub(crate) use pool::{Outcome, Step};
pub(crate) use runtime::{NodeRuntime, event, number};

/// What to do with a request instead of answering it.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A JSON-RPC error.
    Error {
        code: i64,
        message: String,
        data: Option<String>,
    },
    /// No answer, ever.
    Silence,
    /// The socket is closed.
    Close,
    /// This text in place of the whole message.
    Garbage(String),
    /// The right answer, cut in the middle of the message.
    Truncated,
    /// This result.
    Answer(Json),
    /// A result of that many characters.
    Oversized(usize),
    /// The right answer after a while.
    Late(Duration),
}

impl Fault {
    pub(crate) fn error(code: i64, message: &str) -> Self {
        Self::Error {
            code,
            message: message.to_owned(),
            data: None,
        }
    }
}

/// What to do with a socket that is being opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// The HTTP upgrade is answered with this status.
    Refused(u16),
    /// The socket is taken and nothing is said.
    Hung,
}

#[derive(Debug, Default)]
struct Faults(HashMap<String, VecDeque<(usize, Fault)>>);

impl Faults {
    /// The fault for this request; one that was asked for a number of times is used up.
    fn take(&mut self, method: &str) -> Option<Fault> {
        let queue = self.0.get_mut(method)?;
        let (left, fault) = queue.front_mut()?;
        let fault = fault.clone();
        if *left != usize::MAX {
            *left -= 1;
            if *left == 0 {
                queue.pop_front();
            }
        }
        Some(fault)
    }
}

type Call = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

struct Shared {
    ledger: Mutex<Ledger>,
    faults: Mutex<Faults>,
    pool: Mutex<Pool>,
    calls: Mutex<BTreeMap<String, Call>>,
    /// Every request there was: method and parameters.
    log: Mutex<Vec<(String, Json)>>,
    sockets: Mutex<u64>,
    door: Mutex<Door>,
    /// Ticks when the chain changed.
    changed: watch::Sender<u64>,
    /// Ticks when all sockets are to be closed.
    closing: watch::Sender<u64>,
    /// While true, new heads are not announced.
    mute: watch::Sender<bool>,
}

/// A scripted node; ends when dropped.
pub(crate) struct Node {
    shared: Arc<Shared>,
    port: u16,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Node {
    /// Finney's metadata at spec 365 and a genesis of its own; all nodes made here share a chain's
    /// genesis, so that they can stand in for each other.
    pub(crate) async fn finney() -> Self {
        Self::start(NodeRuntime::finney(), 0).await
    }

    /// A node with another runtime, or of another chain: the salt goes into the genesis.
    pub(crate) async fn start(runtime: NodeRuntime, salt: u8) -> Self {
        let shared = Arc::new(Shared {
            ledger: Mutex::new(Ledger::new(runtime, salt)),
            faults: Mutex::default(),
            pool: Mutex::default(),
            calls: Mutex::default(),
            log: Mutex::default(),
            sockets: Mutex::default(),
            door: Mutex::new(Door::Open),
            changed: watch::Sender::new(0),
            closing: watch::Sender::new(0),
            mute: watch::Sender::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(serve::accept(listener, Arc::clone(&shared)));
        Self {
            shared,
            port,
            tasks: Mutex::new(vec![task.abort_handle()]),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    // --- the chain ---

    /// Makes a block without transactions and, unless finality is held, finalises it.
    pub(crate) fn block(&self) -> BlockHead {
        self.block_with(Vec::new(), &[])
    }

    /// Makes a block with these transactions (hex text) and events (see [`event`]).
    pub(crate) fn block_with(&self, extrinsics: Vec<String>, events: &[Value]) -> BlockHead {
        let mut waiting = std::mem::take(&mut self.shared.pool.lock().unwrap().waiting);
        waiting.extend(extrinsics);
        self.change(|ledger| ledger.make(waiting, events))
    }

    /// Makes several blocks and answers with the last one.
    pub(crate) fn blocks(&self, count: usize) -> BlockHead {
        (0..count).fold(self.head(), |_, _| self.block())
    }

    /// Makes a block every so often from now on.
    pub(crate) fn run(&self, every: Duration) {
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let waiting = std::mem::take(&mut shared.pool.lock().unwrap().waiting);
                shared.ledger.lock().unwrap().make(waiting, &[]);
                shared.changed.send_modify(|tick| *tick += 1);
            }
        });
        self.tasks.lock().unwrap().push(task.abort_handle());
    }

    /// Replaces the last blocks by as many others, empty ones, plus one.
    pub(crate) fn reorganise(&self, depth: usize) -> BlockHead {
        self.change(|ledger| ledger.reorganise(depth))
    }

    /// Whether blocks are finalised as they are made; they are by default.
    pub(crate) fn finalising(&self, yes: bool) {
        self.change(|ledger| ledger.finalising(yes));
    }

    /// Whether new heads are announced to subscribers; a muted node answers everything else.
    pub(crate) fn mute(&self, yes: bool) {
        self.shared.mute.send_replace(yes);
    }

    /// States of older blocks than this many are gone: "State already discarded".
    pub(crate) fn keep_states(&self, blocks: u64) {
        self.change(|ledger| ledger.kept = blocks);
    }

    /// The next block applies this runtime: it reports it, but its events are the old one's.
    pub(crate) fn upgrade(&self, runtime: NodeRuntime) {
        self.change(|ledger| ledger.upgrade(runtime));
    }

    /// The newest block.
    pub(crate) fn head(&self) -> BlockHead {
        self.shared.ledger.lock().unwrap().head()
    }

    /// The block of that number on the best chain.
    pub(crate) fn at(&self, block: Block) -> BlockHead {
        let ledger = self.shared.ledger.lock().unwrap();
        ledger.canonical(block).unwrap()
    }

    // --- storage ---

    /// Puts a value into storage from the next block on, encoded by the newest runtime.
    pub(crate) fn set(
        &self,
        pallet: &str,
        item: &str,
        keys: impl IntoIterator<Item = Value>,
        value: impl EncodeAsType,
    ) {
        self.change(|ledger| {
            let runtime = ledger.newest_runtime();
            let key = runtime.key(pallet, item, keys.into_iter().collect());
            let value = runtime.value(pallet, item, &value);
            ledger.next.insert(key, value);
        });
    }

    /// As [`Node::set`], with raw SCALE bytes.
    pub(crate) fn set_bytes(
        &self,
        pallet: &str,
        item: &str,
        keys: impl IntoIterator<Item = Value>,
        value: Vec<u8>,
    ) {
        self.change(|ledger| {
            let runtime = ledger.newest_runtime();
            let key = runtime.key(pallet, item, keys.into_iter().collect());
            ledger.next.insert(key, value);
        });
    }

    /// Answers a runtime function (`state_call`) with what this makes of its input.
    pub(crate) fn on_call(&self, name: &str, answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) {
        let mut calls = self.shared.calls.lock().unwrap();
        calls.insert(name.to_owned(), Box::new(answer));
    }

    // --- transactions ---

    /// The way of the next transaction sent with `author_submitAndWatchExtrinsic`; scripts queue
    /// up. Without one: ready, in a block, finalised.
    pub(crate) fn script(&self, steps: impl IntoIterator<Item = Step>) {
        let steps = steps.into_iter().collect();
        self.shared.pool.lock().unwrap().scripts.push_back(steps);
    }

    /// All transactions that arrived, as hex text, repetitions included.
    pub(crate) fn submitted(&self) -> Vec<String> {
        self.shared.pool.lock().unwrap().submitted.clone()
    }

    // --- faults ---

    /// Answers this method with the fault until [`Node::heal`].
    pub(crate) fn fail(&self, method: &str, fault: Fault) {
        self.fail_times(method, usize::MAX, fault);
    }

    /// Answers this method with the fault that many times; faults queue up.
    pub(crate) fn fail_times(&self, method: &str, times: usize, fault: Fault) {
        let mut faults = self.shared.faults.lock().unwrap();
        let queue = faults.0.entry(method.to_owned()).or_default();
        queue.push_back((times, fault));
    }

    /// Answers this method as it should again.
    pub(crate) fn heal(&self, method: &str) {
        self.shared.faults.lock().unwrap().0.remove(method);
    }

    /// What happens to sockets that are opened from now on.
    pub(crate) fn door(&self, door: Door) {
        *self.shared.door.lock().unwrap() = door;
    }

    /// Closes all sockets.
    pub(crate) fn hang_up(&self) {
        self.shared.closing.send_modify(|tick| *tick += 1);
    }

    // --- records ---

    /// How often a method was asked.
    pub(crate) fn asked(&self, method: &str) -> usize {
        let log = self.shared.log.lock().unwrap();
        log.iter().filter(|(asked, _)| asked == method).count()
    }

    /// Every request so far: method and parameters.
    pub(crate) fn log(&self) -> Vec<(String, Json)> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How many sockets were opened.
    pub(crate) fn sockets(&self) -> u64 {
        *self.shared.sockets.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let changed = change(&mut self.shared.ledger.lock().unwrap());
        self.shared.changed.send_modify(|tick| *tick += 1);
        changed
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for task in self.tasks.lock().unwrap().drain(..) {
            task.abort();
        }
        self.hang_up();
    }
}
