use rand::{Rng, seq::index};

use super::VideoPolicy;

/// Which of an answer's `clips` (numbered from 0) are fetched and re-embedded; ascending, no number
/// twice. Empty only when there are no clips.
///
/// `hardened`: ⌈`sample_share` · clips⌉, at least one, of every answer. `original`: one clip with
/// probability `check_probability`, otherwise none.
///
/// Count only clips worth fetching (well formed, within the clips wanted) and seed the generator
/// from what the miner cannot know before it answers.
pub fn verification_plan<R: Rng + ?Sized>(
    policy: &VideoPolicy,
    rng: &mut R,
    clips: usize,
) -> Vec<usize> {
    match policy {
        VideoPolicy::Original(rules) => perhaps_one(rules.check_probability, rng, clips),
        VideoPolicy::Hardened(rules) => a_share(rules.sample_share, rng, clips),
    }
}

/// One of the clips with this probability, otherwise none.
pub(crate) fn perhaps_one<R: Rng + ?Sized>(
    probability: f64,
    rng: &mut R,
    clips: usize,
) -> Vec<usize> {
    if clips == 0 {
        return Vec::new();
    }
    let wanted = usize::from(rng.random::<f64>() < probability);
    choose(rng, clips, wanted)
}

/// This share of the clips, rounded up; at least one if there is one.
pub(crate) fn a_share<R: Rng + ?Sized>(share: f64, rng: &mut R, clips: usize) -> Vec<usize> {
    // A NaN share becomes 0 in the conversion, and then 1.
    let wanted = ((share * clips as f64).ceil() as usize).clamp(1, clips.max(1));
    choose(rng, clips, wanted.min(clips))
}

fn choose<R: Rng + ?Sized>(rng: &mut R, clips: usize, wanted: usize) -> Vec<usize> {
    let mut plan = index::sample(rng, clips, wanted).into_vec();
    plan.sort_unstable();
    plan
}
