//! Whatever is put in, the functions for long contexts give a number in their range or a typed error.

use adit_primitives::Uid;
use adit_scoring::{
    average::decay_averages,
    long_context::{
        LongContextEvidence, LongContextPolicy,
        benchmark::{BenchmarkFamily, MetricScores, ZeroScore},
        diversity::{DiversityRules, DiversityTracker},
        incentive::{incentive_distribution, mean_rewards},
        judge,
        leader::{LeadMargin, LeaderCandidate, select_leader},
        length::{ContextClass, estimate_tokens_by_characters, estimate_tokens_by_words},
        logits::{
            CapturedStep, GenerationRules, LogitBounds, kl_divergence, logits_fingerprint, verify,
            verify_generation,
        },
        multiplier::{MultiplierTable, bucket_reward, length_weighted},
        needle::grade,
        perturbation::{WordMatch, add_space, paraphrase, reorder_sentences},
        quality::{
            QualityMetrics, UnreportedMemory, agreement, efficiency, harness_score, quality,
            word_similarity,
        },
        ranking::{FIELD_SHARES, SpeedBaseline, SpeedSubmission, rank_claims, rank_measured},
        reward::{
            ReportedMetric, ReportedMetrics, RewardTask, RewardTaskKind, WeightedRewardRules,
            weighted_reward,
        },
        throughput::{confirms_claim, score_claimed_speed, seconds_per_token, tokens_per_second},
    },
};
use proptest::{collection::vec, option, prelude::*};
use rand::SeedableRng;

/// Mostly plausible shares, sometimes anything.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.0_f64..=1.0, 2 => -1e3_f64..1e3, 1 => any::<f64>()]
}

fn single() -> impl Strategy<Value = f32> {
    prop_oneof![12 => -20.0_f32..20.0, 1 => any::<f32>()]
}

fn is_unit(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

fn reported() -> impl Strategy<Value = ReportedMetric> {
    prop_oneof![
        1 => Just(ReportedMetric::Absent),
        1 => Just(ReportedMetric::Null),
        6 => number().prop_map(ReportedMetric::Value),
    ]
}

fn submission() -> impl Strategy<Value = SpeedSubmission<u8>> {
    let speeds = (number(), option::of(number()), 0_u64..2_000_000);
    let rest = (any::<i64>(), any::<bool>(), option::of(any::<bool>()));
    (any::<u64>(), 0_u8..6, speeds, rest).prop_map(|(id, miner, speeds, rest)| SpeedSubmission {
        id,
        miner,
        claimed: speeds.0,
        measured: speeds.1,
        context_tokens: speeds.2,
        created_at: rest.0,
        revealed: rest.1,
        verified: rest.2,
    })
}

fn evidence() -> impl Strategy<Value = LongContextEvidence> {
    let parts = proptest::array::uniform7(option::of(number()));
    (parts, any::<u64>(), any::<bool>()).prop_map(|(parts, context_tokens, answered)| {
        let [
            accuracy,
            memory,
            position,
            coherence,
            consistency,
            scaling,
            speed,
        ] = parts;
        LongContextEvidence {
            answered_within_deadline: true,
            answered,
            context_tokens,
            accuracy,
            memory_retention: memory,
            position_understanding: position,
            coherence,
            consistency,
            scaling_efficiency: scaling,
            tokens_per_second: speed,
            kind: RewardTaskKind::MemoryRetention,
            ..LongContextEvidence::default()
        }
    })
}

proptest! {
    #[test]
    fn verdicts_are_in_range_and_repeat(evidence in evidence()) {
        for policy in [LongContextPolicy::original(), LongContextPolicy::hardened()] {
            let verdict = judge(&policy, &evidence);
            prop_assert!(is_unit(verdict.score.get()) && is_unit(verdict.quality));
            prop_assert_eq!(&verdict, &judge(&policy, &evidence));
        }
    }

    #[test]
    fn more_accuracy_never_earns_less(
        evidence in evidence(),
        low in 0.0_f64..=1.0,
        high in 0.0_f64..=1.0,
    ) {
        let (low, high) = (low.min(high), low.max(high));
        let score = |accuracy| {
            let evidence = LongContextEvidence { accuracy: Some(accuracy), ..evidence };
            judge(&LongContextPolicy::hardened(), &evidence).score.get()
        };
        prop_assert!(score(low) <= score(high) + 1e-12);
    }

    #[test]
    fn rewards_are_in_range(
        metrics in proptest::array::uniform5(reported()),
        context_tokens: u64,
        scale in number(),
        kind in prop_oneof![
            Just(RewardTaskKind::MemoryRetention),
            Just(RewardTaskKind::ScalingTest),
            Just(RewardTaskKind::PatternRecognition),
            Just(RewardTaskKind::General),
        ],
    ) {
        let [memory, position, coherence, speed, scaling] = metrics;
        let metrics = ReportedMetrics {
            memory_retention: memory,
            position_understanding: position,
            coherence,
            tokens_per_second: speed,
            scaling_efficiency: scaling,
        };
        let task = RewardTask { kind, context_tokens, scale };
        let rules = WeightedRewardRules::default();
        if let Ok(reward) = weighted_reward(&rules, &task, Some(&metrics)) {
            prop_assert!(is_unit(reward));
        }
    }

    #[test]
    fn incentives_have_a_mean_of_one(
        scores in vec(number(), 0..12),
        history in vec((0_usize..20, vec(number(), 0..14)), 0..6),
        weight in number(),
    ) {
        let history = history.iter().map(|(uid, past)| (*uid, past.as_slice()));
        if let Ok(shares) = incentive_distribution(&scores, history, weight) {
            prop_assert_eq!(shares.len(), scores.len());
            if scores.iter().all(|score| is_unit(*score)) && is_unit(weight) {
                let sum: f64 = shares.iter().sum();
                let expected = if scores.iter().any(|score| *score > 0.0) { scores.len() } else { 0 };
                prop_assert!((sum - expected as f64).abs() < 1e-6, "{sum}");
            }
        }
    }

    #[test]
    fn means_and_averages_are_finite(
        rewards in vec(number(), 0..40),
        miners in 0_usize..8,
        tasks in prop_oneof![0_usize..8, any::<usize>()],
        averages in vec(single(), 0..8),
        uids in vec(0_usize..10, 0..8),
        alpha in number(),
    ) {
        if let Ok(means) = mean_rewards(&rewards, miners, tasks) {
            prop_assert!(means.len() == miners && means.iter().all(|mean| mean.is_finite()));
        }
        let mut updated = averages.clone();
        let rewards: Vec<f32> = rewards.iter().take(uids.len()).map(|reward| *reward as f32).collect();
        match decay_averages(&mut updated, &uids, &rewards, alpha) {
            Err(_) => {
                let bits = |numbers: &[f32]| -> Vec<u32> { numbers.iter().map(|n| n.to_bits()).collect() };
                prop_assert_eq!(bits(&updated), bits(&averages), "an error changes nothing");
            }
            Ok(()) if !uids.is_empty() && !rewards.is_empty() => {
                prop_assert!(updated.iter().all(|average| average.is_finite()));
            }
            Ok(()) => {}
        }
    }

    #[test]
    fn ranks_pay_each_miner_once_and_everything(
        round in vec(submission(), 0..20),
        baseline in option::of((number(), 0_u64..2_000_000)),
    ) {
        let leagues = MultiplierTable::leagues();
        let baseline = baseline.map(|(speed, context_tokens)| SpeedBaseline { speed, context_tokens });
        let _ = rank_claims(&leagues, &round, baseline);
        if let Ok(ranked) = rank_measured(&leagues, &round, baseline, &FIELD_SHARES) {
            let mut miners: Vec<u8> = ranked.iter().map(|entry| entry.miner).collect();
            miners.sort_unstable();
            miners.dedup();
            prop_assert_eq!(miners.len(), ranked.len());
            prop_assert!(ranked.windows(2).all(|pair| pair[0].weighted_speed >= pair[1].weighted_speed));
            let paid: f64 = ranked.iter().map(|entry| entry.share).sum();
            prop_assert!(ranked.is_empty() || (paid - 1.0).abs() < 1e-9);
        } else {
            prop_assert!(baseline.is_some_and(|baseline| !(baseline.speed * 3.0).is_finite()));
        }
    }

    #[test]
    fn a_leader_is_verified_and_beaten_by_nobody(
        round in vec((number(), any::<bool>(), 0_u64..9), 0..20),
        margin in number(),
    ) {
        let round: Vec<LeaderCandidate> = round
            .into_iter()
            .map(|(seconds_per_token, verified, block)| LeaderCandidate { seconds_per_token, verified, block })
            .collect();
        for margin in [LeadMargin::Seconds(margin), LeadMargin::Share(margin)] {
            if let Some(leader) = select_leader(&round, margin) {
                prop_assert!(round[leader].verified);
                if let LeadMargin::Seconds(margin) = margin {
                    let leading = round[leader].seconds_per_token;
                    let verified = || round.iter().filter(|candidate| candidate.verified);
                    prop_assert!(!verified().any(|other| other.seconds_per_token < leading - margin));
                }
            }
        }
    }

    #[test]
    fn logits_never_panic(
        pairs in vec((single(), single()), 0..600),
        temperature in number(),
        token: u32,
        top in 0_u32..80,
    ) {
        let (miner, reference): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let verdict = verify(&LogitBounds::default(), &miner, &reference);
        if let Some(comparison) = verdict.comparison {
            let cosine = comparison.cosine;
            prop_assert!(cosine.is_nan() || cosine.abs() <= 1.000_1, "{cosine}");
            prop_assert!(!verdict.verified() || comparison.largest_difference <= 0.1);
        }
        prop_assert!(!verify(&LogitBounds::default(), &miner, &[]).verified());
        if let Ok(divergence) = kl_divergence(&miner, &reference, temperature) {
            prop_assert!(divergence >= -1e-9, "{divergence}");
        }
        let step = CapturedStep { miner: &miner, reference: &reference, token };
        let rules = GenerationRules { top, ..GenerationRules::default() };
        let _ = verify_generation(&rules, 3, 3, [step, step]);
        let numbers: Vec<f64> = miner.iter().map(|logit| f64::from(*logit)).collect();
        prop_assert!(matches!(logits_fingerprint(&numbers).len(), 0 | 16));
    }

    #[test]
    fn the_largest_difference_is_the_largest(pairs in vec((-20.0_f32..20.0, -20.0_f32..20.0), 1..600)) {
        let (miner, reference): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
        let expected = pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let found = verify(&LogitBounds::default(), &miner, &reference).comparison;
        prop_assert!(found.is_none_or(|found| found.largest_difference == expected));
    }

    #[test]
    fn metrics_combine_within_their_range(
        metrics in proptest::array::uniform8(option::of(number())),
        family in prop_oneof![
            Just(BenchmarkFamily::LongBench), Just(BenchmarkFamily::HotpotQa),
            Just(BenchmarkFamily::GovReport), Just(BenchmarkFamily::NeedleHaystack),
            Just(BenchmarkFamily::Synthetic),
        ],
    ) {
        let [exact_match, f1, rouge_l, needle_retrieval, coherence, fluency, retrieval_f1, accuracy] = metrics;
        let scores = MetricScores {
            exact_match, f1, rouge_l, needle_retrieval, coherence, fluency, retrieval_f1, accuracy,
            ..MetricScores::default()
        };
        let plausible = metrics.iter().flatten().all(|metric| is_unit(*metric));
        for composite in [scores.evaluation_composite(), scores.request_composite(Some(family))] {
            prop_assert!(!plausible || is_unit(composite.unwrap()));
        }
        for zero in [ZeroScore::Counts, ZeroScore::FallsThrough] {
            let _ = scores.request_primary(Some(family), zero);
            let _ = scores.evaluation_primary(family, zero);
        }
    }

    #[test]
    fn the_harness_stays_in_range(a in number(), b in number(), c in number(), scores in vec(number(), 0..6)) {
        if let Ok(score) = harness_score(a, b, c) {
            prop_assert!(is_unit(score));
        }
        let metrics = QualityMetrics { exact_match: a, f1: b, coherence: c, ..QualityMetrics::default() };
        if let Ok(found) = quality(&metrics, true) {
            prop_assert!(is_unit(found.score));
        }
        let _ = efficiency(a, b, UnreportedMemory::Nothing);
        let _ = agreement(&scores, a);
        let _ = score_claimed_speed(a, b);
        let _ = confirms_claim(a, b, c);
        prop_assert!(seconds_per_token(tokens_per_second(3, a), true) >= 0.0);
        let _ = bucket_reward(a, b);
        let _ = length_weighted(a, b, c);
    }

    #[test]
    fn texts_never_panic(left in any::<String>(), right in "[aA éÉ.\\u{1c}0-9ßΣ ]{0,80}", seed: u64) {
        let similarity = word_similarity(&left, &right);
        prop_assert!(is_unit(similarity));
        prop_assert_eq!(similarity, word_similarity(&right, &left));
        for text in [&left, &right] {
            prop_assert_eq!(word_similarity(text, text), 1.0);
            for words in [WordMatch::Substring, WordMatch::WholeWord] {
                let _ = paraphrase(text, words);
            }
            let mut reordered: Vec<char> = reorder_sentences(text).chars().collect();
            let mut kept: Vec<char> = text.chars().collect();
            reordered.sort_unstable();
            kept.sort_unstable();
            prop_assert_eq!(reordered, kept);
            let spaced = add_space(text, &mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
            prop_assert!(spaced.len() <= text.len() + 1);
            let _ = ContextClass::of_request(estimate_tokens_by_words(text));
            prop_assert!(estimate_tokens_by_characters(text) <= text.len() as u64);
        }
        let grade = grade(&left, &right, 3);
        prop_assert!(is_unit(grade.found) && grade.exact <= grade.retrieved && grade.found <= grade.retrieved);
    }

    #[test]
    fn diversity_stays_in_range(
        steps in vec((0_u16..4, "[ab ]{0,6}", option::of("[xy]"), number()), 0..40),
        every in 1_u64..6,
        window in 1_usize..30,
    ) {
        let rules = DiversityRules { baseline_every: every, window, ..DiversityRules::default() };
        let mut tracker = DiversityTracker::new(rules).unwrap();
        for (uid, answer, architecture, score) in &steps {
            let Ok(measure) = tracker.track(Uid(*uid), answer, architecture.as_deref(), *score) else {
                prop_assert!(!score.is_finite());
                continue;
            };
            prop_assert!(is_unit(measure.uniqueness) && is_unit(measure.behaviour) && is_unit(measure.adjusted));
            prop_assert!(is_unit(measure.baseline_similarity) && is_unit(measure.architecture));
        }
        let trend = tracker.trend();
        prop_assert!(is_unit(trend.uniqueness) && is_unit(trend.behaviour));
        let _ = tracker.monoculture();
        prop_assert!(tracker.signatures().all(|(_, signature)| signature.len() == 16));
    }
}
