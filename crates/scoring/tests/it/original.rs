//! Where the video system in the field raises or falls silent, ours says why.

use adit_scoring::{
    Error,
    audio::{SpeakerTurn, diarization_errors, speaker_balance},
    video::original::{
        ChunkCounts, Download, OriginalAnswer, OriginalClip, OriginalRules, SpotCheckVectors,
        choose_spot_check, reward,
    },
};

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
