//! Where pending commits outlive the process.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::state::CommitState;
use crate::{Error, Result};

/// Keeps a [`CommitState`]. One store serves one [`WeightSetter`](crate::WeightSetter).
pub trait CommitStore: std::fmt::Debug + Send + Sync {
    /// What was saved last; empty when nothing was.
    ///
    /// # Errors
    /// [`Error::CommitState`] when what is there cannot be read. It is then out of the way and kept,
    /// so that the next call begins anew.
    fn load(&self) -> Result<CommitState>;

    /// Replaces what was saved: afterwards either the old or the new state is there, whole.
    ///
    /// # Errors
    /// [`Error::CommitFile`] when it cannot be written.
    fn save(&self, state: &CommitState) -> Result<()>;
}

/// Forgets when the process ends: for tests, and for subnets that are known to commit nothing.
#[derive(Debug, Default)]
pub struct MemoryCommitStore(Mutex<CommitState>);

impl CommitStore for MemoryCommitStore {
    fn load(&self) -> Result<CommitState> {
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone())
    }

    fn save(&self, state: &CommitState) -> Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state.clone();
        Ok(())
    }
}

impl<S: CommitStore + ?Sized> CommitStore for std::sync::Arc<S> {
    fn load(&self) -> Result<CommitState> {
        (**self).load()
    }

    fn save(&self, state: &CommitState) -> Result<()> {
        (**self).save(state)
    }
}

/// One JSON file that only its owner may read, replaced as a whole.
#[derive(Debug, Clone)]
pub struct FileCommitStore {
    path: PathBuf,
}

/// Ten commits of 65,536 weights each, and room.
const LARGEST: u64 = 16 << 20;

const LAYOUT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    layout: u32,
    state: CommitState,
}

impl FileCommitStore {
    /// A store in the file at `path`, which need not exist; its folder must.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> Error {
        let path = self.path.clone();
        move |source| Error::CommitFile {
            doing,
            path,
            source,
        }
    }

    /// Moves what cannot be read out of the way, under the first free name.
    fn put_aside(&self, reason: String) -> Error {
        let free = (1_u32..1_000)
            .map(|nth| with_ending(&self.path, &format!(".unreadable-{nth}")))
            .find(|aside| !aside.exists());
        let Some(aside) = free else {
            return self.failed("put aside")(io::ErrorKind::AlreadyExists.into());
        };
        match fs::rename(&self.path, &aside) {
            Ok(()) => Error::CommitState {
                path: self.path.clone(),
                kept_as: aside,
                reason,
            },
            Err(source) => self.failed("put aside")(source),
        }
    }

    fn write(&self, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // An old temporary file may have other rights; a new one has ours.
        let _ = fs::remove_file(temporary);
        let mut file = options.open(temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(temporary, &self.path)?;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::File::open(folder)?.sync_all()
    }
}

impl CommitStore for FileCommitStore {
    fn load(&self) -> Result<CommitState> {
        let file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(CommitState::default());
            }
            Err(error) => return Err(self.failed("open")(error)),
        };
        let mut bytes = zeroize::Zeroizing::new(Vec::new());
        file.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(self.failed("read"))?;
        if bytes.len() as u64 > LARGEST {
            return Err(self.put_aside(format!("it has more than {LARGEST} bytes")));
        }
        match serde_json::from_slice::<Document>(&bytes) {
            Ok(document) if document.layout == LAYOUT => Ok(document.state),
            Ok(document) => {
                Err(self.put_aside(format!("its layout {} is not known", document.layout)))
            }
            // Only the place: the text itself could hold a salt.
            Err(error) => Err(self.put_aside(format!(
                "it is not what was written, at line {}, column {}",
                error.line(),
                error.column()
            ))),
        }
    }

    fn save(&self, state: &CommitState) -> Result<()> {
        let document = Document {
            layout: LAYOUT,
            state: state.clone(),
        };
        let bytes = serde_json::to_vec(&document)
            .map(zeroize::Zeroizing::new)
            .map_err(|error| self.failed("write")(error.into()))?;
        let temporary = with_ending(&self.path, ".tmp");
        let written = self.write(&temporary, &bytes);
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(self.failed("write"))
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use adit_primitives::{Block, Hotkey, MechId, NetUid, Uid, WeightVector};

    use super::*;
    use crate::{
        commit_reveal::CommitSalt,
        weight_setter::state::{CommitSeal, IncludedCommit, PendingCommit},
    };

    fn state() -> CommitState {
        let commit = PendingCommit {
            netuid: NetUid(1),
            mechid: MechId(0),
            hotkey: Hotkey::new([1; 32]),
            weights: WeightVector::new(vec![(Uid(1), 7)]).unwrap(),
            version_key: u64::MAX,
            seal: CommitSeal::Hash {
                hash: [9; 32],
                salt: CommitSalt::new(vec![4_711, 4_712]),
            },
            sent_after: Block(10),
            included: None,
        };
        let sealed = PendingCommit {
            seal: CommitSeal::Timelock { round: 1_000 },
            included: Some(IncludedCommit {
                block: Block(11),
                block_hash: [2; 32],
                extrinsic: [3; 32],
                epoch: 4,
            }),
            ..commit.clone()
        };
        CommitState {
            registration: Some((Uid(3), Block(9))),
            commits: vec![commit, sealed],
        }
    }

    #[test]
    fn what_is_saved_is_there_in_the_next_life_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.json");
        let store = FileCommitStore::new(&path);
        assert_eq!(store.load().unwrap(), CommitState::default());
        store.save(&state()).unwrap();
        store.save(&state()).unwrap();
        assert_eq!(FileCommitStore::new(&path).load().unwrap(), state());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing temporary stays");
        assert!(!format!("{:?}", state()).contains("4711"));
    }

    #[test]
    fn what_cannot_be_read_is_kept_and_named_without_its_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.json");
        let store = FileCommitStore::new(&path);
        store.save(&state()).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        let broken = [
            whole[..whole.len() / 2].to_owned(),
            String::new(),
            whole.replacen("\"layout\":1", "\"layout\":2", 1),
            whole.replacen("[4711,", "[\"4711\",", 1),
        ];
        for (nth, text) in (1..).zip(&broken) {
            fs::write(&path, text).unwrap();
            let error = store.load().unwrap_err();
            let Error::CommitState { kept_as, .. } = &error else {
                panic!("{error:?}")
            };
            assert!(kept_as.ends_with(format!("weights.json.unreadable-{nth}")));
            assert_eq!(&fs::read_to_string(kept_as).unwrap(), text);
            assert!(!error.to_string().contains("4711"), "{error}");
            assert_eq!(store.load().unwrap(), CommitState::default());
        }
    }

    #[test]
    fn a_file_of_any_size_is_read_only_so_far() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.json");
        fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = FileCommitStore::new(&path).load().unwrap_err();
        assert!(matches!(error, Error::CommitState { .. }), "{error:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
        let store = FileCommitStore::new("/nonexistent/weights.json");
        let error = store.save(&state()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/weights.json"));
    }
}
