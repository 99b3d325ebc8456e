//! Whatever a round is made of, it has a consensus, emissions and averages, or a reason why not.

use adit_scoring::inference::{
    CompositeInput, CompositeWeights, ConsensusInput, ConsensusPolicy, EmissionAveragePolicy,
    EmissionPolicy, EmissionRecord, EmissionShare, Entity, EntityCap, InferencePolicy, Round,
    RoundAnswer, SimilarityMatrix, UidRecord, average_emissions, average_linkage, composite_scores,
    consensus, diversity_bonus, dominant_cluster, emissions, entity_weights, evaluate_round,
    freshness_gate, local_outlier_factors, outlier_rule, pair_statistics, select_miners, top_bonus,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Mostly plausible numbers, sometimes anything.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![20 => 0.0_f64..=1.0, 4 => Just(1.0), 3 => Just(0.0), 1 => any::<f64>()]
}

fn component() -> impl Strategy<Value = f32> {
    prop_oneof![30 => -1.0_f32..=1.0, 4 => Just(1.0), 4 => Just(0.0), 1 => any::<f32>()]
}

/// Rows of the same length, now and then of different ones, with copies among them.
fn rows() -> impl Strategy<Value = Vec<Vec<f32>>> {
    let even = (0_usize..5).prop_flat_map(|dimension| {
        prop::collection::vec(prop::collection::vec(component(), dimension), 0..12)
    });
    let ragged = prop::collection::vec(prop::collection::vec(component(), 0..4), 0..5);
    let some = prop_oneof![9 => even, 1 => ragged];
    (
        some,
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    )
        .prop_map(|(mut rows, copied)| {
            if !rows.is_empty() {
                let copies: Vec<Vec<f32>> = copied
                    .iter()
                    .map(|place| place.get(&rows).clone())
                    .collect();
                rows.extend(copies);
            }
            rows
        })
}

fn policies() -> impl Strategy<Value = InferencePolicy> {
    prop_oneof![
        Just(InferencePolicy::original()),
        Just(InferencePolicy::hardened())
    ]
}

proptest! {
    #[test]
    fn rounds_are_judged_or_refused(
        policy in policies(),
        rows in rows(),
        numbers in prop::collection::vec((number(), number(), any::<bool>()), 16),
        prompt in prop::collection::vec(component(), 4),
    ) {
        let answers: Vec<RoundAnswer<'_, f32>> = rows.iter().zip(&numbers).map(|(row, (quality, time, spoke))| {
            RoundAnswer {
                text: spoke.then_some("some words"),
                embedding: row,
                quality: *quality,
                response_time_ms: *time,
                entity: Some(Entity { ip: if *spoke { "1.2.3.4" } else { "" }, coldkey: "" }),
            }
        }).collect();
        let dimension = rows.first().map_or(4, Vec::len).min(4);
        let round = Round { prompt: &prompt[..dimension], answers: &answers };
        if let Ok(found) = evaluate_round(&policy, &round) {
            prop_assert_eq!(found.emissions.len(), answers.len());
            prop_assert!(found.emissions.iter().flatten().all(|emission| emission.is_finite()));
            if let Some(best) = found.best {
                let paid = found.emissions[best].unwrap();
                prop_assert!(found.emissions.iter().flatten().all(|other| *other <= paid));
            }
        }
    }

    #[test]
    fn consensus_is_of_answers_and_bounded(
        rows in rows(),
        quality in prop::collection::vec(0.0_f64..=1.0, 16),
        votes in prop::option::of(prop::collection::vec(0.0_f64..=1.0, 16)),
        words in prop::collection::vec(any::<usize>(), 16),
    ) {
        let count = rows.len();
        let input = ConsensusInput {
            prompt: None,
            embeddings: &rows,
            quality: &quality[..count],
            words: &words[..count],
            votes: votes.as_ref().map(|votes| &votes[..count]),
        };
        for policy in [ConsensusPolicy::original(), ConsensusPolicy::hardened()] {
            let Ok(found) = consensus::<f32, _>(&policy, &input) else { continue };
            prop_assert!(found.members.is_sorted() && found.members.iter().all(|m| *m < count));
            prop_assert!(found.agreement.is_finite());
            prop_assert_eq!(found.scores.len(), if found.members.is_empty() { 0 } else { count });
            prop_assert!(found.scores.iter().all(|(_, score)| score.is_finite()));
            if policy.bounded {
                prop_assert!((0.0..=1.0).contains(&found.agreement));
            }
        }
    }

    #[test]
    fn lists_of_any_length_and_numbers_are_taken_or_refused(
        rows in rows(),
        first in prop::collection::vec(number(), 0..14),
        second in prop::collection::vec(number(), 0..14),
        members in prop::collection::vec(0_usize..20, 0..6),
    ) {
        let matrix = SimilarityMatrix::cosines::<f32, _>(&rows);
        let factors = local_outlier_factors::<f32, _>(&rows, 2);
        if let Ok(factors) = &factors {
            prop_assert!(factors.iter().all(|factor| factor.is_finite() && *factor >= 0.0));
        }
        let _ = outlier_rule(&ConsensusPolicy::original(), &first, &second);
        if let Ok(matrix) = &matrix {
            let _ = pair_statistics(matrix, Some(&first));
            let _ = diversity_bonus(matrix, &first, 0.6, 0.15);
            let words = vec![1; matrix.len()];
            let input = CompositeInput {
                similarities: matrix, members: &members, quality: &first, words: &words, votes: Some(&second),
            };
            let _ = composite_scores(&CompositeWeights::hardened(), &input);
        }
        let shares: Vec<EmissionShare> = first.iter().map(|time| EmissionShare {
            response_time_ms: *time, ..EmissionShare::default()
        }).collect();
        let scores: Vec<(usize, f64)> = members.iter().copied().zip(second.iter().copied()).collect();
        let _ = emissions(&EmissionPolicy::original(), &shares, 0.7, &scores);
        let _ = top_bonus(&EmissionPolicy::hardened(), &second);
        let ages: Vec<Option<f64>> = second.iter().map(|age| Some(*age)).collect();
        let _ = freshness_gate(&first, &ages, 0.5);
        let _ = dominant_cluster(&members, Some(&first));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        if let Ok(drawn) = select_miners(&first, 3, &mut rng) {
            let mut distinct = drawn.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert!(distinct.len() == drawn.len() && drawn.len() <= 3);
        }
    }

    #[test]
    fn trees_have_one_merge_less_than_points_and_rising_heights(
        count in 0_usize..24,
        distances in prop::collection::vec(prop_oneof![0.0_f64..2.0, Just(1.0)], 300),
        height in number(),
    ) {
        let tree = average_linkage(count, |first, second| distances[second * (second - 1) / 2 + first]).unwrap();
        prop_assert_eq!(tree.merges().len(), count.saturating_sub(1));
        prop_assert!(tree.merges().iter().map(|merge| merge.height).is_sorted());
        let labels = tree.cut(height);
        prop_assert_eq!(labels.len(), count);
        let clusters = labels.iter().max().map_or(0, |last| last + 1);
        prop_assert!((0..clusters).all(|label| labels.contains(&label)));
    }

    #[test]
    fn entities_never_have_more_than_their_votes(
        miners in prop::collection::vec((0_u8..5, 0_u8..5, any::<bool>()), 0..40),
        votes in 0.1_f64..4.0,
        least in 0_usize..4,
    ) {
        let names: Vec<(String, String)> = miners.iter().map(|(ip, key, _)| (ip.to_string(), key.to_string())).collect();
        let entities: Vec<Option<Entity<'_>>> = names.iter().zip(&miners).map(|((ip, coldkey), (.., known))| {
            known.then_some(Entity { ip, coldkey })
        }).collect();
        let weights = entity_weights(&EntityCap { votes, least_miners: least }, &entities).unwrap();
        prop_assert!(weights.iter().all(|weight| *weight > 0.0 && *weight <= 1.0));
        for ip in 1..5 {
            let at = entities.iter().zip(&weights).filter(|(entity, _)| {
                entity.is_some_and(|entity| entity.ip == ip.to_string())
            });
            let (count, sum) = at.fold((0, 0.0), |(count, sum), (_, weight)| (count + 1, sum + weight));
            if count >= least {
                prop_assert!(sum <= votes + 1e-9);
            }
        }
    }

    #[test]
    fn averages_stay_among_what_was_paid(
        rounds in prop::collection::vec((0.0_f64..2e5, prop::collection::vec((0_usize..4, number()), 0..4)), 0..12),
    ) {
        let names = ["5a", "5b", "7", "9"];
        let records: Vec<EmissionRecord<'_>> = rounds.iter().map(|(age, paid)| EmissionRecord {
            age_seconds: *age,
            emissions: paid.iter().map(|(name, emission)| (names[*name], *emission)).collect(),
        }).collect();
        let uids = [UidRecord { hotkey: "5a", uid: 7, age_seconds: 1.0 }];
        let paid = || records.iter().flat_map(|record| &record.emissions).map(|(_, paid)| *paid).filter(|paid| paid.is_finite());
        let most = paid().fold(0.0, f64::max);
        let least = paid().fold(0.0, f64::min);
        for policy in [EmissionAveragePolicy::original(), EmissionAveragePolicy::hardened()] {
            let averages = average_emissions(&policy, &records, &uids).unwrap();
            prop_assert!(averages.iter().all(|(name, _)| name != "7"));
            let (low, high) = (least - least.abs() * 1e-9, most + most.abs() * 1e-9);
            let within = averages.iter().all(|(_, average)| (low..=high).contains(average));
            prop_assert!(within, "an average beyond what was paid");
        }
    }
}

#[test]
fn policies_are_plain_text() {
    for policy in [InferencePolicy::original(), InferencePolicy::hardened()] {
        policy.validate().unwrap();
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            serde_json::from_str::<InferencePolicy>(&text).unwrap(),
            policy
        );
    }
    assert!(serde_json::from_str::<InferencePolicy>("{\"name\": \"x\"}").is_err());
}
