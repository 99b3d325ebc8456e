//! Cutting a list into chunks.

use std::ops::Range;

use crate::{Error, Result};

/// Chunks of consecutive items: each ends with the item that brings its weight to at least `least`.
/// The last chunk may weigh less and is left out when `drop_incomplete`. Sums saturate. O(items).
///
/// The field groups clips into tasks by it, each weighing its whole seconds, with a least of 256.
pub fn chunks_by_weight(
    weights: impl IntoIterator<Item = u64>,
    least: u64,
    drop_incomplete: bool,
) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut start, mut end, mut sum) = (0, 0, 0_u64);
    for weight in weights {
        end += 1;
        sum = sum.saturating_add(weight);
        if sum >= least {
            chunks.push(start..end);
            (start, sum) = (end, 0);
        }
    }
    if start < end && !drop_incomplete {
        chunks.push(start..end);
    }
    chunks
}

/// At most `chunks` chunks of `items` consecutive items, as even as possible, the larger ones
/// first. None is empty, so that there are fewer chunks where there are fewer items.
///
/// # Errors
/// [`Error::Empty`] for no chunks.
pub fn even_chunks(items: usize, chunks: usize) -> Result<Vec<Range<usize>>> {
    let Some(size) = items.checked_div(chunks) else {
        return Err(Error::Empty {
            what: "the list of chunks",
        });
    };
    let larger = items - size * chunks;
    let mut end = 0;
    let ranges = (0..chunks.min(items)).map(|index| {
        let start = end;
        end += size + usize::from(index < larger);
        start..end
    });
    Ok(ranges.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_item_that_completes_a_chunk_belongs_to_it() {
        assert_eq!(chunks_by_weight([3, 3, 3, 3], 5, false), [0..2, 2..4]);
        assert_eq!(chunks_by_weight([3, 3, 3], 5, false), [0..2, 2..3]);
        assert_eq!(
            chunks_by_weight([3, 3, 3], 5, true).as_slice(),
            std::slice::from_ref(&(0..2))
        );
        assert!(chunks_by_weight([], 5, false).is_empty());
        assert_eq!(
            chunks_by_weight([u64::MAX, u64::MAX], u64::MAX, true),
            [0..1, 1..2]
        );
    }

    proptest! {
        #[test]
        fn even_chunks_cover_everything(items in 0_usize..200, chunks in 1_usize..40) {
            let ranges = even_chunks(items, chunks).unwrap();
            prop_assert!(ranges.iter().cloned().flatten().eq(0..items));
            let sizes: Vec<_> = ranges.iter().map(ExactSizeIterator::len).collect();
            prop_assert!(sizes.windows(2).all(|pair| pair[0] == pair[1] || pair[0] == pair[1] + 1));
            prop_assert!(sizes.iter().all(|size| *size > 0));
            prop_assert!(even_chunks(items, 0).is_err());
        }
    }
}
