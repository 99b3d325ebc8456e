//! Text quality and sybil detection against hostile input, and what must hold of any.

use adit_scoring::inference::{
    SimilarityMatrix, TextStatistics, answer_shape, discourse_markers, lexical_similarity,
    polarity_agreement, prompt_components,
    quality::{
        QualityAnswer, QualityPolicy, QualityPrompt, SentenceSignals, assess, coverage,
        diagnostics, heuristic_quality, logistic,
    },
    sentences,
    sybil::{
        SybilAnswer, SybilPenaltyPolicy, SybilPolicy, SybilStanding, adaptive_thresholds,
        detect_sybils, penalise_sybils, prompt_digest, structural_similarity, sybil_groups,
    },
};
use proptest::prelude::*;

/// Any characters, and many of those that the rules look at.
fn text() -> impl Strategy<Value = String> {
    let telling = prop::sample::select(vec![
        " ",
        "\n",
        "\n\n",
        ". ",
        "? ",
        "! ",
        ": ",
        "; ",
        ", ",
        "- ",
        "1) ",
        "•",
        "```",
        "and ",
        "which ",
        "that is ",
        "because ",
        "first ",
        "İ",
        "ſo ",
        "ß",
        "\u{1f}",
        "\u{301}",
        "中文",
        "Word ",
        "considerations ",
        "7",
    ]);
    let any = any::<char>().prop_map(String::from);
    prop::collection::vec(
        prop_oneof![4 => telling.prop_map(str::to_owned), 1 => any],
        0..80,
    )
    .prop_map(|parts| parts.concat())
}

fn component() -> impl Strategy<Value = f32> {
    prop_oneof![
        20 => -1.0_f32..1.0,
        1 => Just(0.0),
        1 => Just(f32::MAX),
        1 => Just(f32::MIN_POSITIVE),
        1 => any::<f32>(),
    ]
}

fn rows(least: usize, most: usize) -> impl Strategy<Value = Vec<Vec<f32>>> {
    prop::collection::vec(prop::collection::vec(component(), 5), least..=most)
}

fn policies() -> [QualityPolicy; 2] {
    [QualityPolicy::original(), QualityPolicy::hardened()]
}

proptest! {
    #[test]
    fn any_text_has_signals_in_range(text in text(), prompt in text()) {
        let statistics = TextStatistics::of(&text);
        for measure in [
            statistics.density(),
            statistics.specificity(),
            statistics.heuristic_coherence(),
            answer_shape(&prompt, &text),
        ] {
            prop_assert!((0.0..=1.0).contains(&measure));
        }
        prop_assert!(statistics.content_words <= statistics.words);
        prop_assert!(sentences(&text).iter().all(|sentence| text.contains(sentence)));
        prop_assert!(discourse_markers(&text).iter().all(|marker| text.contains(marker)));
        let parts = prompt_components(&prompt);
        prop_assert!(parts.iter().all(|part| prompt.contains(part.trim_end_matches('?'))));
        prop_assert_eq!(prompt_digest(&text).len(), 16);
        for policy in policies() {
            let quality = heuristic_quality(&policy, Some(1.0), &statistics).unwrap();
            prop_assert!((0.0..=1.0 + 1e-12).contains(&quality));
        }
    }

    #[test]
    fn wording_is_alike_both_ways(texts in prop::collection::vec(text(), 0..8)) {
        if let Ok(matrix) = lexical_similarity(&texts) {
            for (first, second, likeness) in matrix.pairs() {
                prop_assert!((0.0..=1.0 + 1e-9).contains(&likeness));
                prop_assert_eq!(matrix.get(second, first), Some(likeness));
            }
        }
        let form = structural_similarity(&texts).unwrap();
        prop_assert!(form.pairs().all(|(_, _, likeness)| (0.0..=1.0 + 1e-5).contains(&likeness)));
    }

    #[test]
    fn quality_is_a_share_or_an_error(
        texts in (text(), text()),
        prompt in prop::collection::vec(component(), 5),
        whole in prop::collection::vec(component(), 5),
        components in rows(0, 3),
        sentences in rows(0, 7),
    ) {
        for policy in policies() {
            let prompt = QualityPrompt { text: &texts.0, embedding: &prompt, components: &components };
            let answer = QualityAnswer { text: &texts.1, embedding: &whole, sentences: &sentences };
            if let Ok(found) = assess(&policy, &prompt, &[answer]) {
                prop_assert!((0.0..=1.0).contains(&found[0].quality));
                prop_assert!(found[0].relevance.is_finite() && found[0].complexity.is_finite());
            }
            let _ = coverage(&policy, &components, &whole, &sentences);
        }
        let finite = sentences.iter().flatten().all(|part| part.is_finite());
        let signals = SentenceSignals::new(&sentences);
        prop_assert_eq!(signals.is_ok(), finite);
        if let Ok(signals) = signals {
            for measure in [
                diagnostics::topic_drift(&signals),
                diagnostics::path_length(&signals),
                diagnostics::linkage(&signals).unwrap(),
                diagnostics::curvature(&sentences).unwrap_or_default(),
            ] {
                prop_assert!((0.0..=1.0).contains(&measure), "{}", measure);
            }
        }
    }

    #[test]
    fn ragged_embeddings_are_errors(length in 0_usize..9) {
        let rows = [vec![1.0_f32; 5], vec![1.0; length]];
        prop_assert_eq!(SentenceSignals::new(&rows).is_ok(), length == 5);
        prop_assert_eq!(diagnostics::curvature(&[&rows[0], &rows[1], &rows[0]]).is_ok(), length == 5);
    }

    #[test]
    fn findings_are_ordered_and_unique(
        answers in prop::collection::vec((text(), rows(0, 9)), 0..9),
        whole in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 3), 9),
    ) {
        let whole = &whole[..answers.len()];
        let similarities = SimilarityMatrix::cosines(whole).unwrap();
        let answers: Vec<SybilAnswer<'_, Vec<f32>>> = answers
            .iter()
            .map(|(text, sentences)| SybilAnswer { text, sentences })
            .collect();
        for policy in [SybilPolicy::original(), SybilPolicy::hardened()] {
            let Ok(found) = detect_sybils(&policy, &answers, &similarities) else {
                continue;
            };
            prop_assert!(found.pairs.is_sorted_by(|a, b| a.likeness >= b.likeness));
            let mut both: Vec<_> = found.pairs.iter().map(|pair| (pair.first, pair.second)).collect();
            prop_assert!(both.iter().all(|(first, second)| first < second && *second < answers.len()));
            both.sort_unstable();
            both.dedup();
            prop_assert_eq!(both.len(), found.pairs.len());
            for group in &found.groups {
                prop_assert!(group.members.len() >= 2);
                prop_assert!(group.least + policy.rounding >= policy.group_likeness);
                prop_assert!(group.least <= group.mean + 1e-12 && group.mean <= group.largest + 1e-12);
            }
        }
    }

    #[test]
    fn groups_are_apart(values in prop::collection::vec(0.7_f64..1.0, 45), flags in prop::collection::vec(any::<bool>(), 10)) {
        // A number for each two, wherever they stand.
        let likeness = |first: usize, second: usize| match first.cmp(&second) {
            std::cmp::Ordering::Equal => 1.0,
            std::cmp::Ordering::Less => values[second * (second - 1) / 2 + first],
            std::cmp::Ordering::Greater => values[first * (first - 1) / 2 + second],
        };
        let row = |first: usize| (0..10).map(|second| likeness(first, second)).collect();
        let rows: Vec<Vec<f64>> = (0..10).map(row).collect();
        let matrix = SimilarityMatrix::from_rows(&rows).unwrap();
        let policy = SybilPolicy::original();
        let thresholds = adaptive_thresholds(&policy, &matrix, &flags).unwrap();
        prop_assert!(thresholds.high >= 0.8 && thresholds.very_high > thresholds.high);
        let groups = sybil_groups(&policy, &matrix, &flags, 0.8).unwrap();
        let mut members: Vec<usize> = groups.iter().flat_map(|group| group.members.clone()).collect();
        prop_assert!(members.iter().all(|member| flags[*member]));
        members.sort_unstable();
        let count = members.len();
        members.dedup();
        prop_assert_eq!(members.len(), count);
        prop_assert!(adaptive_thresholds(&policy, &matrix, &flags[1..]).is_err());
    }

    #[test]
    fn penalties_only_take(
        miners in prop::collection::vec((0.0_f64..2.0, 0.0_f64..1.5), 0..30),
        serving in 0_usize..40,
    ) {
        let miners: Vec<SybilStanding> = miners
            .into_iter()
            .map(|(average, suspicion)| SybilStanding { average, suspicion })
            .collect();
        for policy in [SybilPenaltyPolicy::original(), SybilPenaltyPolicy::hardened()] {
            let found = penalise_sybils(&policy, &miners, serving).unwrap();
            for (miner, average) in miners.iter().zip(&found.averages) {
                prop_assert!(*average <= miner.average);
                prop_assert!(*average >= miner.average * policy.least_left - 1e-12);
            }
        }
    }

    #[test]
    fn logistic_and_agreement_are_shares(x in any::<f64>(), labels in prop::collection::vec(0_u8..3, 0..20)) {
        if x.is_finite() {
            prop_assert!((0.0..=1.0).contains(&logistic(x, 0.45, 8.0)));
        }
        prop_assert!((0.0..=1.0).contains(&polarity_agreement(&labels)));
    }
}

const FILLER: &str = "The committee published 47 detailed recommendations: Geneva, Nairobi and Lima \
    accepted infrastructure investments. Independent Observers Documented measurable improvements; \
    Switzerland financed everything.";

fn judged(policy: &QualityPolicy, text: &str, answer: &[f32], sentences: &[Vec<f32>]) -> f64 {
    let prompt = QualityPrompt {
        text: "Explain rain in detail",
        embedding: &[1.0_f32, 0.0, 0.0],
        components: &[vec![1.0_f32, 0.0, 0.0]],
    };
    let answer = QualityAnswer {
        text,
        embedding: answer,
        sentences,
    };
    assess(policy, &prompt, &[answer]).unwrap()[0].quality
}

#[test]
fn words_about_something_else_pass_only_the_original() {
    let off_topic = [0.05_f32, 1.0, 0.0];
    let sentences = vec![vec![0.0_f32, 1.0, 0.0], vec![0.0, 0.9, 0.1]];
    let original = judged(&QualityPolicy::original(), FILLER, &off_topic, &sentences);
    assert!(original > 0.35, "the consensus filter lets {original} pass");
    assert_eq!(
        judged(&QualityPolicy::hardened(), FILLER, &off_topic, &sentences),
        0.0
    );
}

#[test]
fn good_answers_differ_only_in_the_hardened_policy() {
    let near = [vec![0.9_f32, 0.3, 0.0], vec![0.8, 0.1, 0.3]];
    let nearer = [vec![1.0_f32, 0.1, 0.0], vec![0.9, 0.0, 0.6]];
    let both = |policy: &QualityPolicy| {
        let answer = [0.9_f32, 0.2, 0.1];
        [&near, &nearer].map(|sentences| judged(policy, FILLER, &answer, sentences))
    };
    assert_eq!(both(&QualityPolicy::original()), [1.0, 1.0]);
    let [first, second] = both(&QualityPolicy::hardened());
    assert!(first < 1.0 && second < 1.0 && first != second);
}

#[test]
fn a_prompt_without_parts_is_covered_by_its_terms() {
    let answers = ["Gravity bends light.", "Nothing of the kind."];
    let covered = answers.map(|text| {
        let prompt = QualityPrompt::<f32, Vec<f32>> {
            text: "Gravity? Light?",
            embedding: &[1.0, 0.0],
            components: &[],
        };
        let answer = QualityAnswer {
            text,
            embedding: &[0.6, 0.8],
            sentences: &[],
        };
        assess(&QualityPolicy::original(), &prompt, &[answer]).unwrap()[0].coverage
    });
    // Two of three terms: the words, and not the one after the other.
    assert!((covered[0] - (0.8 * 0.6 + 0.2 * 2.0 / 3.0)).abs() < 1e-6);
    assert!((covered[1] - 0.8 * 0.6).abs() < 1e-6);
}

#[test]
fn sentences_beyond_the_limit_do_not_count() {
    let policy = QualityPolicy::hardened();
    let mut sentences = vec![vec![1.0_f32, 0.2, 0.0]; 256];
    let answer = [1.0_f32, 0.0, 0.0];
    let before = judged(&policy, FILLER, &answer, &sentences);
    sentences.extend(vec![vec![f32::NAN; 3]; 10_000]);
    assert_eq!(judged(&policy, FILLER, &answer, &sentences), before);
}

fn found(policy: &SybilPolicy, texts: &[&str], whole: &[Vec<f64>]) -> Vec<(usize, usize)> {
    let answers: Vec<SybilAnswer<'_, Vec<f64>>> = texts
        .iter()
        .map(|text| SybilAnswer {
            text,
            sentences: &[],
        })
        .collect();
    let similarities = SimilarityMatrix::cosines(whole).unwrap();
    let findings = detect_sybils(policy, &answers, &similarities).unwrap();
    let mut pairs: Vec<_> = findings
        .pairs
        .iter()
        .map(|pair| (pair.first, pair.second))
        .collect();
    pairs.sort_unstable();
    pairs
}

const TEXTS: [&str; 4] = [
    "Rain forms when moist air rises and cools until droplets condense.",
    "Vapour lifted by warm currents turns to liquid high above the ground.",
    "Clouds hold tiny drops; they merge, grow heavy and finally fall down.",
    "Gravity pulls condensed humidity earthwards once updraughts are weak.",
];

#[test]
fn honest_answers_are_suspected_only_by_the_original() {
    let whole = [
        [1.0, 0.0, 0.0],
        [0.85, 0.5, 0.0],
        [0.85, 0.0, 0.5],
        [0.6, 0.6, 0.6],
    ];
    let whole = whole.map(|row| row.to_vec());
    assert!(!found(&SybilPolicy::original(), &TEXTS, &whole).is_empty());
    assert!(found(&SybilPolicy::hardened(), &TEXTS, &whole).is_empty());
}

#[test]
fn every_near_copy_is_found_only_by_the_hardened_policy() {
    let whole = [
        [1.0, 0.01, 0.0],
        [1.0, 0.0, 0.012],
        [1.0, -0.015, 0.0],
        [0.1, 1.0, 0.0],
    ];
    let whole = whole.map(|row| row.to_vec());
    let mut original = SybilPolicy::original();
    // Form alone would vote for all.
    original.fusion.structural = None;
    assert_eq!(found(&original, &TEXTS, &whole).len(), 1);
    assert_eq!(
        found(&SybilPolicy::hardened(), &TEXTS, &whole),
        [(0, 1), (0, 2), (1, 2)]
    );
}

#[test]
fn form_votes_only_in_the_original() {
    // Alike enough for the semantic vote of fusion, not for the threshold of whole answers.
    let whole = [
        [1.0, 0.0, 0.0],
        [0.94, 0.34, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
    ];
    let whole = whole.map(|row| row.to_vec());
    assert!(found(&SybilPolicy::original(), &TEXTS, &whole).contains(&(0, 1)));
    assert!(found(&SybilPolicy::hardened(), &TEXTS, &whole).is_empty());
}

#[test]
fn a_path_in_another_order_of_lengths_is_found_only_by_the_hardened_policy() {
    let path = |scales: [f64; 5]| -> Vec<Vec<f64>> {
        let axis = |place: usize| {
            (0..5).map(move |other| if other == place { scales[place] } else { 0.0 })
        };
        (0..5).map(|place| axis(place).collect()).collect()
    };
    // The same directions, whose lengths differ by what rounding leaves of unit vectors.
    let paths = [
        path([1.0, 1.0 + 1e-8, 1.0 + 2e-8, 1.0 + 3e-8, 1.0 + 4e-8]),
        path([1.0 + 4e-8, 1.0 + 3e-8, 1.0 + 2e-8, 1.0 + 1e-8, 1.0]),
    ];
    let answers: Vec<SybilAnswer<'_, Vec<f64>>> = TEXTS
        .iter()
        .zip(&paths)
        .map(|(text, sentences)| SybilAnswer { text, sentences })
        .collect();
    let similarities = SimilarityMatrix::from_rows(&[[1.0, 0.1], [0.1, 1.0]]).unwrap();
    let count = |policy: &SybilPolicy| {
        detect_sybils(policy, &answers, &similarities)
            .unwrap()
            .pairs
            .len()
    };
    assert_eq!(count(&SybilPolicy::original()), 0);
    assert_eq!(count(&SybilPolicy::hardened()), 1);
}

#[test]
fn policies_refuse_constants_out_of_range() {
    for policy in policies() {
        policy.validate().unwrap();
        let bad = QualityPolicy {
            steepness: f64::NAN,
            ..policy
        };
        assert!(bad.validate().is_err());
    }
    for policy in [SybilPolicy::original(), SybilPolicy::hardened()] {
        policy.validate().unwrap();
        assert!(
            SybilPolicy {
                least_group: 0,
                ..policy
            }
            .validate()
            .is_err()
        );
    }
    for policy in [
        SybilPenaltyPolicy::original(),
        SybilPenaltyPolicy::hardened(),
    ] {
        policy.validate().unwrap();
        assert!(
            SybilPenaltyPolicy {
                certain: 2.0,
                ..policy
            }
            .validate()
            .is_err()
        );
    }
}
