use std::{fmt, path::Path, thread};

use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use crate::{Embedding, Error, Result, Space};

/// How a graph of vectors is built and walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphSettings {
    /// Neighbours per vector (`M`).
    pub connectivity: usize,
    /// Candidates kept while a vector is added (`ef_construction`).
    pub expansion_add: usize,
    /// Candidates kept while a query walks (`ef`): more find more, and take longer.
    pub expansion_search: usize,
    /// Whether vectors are held in half precision.
    pub half_precision: bool,
}

impl Default for GraphSettings {
    fn default() -> Self {
        Self {
            connectivity: 16,
            expansion_add: 128,
            expansion_search: 64,
            half_precision: true,
        }
    }
}

/// Embeddings by number, found along a graph of near neighbours (HNSW, Malkov and Yashunin 2016; the
/// `usearch` library): most of the nearest, in time that grows with the logarithm of their number.
///
/// It lives in memory and holds nothing that its source does not: keep the embeddings elsewhere, and
/// build it again when its file is lost or of another version.
pub struct ApproximateIndex {
    space: Space,
    index: Index,
    threads: usize,
}

impl fmt::Debug for ApproximateIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApproximateIndex")
            .field("space", &self.space)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl ApproximateIndex {
    /// An empty index of a space.
    ///
    /// # Errors
    /// [`Error::Index`] when the library refuses the settings.
    pub fn new(space: Space, settings: GraphSettings) -> Result<Self> {
        let options = IndexOptions {
            dimensions: space.dimension(),
            metric: MetricKind::IP,
            quantization: if settings.half_precision {
                ScalarKind::F16
            } else {
                ScalarKind::F32
            },
            connectivity: settings.connectivity,
            expansion_add: settings.expansion_add,
            expansion_search: settings.expansion_search,
            multi: false,
        };
        let index = Index::new(&options).map_err(refused)?;
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            space,
            index,
            threads,
        })
    }

    /// The space of its embeddings.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// How many embeddings it holds.
    pub fn len(&self) -> usize {
        self.index.size()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds embeddings under their numbers, on all threads of the machine. A number held already is
    /// replaced; of one given twice, either embedding stays.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`] before anything is added, [`Error::Index`] when the library refuses:
    /// some may have been added then.
    pub fn extend(&mut self, vectors: &[(u64, &Embedding)]) -> Result<()> {
        for (_, vector) in vectors {
            self.require(vector)?;
        }
        for (number, _) in vectors {
            if self.index.contains(*number) {
                self.index.remove(*number).map_err(refused)?;
            }
        }
        let wanted = self.len().saturating_add(vectors.len());
        if wanted > self.index.capacity() {
            // Twice as much, so that adding one by one does not grow it each time.
            let capacity = wanted.max(self.index.capacity().saturating_mul(2));
            self.index
                .reserve_capacity_and_threads(capacity, self.threads)
                .map_err(refused)?;
        }
        let add = |part: &[(u64, &Embedding)]| {
            part.iter().try_for_each(|(number, vector)| {
                if self.index.contains(*number) {
                    return Ok(());
                }
                self.index.add(*number, vector.values()).map_err(refused)
            })
        };
        let share = vectors.len().div_ceil(self.threads).max(64);
        thread::scope(|scope| {
            let parts: Vec<_> = vectors
                .chunks(share)
                .map(|part| scope.spawn(move || add(part)))
                .collect();
            let added = parts.into_iter().map(|part| {
                part.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            added.fold(Ok(()), Result::and)
        })
    }

    /// Takes an embedding out; says whether there was one.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn remove(&mut self, number: u64) -> Result<bool> {
        Ok(self.index.remove(number).map_err(refused)? > 0)
    }

    /// Up to `k` of the nearest, nearest first, as numbers and cosines. Some of the true nearest may
    /// be missing; [`GraphSettings::expansion_search`] says how many. May be called from as many
    /// threads at once as the machine has.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`], and [`Error::Index`] when more threads ask at once.
    pub fn nearest(&self, query: &Embedding, k: usize) -> Result<Vec<(u64, f32)>> {
        self.require(query)?;
        if k == 0 || self.is_empty() {
            return Ok(Vec::new());
        }
        let found = self
            .index
            .search(query.values(), k.min(self.len()))
            .map_err(refused)?;
        // The library's distance is one less the inner product.
        let cosines = found
            .distances
            .iter()
            .map(|far| (1.0 - far).clamp(-1.0, 1.0));
        Ok(found.keys.iter().copied().zip(cosines).collect())
    }

    /// How many candidates a query keeps from now on.
    pub fn set_expansion_search(&mut self, candidates: usize) {
        self.index.change_expansion_search(candidates);
    }

    /// Writes the index to a file, replacing it whole or not at all.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let beside = path.with_extension("partial");
        self.index.save(text(&beside)?).map_err(refused)?;
        std::fs::rename(&beside, path).map_err(|error| unusable(path, &error))
    }

    /// Reads an index that [`ApproximateIndex::save`] wrote on a machine of ours. The library checks
    /// little of a file: never load one from a stranger.
    ///
    /// # Errors
    /// [`Error::Index`] for a missing or foreign file, or one of another dimension.
    pub fn load(path: &Path, space: Space, settings: GraphSettings) -> Result<Self> {
        let head = Index::metadata(text(path)?).map_err(refused)?;
        if head.dimensions != space.dimension() as u64 {
            return Err(unusable(
                path,
                &format!(
                    "{} dimensions, expected {}",
                    head.dimensions,
                    space.dimension()
                ),
            ));
        }
        let loaded = Self::new(space, settings)?;
        loaded.index.load(text(path)?).map_err(refused)?;
        loaded
            .index
            .reserve_capacity_and_threads(loaded.len(), loaded.threads)
            .map_err(refused)?;
        Ok(loaded)
    }

    fn require(&self, vector: &Embedding) -> Result<()> {
        if vector.space() == &self.space {
            return Ok(());
        }
        Err(Error::SpaceMismatch {
            left: self.space.clone(),
            right: vector.space().clone(),
        })
    }
}

fn refused(reason: impl fmt::Display) -> Error {
    Error::Index {
        reason: reason.to_string(),
    }
}

fn unusable(path: &Path, reason: &impl fmt::Display) -> Error {
    refused(format_args!("{}: {reason}", path.display()))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .ok_or_else(|| unusable(path, &"the path is not UTF-8"))
}
