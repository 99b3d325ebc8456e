//! The Boring Index against what it promises, and with profiles against hostile input.

use adit_scoring::conversation::{
    boring::{
        BoringComponents, BoringPolicy, BoringReport, BoringWeights, FluencyRules, LineVectors,
        boring_index, coherence, engagement, fluency, fluency_from_log_probabilities,
        fluency_from_quality, novelty, relevance,
    },
    profile::{
        ParticipantProfile, ProfilePolicy, profile_agreement, profiles_agreement, speaking_shares,
    },
};
use proptest::prelude::*;

const WORDS: [&str; 12] = [
    "we",
    "walked",
    "along",
    "the",
    "river",
    "um",
    "and",
    "talked",
    "about",
    "music",
    "uh",
    "[unclear]",
];

#[derive(Debug, Clone)]
struct Talk {
    speakers: Vec<u8>,
    texts: Vec<String>,
    vectors: Vec<Vec<f64>>,
}

impl Talk {
    fn report(&self) -> BoringReport {
        let policy = BoringPolicy::default();
        let vectors = LineVectors::new(&self.vectors).unwrap();
        let components =
            BoringComponents::measure(&policy, &self.speakers, &self.texts, &vectors, None)
                .unwrap();
        boring_index(&policy, components, self.texts.len())
            .unwrap()
            .unwrap()
    }
}

/// Conversations on one subject: a common direction, and every line its own.
fn talks() -> impl Strategy<Value = Talk> {
    let line = (
        0_u8..3,
        prop::collection::vec(prop::sample::select(&WORDS[..]), 1..12),
        prop::collection::vec(-0.5_f64..0.5, 8),
    );
    prop::collection::vec(line, 4..20).prop_map(|lines| {
        let mut talk = Talk {
            speakers: vec![],
            texts: vec![],
            vectors: vec![],
        };
        for (place, (speaker, words, mut own)) in lines.into_iter().enumerate() {
            own[0] += 1.0;
            own[1 + place % 7] += 0.3;
            talk.speakers.push(speaker);
            talk.texts.push(words.join(" "));
            talk.vectors.push(own);
        }
        // Nobody speaks twice in a row at the start, so that there is something to lose.
        talk.speakers[0] = 0;
        talk.speakers[1] = 1;
        talk
    })
}

proptest! {
    #[test]
    fn repeating_one_line_leaves_nothing_new_and_bores(talk in talks(), line in any::<prop::sample::Index>()) {
        let before = talk.report();
        let line = line.index(talk.texts.len());
        let count = talk.texts.len();
        let repeated = Talk {
            speakers: vec![talk.speakers[line]; count],
            texts: vec![talk.texts[line].clone(); count],
            vectors: vec![talk.vectors[line].clone(); count],
        };
        let after = repeated.report();
        prop_assert_eq!(after.components.novelty, 0.0);
        prop_assert!(after.index > before.index || before.components.fluency < after.components.fluency);
        // Line after line of the same, novelty only falls.
        let mut grown = talk.clone();
        let mut novelty = before.components.novelty;
        for _ in 0..5 {
            grown.speakers.push(talk.speakers[line]);
            grown.texts.push(talk.texts[line].clone());
            grown.vectors.push(talk.vectors[line].clone());
            let next = grown.report().components.novelty;
            if grown.texts.len() - line <= 10 {
                prop_assert!(next < novelty);
            }
            novelty = next;
        }
    }

    /// A talk whose subject moves on steadily: any other order coheres less and lowers nothing else.
    #[test]
    fn shuffling_lowers_coherence_only(
        order in (3_usize..11).prop_flat_map(|count| Just((0..count).collect::<Vec<usize>>()).prop_shuffle()),
    ) {
        let count = order.len();
        let talk = |order: &[usize]| Talk {
            speakers: (0..count).map(|place| (place % 2) as u8).collect(),
            texts: order.iter().map(|line| format!("line number {line} of the talk")).collect(),
            vectors: order.iter().map(|line| {
                let angle = *line as f64 * 0.14;
                vec![angle.cos(), angle.sin()]
            }).collect(),
        };
        let straight: Vec<usize> = (0..count).collect();
        let backwards: Vec<usize> = (0..count).rev().collect();
        let (told, shuffled) = (talk(&straight).report().components, talk(&order).report().components);
        if order == straight || order == backwards {
            prop_assert!((shuffled.coherence - told.coherence).abs() < 1e-12);
        } else {
            prop_assert!(shuffled.coherence < told.coherence - 1e-9);
        }
        prop_assert!(shuffled.novelty >= told.novelty - 1e-12);
        prop_assert!((shuffled.relevance - told.relevance).abs() < 1e-9);
        prop_assert_eq!(shuffled.engagement, told.engagement);
        prop_assert_eq!(shuffled.fluency, told.fluency);
    }

    #[test]
    fn a_monologue_lowers_engagement_only(talk in talks()) {
        let alone = Talk { speakers: vec![0; talk.texts.len()], ..talk.clone() };
        let (before, after) = (talk.report(), alone.report());
        prop_assert_eq!(after.components.engagement, 0.0);
        prop_assert!(before.components.engagement > 0.0);
        prop_assert_eq!(BoringComponents { engagement: 0.0, ..before.components }, after.components);
        prop_assert!(after.index > before.index);
    }

    #[test]
    fn the_same_conversation_has_the_same_index_however_long_its_vectors(talk in talks(), scales in prop::collection::vec(1e-3_f64..1e3, 20)) {
        let report = talk.report();
        prop_assert_eq!(report, talk.report());
        let mut scaled = talk;
        for (vector, scale) in scaled.vectors.iter_mut().zip(scales) {
            vector.iter_mut().for_each(|part| *part *= scale);
        }
        let scaled = scaled.report();
        prop_assert!((scaled.index - report.index).abs() < 1e-9);
    }

    #[test]
    fn components_and_index_are_total(
        vectors in prop::collection::vec(prop::collection::vec(any::<f64>(), 0..4), 0..8),
        tags in prop::collection::vec(prop::collection::vec(any::<f32>(), 0..4), 0..3),
        parts in prop::array::uniform5(any::<f64>()),
        weights in prop::array::uniform5(any::<f64>()),
        look_back in 0_usize..5,
        numbers in prop::collection::vec(any::<f64>(), 0..5),
        lines in 0_usize..10,
        texts in prop::collection::vec(".{0,40}", 0..5),
        speakers in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let unit = 0.0..=1.0;
        if let Ok(lines) = LineVectors::new(&vectors) {
            let tags = LineVectors::new(&tags).ok();
            for value in [relevance(&lines, tags.as_ref()), novelty(&lines, look_back), coherence(&lines)].into_iter().flatten() {
                prop_assert!(unit.contains(&value), "{value}");
            }
            let _ = BoringComponents::measure(&BoringPolicy::default(), &speakers, &texts, &lines, tags.as_ref());
        }
        prop_assert!(unit.contains(&engagement(&speakers)));
        prop_assert!(unit.contains(&fluency(&texts, &FluencyRules::default())));
        if let Ok(value) = fluency_from_log_probabilities(&numbers) {
            prop_assert!(unit.contains(&value));
        }
        let _ = fluency_from_quality(parts[0]);
        let [relevance, engagement, novelty, coherence, fluency] = parts;
        let components = BoringComponents { relevance, engagement, novelty, coherence, fluency };
        let [relevance, engagement, novelty, coherence, fluency] = weights;
        let policy = BoringPolicy {
            weights: BoringWeights { relevance, engagement, novelty, coherence, fluency },
            ..BoringPolicy::default()
        };
        prop_assert!(boring_index(&policy, components, lines).is_err());
    }

    #[test]
    fn the_index_follows_its_formula(parts in prop::array::uniform5(0.0_f64..=1.0), weights in prop::array::uniform5(0.01_f64..1.0)) {
        let sum: f64 = weights.iter().sum();
        let share = |place: usize| weights[place] / sum;
        let policy = BoringPolicy {
            weights: BoringWeights {
                relevance: share(0), engagement: share(1), novelty: share(2), coherence: share(3), fluency: share(4),
            },
            ..BoringPolicy::default()
        };
        let components = BoringComponents {
            relevance: parts[0], engagement: parts[1], novelty: parts[2], coherence: parts[3], fluency: parts[4],
        };
        let found = boring_index(&policy, components, 3).unwrap().unwrap();
        let interest: f64 = (0..5).map(|place| parts[place].max(0.01).powf(share(place))).product();
        prop_assert!((found.index - 100.0 * (1.0 - interest)).abs() < 1e-9);
        prop_assert!((0.0..=100.0).contains(&found.index));
        prop_assert!(boring_index(&policy, components, 2).unwrap().is_none());
    }

    #[test]
    fn profiles_agree_both_ways(left in profiles(), right in profiles()) {
        let policy = ProfilePolicy::default();
        let score = profiles_agreement(&policy, &left, &right).unwrap();
        prop_assert!((0.0..=1.0).contains(&score));
        prop_assert_eq!(score, profiles_agreement(&policy, &right, &left).unwrap());
        for (left, right) in left.iter().zip(&right) {
            let one = profile_agreement(&policy, left, right).unwrap();
            prop_assert_eq!(one, profile_agreement(&policy, right, left).unwrap());
            prop_assert!((0.0..=1.0).contains(&one.score));
            let own = profile_agreement(&policy, left, left).unwrap();
            let says_nothing = own.interests.is_none() && own.hobbies.is_none()
                && own.preferences.is_none() && own.speaking_share.is_none();
            prop_assert!((own.score - 1.0).abs() < 1e-12 || says_nothing);
        }
    }

    #[test]
    fn padding_a_list_never_helps(profile in profile(), padding in prop::collection::vec("x[0-9]{4}", 1..20)) {
        let policy = ProfilePolicy::default();
        let mut padded = profile.clone();
        padded.interests.extend(padding);
        let score = profile_agreement(&policy, &profile, &padded).unwrap().score;
        prop_assert!(score < 1.0);
    }

    #[test]
    fn speaking_shares_sum_to_one(lines in prop::collection::vec((0_u8..4, "[a-z ]{0,20}"), 0..20)) {
        let shares = speaking_shares(&lines);
        let sum: f64 = shares.iter().map(|(_, share)| share).sum();
        prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9);
    }
}

fn profile() -> impl Strategy<Value = ParticipantProfile> {
    let list = || prop::collection::vec("[A-Ca-c]{1,2}|.{0,6}", 0..5);
    (
        "[a-c]",
        list(),
        list(),
        list(),
        prop::option::of(0.0_f64..=1.0),
    )
        .prop_map(
            |(participant, interests, hobbies, preferences, speaking_share)| ParticipantProfile {
                participant,
                interests,
                hobbies,
                preferences,
                speaking_share,
            },
        )
}

fn profiles() -> impl Strategy<Value = Vec<ParticipantProfile>> {
    prop::collection::vec(profile(), 0..5)
}

#[test]
fn hostile_profiles_are_refused() {
    let policy = ProfilePolicy::default();
    let plain = ParticipantProfile::default();
    let long = ParticipantProfile {
        interests: vec!["x".repeat(10_000)],
        ..plain.clone()
    };
    let many = ParticipantProfile {
        hobbies: vec!["x".to_owned(); 1_000],
        ..plain.clone()
    };
    let loud = ParticipantProfile {
        speaking_share: Some(f64::NAN),
        ..plain.clone()
    };
    for hostile in [long, many, loud] {
        assert!(profile_agreement(&policy, &plain, &hostile).is_err());
        assert!(profile_agreement(&policy, &hostile, &plain).is_err());
    }
    assert!(profiles_agreement(&policy, &vec![plain; 1_000], &[]).is_err());
    let off = ProfilePolicy {
        interests: 0.9,
        ..policy
    };
    assert!(off.validate().is_err());
}

#[test]
fn guesses_about_people_are_dropped_when_read() {
    let text =
        r#"{"participant": "A", "interests": ["jazz"], "ethnicity": "?", "age_generation": "?"}"#;
    let profile: ParticipantProfile = serde_json::from_str(text).unwrap();
    let kept = serde_json::to_string(&profile).unwrap();
    assert!(
        !kept.contains("ethnicity") && !kept.contains("age_generation") && kept.contains("jazz")
    );
}
