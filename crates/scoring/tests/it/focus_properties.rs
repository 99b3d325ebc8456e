//! Focus: what holds for every input, and what the hardened policy promises.

use std::collections::HashSet;

use adit_primitives::Rao;
use adit_scoring::{Error, focus::*, video::original::OriginalRules};
use proptest::prelude::*;

fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -2.0..6.0,
        1 => any::<f64>(),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ]
}

prop_compose! {
    fn any_evidence()(
        duration_ms in proptest::option::of(0_u64..6_000_000),
        completion in any_float(),
        legitimate in any::<Option<bool>>(),
        video_uniqueness in any_float(),
        boost in any_float(),
        marketplace in any::<bool>(),
    ) -> RecordingEvidence {
        RecordingEvidence { duration_ms, completion, legitimate, video_uniqueness, boost, marketplace }
    }
}

fn transfer(amount: u64, block: u64, succeeded: Option<bool>, is_final: bool) -> Transfer {
    Transfer {
        extrinsic: "0x01".to_owned(),
        from: "miner".to_owned(),
        to: "owner".to_owned(),
        amount: Rao(amount),
        block,
        succeeded,
        is_final,
    }
}

fn pays(rules: &PaymentRules, transfer: &Transfer, used: &HashSet<String>) -> bool {
    let transfers = std::slice::from_ref(transfer);
    find_payment(
        rules,
        transfers,
        "miner",
        "owner",
        Rao(500_000_000),
        10,
        used,
    )
    .is_some()
}

#[test]
fn only_a_true_payment_pays_under_the_hardened_rules() {
    let none = HashSet::new();
    let good = transfer(500_000_000, 10, Some(true), true);
    let (original, hardened) = (PaymentRules::original(), PaymentRules::hardened());
    assert!(pays(&hardened, &good, &none));
    let wrong = [
        transfer(500_000_001, 10, Some(true), true),
        transfer(500_000_000, 9, Some(true), true),
        transfer(500_000_000, 10, Some(false), true),
        transfer(500_000_000, 10, None, true),
        transfer(500_000_000, 10, Some(true), false),
    ];
    for wrong in &wrong {
        assert!(pays(&original, wrong, &none), "{wrong:?}");
        assert!(!pays(&hardened, wrong, &none), "{wrong:?}");
    }
    let used = HashSet::from(["0x01".to_owned()]);
    assert!(!pays(&original, &good, &used) && !pays(&hardened, &good, &used));
}

#[test]
fn what_our_services_lack_is_never_charged_to_a_person() {
    let evidence = RecordingEvidence {
        duration_ms: None,
        completion: 1.0,
        legitimate: None,
        video_uniqueness: 1.0,
        boost: 1.0,
        marketplace: false,
    };
    let (original, hardened) = (FocusPolicy::original(), FocusPolicy::hardened());
    let found = score_recording(&original, &evidence).unwrap();
    assert!(matches!(
        found,
        Err(RecordingRefusal::TooShort {
            duration_ms: 120,
            ..
        })
    ));
    let found = score_recording(&hardened, &evidence);
    assert!(matches!(found, Err(Error::Unavailable { .. })));
    let evidence = RecordingEvidence {
        duration_ms: Some(60_000),
        ..evidence
    };
    assert!(
        score_recording(&original, &evidence)
            .unwrap()
            .unwrap()
            .legitimate
    );
    let found = score_recording(&hardened, &evidence);
    assert!(matches!(found, Err(Error::Unavailable { .. })));
    // A marketplace recording that copies another passes the original's rules only.
    let copy = RecordingEvidence {
        legitimate: Some(true),
        video_uniqueness: 0.0,
        marketplace: true,
        ..evidence
    };
    assert!(score_recording(&original, &copy).unwrap().is_ok());
    assert!(score_recording(&hardened, &copy).unwrap().is_err());
}

#[test]
fn a_policy_survives_text() {
    for policy in [FocusPolicy::original(), FocusPolicy::hardened()] {
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<FocusPolicy>(&text).unwrap(), policy);
    }
}

proptest! {
    #[test]
    fn scores_lie_in_range(evidence in any_evidence()) {
        for policy in [FocusPolicy::original(), FocusPolicy::hardened()] {
            match score_recording(&policy, &evidence) {
                Ok(Ok(score)) => {
                    prop_assert!((0.0..=1.0).contains(&score.completion));
                    prop_assert!(score.final_score >= 0.0);
                    if policy.max_final_score.is_some() {
                        prop_assert!(score.final_score <= 1.0);
                    }
                }
                Ok(Err(refusal)) => prop_assert!(!refusal.to_string().is_empty()),
                Err(error) => {
                    let known = matches!(
                        error,
                        Error::NotFinite { .. } | Error::Negative { .. } | Error::Unavailable { .. }
                    );
                    prop_assert!(known, "{error}");
                }
            }
        }
    }

    #[test]
    fn shares_sum_to_at_most_one(
        purchases in proptest::collection::vec(
            (proptest::option::of(0_usize..5), proptest::option::of(any_float())), 0..20),
    ) {
        let names = ["a", "b", "c", "d", "e"];
        let rows = purchases.iter().map(|(miner, paid)| (miner.map(|miner| names[miner]), *paid));
        if let Ok(shares) = purchase_shares(rows) {
            let sum: f64 = shares.values().map(|share| share.share).sum();
            prop_assert!(sum <= 1.0 + 1e-9 || shares.values().any(|share| !share.total.is_finite()));
        }
    }

    #[test]
    fn novelty_and_budgets_are_total(
        vectors in proptest::collection::vec(
            proptest::collection::vec(any::<f32>(), 0..4), 0..5),
        global in proptest::collection::vec(any_float(), 0..5),
        numbers in proptest::array::uniform4(any_float()),
    ) {
        if let Ok(found) = aligned_novelty(&OriginalRules::default(), &vectors, &global) {
            prop_assert_eq!(found.is_too_similar.len(), vectors.len());
            prop_assert!(found.novelty >= 0.0);
        }
        if let Ok(uniqueness) = uniqueness_from_nearest(Some(numbers[0])) {
            prop_assert!((0.0..=1.0).contains(&uniqueness));
        }
        let _ = novelty_from_nearest(Some(numbers[0]));
        let rates = EmissionRates {
            alpha_out_per_block: numbers[0],
            tao_in_per_block: numbers[1],
            focus_share: numbers[2],
        };
        let _ = EmissionBudget::new(&rates, numbers[3]);
        let _ = purchase_cap_reached(numbers[0], numbers[1], numbers[2]);
    }

    #[test]
    fn equal_amounts_are_the_same_to_any_decimals(amount in any::<u64>(), decimals in 0_u8..12) {
        prop_assert!(same_amount(Rao(amount), Rao(amount), decimals));
    }
}
