//! Whatever miners, language models and embeddings deliver, judging tags ends, stays in its ranges
//! and is repeatable.

use std::collections::HashSet;

use adit_scoring::conversation::{
    ConversationPolicy, TagCentre, TagForm, TagReference, TagVector, TagVerdict, TaggingTask,
    UnusableVector, Windows, adjusted_score, checked_tags, clean_tags, compare_tags,
    conversation_windows, cubic_rank_weight, evaluate, evaluate_all,
    legacy::{TagCounts, base_score, bell_curve_rewards},
    lines_kept, normalise_tag, penalised_score, ranked_weights, sample_tags,
    semantic_neighbourhood, split_tags, tag_similarity, tag_statistics, tags_to_check,
    update_tag_averages,
};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

fn policy() -> impl Strategy<Value = ConversationPolicy> {
    prop_oneof![
        Just(ConversationPolicy::original()),
        Just(ConversationPolicy::hardened())
    ]
}

/// Ordinary numbers and every hostile one.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -1.0..1.0_f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324]),
    ]
}

fn vector() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        5 => prop::collection::vec(-1.0..1.0_f64, 5),
        1 => prop::collection::vec(number(), 5),
        1 => prop::collection::vec(number(), 0..7),
    ]
}

fn tag() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c]{1,3}",
        2 => "[A-Za-z \\-_\t\u{a0}\u{1c}\u{200b}éß東]{0,6}",
        1 => any::<String>(),
    ]
}

fn texts(tags: &[String]) -> Vec<&str> {
    tags.iter().map(String::as_str).collect()
}

fn slices(vectors: &[Vec<f64>]) -> Vec<&[f64]> {
    vectors.iter().map(Vec::as_slice).collect()
}

fn task() -> impl Strategy<Value = TaggingTask> {
    prop::sample::select(vec![
        TaggingTask::Conversation,
        TaggingTask::Webpage,
        TaggingTask::Survey,
        TaggingTask::NamedEntities,
    ])
}

#[test]
fn both_policies_are_valid_and_survive_their_text_form() {
    for policy in [
        ConversationPolicy::original(),
        ConversationPolicy::hardened(),
    ] {
        policy.validate().unwrap();
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            serde_json::from_str::<ConversationPolicy>(&text).unwrap(),
            policy
        );
    }
    assert_eq!(ConversationPolicy::default().name, "conversation/hardened");
}

proptest! {
    #[test]
    fn windows_cover_every_line_and_know_their_number(
        lines in 0_usize..500, size in 0_usize..40, overlap in 0_usize..40,
    ) {
        let windows = Windows::new(lines, size, overlap);
        let cut: Vec<_> = windows.clone().collect();
        prop_assert_eq!(windows.len(), cut.len());
        prop_assert!(cut.windows(2).all(|pair| pair[0].start < pair[1].start && pair[1].start <= pair[0].end));
        if lines > 0 {
            prop_assert_eq!(cut.first().unwrap().start, 0);
            prop_assert_eq!(cut.last().unwrap().end, lines);
        }
    }

    #[test]
    fn huge_windows_do_not_overflow(lines: usize, size: usize, overlap: usize, minimum: Option<i64>) {
        let windows = Windows::new(lines, size, overlap);
        prop_assert!(windows.len() <= lines.saturating_add(1));
        prop_assert!(windows.take(100).all(|window| window.start <= window.end && window.end <= lines));
        for policy in [ConversationPolicy::original(), ConversationPolicy::hardened()] {
            let kept = lines_kept(&policy.windows, lines);
            let windows = conversation_windows(&policy.windows, lines, minimum);
            prop_assert!(windows.len() <= 38 && kept <= 300);
        }
    }

    #[test]
    fn a_form_is_its_own_form(text: String, noisy in tag()) {
        for form in [TagForm::AsciiWords, TagForm::Unicode] {
            for text in [&text, &noisy] {
                let once = normalise_tag(form, text).into_owned();
                prop_assert_eq!(&normalise_tag(form, &once), &once);
            }
        }
        let upper = noisy.to_uppercase();
        if noisy.is_ascii() {
            prop_assert_eq!(normalise_tag(TagForm::Unicode, &noisy), normalise_tag(TagForm::Unicode, &upper));
        }
    }

    #[test]
    fn clean_tags_are_different_and_of_a_fit_length(policy in policy(), tags in prop::collection::vec(tag(), 0..40), seed: u64) {
        let (rules, tags) = (policy.tags, texts(&tags));
        let clean = clean_tags(&rules, tags.iter().copied());
        prop_assert_eq!(clean.iter().collect::<HashSet<_>>().len(), clean.len());
        for tag in &clean {
            let length = tag.chars().count();
            prop_assert!(rules.length_least <= length && length <= rules.length_most);
        }
        let chosen = sample_tags(&rules, &tags, &mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert_eq!(chosen.len(), clean.len().min(rules.sample_most));
        prop_assert!(chosen.iter().all(|tag| clean.contains(tag)));
        let asked = tags_to_check(&rules, &tags, &mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert_eq!(asked.is_err(), clean.is_empty());
    }

    #[test]
    fn replies_never_add_a_tag(policy in policy(), tags in prop::collection::vec(tag(), 0..20), reply: String, echo: bool) {
        let (rules, tags) = (policy.tags, texts(&tags));
        let reply = if echo { format!("{},{reply}", tags.join(",")) } else { reply };
        prop_assert_eq!(split_tags(&reply).len(), reply.matches(',').count() + 1);
        prop_assert!(checked_tags(&rules, &tags, None).is_err());
        if let Some(kept) = checked_tags(&rules, &tags, Some(&reply)).unwrap() {
            let clean = clean_tags(&rules, tags.iter().copied());
            prop_assert!(kept.iter().all(|tag| clean.contains(tag)));
        }
    }

    #[test]
    fn comparison_splits_both_lists(left in prop::collection::vec(tag(), 0..20), right in prop::collection::vec(tag(), 0..20)) {
        let (left, right) = (texts(&left), texts(&right));
        let found = compare_tags(&left, &right);
        let distinct = |tags: &[&str]| tags.iter().collect::<HashSet<_>>().len();
        prop_assert_eq!(found.both.len() + found.left_only.len(), distinct(&left));
        prop_assert_eq!(found.both.len() + found.right_only.len(), distinct(&right));
        let turned = compare_tags(&right, &left);
        prop_assert_eq!(turned.left_only, found.right_only);
    }

    #[test]
    fn neighbourhoods_and_cosines_take_anything(vectors in prop::collection::vec(vector(), 0..6), other in vector(), most: Option<usize>) {
        let slices = slices(&vectors);
        let used = slices.get(..most.unwrap_or(usize::MAX).min(slices.len())).unwrap();
        let ragged = used.windows(2).any(|pair| pair[0].len() != pair[1].len());
        let mean = semantic_neighbourhood(&slices, most);
        prop_assert_eq!(mean.is_err(), ragged);
        if let Ok(Some(mean)) = mean {
            let centre = TagCentre::new(mean);
            let cosine = tag_similarity(Some(&centre), &other, UnusableVector::CountsZero);
            prop_assert!((-1.0..=1.0).contains(&cosine));
            let field = tag_similarity(Some(&centre), &other, UnusableVector::Poisons);
            prop_assert!(field.is_nan() || field == 0.0 || (field - cosine).abs() < 1e-9 || !cosine.is_normal());
        }
    }

    #[test]
    fn statistics_are_finite(policy in policy(), scores in prop::collection::vec(number(), 0..30), keep in 0_usize..30) {
        let mut scores = scores;
        let mut top: Vec<f64> = scores.iter().copied().take(keep).collect();
        let found = tag_statistics(&policy.scores, &mut scores, &mut top);
        for value in [found.top, found.median, found.mean, found.max, found.min, found.coverage] {
            prop_assert!(value.is_finite());
        }
        let ordinary = found.max.abs() < 1e100 && found.mean.abs() < 1e100 && found.top.abs() < 1e100;
        prop_assert!(!ordinary || adjusted_score(&policy.scores, &found).is_finite());
    }

    #[test]
    fn penalties_never_raise_a_score(policy in policy(), score in 0.0..1.0_f64, tags: usize, unique: usize, max in number()) {
        let found = penalised_score(&policy.penalties, score, tags, unique, max);
        prop_assert!((0.0..=score).contains(&found));
    }

    #[test]
    fn any_answer_has_a_verdict(
        policy in policy(), task in task(),
        truth in prop::collection::vec((tag(), vector()), 0..8),
        answer in prop::collection::vec((tag(), prop::option::of(vector())), 0..30),
    ) {
        let (tags, vectors): (Vec<String>, Vec<Vec<f64>>) = truth.into_iter().unzip();
        let Ok(reference) = TagReference::new(&policy, &texts(&tags), &slices(&vectors)) else {
            return Ok(());
        };
        let answer: Vec<_> = answer
            .iter()
            .map(|(tag, vector)| TagVector { tag, vector: vector.as_deref() })
            .collect();
        let verdict = evaluate(&policy, task, &reference, &answer);
        prop_assert!(verdict.score.is_finite() && verdict.adjusted.is_finite());
        prop_assert!(verdict.shared + verdict.unique <= answer.len());
        if policy.scores.clipped {
            prop_assert!((0.0..=1.0).contains(&verdict.score) && verdict.score <= verdict.adjusted);
        }
        // Buffers keep nothing of other answers.
        let all = evaluate_all(&policy, task, &reference, [&answer[..], &[], &answer[..]]);
        prop_assert_eq!(all, vec![verdict, TagVerdict::default(), verdict]);
    }

    #[test]
    fn scaling_a_vector_changes_nothing(
        truth in prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, 6), 1..5),
        answer in prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, 6), 3..10),
        scale in 0.1..10.0_f64,
    ) {
        for policy in [ConversationPolicy::original(), ConversationPolicy::hardened()] {
            let reference = TagReference::new(&policy, &["truth"], &slices(&truth)).unwrap();
            let names: Vec<String> = (0..answer.len()).map(|place| format!("tag {place}")).collect();
            let score = |vectors: &[Vec<f64>]| {
                let pairs = names.iter().zip(vectors);
                let tags: Vec<_> = pairs.map(|(tag, vector)| TagVector { tag, vector: Some(&vector[..]) }).collect();
                evaluate(&policy, TaggingTask::NamedEntities, &reference, &tags).adjusted
            };
            let scaled: Vec<Vec<f64>> = answer.iter().map(|vector| vector.iter().map(|value| value * scale).collect()).collect();
            prop_assert!((score(&answer) - score(&scaled)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_round_keeps_or_refuses(policy in policy(), averages in prop::collection::vec(0.0..1.0_f32, 0..20),
        uids in prop::collection::vec(0_usize..25, 0..8), rewards in prop::collection::vec(number(), 0..8), fit: bool) {
        let mut rewards = rewards;
        if fit {
            rewards.resize(uids.len(), 0.5);
        }
        match update_tag_averages(&policy.averages, &averages, &uids, &rewards) {
            Ok(found) => {
                prop_assert_eq!(found.averages.len(), found.scores.len());
                prop_assert!(found.averages.len() >= averages.len());
                if policy.averages.strict && rewards.iter().all(|reward| (0.0..=1.0).contains(reward)) {
                    let sum: f32 = found.scores.iter().sum();
                    prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-4);
                    prop_assert!(found.averages.is_empty() || found.are_usable());
                }
            }
            Err(_) => prop_assert!(policy.averages.strict),
        }
    }

    #[test]
    fn hostile_uids_and_averages_do_not_panic(policy in policy(), averages in prop::collection::vec(any::<f32>(), 0..10),
        uids in prop::collection::vec(any::<usize>(), 0..4), rewards in prop::collection::vec(any::<f64>(), 0..4)) {
        let found = update_tag_averages(&policy.averages, &averages, &uids, &rewards);
        prop_assert!(found.is_ok() || policy.averages.strict);
        prop_assert!(found.map_or(0, |found| found.averages.len()) <= 65_536);
    }

    #[test]
    fn weights_are_shares(policy in policy(), scores in prop::collection::vec(prop_oneof![4 => 0.0..1.0_f64, 1 => Just(0.0), 1 => number()], 0..40),
        burn_uid in prop::option::of(0_usize..50), seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let Ok(weights) = ranked_weights(&policy.weights, &scores, burn_uid, &mut rng) else {
            prop_assert!(scores.is_empty() || scores.iter().any(|score| !score.is_finite()));
            return Ok(());
        };
        prop_assert_eq!(weights.len(), scores.len());
        prop_assert!(weights.iter().all(|weight| (0.0..=1.0).contains(weight)));
        let sum: f64 = weights.iter().sum();
        let burnt = policy.weights.burn_rate;
        prop_assert!([0.0, burnt, 1.0].iter().any(|known| (sum - known).abs() < 1e-9), "{}", sum);
        for (better, worse) in scores.iter().enumerate().flat_map(|(uid, _)| (0..uid).map(move |other| (uid, other))) {
            if scores[better] > scores[worse] && scores[worse] != 0.0 && scores[better] != 0.0 && Some(better) != burn_uid && Some(worse) != burn_uid {
                prop_assert!(weights[better] >= weights[worse]);
            }
        }
    }

    #[test]
    fn ranks_pay_less_and_less(count in 1_usize..300) {
        let rules = ConversationPolicy::original().weights;
        let weights: Vec<f64> = (0..count).map(|rank| cubic_rank_weight(&rules, rank, count).unwrap()).collect();
        prop_assert!(weights.windows(2).all(|pair| pair[0] >= pair[1]));
        prop_assert!(weights.iter().all(|weight| (0.001..0.003).contains(weight)));
        prop_assert!(cubic_rank_weight(&rules, count, count).is_err());
    }

    #[test]
    fn dropped_formulas_are_total(scores in prop::collection::vec(number(), 0..20), counts: [u32; 5]) {
        if let Ok(rewards) = bell_curve_rewards(&scores) {
            let sum: f64 = rewards.iter().sum();
            prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9);
        }
        let [reference, answer, reference_only, answer_only, both] = counts.map(|count| count as usize);
        let score = base_score(TagCounts { reference, answer, reference_only, answer_only, both });
        prop_assert!(score.is_finite() && score >= 0.0);
    }
}
