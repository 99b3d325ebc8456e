//! Where the video system in the field raises or falls silent, ours says why.

use adit_scoring::{
    Error,
    audio::{SpeakerTurn, diarization_errors, speaker_balance},
    video::original::{
        ChunkCounts, DescriptionCheck, Download, OriginalAnswer, OriginalClip, OriginalRules,
        SpotCheckVectors, check_description, choose_spot_check, deduplicate, description_relevance,
        extraneous_chunks, final_novelty, is_similar, length_multiplier, metadata_check,
        novelty_among_batch, query_relevance, reward, strict_is_similar, text_similarity,
    },
};
use proptest::prelude::*;

/// A vector at this angle, in degrees: cosines are those of the differences.
fn at(degrees: f32) -> Vec<f32> {
    let angle = degrees.to_radians();
    vec![angle.cos(), angle.sin()]
}

fn answer(angles: &[f32]) -> OriginalAnswer {
    let clip = |(index, angle): (usize, &f32)| OriginalClip {
        video_id: Some(format!("video{index:06}")),
        start_s: 10,
        end_s: 60,
        video: at(*angle),
        audio: at(*angle),
        description: at(*angle),
        unique_tokens: 300,
        text_similarity: 0.2,
        stuffed: false,
        stuffed_confidence: 0.9,
        chunks: ChunkCounts::default(),
        global_novelty: Some(0.5),
    };
    OriginalAnswer {
        clips_wanted: 8,
        clips: angles.iter().enumerate().map(clip).collect(),
        query: at(0.0),
        spot_check: SpotCheckVectors::DescriptionOnly {
            clip: 0,
            description: at(angles.first().copied().unwrap_or(0.0)),
        },
        novelty_answered: true,
    }
}

#[test]
fn what_the_original_raises_on_is_a_typed_error() {
    for full_check in [false, true] {
        let chosen = choose_spot_check(full_check, 0, |_| 0, |_| Download::Ok);
        assert!(matches!(chosen, Err(Error::Empty { .. })));
    }
    assert!(matches!(
        speaker_balance(9.0, &[]),
        Err(Error::Empty { .. })
    ));
    let turn = [SpeakerTurn::new(0.0, 5.0, "a")];
    let errors = diarization_errors(&[], &turn).unwrap();
    assert!(matches!(errors.agreement(), Err(Error::Empty { .. })));
}

#[test]
fn no_score_has_a_named_reason() {
    let rules = OriginalRules::default();
    let honest = answer(&[0.0, 60.0, 120.0]);
    assert!(reward(&rules, &honest).unwrap().upload.is_some());

    let mut short = honest.clone();
    short.clips.iter_mut().for_each(|clip| clip.end_s = 12);
    assert!(matches!(reward(&rules, &short), Err(Error::Empty { .. })));

    // cos 20° = 0.94: no duplicate, yet not new.
    let near = answer(&[0.0, 20.0, 90.0]);
    assert!(matches!(
        reward(&rules, &near),
        Err(Error::OutOfStep { .. })
    ));

    let mut long = honest.clone();
    long.clips[1].chunks.total = 51;
    assert!(matches!(
        reward(&rules, &long),
        Err(Error::OutOfStep { .. })
    ));

    let mut silent = honest.clone();
    silent.novelty_answered = false;
    assert!(matches!(
        reward(&rules, &silent),
        Err(Error::Unavailable { .. })
    ));

    let mut poisoned = honest;
    poisoned.clips[2].video[0] = f32::NAN;
    assert!(matches!(
        reward(&rules, &poisoned),
        Err(Error::NotFinite { .. })
    ));
}

#[test]
fn a_description_is_kept_dropped_or_punished() {
    let rules = OriginalRules::default();
    let check = |stuffed, confidence, really_bad, low_quality, total| {
        let chunks = ChunkCounts {
            really_bad,
            low_quality,
            total,
        };
        check_description(&rules, stuffed, confidence, chunks)
    };
    assert_eq!(check(false, 0.9, 5, 15, 50), DescriptionCheck::Kept);
    assert_eq!(check(true, 0.75, 0, 0, 1), DescriptionCheck::Dropped);
    assert_eq!(check(false, 0.9, 0, 0, 51), DescriptionCheck::Dropped);
    assert_eq!(check(true, 0.76, 0, 0, 1), DescriptionCheck::Punished);
    assert_eq!(check(false, 0.9, 6, 0, 20), DescriptionCheck::Punished);
    assert_eq!(check(false, 0.9, 0, 16, 20), DescriptionCheck::Punished);
}

#[test]
fn relevances_are_weighted_cosines() {
    let rules = OriginalRules::default();
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found}");
    let (video, audio) = (at(60.0), at(90.0));
    let full = description_relevance(&rules, &video, &audio, &at(0.0), 300).unwrap();
    close(full, 0.65 * 0.5);
    let short = description_relevance(&rules, &video, &audio, &at(0.0), 100).unwrap();
    close(short, 0.65 * 0.65 * 0.5);
    close(
        query_relevance(&video, &audio, &at(0.0), 0.25).unwrap(),
        0.25,
    );
}

fn raw() -> impl Strategy<Value = Vec<f32>> {
    let number = prop_oneof![8 => -1.0_f32..1.0, 1 => Just(0.0), 1 => any::<f32>()];
    prop::collection::vec(number, 0..5)
}

proptest! {
    /// Whatever a miner sends, every function of the field gives a finite number or an error.
    #[test]
    fn no_input_panics(
        vectors in prop::collection::vec(raw(), 0..6), one in raw(), other in raw(),
        times in prop::collection::vec(any::<(i64, i64)>(), 0..6), tokens in any::<u32>(),
        scores in prop::collection::vec(any::<f64>(), 0..6), text in -1.0_f64..1.0,
        chosen in any::<usize>(),
    ) {
        let rules = OriginalRules::default();
        let finite = |found: Result<f64, Error>| found.is_err() || found.is_ok_and(f64::is_finite);
        prop_assert!(finite(description_relevance(&rules, &one, &other, &one, tokens)));
        prop_assert!(finite(query_relevance(&one, &other, &one, text)));
        prop_assert!(finite(text_similarity(&rules, &one, &other)));
        let _ = (is_similar(&rules, &one, &other), strict_is_similar(&one, &other));
        let _ = extraneous_chunks(&rules, &one, &other, &vectors);
        let _ = final_novelty(&rules, &scores);
        prop_assert!(metadata_check(&rules, &times).iter().all(|index| *index < times.len()));
        let length = length_multiplier(&rules, tokens);
        prop_assert!((0.0..=1.0).contains(&length.scaler));
        if let Ok(flags) = deduplicate(&rules, &vectors) {
            prop_assert_eq!(flags.len(), vectors.len());
            prop_assert!(flags.last().is_none_or(|flag| !flag));
            let novelty = novelty_among_batch(&vectors).unwrap();
            prop_assert!(novelty.last().is_none_or(|novelty| *novelty == 1.0));
        }
        let mut answer = answer(&[0.0, 60.0]);
        for (clip, vector) in answer.clips.iter_mut().zip(&vectors) {
            clip.video.clone_from(vector);
        }
        for (clip, (start, end)) in answer.clips.iter_mut().zip(&times) {
            (clip.start_s, clip.end_s) = (*start, *end);
        }
        prop_assert!(finite(reward(&rules, &answer).map(|found| found.reward)));
        answer.spot_check = SpotCheckVectors::Full {
            clip: chosen,
            video: one.clone(),
            audio: other,
            description: one,
        };
        prop_assert!(finite(reward(&rules, &answer).map(|found| found.reward)));
        let chosen = choose_spot_check(true, vectors.len(), |_| chosen, |_| Download::Timeout);
        prop_assert_eq!(chosen.is_err(), vectors.is_empty());
    }
}
