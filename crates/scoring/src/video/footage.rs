//! Whether footage, or sound, is new: against the answer, the task and the dataset.

use std::collections::HashMap;

use super::{ClipRefusal, PairCosine};

/// What tells one clip from another.
#[derive(Clone, Copy)]
pub(crate) struct Footage<'a> {
    pub(crate) place: u32,
    pub(crate) source: &'a str,
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
    pub(crate) nearest_in_task: Option<f64>,
    pub(crate) global_novelty: Option<f64>,
}

/// Cosines within an answer, by places.
pub(crate) struct Likeness(HashMap<(u32, u32), f64>);

impl Likeness {
    pub(crate) fn new(pairs: &[PairCosine]) -> Self {
        let mut likeness: HashMap<(u32, u32), f64> = HashMap::new();
        for pair in pairs {
            let key = (pair.first.min(pair.second), pair.first.max(pair.second));
            // Of contradicting entries the more suspicious one counts, whatever their order.
            let cosine = likeness.entry(key).or_insert(pair.cosine);
            *cosine = cosine.max(pair.cosine);
        }
        Self(likeness)
    }

    fn of(&self, one: u32, other: u32) -> Option<f64> {
        self.0.get(&(one.min(other), one.max(other))).copied()
    }
}

/// The constants of newness.
pub(crate) struct Newness {
    pub(crate) duplicate_cosine: f64,
    pub(crate) novel_cosine: f64,
    pub(crate) overlap_most: f64,
}

impl Newness {
    /// Novelty, 0 to 1, against earlier clips of the answer, of the task, and the dataset.
    pub(crate) fn judge(
        &self,
        clip: Footage<'_>,
        earlier: &[Footage<'_>],
        likeness: &Likeness,
    ) -> Result<f64, ClipRefusal> {
        let mut nearest = -1.0_f64;
        for other in earlier {
            if overlap(clip, *other) > self.overlap_most {
                return Err(ClipRefusal::Overlap);
            }
            let cosine = likeness.of(clip.place, other.place);
            let cosine = cosine.ok_or(ClipRefusal::OwnFailure)?;
            if cosine >= self.duplicate_cosine {
                return Err(ClipRefusal::DuplicateInAnswer);
            }
            nearest = nearest.max(cosine);
        }
        if let Some(cosine) = clip.nearest_in_task {
            if cosine >= self.duplicate_cosine {
                return Err(ClipRefusal::DuplicateInTask);
            }
            nearest = nearest.max(cosine);
        }
        let cosine = 1.0 - clip.global_novelty.ok_or(ClipRefusal::OwnFailure)?;
        if cosine >= self.duplicate_cosine {
            return Err(ClipRefusal::DuplicateInDataset);
        }
        nearest = nearest.max(cosine);
        Ok(1.0 - ramp(nearest, self.novel_cosine, self.duplicate_cosine))
    }
}

/// Part of the shorter clip that both share; 0 for clips of different sources.
fn overlap(one: Footage<'_>, other: Footage<'_>) -> f64 {
    if one.source != other.source {
        return 0.0;
    }
    let start = one.start_ms.max(other.start_ms);
    let shared = one.end_ms.min(other.end_ms).saturating_sub(start);
    let length = |clip: Footage<'_>| clip.end_ms.saturating_sub(clip.start_ms);
    shared as f64 / length(one).min(length(other)).max(1) as f64
}

/// 0 up to `from`, 1 from `to` on, linear between; a step where they meet.
pub(crate) fn ramp(value: f64, from: f64, to: f64) -> f64 {
    if value >= to {
        1.0
    } else if value <= from {
        0.0
    } else {
        (value - from) / (to - from)
    }
}
