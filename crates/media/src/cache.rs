//! Fetched files on disk, named by content, found by URL, forgotten least recently used first.

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tempfile::TempPath;
use url::Url;

use crate::{Error, Result, transfer::Version};

/// Beginning of the name of a file that is still being fetched.
const UNFINISHED: &str = ".transfer-";
/// Longest record that is read back.
const RECORD_BYTES: u64 = 16 << 10;

/// A file brought from an origin. While it or a clone lives, the cache keeps the file.
#[derive(Debug, Clone)]
pub struct FetchedMedia {
    lease: Arc<Lease>,
}

#[derive(Debug)]
struct Lease {
    path: PathBuf,
    bytes: u64,
    content_hash: String,
}

impl FetchedMedia {
    /// The local file.
    pub fn path(&self) -> &Path {
        &self.lease.path
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.lease.bytes
    }

    /// BLAKE3 of its bytes, 64 hexadecimal digits.
    pub fn content_hash(&self) -> &str {
        &self.lease.content_hash
    }
}

/// What is known of a URL, as stored beside the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) url: String,
    pub(crate) content_hash: String,
    pub(crate) bytes: u64,
    pub(crate) version: Version,
}

#[derive(Debug)]
struct Known {
    record: Record,
    /// When the origin last confirmed it; never, for records read from disk.
    confirmed: Option<Instant>,
}

#[derive(Debug)]
struct Content {
    bytes: u64,
    last_use: u64,
    lease: Weak<Lease>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<String, Known>,
    contents: HashMap<String, Content>,
    flights: HashMap<String, Weak<tokio::sync::Mutex<()>>>,
    uses: u64,
}

#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    limit: u64,
    state: Mutex<State>,
    /// Held for life: two processes would delete each other's files.
    _lock: File,
}

/// A file in the cache, and whether its origin confirmed it recently.
pub(crate) struct Hit {
    pub(crate) media: FetchedMedia,
    pub(crate) version: Version,
    pub(crate) is_fresh: bool,
}

impl Cache {
    pub(crate) fn open(directory: &Path, limit: u64) -> Result<Self> {
        let directory = std::path::absolute(directory).map_err(Error::io("find", directory))?;
        fs::create_dir_all(&directory).map_err(Error::io("make", &directory))?;
        let lock = lock(&directory)?;
        let cache = Self {
            state: Mutex::new(read_back(&directory)?),
            directory,
            limit,
            _lock: lock,
        };
        cache.evict();
        Ok(cache)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A new empty file in the cache's directory, removed unless it is stored.
    pub(crate) fn unfinished(&self) -> Result<(File, TempPath)> {
        tempfile::Builder::new()
            .prefix(UNFINISHED)
            // The children in the sandbox are another user, without rights.
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(&self.directory)
            .map(tempfile::NamedTempFile::into_parts)
            .map_err(Error::io("make a file in", &self.directory))
    }

    /// A lock that lets one task at a time fetch `url`.
    pub(crate) fn flight(&self, url: &Url) -> Arc<tokio::sync::Mutex<()>> {
        let mut state = self.state();
        state.flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = state.flights.get(url.as_str()).and_then(Weak::upgrade);
        flight.unwrap_or_else(|| {
            let flight = Arc::default();
            let weak = Arc::downgrade(&flight);
            state.flights.insert(url.as_str().to_owned(), weak);
            flight
        })
    }

    pub(crate) fn find(&self, url: &Url, fresh_for: Duration) -> Option<Hit> {
        let mut state = self.state();
        let known = state.known.get(url.as_str())?;
        let record = known.record.clone();
        let is_fresh = known
            .confirmed
            .is_some_and(|confirmed| confirmed.elapsed() < fresh_for);
        Some(Hit {
            media: self.lease(&mut state, &record),
            version: record.version,
            is_fresh,
        })
    }

    /// Notes that the origin confirmed what we have.
    pub(crate) fn confirm(&self, url: &Url) {
        if let Some(known) = self.state().known.get_mut(url.as_str()) {
            known.confirmed = Some(Instant::now());
        }
    }

    /// Moves a finished file in. Blocking.
    pub(crate) fn store(&self, record: Record, file: TempPath) -> Result<FetchedMedia> {
        let path = content_path(&self.directory, &record.content_hash);
        file.persist(&path)
            .map_err(|error| Error::io("write", &path)(error.error))?;
        self.write_record(&record)?;
        let media = {
            let mut state = self.state();
            let media = self.lease(&mut state, &record);
            state.known.insert(
                record.url.clone(),
                Known {
                    record,
                    confirmed: Some(Instant::now()),
                },
            );
            media
        };
        self.evict();
        Ok(media)
    }

    fn write_record(&self, record: &Record) -> Result<()> {
        let path = record_path(&self.directory, &record.url);
        let text = serde_json::to_vec(record).map_err(|error| Error::Io {
            act: "describe",
            path: path.clone(),
            source: error.into(),
        })?;
        let (file, unfinished) = self.unfinished()?;
        drop(file);
        fs::write(&unfinished, text).map_err(Error::io("write", &path))?;
        unfinished
            .persist(&path)
            .map_err(|error| Error::io("write", &path)(error.error))
    }

    fn lease(&self, state: &mut State, record: &Record) -> FetchedMedia {
        state.uses += 1;
        let content = state
            .contents
            .entry(record.content_hash.clone())
            .or_insert_with(|| Content {
                bytes: record.bytes,
                last_use: 0,
                lease: Weak::new(),
            });
        content.last_use = state.uses;
        let lease = content.lease.upgrade().unwrap_or_else(|| {
            let lease = Arc::new(Lease {
                path: content_path(&self.directory, &record.content_hash),
                bytes: record.bytes,
                content_hash: record.content_hash.clone(),
            });
            content.lease = Arc::downgrade(&lease);
            lease
        });
        FetchedMedia { lease }
    }

    /// Removes files that nobody holds, least recently used first, until the rest fits.
    fn evict(&self) {
        let mut state = self.state();
        let mut total: u64 = state.contents.values().map(|content| content.bytes).sum();
        while total > self.limit {
            let oldest = state
                .contents
                .iter()
                .filter(|(_, content)| content.lease.strong_count() == 0)
                .min_by_key(|(_, content)| content.last_use)
                .map(|(hash, content)| (hash.clone(), content.bytes));
            let Some((hash, bytes)) = oldest else {
                return;
            };
            total -= bytes;
            state.contents.remove(&hash);
            remove(&content_path(&self.directory, &hash));
            state.known.retain(|url, known| {
                let keep = known.record.content_hash != hash;
                if !keep {
                    remove(&record_path(&self.directory, url));
                }
                keep
            });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn content_path(directory: &Path, hash: &str) -> PathBuf {
    directory.join(format!("{hash}.media"))
}

fn record_path(directory: &Path, url: &str) -> PathBuf {
    directory.join(format!("{}.json", blake3::hash(url.as_bytes()).to_hex()))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "cannot remove a file from the media cache");
    }
}

fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let file = File::create(&path).map_err(Error::io("make", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Configuration {
            reason: format!("{} belongs to another process", directory.display()),
        }),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

/// Reads the records of an earlier run; files without one, and unfinished ones, are removed.
fn read_back(directory: &Path) -> Result<State> {
    let mut state = State::default();
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io("list", directory))? {
        let path = entry.map_err(Error::io("list", directory))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        if name.starts_with(UNFINISHED) {
            remove(&path);
        } else if name.ends_with(".media") {
            files.push(path);
        } else if name.ends_with(".json") {
            match read_record(directory, &path) {
                Some(record) => {
                    let content = Content {
                        bytes: record.bytes,
                        last_use: 0,
                        lease: Weak::new(),
                    };
                    state.contents.insert(record.content_hash.clone(), content);
                    let known = Known {
                        record,
                        confirmed: None,
                    };
                    state.known.insert(known.record.url.clone(), known);
                }
                None => remove(&path),
            }
        }
    }
    for path in files {
        let hash = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("");
        if !state.contents.contains_key(hash) {
            remove(&path);
        }
    }
    Ok(state)
}

/// A record whose file is there and has the right size.
fn read_record(directory: &Path, path: &Path) -> Option<Record> {
    if fs::metadata(path).ok()?.len() > RECORD_BYTES {
        return None;
    }
    let record: Record = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let is_hash = record.content_hash.len() == 64
        && record
            .content_hash
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit());
    let file = content_path(directory, &record.content_hash);
    (is_hash && fs::metadata(file).ok()?.len() == record.bytes).then_some(record)
}
