use std::{any::Any, fmt};

/// A text in a [`super::CausalModel`]: how many tokens it has and, for each layer, their keys and
/// values.
///
/// [`super::CausalModel::session`] makes one; it belongs to that model. The tokens so far are never
/// copied as the text grows.
pub struct CausalSession {
    /// Which model made it.
    pub(super) model: u64,
    pub(super) length: usize,
    pub(super) cache: Box<dyn Any + Send>,
}

impl CausalSession {
    /// Tokens so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no tokens yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets the tokens from `length` on, to go on from there in another way. Their memory is kept
    /// for what comes. A longer length changes nothing.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}

impl fmt::Debug for CausalSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CausalSession")
            .field("model", &self.model)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
