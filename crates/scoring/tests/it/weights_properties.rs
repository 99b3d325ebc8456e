//! Weights against hostile input.

use adit_primitives::Uid;
use adit_scoring::weights::{
    BlendPart, WeightLimits, WeightRules, blend, burn, clip_to_max_weight, dense_scores,
    even_split_u16, follow_hotkeys, normalise, quantise, ratio_row, row_shares, sparse_scores,
    split_u16,
    v10::{self, ProcessLimits},
};
use proptest::prelude::*;

fn scores() -> impl Strategy<Value = Vec<(Uid, f64)>> {
    prop::collection::vec(
        (0_u16..40)
            .prop_map(Uid)
            .prop_flat_map(|uid| (Just(uid), any::<f64>())),
        0..40,
    )
}

/// Distinct uids with scores that are no surprise.
fn plain_scores() -> impl Strategy<Value = Vec<(Uid, f64)>> {
    prop::collection::btree_map(0_u16..300, 0.0_f64..1e3, 1..60).prop_map(|scores| {
        scores
            .into_iter()
            .map(|(uid, score)| (Uid(uid), score))
            .collect()
    })
}

proptest! {
    #[test]
    fn quantise_is_total(
        scores in prop::collection::vec((0_u16..40, any::<f64>()), 0..40),
        min_allowed in 0_u16..20,
        max_weight in any::<u16>(),
        own in prop::option::of(0_u16..40),
    ) {
        let scores: Vec<(Uid, f64)> = scores.into_iter().map(|(uid, score)| (Uid(uid), score)).collect();
        let limits = WeightLimits { min_allowed, max_weight, own_uid: own.map(Uid) };
        if let Ok(vector) = quantise(&scores, limits) {
            prop_assert!(vector.pairs().iter().any(|(_, weight)| *weight == u16::MAX));
            prop_assert!(vector.pairs().iter().all(|(_, weight)| *weight > 0));
        }
    }

    #[test]
    fn clipped_shares_sum_to_one_below_the_limit(
        weights in prop::collection::vec(0.0_f64..1e3, 1..60),
        limit in 0.0_f64..1.0,
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0.0));
        let shares = clip_to_max_weight(&weights, limit).unwrap();
        prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let bound = limit.max(1.0 / weights.len() as f64) + 1e-5;
        prop_assert!(shares.iter().all(|share| *share <= bound), "{shares:?} under {limit}");
    }

    #[test]
    fn version_10_is_total(
        weights in prop::collection::vec((0_u16..40, any::<f32>()), 0..40),
        neurons in 0_usize..50,
        min_allowed in 0_usize..50,
        max_share in any::<f64>(),
        exclude_quantile in any::<u16>(),
    ) {
        let weights: Vec<(Uid, f32)> = weights.into_iter().map(|(uid, weight)| (Uid(uid), weight)).collect();
        let limits = ProcessLimits { neurons, min_allowed, max_share, exclude_quantile };
        if let Ok(shares) = v10::process(&weights, &limits) {
            prop_assert!(shares.iter().all(|(_, share)| (0.0..=1.0).contains(share)), "{shares:?}");
            let _ = v10::emit(&shares);
        }
        let row: Vec<f32> = weights.iter().map(|(_, weight)| *weight).collect();
        let _ = v10::clip_to_max_weight(&row, max_share);
        let wide: Vec<f64> = row.iter().map(|weight| f64::from(*weight)).collect();
        let _ = v10::clip_to_max_weight_f64(&wide, max_share);
    }

    #[test]
    fn both_versions_agree_on_plain_scores(scores in plain_scores(), max_weight in 1_000_u16..) {
        prop_assume!(scores.iter().any(|(_, score)| *score > 1e-3));
        let limits = WeightLimits { max_weight, ..WeightLimits::default() };
        let old = WeightRules::v10().quantise(&scores, limits, 300).unwrap();
        let new = WeightRules::v11().quantise(&scores, limits, 300).unwrap();
        let (old, new) = (dense(old.pairs()), dense(new.pairs()));
        for (old, new) in old.iter().zip(&new) {
            prop_assert!((old - new).abs() <= 2.0, "{old} against {new}");
        }
    }

    #[test]
    fn emitted_weights_start_at_one_and_reach_the_top(scores in scores()) {
        if let Ok(row) = v10::emit(&scores) {
            prop_assert!(row.iter().all(|(_, weight)| *weight > 0));
            prop_assert!(row.is_empty() || row.iter().any(|(_, weight)| *weight == u16::MAX));
        }
    }

    #[test]
    fn rows_survive_the_way_to_shares_and_back(scores in plain_scores()) {
        prop_assume!(scores.iter().any(|(_, score)| *score > 1e-3));
        let vector = quantise(&scores, WeightLimits::default()).unwrap();
        let shares = row_shares(vector.pairs(), 300).unwrap();
        prop_assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        let wide: Vec<f64> = shares.iter().map(|share| f64::from(*share)).collect();
        let again = quantise(&sparse_scores(&wide), WeightLimits::default()).unwrap();
        prop_assert_eq!(&again, &vector);
        prop_assert_eq!(ratio_row(vector.pairs(), WeightLimits::default()).unwrap(), vector);
    }

    #[test]
    fn dense_and_sparse_are_inverse(scores in plain_scores()) {
        let row = dense_scores(&scores, 300).unwrap();
        let again: Vec<(Uid, f64)> = scores.into_iter().filter(|(_, score)| *score != 0.0).collect();
        prop_assert_eq!(sparse_scores(&row), again);
    }

    #[test]
    fn burning_takes_exactly_its_share(scores in plain_scores(), uid in 0_u16..300, burned in 0.0_f64..=1.0) {
        if let Ok(shares) = burn(&scores, Uid(uid), burned) {
            let sum: f64 = shares.iter().map(|(_, share)| share).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
            let own = shares.iter().filter(|(other, _)| other.0 == uid);
            let own: Vec<f64> = own.map(|(_, share)| *share).collect();
            prop_assert!(own.len() <= 1);
            prop_assert!(shares.len() == 1 || own.first().is_none_or(|own| *own == burned));
        }
    }

    #[test]
    fn what_surrounds_weights_is_total(
        scores in scores(),
        uid in any::<u16>(),
        burned in any::<f64>(),
        share in any::<f64>(),
        neurons in 0_usize..50,
        row in prop::collection::vec((0_u16..40, any::<u16>()), 0..40),
    ) {
        let numbers: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
        let row: Vec<(Uid, u16)> = row.into_iter().map(|(uid, value)| (Uid(uid), value)).collect();
        let _ = burn(&scores, Uid(uid), burned);
        let _ = dense_scores(&scores, neurons);
        let _ = sparse_scores(&numbers);
        let _ = normalise(&numbers);
        let _ = row_shares(&row, neurons);
        let _ = ratio_row(&row, WeightLimits::default());
        if let Ok(mixed) = blend(&[BlendPart { scores: &numbers, share }], neurons) {
            prop_assert!(mixed.iter().all(|score| score.is_finite()));
        }
        if let Ok(split) = split_u16(&numbers) {
            prop_assert_eq!(split.iter().map(|part| u32::from(*part)).sum::<u32>(), 65_535);
        }
        let before: Vec<u16> = scores.iter().map(|(uid, _)| uid.0).collect();
        prop_assert_eq!(follow_hotkeys(&before, &[1, 2, 3], &numbers).len(), 3);
    }

    #[test]
    fn even_splits_sum_to_everything(mechanisms in 0_usize..400) {
        if let Ok(split) = even_split_u16(mechanisms) {
            prop_assert_eq!(split.iter().map(|part| u32::from(*part)).sum::<u32>(), 65_535);
        }
    }

    #[test]
    fn splits_of_hostile_parts_sum_to_everything(parts in prop::collection::vec(0.0_f64..1.0, 1..=256)) {
        prop_assume!(parts.iter().any(|part| *part > 0.0));
        let split = split_u16(&parts).unwrap();
        prop_assert_eq!(split.iter().map(|part| u32::from(*part)).sum::<u32>(), 65_535);
    }
}

fn dense(pairs: &[(Uid, u16)]) -> Vec<f64> {
    let pairs: Vec<(Uid, f64)> = pairs
        .iter()
        .map(|(uid, value)| (*uid, f64::from(*value)))
        .collect();
    dense_scores(&pairs, 300).unwrap()
}
