//! The folder that a model goes to, held by one run.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{PullError, PullEvent, PullObserver, attempt::Wanted, below, notice, part::part_of};
use crate::{PublishedModel, Result, digest};

/// File in the folder that is locked while somebody pulls.
const LOCK: &str = ".lock";
/// Between two looks at a lock that another run holds.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Ground {
    folder: PathBuf,
    /// Holds the lock until dropped.
    _lock: File,
}

impl Ground {
    /// Makes the folder and waits until it is this run's.
    pub(super) async fn take(
        folder: &Path,
        patience: Duration,
        observer: &dyn PullObserver,
    ) -> Result<Self> {
        fs::create_dir_all(folder).map_err(writing(folder))?;
        let path = folder.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(writing(&path))?;
        let mut looks = 0_u32;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(writing(&path)(source).into()),
                Err(TryLockError::WouldBlock) => {}
            }
            if looks == 0 {
                observer.event(PullEvent::Waiting { folder });
            }
            if LOOK.saturating_mul(looks) >= patience {
                let folder = folder.to_owned();
                let waited = patience;
                return Err(PullError::Busy { folder, waited }.into());
            }
            looks = looks.saturating_add(1);
            tokio::time::sleep(LOOK).await;
        }
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// Where a file of the model belongs; the folders above it are made.
    pub(super) fn place(&self, name: &str) -> Result<PathBuf> {
        let path = below(&self.folder, name);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(writing(above))?;
        }
        Ok(path)
    }

    /// Whether a file is there with its digest.
    pub(super) async fn holds(&self, wanted: &Wanted) -> Result<bool> {
        let path = below(&self.folder, &wanted.name);
        let Ok(found) = fs::metadata(&path) else {
            return Ok(false);
        };
        if !found.is_file() || wanted.size.is_some_and(|size| size != found.len()) {
            return Ok(false);
        }
        Ok(digest_of(path).await? == wanted.sha256)
    }

    /// Compares what is still to be written, and `besides`, with the room on the disk. Files of
    /// unknown size count nothing here.
    pub(super) fn must_hold<'a>(
        &self,
        wanted: impl Iterator<Item = &'a Wanted>,
        besides: u64,
    ) -> Result<()> {
        let needed = wanted.fold(besides, |sum, wanted| {
            let part = fs::metadata(part_of(&below(&self.folder, &wanted.name)));
            let have = part.map_or(0, |part| part.len());
            sum.saturating_add(wanted.size.unwrap_or(0).saturating_sub(have))
        });
        let room = rustix::fs::statvfs(&self.folder)
            .map_err(|error| writing(&self.folder)(error.into()))?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if needed <= free {
            return Ok(());
        }
        let path = self.folder.clone();
        Err(PullError::NoRoom { path, needed, free }.into())
    }

    /// Writes what the model is and the digests of its files beside them.
    pub(super) fn record(
        &self,
        model: &PublishedModel,
        digests: &BTreeMap<String, String>,
    ) -> Result<()> {
        notice::write(&self.folder, model, digests)
    }
}

/// The digest of a file, read off the async threads.
async fn digest_of(path: PathBuf) -> Result<String> {
    let within = path.clone();
    tokio::task::spawn_blocking(move || digest::of(&within))
        .await
        .map_err(|error| writing(&path)(io::Error::other(error)))?
}

/// Wraps what the system says about writing; a full disk is told as such.
pub(super) fn writing(path: &Path) -> impl Fn(io::Error) -> PullError + '_ {
    |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PullError::DiskFull {
            path: path.to_owned(),
        },
        _ => PullError::Write {
            path: path.to_owned(),
            source,
        },
    }
}
