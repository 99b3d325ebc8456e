use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    video::original::{OriginalRules, novelty_among_batch},
};

/// How unlike all known recordings a new one is, 0 to 1: `1 − clamp(likeness, 0, 1)` of the nearest,
/// and 1 where nothing is known.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn uniqueness_from_nearest(likeness: Option<f64>) -> Result<f64> {
    match likeness {
        None => Ok(1.0),
        Some(likeness) if !likeness.is_finite() => Err(Error::NotFinite {
            what: "the nearest likeness",
        }),
        Some(likeness) => Ok(1.0 - likeness.clamp(0.0, 1.0)),
    }
}

/// How new a clip is to the index of clips: `1 − likeness` of the nearest, not clamped, so that it
/// lies in 0 to 2 for a cosine; 0 where nothing is known, so that the original's empty index accepts
/// nothing.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn novelty_from_nearest(likeness: Option<f64>) -> Result<f64> {
    match likeness {
        None => Ok(0.0),
        Some(likeness) if !likeness.is_finite() => Err(Error::NotFinite {
            what: "the nearest likeness",
        }),
        Some(likeness) => Ok(1.0 - likeness),
    }
}

/// The novelty of a batch whose scores stay in step with its clips.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AlignedNovelty {
    /// The sum over clips that are new enough.
    pub novelty: f64,
    /// Per clip, whether it is too much like a later clip of the batch or like a known one.
    pub is_too_similar: Vec<bool>,
}

/// The novelty of each clip is the smaller of its novelty among the batch (1 − cosine to the most
/// alike later clip) and to the index; clips below 0.1 are too similar and add nothing (OMEGA Labs
/// validator API, `compute_novelty_score`).
///
/// `vectors` are the clips' video embeddings, `global` their novelty to the index. Cost: the square of
/// the number of clips.
///
/// # Errors
/// [`Error::OutOfStep`] unless there are as many of one as of the other, [`Error::Length`] for ragged
/// vectors, [`Error::NotFinite`].
pub fn aligned_novelty<V: AsRef<[f32]>>(
    rules: &OriginalRules,
    vectors: &[V],
    global: &[f64],
) -> Result<AlignedNovelty> {
    if vectors.len() != global.len() {
        return Err(Error::OutOfStep {
            what: "the novelty to the index",
            expected: vectors.len(),
            found: global.len(),
        });
    }
    if global.iter().any(|novelty| !novelty.is_finite()) {
        return Err(Error::NotFinite {
            what: "a novelty to the index",
        });
    }
    let mut result = AlignedNovelty::default();
    for (local, global) in novelty_among_batch(vectors)?.into_iter().zip(global) {
        let novelty = local.min(*global);
        let too_similar = novelty < rules.novelty_least;
        if !too_similar {
            result.novelty += novelty;
        }
        result.is_too_similar.push(too_similar);
    }
    Ok(result)
}
