use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use adit_chain::BlockHead;
use adit_primitives::{Block, BlockHash, Clock as _, SystemClock};
use blake2::{Blake2b, Digest as _, digest::consts::U32};
use serde_json::{Value as Json, json};
use subxt::ext::{
    codec::{Compact, Encode as _},
    scale_value::Value,
};

use super::runtime::{NodeRuntime, number};

type State = BTreeMap<Vec<u8>, Vec<u8>>;

pub(super) struct BlockData {
    pub(super) head: BlockHead,
    parent: BlockHash,
    extrinsics: Vec<String>,
    state: Arc<State>,
    pub(super) runtime: Arc<NodeRuntime>,
    roots: [[u8; 32]; 2],
}

impl BlockData {
    pub(super) fn header(&self) -> Json {
        json!({
            "parentHash": self.parent.to_string(),
            "number": format!("{:#x}", self.head.number.0),
            "stateRoot": BlockHash(self.roots[0]).to_string(),
            "extrinsicsRoot": BlockHash(self.roots[1]).to_string(),
            "digest": { "logs": [] },
        })
    }

    pub(super) fn body(&self) -> Json {
        json!({
            "block": { "header": self.header(), "extrinsics": self.extrinsics },
            "justifications": null,
        })
    }
}

/// The chain: all blocks there ever were, and which of them count.
pub(super) struct Ledger {
    blocks: HashMap<BlockHash, BlockData>,
    /// The best chain by number.
    best: Vec<BlockHash>,
    /// Heads in the order in which they were the best one.
    pub(super) announced: Vec<BlockHash>,
    /// Finalised blocks in order.
    pub(super) finalised: Vec<BlockHash>,
    /// Storage as the next block will show it.
    pub(super) next: State,
    next_runtime: Arc<NodeRuntime>,
    finalises: bool,
    /// States of that many blocks are kept.
    pub(super) kept: u64,
    /// Goes into the roots, so that no two blocks have the same hash.
    made: u64,
    salt: u8,
}

impl Ledger {
    pub(super) fn new(runtime: NodeRuntime, salt: u8) -> Self {
        let mut ledger = Self {
            blocks: HashMap::new(),
            best: Vec::new(),
            announced: Vec::new(),
            finalised: Vec::new(),
            next: State::new(),
            next_runtime: Arc::new(runtime),
            finalises: true,
            kept: u64::MAX,
            made: 0,
            salt,
        };
        ledger.make(Vec::new(), &[]);
        ledger
    }

    pub(super) fn newest_runtime(&self) -> Arc<NodeRuntime> {
        Arc::clone(&self.next_runtime)
    }

    pub(super) fn upgrade(&mut self, runtime: NodeRuntime) {
        self.next_runtime = Arc::new(runtime);
    }

    pub(super) fn finalising(&mut self, yes: bool) {
        self.finalises = yes;
        if yes {
            self.finalise_up_to(self.head().number);
        }
    }

    /// Finalises the best chain up to a block.
    pub(super) fn finalise_up_to(&mut self, last: Block) {
        let next = self.finalised.len();
        let last = usize::try_from(last.0).unwrap();
        if let Some(new) = self.best.get(next..=last.min(self.best.len() - 1)) {
            let new = new.to_vec();
            self.finalised.extend(new);
        }
    }

    pub(super) fn make(&mut self, extrinsics: Vec<String>, events: &[Value]) -> BlockHead {
        let parent = self.best.last().copied();
        let old = parent.map_or_else(
            || Arc::clone(&self.next_runtime),
            |parent| Arc::clone(&self.blocks[&parent].runtime),
        );
        // The block that applies an upgrade was executed by the old runtime.
        let mut state = self.next.clone();
        state.insert(
            old.key("System", "Events", vec![]),
            old.value(
                "System",
                "Events",
                &Value::unnamed_composite(events.to_vec()),
            ),
        );
        let now = old.key("Timestamp", "Now", vec![]);
        if !self.next.contains_key(&now) {
            state.insert(now, SystemClock.unix_millis().encode());
        }
        let block_number = Block(self.best.len() as u64);
        state.insert(
            old.key("System", "Number", vec![]),
            old.value("System", "Number", &number(block_number.0)),
        );
        let genesis = parent.is_none();
        let mut roots = [[0; 32]; 2];
        roots[0][0] = self.salt;
        if !genesis {
            self.made += 1;
            roots[1][..8].copy_from_slice(&self.made.to_le_bytes());
        }
        let parent = parent.unwrap_or_default();
        let mut header = parent.0.to_vec();
        Compact(u32::try_from(block_number.0).unwrap()).encode_to(&mut header);
        header.extend(roots[0]);
        header.extend(roots[1]);
        Compact(0_u32).encode_to(&mut header);
        let head = BlockHead {
            number: block_number,
            hash: BlockHash(blake2_256(&header)),
        };
        let block = BlockData {
            head,
            parent,
            extrinsics,
            state: Arc::new(state),
            runtime: Arc::clone(&self.next_runtime),
            roots,
        };
        self.blocks.insert(head.hash, block);
        self.best.push(head.hash);
        self.announced.push(head.hash);
        if self.finalises {
            self.finalise_up_to(head.number);
        }
        head
    }

    pub(super) fn reorganise(&mut self, depth: usize) -> BlockHead {
        assert!(
            self.best.len() - depth >= self.finalised.len(),
            "finality cannot be undone: node.finalising(false) first"
        );
        self.best.truncate(self.best.len() - depth);
        for _ in 0..depth {
            self.make(Vec::new(), &[]);
            // A node announces the new best block, not all that led to it.
            self.announced.pop();
        }
        self.make(Vec::new(), &[])
    }

    pub(super) fn head(&self) -> BlockHead {
        let hash = self.best.last().unwrap();
        self.blocks[hash].head
    }

    pub(super) fn canonical(&self, number: Block) -> Option<BlockHead> {
        let hash = self.best.get(usize::try_from(number.0).ok()?)?;
        Some(self.blocks[hash].head)
    }

    pub(super) fn block(&self, hash: BlockHash) -> Option<&BlockData> {
        self.blocks.get(&hash)
    }

    /// A block's state, or the words of a node that no longer has it.
    pub(super) fn state(&self, hash: BlockHash) -> Result<&State, String> {
        let unknown = || format!("Client error: Api called for an unknown Block: {hash}");
        let block = self.blocks.get(&hash).ok_or_else(unknown)?;
        if self.head().number.since(block.head.number) >= self.kept {
            return Err(format!(
                "Client error: Api called for an unknown Block: State already discarded for {hash}"
            ));
        }
        Ok(&block.state)
    }
}

pub(super) fn blake2_256(bytes: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::digest(bytes).into()
}
