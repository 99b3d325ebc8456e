//! The chain's storage: the newest state as a trie and as a sorted map, and for recent blocks what
//! each of them changed, so that older states can still be read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sp_core::storage::{StateVersion, Storage};
use sp_externalities::Extensions;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{BasicExternalities, Ext, InMemoryBackend, OverlayedChanges};

use crate::runtime::Hash;

/// Storage, sorted by key.
pub(crate) type Map = BTreeMap<Vec<u8>, Vec<u8>>;
/// New values by key; `None` removes it.
pub(crate) type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;
/// What a block's keys held before it.
type Undo = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

pub(crate) struct State {
    backend: InMemoryBackend<BlakeTwo256>,
    newest: Map,
    /// Oldest first; the last belongs to the newest block.
    undo: VecDeque<Undo>,
    /// How many blocks before the newest stay readable.
    depth: usize,
}

/// The changes a block makes before they are applied.
pub(crate) struct Draft(OverlayedChanges<BlakeTwo256>);

impl State {
    pub(crate) fn new(newest: Map, depth: usize) -> Self {
        Self {
            backend: (newest.clone(), StateVersion::V1).into(),
            newest,
            undo: VecDeque::new(),
            depth,
        }
    }

    pub(crate) fn root(&self) -> Hash {
        *self.backend.root()
    }

    /// How many blocks before the newest can be read.
    pub(crate) fn reach(&self) -> usize {
        self.undo.len()
    }

    pub(crate) fn draft(&self) -> Draft {
        Draft(OverlayedChanges::default())
    }

    /// Runs runtime code over the newest state; its writes stay in `draft`.
    pub(crate) fn run<R>(&self, draft: &mut Draft, code: impl FnOnce() -> R) -> R {
        let mut extensions = Extensions::default();
        let mut externalities = Ext::new(&mut draft.0, &self.backend, Some(&mut extensions));
        sp_externalities::set_and_run_with_externalities(&mut externalities, code)
    }

    /// Makes a block's draft the newest state and returns what changed, or why it could not.
    pub(crate) fn commit(&mut self, mut draft: Draft) -> Result<Changes, &'static str> {
        let drained = draft
            .0
            .drain_storage_changes(&self.backend, StateVersion::V1)
            .map_err(|_| "the storage changes could not be drained")?;
        self.backend
            .apply_transaction(drained.transaction_storage_root, drained.transaction);
        let changes = drained.main_storage_changes;
        self.remember(&changes);
        Ok(changes)
    }

    /// Applies the changes of a block read back from the database.
    pub(crate) fn replay(&mut self, changes: Changes) {
        self.remember(&changes);
        self.backend.insert([(None, changes)], StateVersion::V1);
    }

    /// Makes the state before the newest block the newest; false when it was discarded.
    pub(crate) fn rewind(&mut self) -> bool {
        let Some(undo) = self.undo.pop_back() else {
            return false;
        };
        for (key, before) in &undo {
            match before {
                Some(value) => self.newest.insert(key.clone(), value.clone()),
                None => self.newest.remove(key),
            };
        }
        let changes: Changes = undo.into_iter().collect();
        self.backend.insert([(None, changes)], StateVersion::V1);
        true
    }

    fn remember(&mut self, changes: &Changes) {
        let mut undo = Undo::new();
        for (key, value) in changes {
            let before = match value {
                Some(value) => self.newest.insert(key.clone(), value.clone()),
                None => self.newest.remove(key),
            };
            undo.insert(key.clone(), before);
        }
        self.undo.push_back(undo);
        if self.undo.len() > self.depth {
            self.undo.pop_front();
        }
    }

    /// What the block `age` blocks before the newest changed; `None` when it was discarded.
    pub(crate) fn changes(&self, age: usize) -> Option<Changes> {
        let index = self.undo.len().checked_sub(age + 1)?;
        let after = self.at(age)?;
        let keys = self.undo.get(index)?.keys();
        let changes = keys.map(|key| (key.clone(), after.value(key).map(<[u8]>::to_vec)));
        Some(changes.collect())
    }

    /// The state `age` blocks before the newest; `None` when it was discarded.
    pub(crate) fn at(&self, age: usize) -> Option<View<'_>> {
        let first = self.undo.len().checked_sub(age)?;
        Some(View { state: self, first })
    }
}

/// The state after one block.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    state: &'a State,
    /// Index of the first undo entry of a later block.
    first: usize,
}

impl View<'_> {
    pub(crate) fn value(&self, key: &[u8]) -> Option<&[u8]> {
        // The first later block that changed the key remembers what it held here.
        let later = self.state.undo.range(self.first..);
        match later.filter_map(|undo| undo.get(key)).next() {
            Some(before) => before.as_deref(),
            None => self.state.newest.get(key).map(Vec::as_slice),
        }
    }

    /// Keys that start with `prefix` and come after `after`, sorted, at most `limit`.
    pub(crate) fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
        let start = after.unwrap_or_default().max(prefix);
        let wanted = |key: &[u8]| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let from_newest = self
            .state
            .newest
            .range(start.to_vec()..)
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(prefix));
        if self.first == self.state.undo.len() {
            return from_newest
                .filter(|key| wanted(key))
                .take(limit)
                .cloned()
                .collect();
        }
        let since_removed = self.state.undo.range(self.first..).flat_map(Undo::keys);
        let candidates: BTreeSet<&Vec<u8>> = from_newest
            .chain(since_removed)
            .filter(|key| wanted(key))
            .collect();
        candidates
            .into_iter()
            .filter(|key| self.value(key).is_some())
            .take(limit)
            .cloned()
            .collect()
    }

    /// The whole state.
    pub(crate) fn map(&self) -> Map {
        let mut map = self.state.newest.clone();
        // Newest first, so that the oldest memory of a key wins.
        for undo in self.state.undo.range(self.first..).rev() {
            for (key, before) in undo {
                match before {
                    Some(before) => map.insert(key.clone(), before.clone()),
                    None => map.remove(key),
                };
            }
        }
        map
    }

    /// Runs runtime code over a copy of this state; its writes are lost.
    pub(crate) fn run<R>(&self, code: impl FnOnce() -> R) -> R {
        run_over(self.map(), code).0
    }
}

/// Runs runtime code over `map` and returns its result with the map it leaves.
pub(crate) fn run_over<R>(map: Map, code: impl FnOnce() -> R) -> (R, Map) {
    let mut externalities = BasicExternalities::new(Storage {
        top: map,
        children_default: Default::default(),
    });
    let result = externalities.execute_with(code);
    (result, externalities.into_storages().top)
}

#[cfg(test)]
mod tests {
    use super::{Map, State};

    fn set(state: &mut State, changes: &[(&str, Option<&str>)]) {
        let changes = changes.iter().map(|(key, value)| {
            (
                key.as_bytes().to_vec(),
                value.map(|v| v.as_bytes().to_vec()),
            )
        });
        state.replay(changes.collect());
    }

    #[test]
    fn old_states_stay_readable_until_discarded() {
        let genesis: Map = [(b"a1".to_vec(), b"x".to_vec())].into();
        let mut state = State::new(genesis.clone(), 2);
        set(&mut state, &[("a1", Some("y")), ("a2", Some("new"))]);
        set(&mut state, &[("a1", None), ("b", Some("other"))]);

        let newest = state.at(0).unwrap();
        assert_eq!(newest.value(b"a1"), None);
        assert_eq!(newest.keys(b"a", None, 9), [b"a2"]);
        let middle = state.at(1).unwrap();
        assert_eq!(middle.value(b"a1"), Some(&b"y"[..]));
        assert_eq!(middle.keys(b"a", None, 9), [b"a1", b"a2"]);
        assert_eq!(middle.keys(b"a", Some(b"a1"), 9), [b"a2"]);
        assert_eq!(middle.keys(b"", None, 1), [b"a1"]);
        assert_eq!(middle.value(b"b"), None);
        assert_eq!(state.at(2).unwrap().map(), genesis);
        assert!(state.at(3).is_none());

        assert_eq!(
            state.changes(1).unwrap(),
            [
                (b"a1".to_vec(), Some(b"y".to_vec())),
                (b"a2".to_vec(), Some(b"new".to_vec()))
            ]
        );

        set(&mut state, &[]);
        assert!(state.at(3).is_none(), "two blocks stay");
        assert_eq!(state.at(2).unwrap().value(b"a1"), Some(&b"y"[..]));
        let whole = State::new(state.at(0).unwrap().map(), 2);
        assert_eq!(whole.root(), state.root());
    }
}
