//! Fuzzy deduplication of documents: permutations for minimum hashes, bands, and the edges between
//! documents that share a bucket.

mod mersenne_twister;

use std::ops::Range;

use mersenne_twister::MersenneTwister;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Result, rules::within};

/// How wide the hashes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashWidth {
    /// 32 bits; permutations modulo the prime 2³¹ − 1.
    Bits32,
    /// 64 bits; permutations modulo the prime 2⁶¹ − 1.
    Bits64,
}

impl HashWidth {
    /// The prime.
    pub const fn prime(self) -> u64 {
        match self {
            Self::Bits32 => (1 << 31) - 1,
            Self::Bits64 => (1 << 61) - 1,
        }
    }
}

/// The permutation `h ↦ (factor · h + offset) mod prime` of hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashPermutation {
    /// From 1 to before the prime.
    pub factor: u64,
    /// From 0 to before the prime.
    pub offset: u64,
}

/// The permutations that NeMo-Curator takes for a seed: a factor and an offset each, drawn by numpy's
/// legacy generator (MT19937, with rejection of draws beyond the range).
///
/// # Errors
/// [`crate::Error::Constant`] for more than a million permutations.
///
/// ```
/// use adit_scoring::curation::minhash::{HashWidth, hash_permutations};
///
/// let drawn = hash_permutations(42, 1, HashWidth::Bits32)?;
/// assert_eq!((drawn[0].factor, drawn[0].offset), (1_608_637_543, 1_273_642_419));
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn hash_permutations(
    seed: u32,
    count: usize,
    width: HashWidth,
) -> Result<Vec<HashPermutation>> {
    within("the number of permutations", count as f64, 0.0, 1e6)?;
    let mut generator = MersenneTwister::new(seed);
    let last = width.prime() - 1;
    let mut draw = |from: u64| from + generator.up_to(last - from);
    let permutation = |_| HashPermutation {
        factor: draw(1),
        offset: draw(0),
    };
    Ok((0..count).map(permutation).collect())
}

/// Which minimum hashes make up each band: `rows` consecutive ones.
///
/// # Errors
/// [`crate::Error::Constant`] for more than a million bands or hashes beyond 2⁵³.
pub fn hash_bands(bands: usize, rows: usize) -> Result<Vec<Range<usize>>> {
    within("the number of bands", bands as f64, 0.0, 1e6)?;
    within(
        "the number of hashes",
        bands as f64 * rows as f64,
        0.0,
        (1_u64 << 53) as f64,
    )?;
    Ok((0..bands)
        .map(|band| band * rows..(band + 1) * rows)
        .collect())
}

/// The edges that connect the documents of a bucket: each with the next. They connect as many as
/// all pairs would, and are as few as can be.
pub fn bucket_edges<T: Copy>(bucket: &[T]) -> impl ExactSizeIterator<Item = (T, T)> + '_ {
    bucket.array_windows().map(|[one, next]| (*one, *next))
}

/// The name of a group of files, whatever their order: the first 12 hexadecimal digits of SHA-256
/// over the sorted paths, joined by `|`, and the seed after another `|`.
///
/// ```
/// use adit_scoring::curation::minhash::content_name;
///
/// assert_eq!(content_name(&[], "seed"), "7d5f5790ce1e");
/// assert_eq!(content_name(&["b", "a"], ""), content_name(&["a", "b"], ""));
/// ```
pub fn content_name(paths: &[&str], seed: &str) -> String {
    let mut sorted = paths.to_vec();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    for (place, path) in sorted.iter().enumerate() {
        if place > 0 {
            hash.update(b"|");
        }
        hash.update(path.as_bytes());
    }
    hash.update(b"|");
    hash.update(seed.as_bytes());
    let digits = hash.finalize();
    digits
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_connect_neighbours() {
        assert_eq!(
            bucket_edges(&[7, 98, 2]).collect::<Vec<_>>(),
            [(7, 98), (98, 2)]
        );
        assert_eq!(bucket_edges(&[7]).count(), 0);
        assert_eq!(bucket_edges::<u8>(&[]).count(), 0);
    }

    #[test]
    fn bands_are_consecutive() {
        assert_eq!(hash_bands(2, 3).unwrap(), [0..3, 3..6]);
        assert!(hash_bands(usize::MAX, 3).is_err());
        assert!(hash_bands(2, usize::MAX).is_err());
        assert!(hash_permutations(1, usize::MAX, HashWidth::Bits32).is_err());
    }

    #[test]
    fn permutations_are_within_the_prime() {
        for width in [HashWidth::Bits32, HashWidth::Bits64] {
            for drawn in hash_permutations(3, 2_000, width).unwrap() {
                assert!((1..width.prime()).contains(&drawn.factor));
                assert!(drawn.offset < width.prime());
            }
        }
    }
}
