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
    if clips == 0 {
        return Vec::new();
    }
    let wanted = match policy {
        VideoPolicy::Original(rules) => usize::from(rng.random::<f64>() < rules.check_probability),
        VideoPolicy::Hardened(rules) => {
            // A NaN share becomes 0 in the conversion, and then 1.
            ((rules.sample_share * clips as f64).ceil() as usize).clamp(1, clips)
        }
    };
    let mut plan = index::sample(rng, clips, wanted).into_vec();
    plan.sort_unstable();
    plan
}
