//! Ranks and robust means against hostile input.

use adit_scoring::rank::{
    RankMethod, best_first, median, median_absolute_deviation, ranks, top_k, trimmed_mean,
    winsorised_mean,
};
use proptest::prelude::*;

/// Few values, so that there are ties, and those that compare oddly.
fn odd() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (0_u8..6).prop_map(f64::from),
        1 => Just(f64::NAN),
        1 => Just(-0.0),
        1 => Just(f64::INFINITY),
        1 => any::<f64>(),
    ]
}

proptest! {
    #[test]
    fn ranks_are_what_they_say(scores in prop::collection::vec(odd(), 0..40)) {
        let ordinal = ranks(&scores, RankMethod::Ordinal);
        let mut sorted = ordinal.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (1..=scores.len()).collect::<Vec<_>>());
        let competition = ranks(&scores, RankMethod::Competition);
        let dense = ranks(&scores, RankMethod::Dense);
        for (place, score) in scores.iter().enumerate() {
            let above = |other: &f64| other > score || (score.is_nan() && !other.is_nan());
            let better = scores.iter().filter(|other| above(other)).count();
            prop_assert_eq!(competition[place], better + 1);
            prop_assert!(dense[place] <= competition[place]);
            prop_assert!(competition[place] <= ordinal[place]);
        }
        let most = dense.iter().copied().max().unwrap_or(0);
        for rank in 1..=most {
            prop_assert!(dense.contains(&rank));
        }
    }

    #[test]
    fn the_best_few_are_the_head_of_the_order(
        scores in prop::collection::vec((0_u16..30, odd()), 0..40),
        count in 0_usize..50,
    ) {
        let order = best_first(&scores);
        let expected: Vec<(u16, u64)> = order.iter().take(count).map(|(key, score)| (*key, score.to_bits())).collect();
        let found: Vec<(u16, u64)> = top_k(&scores, count).iter().map(|(key, score)| (*key, score.to_bits())).collect();
        // Entries with the same key may differ in the sign of a zero or in the bits of a NaN.
        let keys = |list: &[(u16, u64)]| list.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        prop_assert_eq!(keys(&found), keys(&expected));
    }

    #[test]
    fn robust_means_are_total_and_lie_among_the_numbers(
        numbers in prop::collection::vec(any::<f64>(), 0..40),
        cut in any::<f64>(),
    ) {
        let _ = median_absolute_deviation(&numbers);
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let slack = most.abs().max(least.abs()) * 1e-12;
        for mean in [
            median(&numbers),
            trimmed_mean(&numbers, cut),
            winsorised_mean(&numbers, cut),
            trimmed_mean(&numbers, 0.2),
            winsorised_mean(&numbers, 0.2),
        ].into_iter().flatten() {
            prop_assert!(least - slack <= mean && mean <= most + slack, "{mean} beyond {least}..{most}");
        }
    }

    #[test]
    fn robust_means_do_not_depend_on_order(
        numbers in prop::collection::vec(-1e3_f64..1e3, 1..40).prop_shuffle(),
        cut in 0.0_f64..0.5,
    ) {
        let mut sorted = numbers.clone();
        sorted.sort_by(f64::total_cmp);
        prop_assert_eq!(median(&numbers), median(&sorted));
        prop_assert_eq!(median_absolute_deviation(&numbers), median_absolute_deviation(&sorted));
        prop_assert_eq!(trimmed_mean(&numbers, cut), trimmed_mean(&sorted, cut));
        prop_assert_eq!(winsorised_mean(&numbers, cut), winsorised_mean(&sorted, cut));
    }
}
