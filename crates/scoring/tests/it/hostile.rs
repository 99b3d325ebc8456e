//! Whatever the evidence says, a verdict is a verdict.

use adit_scoring::video::{
    AnswerEvidence, ClipDefect, ClipEvidence, DescriptionMeasure, JointCosines, PairCosine,
    SoundComparison, Standing, Verification, VideoPolicy, judge, measure_description,
};
use proptest::prelude::*;

/// Mostly plausible cosines, sometimes anything.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => -1.0_f64..=1.0,
        4 => Just(1.0),
        1 => any::<f64>(),
    ]
}

fn sound() -> impl Strategy<Value = SoundComparison> {
    prop_oneof![
        Just(SoundComparison::Absent),
        number().prop_map(|cosine| SoundComparison::Compared { cosine }),
        Just(SoundComparison::Invented),
        Just(SoundComparison::Withheld),
    ]
}

fn verification() -> impl Strategy<Value = Verification> {
    prop_oneof![
        4 => Just(Verification::NotSampled),
        4 => Just(Verification::Compared { video: 1.0, sound: SoundComparison::Absent }),
        1 => (number(), sound()).prop_map(|(video, sound)| Verification::Compared { video, sound }),
        1 => (0_u32..5).prop_map(|attempts| Verification::OriginUnreachable { attempts }),
        1 => Just(Verification::SourceInvalid { reason: "\u{0}".into() }),
        1 => any::<u32>().prop_map(|attempts| Verification::OwnFailure { attempts }),
    ]
}

fn milliseconds() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0_u64..20_000, 1 => any::<u64>()]
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0_u32..40, 1 => any::<u32>()]
}

fn description() -> impl Strategy<Value = DescriptionMeasure> {
    (count(), count(), count(), count(), count()).prop_map(
        |(bytes, words, distinct, common, beyond)| DescriptionMeasure {
            bytes,
            words,
            distinct_words: distinct,
            commonest_word: common,
            words_beyond_topic: beyond,
        },
    )
}

fn clip() -> impl Strategy<Value = ClipEvidence> {
    let times = (
        0_u32..10,
        milliseconds(),
        milliseconds(),
        prop::option::of(milliseconds()),
    );
    let found = (
        description(),
        prop::option::weighted(0.1, Just(ClipDefect::VectorZero)),
        verification(),
    );
    let measures = (
        prop::option::weighted(0.9, number()),
        prop::option::weighted(0.2, number()),
        prop::option::weighted(0.9, number()),
        prop::option::weighted(0.9, Just(1.0)),
        prop::option::weighted(0.3, number()),
    );
    (times, found, measures).prop_map(|(times, found, measures)| ClipEvidence {
        place: times.0,
        clip_id: String::new(),
        source: (times.1 % 3).to_string(),
        start_ms: times.1,
        end_ms: times.2,
        source_duration_ms: times.3,
        description: found.0,
        defect: found.1,
        verification: found.2,
        global_novelty: measures.0,
        nearest_in_task: measures.1,
        query_relevance: measures.2,
        text_similarity: measures.3,
        joint: measures.4.map(|cosine| JointCosines {
            video_description: cosine,
            audio_description: cosine,
            video_query: cosine,
            audio_query: cosine,
        }),
    })
}

fn evidence() -> impl Strategy<Value = AnswerEvidence> {
    let pair = (0_u32..10, 0_u32..10, number());
    let pair = pair.prop_map(|(first, second, cosine)| PairCosine {
        first,
        second,
        cosine,
    });
    let wanted = prop_oneof![8 => 0_u32..10, 1 => any::<u32>()];
    (
        wanted,
        prop::bool::weighted(0.95),
        prop::collection::vec(clip(), 0..8),
        prop::collection::vec(pair, 0..60),
    )
        .prop_map(|(clips_wanted, in_time, mut clips, within_answer)| {
            // Mostly distinct places.
            if clips.len() > 2 {
                for (place, clip) in (0..).zip(&mut clips) {
                    clip.place = place;
                }
            }
            AnswerEvidence {
                clips_wanted,
                answered_within_deadline: in_time,
                clips,
                within_answer,
            }
        })
}

fn policies() -> [VideoPolicy; 2] {
    [VideoPolicy::hardened(), VideoPolicy::original()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_verdict_keeps_its_promises(evidence in evidence()) {
        for policy in policies() {
            let verdict = judge(&policy, &evidence);
            prop_assert!((0.0..=1.0).contains(&verdict.score.get()));
            prop_assert_eq!(verdict.clips.len(), evidence.clips.len());
            for (judged, clip) in verdict.clips.iter().zip(&evidence.clips) {
                prop_assert_eq!(judged.place, clip.place);
                prop_assert_eq!(judged.accepted, judged.refusal.is_none());
                for measure in [judged.relevance, judged.novelty, judged.detail, judged.score] {
                    prop_assert!((0.0..=1.0).contains(&measure));
                    prop_assert!(judged.accepted || measure == 0.0);
                }
            }
            if verdict.refusal.is_some() || verdict.standing == Standing::Pending {
                prop_assert_eq!((verdict.accepted(), verdict.score.get()), (0, 0.0));
            }
            prop_assert!(verdict.accepted() <= evidence.clips_wanted as usize);
        }
    }

    /// What `audit` relies on: stored evidence under the stored policy gives the stored verdict, to
    /// the bit.
    #[test]
    fn stored_evidence_gives_the_stored_verdict(evidence in evidence()) {
        for policy in policies() {
            let verdict = judge(&policy, &evidence);
            let stored = serde_json::to_string(&(&policy, &evidence, &verdict)).unwrap();
            let (policy, evidence, expected): (VideoPolicy, AnswerEvidence, _) =
                serde_json::from_str(&stored).unwrap();
            let again = judge(&policy, &evidence);
            prop_assert_eq!(again.score.get().to_bits(), verdict.score.get().to_bits());
            prop_assert_eq!(again, expected);
        }
    }

    #[test]
    fn any_text_is_measured(description in "\\PC*", topic in any::<String>()) {
        let measure = measure_description(&description, &topic);
        prop_assert_eq!(measure.bytes as usize, description.len());
        prop_assert!(measure.distinct_words <= measure.words);
        prop_assert!(measure.commonest_word <= measure.words);
        prop_assert!(measure.words_beyond_topic <= measure.distinct_words);
    }
}
