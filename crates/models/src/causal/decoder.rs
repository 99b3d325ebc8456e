use std::{any::Any, fmt};

/// A network as the model sees it, wherever it runs.
pub(crate) trait Decoder: fmt::Debug + Send + Sync {
    /// Memory for the keys and values of one text, empty.
    fn cache(&self) -> Box<dyn Any + Send>;

    /// Bytes of keys and values of so many tokens.
    fn cache_bytes(&self, tokens: usize) -> u64;

    /// Runs `ids` after the `past` tokens of the cache, and gives the logits of the rows in `wanted`
    /// one after another. Rows are counted within `ids`, in ascending order; ids lie below the
    /// vocabulary's size. A cache of another network gives nothing.
    fn extend(
        &self,
        cache: &mut (dyn Any + Send),
        past: usize,
        ids: &[u32],
        wanted: &[usize],
    ) -> Option<Vec<f32>>;
}
