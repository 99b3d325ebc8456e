use adit_scoring::video::{VideoPolicy, verification_plan};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

proptest! {
    #[test]
    fn every_answer_has_a_clip_checked(seed in any::<u64>(), clips in 0_usize..100) {
        let plan = |policy: &VideoPolicy| {
            verification_plan(policy, &mut ChaCha8Rng::seed_from_u64(seed), clips)
        };
        let hardened = plan(&VideoPolicy::hardened());
        prop_assert_eq!(hardened.is_empty(), clips == 0);
        prop_assert!(hardened.len() >= clips / 4);
        prop_assert!(hardened.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(hardened.iter().all(|clip| *clip < clips));
        prop_assert_eq!(&hardened, &plan(&VideoPolicy::hardened()));
        prop_assert!(plan(&VideoPolicy::original()).len() <= 1);
    }
}

#[test]
fn chance_reaches_every_clip_and_the_original_checks_one_in_ten() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut reached = [0; 8];
    for _ in 0..400 {
        for clip in verification_plan(&VideoPolicy::hardened(), &mut rng, 8) {
            reached[clip] += 1;
        }
    }
    assert_eq!(reached.iter().sum::<i32>(), 800);
    assert!(
        reached.iter().all(|count| (60..140).contains(count)),
        "{reached:?}"
    );

    let checks = (0..4_000)
        .filter(|_| !verification_plan(&VideoPolicy::original(), &mut rng, 8).is_empty())
        .count();
    assert!((320..480).contains(&checks), "{checks}");
}
