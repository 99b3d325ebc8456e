//! One test per difference in the table of `adit_scoring::video`.

use adit_scoring::video::{
    AnswerEvidence, AnswerRefusal, ClipDefect, ClipRefusal, PairCosine, SoundComparison, Standing,
    Verification, VideoPolicy, judge, measure_description,
};

use crate::evidence::{DESCRIPTION, clip, hardened, honest, matched, refusals, spoiled};

#[test]
fn an_honest_answer_earns_most_of_the_score() {
    let verdict = hardened(&honest(8));
    assert_eq!(verdict.accepted(), 8);
    assert_eq!(
        (verdict.standing, verdict.refusal.clone()),
        (Standing::Final, None)
    );
    assert!((0.8..=1.0).contains(&verdict.score.get()), "{verdict:?}");
    assert_eq!(verdict.policy, "video/hardened-1");
}

#[test]
fn verify_every_answer() {
    let mut evidence = honest(4);
    evidence.clips[0].verification = Verification::NotSampled;
    let verdict = hardened(&evidence);
    assert_eq!(
        (verdict.standing, verdict.accepted()),
        (Standing::Pending, 0)
    );
    assert_eq!(verdict.score.get(), 0.0);
}

#[test]
fn one_lie_costs_all() {
    let lies = [
        Verification::Compared {
            video: 0.94,
            sound: SoundComparison::Absent,
        },
        Verification::Compared {
            video: 0.99,
            sound: SoundComparison::Compared { cosine: 0.5 },
        },
        Verification::Compared {
            video: 0.99,
            sound: SoundComparison::Invented,
        },
    ];
    for lie in lies {
        let mut evidence = honest(8);
        evidence.clips[5].verification = lie;
        let verdict = hardened(&evidence);
        assert_eq!(verdict.refusal, Some(AnswerRefusal::Mismatch { place: 5 }));
        assert_eq!((verdict.accepted(), verdict.score.get()), (0, 0.0));
        assert_eq!(verdict.standing, Standing::Final);
    }
    let mut evidence = honest(8);
    evidence.clips[5].verification = Verification::SourceInvalid {
        reason: "a text file".into(),
    };
    let verdict = hardened(&evidence);
    assert_eq!(
        verdict.refusal,
        Some(AnswerRefusal::SourceInvalid { place: 5 })
    );
    assert_eq!(verdict.score.get(), 0.0);
}

/// A plan may choose a clip that is refused for its form; what fetching it showed counts all the
/// same, so that bad form is no way out of verification.
#[test]
fn a_sampled_clip_speaks_even_when_its_form_is_refused() {
    let mut evidence = honest(4);
    evidence.clips[0].description = measure_description("", "rabbit");
    let verdict = hardened(&evidence);
    assert_eq!((verdict.standing, verdict.accepted()), (Standing::Final, 3));
    evidence.clips[0].verification = Verification::Compared {
        video: 0.2,
        sound: SoundComparison::Absent,
    };
    let verdict = hardened(&evidence);
    assert_eq!(verdict.refusal, Some(AnswerRefusal::Mismatch { place: 0 }));
}

#[test]
fn unreachable_never_vouches() {
    let mut evidence = honest(4);
    evidence.clips[2].verification = Verification::OriginUnreachable { attempts: 1 };
    let verdict = hardened(&evidence);
    assert_eq!(
        (verdict.standing, verdict.accepted()),
        (Standing::Pending, 0)
    );

    // Given up: the clip that matched counts, those that nobody vouches for do not.
    evidence.clips[2].verification = Verification::OriginUnreachable { attempts: 3 };
    let verdict = hardened(&evidence);
    assert_eq!(verdict.standing, Standing::Final);
    let expected = [
        None,
        Some(ClipRefusal::NotVouched),
        Some(ClipRefusal::OriginUnreachable),
        Some(ClipRefusal::NotVouched),
    ];
    assert_eq!(refusals(&verdict), expected);

    // A lie found meanwhile still costs all.
    evidence.clips[3].verification = Verification::Compared {
        video: 0.1,
        sound: SoundComparison::Absent,
    };
    assert_eq!(
        hardened(&evidence).refusal,
        Some(AnswerRefusal::Mismatch { place: 3 })
    );
}

#[test]
fn no_null_reward() {
    let poisons: [fn(&mut AnswerEvidence); 5] = [
        |evidence| evidence.clips[3].query_relevance = Some(f64::NAN),
        |evidence| evidence.clips[3].global_novelty = Some(f64::INFINITY),
        |evidence| evidence.clips[3].nearest_in_task = Some(f64::NEG_INFINITY),
        |evidence| evidence.within_answer[0].cosine = f64::NAN,
        |evidence| {
            evidence.clips[0].verification = Verification::Compared {
                video: 1.0,
                sound: SoundComparison::Compared { cosine: f64::NAN },
            };
        },
    ];
    for poison in poisons {
        let mut evidence = honest(4);
        poison(&mut evidence);
        let verdict = hardened(&evidence);
        assert_eq!(verdict.refusal, Some(AnswerRefusal::NotFinite));
        assert_eq!(
            (verdict.score.get(), verdict.standing),
            (0.0, Standing::Final)
        );
        // What was stored reads back, poison and all, to the same verdict.
        let text = serde_json::to_string(&evidence).unwrap();
        let read: AnswerEvidence = serde_json::from_str(&text).unwrap();
        assert_eq!(hardened(&read), verdict);
    }

    let mut evidence = honest(4);
    evidence.clips[0].verification = Verification::OwnFailure { attempts: 3 };
    let verdict = hardened(&evidence);
    assert_eq!(
        verdict.refusal,
        Some(AnswerRefusal::CrashesVerification { place: 0 })
    );
    assert_eq!(verdict.standing, Standing::Final);
}

/// The pair that makes the original fall out of step (cosine between 0.90 and 0.95).
#[test]
fn aligned_by_place() {
    let mut evidence = honest(4);
    evidence
        .within_answer
        .retain(|pair| (pair.first, pair.second) != (0, 1));
    evidence.within_answer.push(PairCosine {
        first: 1,
        second: 0,
        cosine: 0.92,
    });
    evidence.clips[2].global_novelty = Some(0.0);
    let plain = hardened(&evidence);
    let expected = [None, None, Some(ClipRefusal::DuplicateInDataset), None];
    assert_eq!(refusals(&plain), expected);
    assert!(plain.clips[1].novelty < plain.clips[3].novelty);

    // Another order of the evidence gives every place the same verdict.
    evidence.clips.reverse();
    evidence.within_answer.reverse();
    let mut reversed = hardened(&evidence);
    reversed.clips.reverse();
    assert_eq!(reversed, plain);
}

#[test]
fn first_copy_survives() {
    let mut evidence = honest(4);
    for pair in &mut evidence.within_answer {
        if (pair.first, pair.second) == (1, 3) {
            pair.cosine = 0.97;
        }
    }
    let expected = [None, None, None, Some(ClipRefusal::DuplicateInAnswer)];
    assert_eq!(refusals(&hardened(&evidence)), expected);
    let refusal = spoiled(|clip| clip.nearest_in_task = Some(0.96));
    assert_eq!(refusal, ClipRefusal::DuplicateInTask);
}

#[test]
fn empty_index_is_novel() {
    let mut evidence = honest(2);
    for clip in &mut evidence.clips {
        clip.global_novelty = Some(1.0);
    }
    let verdict = hardened(&evidence);
    assert_eq!(verdict.accepted(), 2);
    assert!(verdict.clips.iter().all(|clip| clip.novelty == 1.0));
}

#[test]
fn own_embedding_of_text() {
    let mut evidence = honest(4);
    evidence.clips[3].text_similarity = Some(0.6);
    let verdict = hardened(&evidence);
    assert_eq!(
        verdict.refusal,
        Some(AnswerRefusal::TextMismatch { place: 3 })
    );
}

#[test]
fn one_space_relevance() {
    let refusal = spoiled(|clip| clip.defect = Some(ClipDefect::VectorSpace));
    assert_eq!(
        (refusal.code(), refusal.to_string().as_str()),
        ("vector_space", "vector_space")
    );
    // Cosines across modalities change nothing.
    let mut evidence = honest(4);
    let plain = hardened(&evidence);
    evidence.clips[1].joint = Some(adit_scoring::video::JointCosines {
        video_description: 1.0,
        audio_description: 1.0,
        video_query: 1.0,
        audio_query: 1.0,
    });
    assert_eq!(hardened(&evidence), plain);
}

#[test]
fn checked_interval() {
    assert_eq!(
        spoiled(|clip| clip.end_ms = clip.start_ms),
        ClipRefusal::BadInterval
    );
    assert_eq!(spoiled(|clip| clip.end_ms = 0), ClipRefusal::BadInterval);
    assert_eq!(spoiled(|clip| clip.end_ms = 1_999), ClipRefusal::TooShort);
    assert_eq!(spoiled(|clip| clip.end_ms = u64::MAX), ClipRefusal::TooLong);
    assert_eq!(
        spoiled(|clip| clip.source_duration_ms = Some(5_900)),
        ClipRefusal::BeyondSource
    );
    let overlap = spoiled(|clip| {
        clip.source = "https://origin.example/0.mp4".into();
        clip.start_ms = 5_000;
        clip.end_ms = 9_000;
    });
    assert_eq!(overlap, ClipRefusal::Overlap);
    let mut evidence = honest(4);
    evidence.clips[1].source = evidence.clips[0].source.clone();
    (evidence.clips[1].start_ms, evidence.clips[1].end_ms) = (6_000, 11_000);
    assert_eq!(hardened(&evidence).accepted(), 4);
}

#[test]
fn no_square() {
    assert_eq!(
        spoiled(|clip| clip.query_relevance = Some(-0.9)),
        ClipRefusal::NotRelevant
    );
    let mut last = -1.0;
    for cosine in [0.1, 0.2, 0.4, 0.6, 1.0] {
        let mut evidence = honest(1);
        evidence.clips[0].query_relevance = Some(cosine);
        let relevance = hardened(&evidence).clips[0].relevance;
        assert!(relevance >= last && (0.0..=1.0).contains(&relevance));
        last = relevance;
    }
    assert_eq!(last, 1.0);
}

#[test]
fn words_not_model() {
    let describe = |text: &str| measure_description(text, "rabbit");
    let repeated = describe(&"rabbit meadow ".repeat(20));
    assert_eq!(
        spoiled(|clip| clip.description = repeated),
        ClipRefusal::DescriptionStuffed
    );
    let half = describe("fluffy rabbit quick rabbit brown rabbit big rabbit");
    assert_eq!(
        spoiled(|clip| clip.description = half),
        ClipRefusal::DescriptionStuffed
    );
    assert_eq!(
        spoiled(|clip| clip.description = describe(" .,! ")),
        ClipRefusal::DescriptionEmpty
    );
    let long = describe(&format!("{DESCRIPTION} {}", " ".repeat(2_000)));
    assert_eq!(
        spoiled(|clip| clip.description = long),
        ClipRefusal::DescriptionTooLong
    );

    // Echoing the topic is no detail; more to say is more.
    let detail = |text: &str| {
        let mut evidence = honest(1);
        evidence.clips[0].description = describe(text);
        hardened(&evidence).clips[0].detail
    };
    assert_eq!(detail("Rabbit, rabbit."), 0.0);
    assert!(detail("A rabbit") < detail("A rabbit in a meadow"));
    assert!(detail(DESCRIPTION) > 0.7);
    // Scripts without spaces have words too.
    assert_eq!(
        measure_description("一只兔子在草地上", "兔子").words_beyond_topic,
        6
    );
}

#[test]
fn coverage_counts() {
    let all = hardened(&honest(8)).score.get();
    let mut evidence = honest(4);
    evidence.clips_wanted = 8;
    assert!((hardened(&evidence).score.get() - all / 2.0).abs() < 1e-12);
    // More clips than asked for earn nothing more.
    evidence = honest(8);
    evidence.clips_wanted = 4;
    let verdict = hardened(&evidence);
    assert_eq!(verdict.clips[4].refusal, Some(ClipRefusal::BeyondWanted));
    assert!((verdict.score.get() - all).abs() < 1e-12);
}

#[test]
fn own_failure_is_ours() {
    let failures: [fn(&mut AnswerEvidence); 4] = [
        |evidence| evidence.clips[1].global_novelty = None,
        |evidence| evidence.clips[1].query_relevance = None,
        |evidence| evidence.clips[1].verification = Verification::OwnFailure { attempts: 1 },
        |evidence| evidence.within_answer.clear(),
    ];
    for fail in failures {
        let mut evidence = honest(4);
        fail(&mut evidence);
        let verdict = hardened(&evidence);
        assert_eq!(
            (verdict.standing, verdict.refusal.clone()),
            (Standing::Pending, None)
        );
        assert_eq!((verdict.accepted(), verdict.score.get()), (0, 0.0));
    }
    // A dataset that is down hides nothing: a lie is a lie.
    let mut evidence = honest(4);
    for clip in &mut evidence.clips {
        clip.global_novelty = None;
    }
    evidence.clips[0].verification = Verification::Compared {
        video: 0.0,
        sound: SoundComparison::Absent,
    };
    assert_eq!(hardened(&evidence).standing, Standing::Final);
}

#[test]
fn no_negative_score() {
    let mut evidence = honest(4);
    evidence.clips[0].verification = Verification::Compared {
        video: -1.0,
        sound: SoundComparison::Invented,
    };
    for policy in [VideoPolicy::hardened(), VideoPolicy::original()] {
        assert_eq!(judge(&policy, &evidence).score.get(), 0.0);
    }
}

#[test]
fn late_empty_and_ambiguous_answers_score_nothing() {
    let mut late = honest(4);
    late.answered_within_deadline = false;
    assert_eq!(hardened(&late).refusal, Some(AnswerRefusal::Late));
    let mut empty = honest(4);
    empty.clips.clear();
    assert_eq!(hardened(&empty).refusal, Some(AnswerRefusal::Empty));
    let mut twice = honest(4);
    twice.clips.push(clip(2));
    assert_eq!(
        hardened(&twice).refusal,
        Some(AnswerRefusal::Ambiguous { place: 2 })
    );
}

#[test]
fn sound_must_not_be_withheld() {
    let mut evidence = honest(4);
    evidence.clips[1].verification = Verification::Compared {
        video: 1.0,
        sound: SoundComparison::Withheld,
    };
    let verdict = hardened(&evidence);
    assert_eq!(verdict.clips[1].refusal, Some(ClipRefusal::SoundWithheld));
    assert_eq!(verdict.accepted(), 3);
    evidence.clips[1].verification = matched();
    assert_eq!(hardened(&evidence).accepted(), 4);
}
