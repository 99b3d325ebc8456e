use std::{
    collections::HashMap,
    fs::File,
    io::{ErrorKind, Read as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use adit_embedding::{Embedding, Space};

use super::{
    ElementType, IndexHit, VectorIndex,
    header::{self, Commit, LENGTH, fixed, read_commit, read_fixed, slot},
    rows::{Rows, encode},
};
use crate::{
    Error, Result,
    durable::{failed, read_bounded, sync_folder, with_ending},
};

/// Longest id, in bytes.
const LONGEST_ID: usize = 256;
/// Largest file of ids, in bytes.
const LARGEST_IDS: u64 = 16 << 30;

/// An index that looks at every vector: exact, and at a hundred thousand vectors still a matter of
/// milliseconds. Two files: `PATH` with a header and the rows, `PATH.ids` with their ids.
///
/// Both only grow. A new vector for an old id is a new row that replaces the old one, which stays
/// behind unused; [`unused_rows`](Self::unused_rows) tells when making the index again is worth it.
/// An append is synced before the header's commit slot, so that a crash loses at most the append
/// under way. One process at a time has an index open.
#[derive(Debug)]
pub struct ExactIndex {
    path: PathBuf,
    rows_file: File,
    ids_file: File,
    space: Space,
    element: ElementType,
    commit: Commit,
    rows: Rows,
    ids: Vec<String>,
    /// The row that counts for each id.
    current: HashMap<String, u32>,
    /// By row: whether a later row replaces it.
    replaced: Vec<bool>,
}

impl ExactIndex {
    /// Opens or creates an index of a space.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`] when the file holds another space; [`Error::Corrupt`] when it is
    /// damaged, or holds another element type: remove it and make it again from the dataset;
    /// [`Error::File`] when another process has it open or the disk refuses.
    pub fn open(path: &Path, space: Space, element: ElementType) -> Result<Self> {
        let corrupt = |reason: &str| Error::Corrupt {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let ids_path = with_ending(path, ".ids");
        let rows_file = open(path)?;
        rows_file
            .try_lock()
            .map_err(|source| failed("lock", path)(source.into()))?;
        let ids_file = open(&ids_path)?;
        let mut page = Vec::with_capacity(LENGTH);
        (&rows_file)
            .take(LENGTH as u64)
            .read_to_end(&mut page)
            .map_err(failed("read", path))?;
        let no_ids = ids_file
            .metadata()
            .map_err(failed("read", &ids_path))?
            .len()
            == 0;
        // A crash before the very first commit leaves no slot, no rows and no ids: there is nothing
        // to lose.
        let length = rows_file.metadata().map_err(failed("read", path))?.len();
        if no_ids
            && length <= LENGTH as u64
            && read_commit(&page).is_none()
            && fresh(&page, &space, element)
        {
            page = create(path, &rows_file, &ids_file, &space, element)?;
        }
        let (held, held_element) = read_fixed(&page).map_err(corrupt)?;
        if held != space {
            return Err(Error::SpaceMismatch {
                expected: held,
                found: space,
            });
        }
        if held_element != element {
            return Err(corrupt("its components are of another type"));
        }
        let commit = read_commit(&page).ok_or_else(|| corrupt("neither commit slot is whole"))?;
        let count =
            usize::try_from(commit.rows).map_err(|_| corrupt("its row count is out of range"))?;
        Rows::check(space.dimension(), element, count)?;
        let length = rows_file.metadata().map_err(failed("read", path))?.len();
        if length < (LENGTH + count * space.dimension() * element.bytes()) as u64 {
            return Err(corrupt("it is cut short"));
        }
        let rows = Rows::map(&rows_file, path, element, space.dimension(), count)?;
        if crc32fast::hash(rows.bytes()) != commit.rows_crc {
            return Err(corrupt("the checksum of its rows is wrong"));
        }
        let ids = read_ids(&ids_path, &commit)?;
        let mut index = Self {
            path: path.to_owned(),
            rows_file,
            ids_file,
            space,
            element,
            commit,
            rows,
            ids: Vec::new(),
            current: HashMap::new(),
            replaced: Vec::new(),
        };
        ids.into_iter().for_each(|id| index.remember(id));
        Ok(index)
    }

    /// Rows that a later vector of the same id replaced.
    pub fn unused_rows(&self) -> usize {
        self.ids.len() - self.current.len()
    }

    /// Whether a vector is stored under this id.
    pub fn contains(&self, id: &str) -> bool {
        self.current.contains_key(id)
    }

    fn remember(&mut self, id: String) {
        let row = self.ids.len() as u32;
        if let Some(old) = self.current.insert(id.clone(), row)
            && let Some(replaced) = self.replaced.get_mut(old as usize)
        {
            *replaced = true;
        }
        self.ids.push(id);
        self.replaced.push(false);
    }

    fn require(&self, vector: &Embedding) -> Result<()> {
        if *vector.space() == self.space {
            return Ok(());
        }
        Err(Error::SpaceMismatch {
            expected: self.space.clone(),
            found: vector.space().clone(),
        })
    }

    /// The rows of a batch that change something, each id once with its last vector.
    fn changes(&self, batch: &[(&str, &Embedding)]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut last: Vec<(&str, &Embedding)> = Vec::with_capacity(batch.len());
        for (id, vector) in batch {
            self.require(vector)?;
            if id.is_empty() || id.len() > LONGEST_ID {
                let (found, bound) = (id.len() as u64, LONGEST_ID as u64);
                return Err(Error::TooLarge {
                    what: "an id of the index",
                    found,
                    bound,
                    unit: "bytes (at least 1)",
                });
            }
            match places.get(id).and_then(|place| last.get_mut(*place)) {
                Some(earlier) => earlier.1 = vector,
                None => {
                    places.insert(id, last.len());
                    last.push((id, vector));
                }
            }
        }
        let encoded = last
            .into_iter()
            .map(|(id, vector)| (id, encode(vector, self.element)));
        let known = |id: &str, row: &[u8]| {
            self.current
                .get(id)
                .is_some_and(|current| self.rows.row(*current) == row)
        };
        Ok(encoded
            .filter(|(id, row)| !known(id, row))
            .map(|(id, row)| (id.to_owned(), row))
            .collect())
    }
}

impl VectorIndex for ExactIndex {
    fn space(&self) -> &Space {
        &self.space
    }

    fn len(&self) -> usize {
        self.current.len()
    }

    fn recall(&self) -> f64 {
        1.0
    }

    fn extend(&mut self, batch: &[(&str, &Embedding)]) -> Result<usize> {
        let changes = self.changes(batch)?;
        if changes.is_empty() {
            return Ok(0);
        }
        let count = self.ids.len() + changes.len();
        Rows::check(self.space.dimension(), self.element, count)?;
        let mut row_bytes = Vec::with_capacity(changes.len() * self.rows.row_bytes());
        let mut id_bytes = Vec::new();
        for (id, row) in &changes {
            row_bytes.extend(row);
            // At most 256, checked above.
            id_bytes.extend((id.len() as u16).to_le_bytes());
            id_bytes.extend(id.as_bytes());
        }
        let rows_end = (LENGTH + self.ids.len() * self.rows.row_bytes()) as u64;
        self.rows_file
            .write_all_at(&row_bytes, rows_end)
            .map_err(failed("write", &self.path))?;
        self.ids_file
            .write_all_at(&id_bytes, self.commit.id_bytes)
            .map_err(failed("write", &self.path))?;
        self.ids_file
            .sync_data()
            .map_err(failed("sync", &self.path))?;
        self.rows_file
            .sync_data()
            .map_err(failed("sync", &self.path))?;
        let commit = Commit {
            generation: self.commit.generation + 1,
            rows: count as u64,
            id_bytes: self.commit.id_bytes + id_bytes.len() as u64,
            rows_crc: extend_crc(
                self.commit.rows_crc,
                self.rows.bytes().len() as u64,
                &row_bytes,
            ),
            ids_crc: extend_crc(self.commit.ids_crc, self.commit.id_bytes, &id_bytes),
        };
        // Mapped before the commit: a failure here still leaves everything as it was.
        let rows = Rows::map(
            &self.rows_file,
            &self.path,
            self.element,
            self.space.dimension(),
            count,
        )?;
        let (place, bytes) = slot(&commit);
        self.rows_file
            .write_all_at(&bytes, place)
            .map_err(failed("write", &self.path))?;
        self.rows_file
            .sync_data()
            .map_err(failed("sync", &self.path))?;
        self.commit = commit;
        self.rows = rows;
        let changed = changes.len();
        changes.into_iter().for_each(|(id, _)| self.remember(id));
        Ok(changed)
    }

    fn nearest_batch(&self, queries: &[&Embedding], k: usize) -> Result<Vec<Vec<IndexHit>>> {
        queries.iter().try_for_each(|query| self.require(query))?;
        let live = |row: u32| self.replaced.get(row as usize) == Some(&false);
        let tops = self.rows.search(queries, k.min(self.len()), &live)?;
        let hit = |candidate: adit_embedding::nearest::Neighbour| {
            let id = self
                .ids
                .get(candidate.row as usize)
                .cloned()
                .unwrap_or_default();
            IndexHit {
                id,
                cosine: candidate.similarity.clamp(-1.0, 1.0),
            }
        };
        Ok(tops
            .into_iter()
            .map(|top| top.into_sorted().into_iter().map(hit).collect())
            .collect())
    }
}

fn open(path: &Path) -> Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed("open", path))
}

/// Whether this is an empty file, or one whose creation was cut off.
fn fresh(page: &[u8], space: &Space, element: ElementType) -> bool {
    let expected = fixed(space, element);
    page.iter()
        .zip(&expected)
        .all(|(found, expected)| found == expected || *found == 0)
}

fn create(
    path: &Path,
    rows: &File,
    ids: &File,
    space: &Space,
    element: ElementType,
) -> Result<Vec<u8>> {
    let mut page = fixed(space, element);
    page.resize(LENGTH, 0);
    rows.write_all_at(&page, 0).map_err(failed("write", path))?;
    ids.sync_all().map_err(failed("sync", path))?;
    rows.sync_all().map_err(failed("sync", path))?;
    let (place, bytes) = slot(&Commit {
        generation: 1,
        ..Commit::default()
    });
    rows.write_all_at(&bytes, place)
        .map_err(failed("write", path))?;
    rows.sync_all().map_err(failed("sync", path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    let start = usize::try_from(place).unwrap_or_default();
    if let Some(target) = page.get_mut(start..start + bytes.len()) {
        target.copy_from_slice(&bytes);
    }
    debug_assert!(header::read_commit(&page).is_some());
    Ok(page)
}

fn read_ids(path: &Path, commit: &Commit) -> Result<Vec<String>> {
    let corrupt = |reason: &str| Error::Corrupt {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let bytes = match read_bounded(path, "the file of ids", LARGEST_IDS) {
        Err(Error::File { source, .. }) if source.kind() == ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let length =
        usize::try_from(commit.id_bytes).map_err(|_| corrupt("its length is out of range"))?;
    let mut rest = bytes
        .get(..length)
        .ok_or_else(|| corrupt("it is cut short"))?;
    if crc32fast::hash(rest) != commit.ids_crc {
        return Err(corrupt("its checksum is wrong"));
    }
    let mut ids = Vec::new();
    while let Some((length, more)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length));
        let (id, more) = more
            .split_at_checked(length)
            .ok_or_else(|| corrupt("an id is cut short"))?;
        ids.push(
            std::str::from_utf8(id)
                .map_err(|_| corrupt("an id is no text"))?
                .to_owned(),
        );
        rest = more;
    }
    if !rest.is_empty() || ids.len() as u64 != commit.rows {
        return Err(corrupt("it has not one id for each row"));
    }
    Ok(ids)
}

fn extend_crc(crc: u32, length: u64, more: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial_len(crc, length);
    hasher.update(more);
    hasher.finalize()
}
