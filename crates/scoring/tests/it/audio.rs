//! The hardened audio policy keeps its promises: one test per difference.

use adit_scoring::{
    audio::{
        AudioClipEvidence, AudioEvidence, AudioPolicy, AudioVerdict, RecordingMeasure,
        SoundVerification, SpeakerTurn, TimeSpan, judge, measure_recording, subtract_overlap,
    },
    video::{AnswerRefusal, ClipRefusal, PairCosine, Standing},
};

pub(crate) fn turns(speakers: &[&str]) -> Vec<SpeakerTurn> {
    let turn = |(place, speaker): (usize, &&str)| {
        let start = 10.0 * place as f64;
        SpeakerTurn::new(start, start + 9.0, *speaker)
    };
    speakers.iter().enumerate().map(turn).collect()
}

fn clip(place: u32) -> AudioClipEvidence {
    AudioClipEvidence {
        place,
        clip_id: format!("clip-{place}"),
        source: format!("https://origin.example/{place}.wav"),
        start_ms: 1_000,
        end_ms: 61_000,
        source_duration_ms: Some(600_000),
        defect: None,
        verification: if place == 0 {
            SoundVerification::Compared {
                cosine: 0.99,
                same_samples: false,
            }
        } else {
            SoundVerification::NotSampled
        },
        global_novelty: Some(0.9),
        nearest_in_task: None,
        query_relevance: Some(0.2),
        recording: Some(RecordingMeasure {
            duration_s: 60.0,
            speech: 0.9,
            signal_to_noise_db: Some(30.0),
            claimed: turns(&["a", "b", "a", "b"]),
            found: turns(&["1", "2", "1", "2"]),
        }),
    }
}

pub(crate) fn honest(clips: u32) -> AudioEvidence {
    let pairs = (0..clips).flat_map(|first| (first + 1..clips).map(move |second| (first, second)));
    AudioEvidence {
        clips_wanted: clips,
        answered_within_deadline: true,
        clips: (0..clips).map(clip).collect(),
        within_answer: pairs
            .map(|(first, second)| PairCosine {
                first,
                second,
                cosine: 0.3,
            })
            .collect(),
    }
}

fn hardened(evidence: &AudioEvidence) -> AudioVerdict {
    judge(&AudioPolicy::hardened(), evidence)
}

/// Spoils the clip at place 1 of four and says why it was refused; the others must stand.
fn spoiled(spoil: impl FnOnce(&mut AudioClipEvidence)) -> ClipRefusal {
    let mut evidence = honest(4);
    spoil(&mut evidence.clips[1]);
    let verdict = hardened(&evidence);
    assert_eq!((verdict.refusal, verdict.standing), (None, Standing::Final));
    assert_eq!(verdict.clips.iter().filter(|clip| clip.accepted).count(), 3);
    verdict.clips[1].refusal.unwrap()
}

fn recording(clip: &mut AudioClipEvidence) -> &mut RecordingMeasure {
    clip.recording.as_mut().unwrap()
}

fn score_with(change: impl Fn(&mut RecordingMeasure)) -> f64 {
    let mut evidence = honest(1);
    change(recording(&mut evidence.clips[0]));
    hardened(&evidence).score.get()
}

#[test]
fn an_honest_answer_is_paid_for() {
    let verdict = hardened(&honest(4));
    assert_eq!((verdict.accepted(), verdict.standing), (4, Standing::Final));
    assert_eq!(verdict.clips[0].measures.agreement, 1.0);
    assert!(verdict.score.get() > 0.8, "{verdict:?}");
}

#[test]
fn our_diarization_is_the_reference() {
    // One claimed second in the right place: as the reference it would make every error the
    // validator's.
    assert_eq!(
        spoiled(|clip| recording(clip).claimed = vec![SpeakerTurn::new(0.0, 1.0, "a")]),
        ClipRefusal::DiarizationMismatch
    );
}

#[test]
fn what_is_heard_counts() {
    let one_voice = score_with(|recording| {
        recording.found = turns(&["1", "1", "1", "1"]);
    });
    let two_voices = score_with(|_| ());
    assert!(
        one_voice < two_voices - 0.1,
        "{one_voice} against {two_voices}"
    );
}

#[test]
fn length_as_heard() {
    let refusal = spoiled(|clip| recording(clip).duration_s = 50.0);
    assert_eq!(refusal, ClipRefusal::LengthMismatch);
    assert_eq!(spoiled(|clip| clip.end_ms = 20_000), ClipRefusal::TooShort);
    assert_eq!(spoiled(|clip| clip.end_ms = 90_000), ClipRefusal::TooLong);
    assert_eq!(spoiled(|clip| clip.end_ms = 0), ClipRefusal::BadInterval);
    let refusal = spoiled(|clip| clip.source_duration_ms = Some(60_000));
    assert_eq!(refusal, ClipRefusal::BeyondSource);
}

#[test]
fn mean_over_wanted() {
    let mut half = honest(4);
    half.clips.truncate(2);
    let whole = hardened(&honest(4)).score.get();
    assert!((hardened(&half).score.get() - whole / 2.0).abs() < 1e-12);
    let refusal = spoiled(|clip| clip.query_relevance = Some(-0.5));
    assert_eq!(refusal, ClipRefusal::NotRelevant);
}

#[test]
fn silence_earns_nothing() {
    let silent = score_with(|recording| recording.signal_to_noise_db = None);
    let loud = score_with(|recording| recording.signal_to_noise_db = Some(-40.0));
    let clean = score_with(|recording| recording.signal_to_noise_db = Some(50.0));
    assert!(silent == loud && silent < clean, "{silent} {loud} {clean}");
    let refusal = spoiled(|clip| recording(clip).speech = 0.1);
    assert_eq!(refusal, ClipRefusal::TooLittleSpeech);
}

#[test]
fn alike_not_identical() {
    let mut other = honest(4);
    other.clips[0].verification = SoundVerification::Compared {
        cosine: 0.9,
        same_samples: true,
    };
    let verdict = hardened(&other);
    assert_eq!(verdict.refusal, Some(AnswerRefusal::Mismatch { place: 0 }));
    assert_eq!(verdict.score.get(), 0.0);
}

#[test]
fn no_negative_turns() {
    let inside = [
        SpeakerTurn::new(2.0, 3.0, "a"),
        SpeakerTurn::new(0.0, 4.0, "b"),
    ];
    let left = subtract_overlap(&inside, &[TimeSpan::new(1.0, 4.0)]).unwrap();
    assert_eq!(left, [SpeakerTurn::new(0.0, 1.0, "b")]);
}

#[test]
fn no_speaker_no_escape() {
    let refusal = spoiled(|clip| recording(clip).claimed.clear());
    assert_eq!(refusal, ClipRefusal::TurnCount);
    let refusal = spoiled(|clip| recording(clip).found.clear());
    assert_eq!(refusal, ClipRefusal::TooLittleSpeech);
    let many = vec![SpeakerTurn::new(0.0, 1.0, "a"); 1_001];
    assert_eq!(
        spoiled(|clip| recording(clip).claimed = many),
        ClipRefusal::TurnCount
    );
}

#[test]
fn our_own_failure_and_an_unreachable_origin_wait() {
    let pending = |spoil: &dyn Fn(&mut AudioClipEvidence)| {
        let mut evidence = honest(2);
        evidence.clips.iter_mut().for_each(spoil);
        let verdict = hardened(&evidence);
        assert_eq!((verdict.accepted(), verdict.score.get()), (0, 0.0));
        verdict.standing
    };
    assert_eq!(pending(&|clip| clip.recording = None), Standing::Pending);
    assert_eq!(
        pending(&|clip| clip.global_novelty = None),
        Standing::Pending
    );
    let unreachable = |attempts| {
        move |clip: &mut AudioClipEvidence| {
            clip.verification = SoundVerification::OriginUnreachable { attempts };
        }
    };
    assert_eq!(pending(&unreachable(1)), Standing::Pending);
    assert_eq!(pending(&unreachable(3)), Standing::Final);
    let nobody = |clip: &mut AudioClipEvidence| clip.verification = SoundVerification::NotSampled;
    assert_eq!(pending(&nobody), Standing::Pending);
}

#[test]
fn the_first_copy_survives_and_overlap_does_not() {
    let mut twice = honest(3);
    twice.within_answer[0].cosine = 0.97;
    let verdict = hardened(&twice);
    assert_eq!(
        verdict.clips[1].refusal,
        Some(ClipRefusal::DuplicateInAnswer)
    );
    assert!(verdict.clips[0].accepted && verdict.clips[2].accepted);
    let refusal = spoiled(|clip| clip.source = "https://origin.example/0.wav".into());
    assert_eq!(refusal, ClipRefusal::Overlap);
}

#[test]
fn the_original_pays_one_measured_clip_for_all() {
    let original = |evidence: &AudioEvidence| judge(&AudioPolicy::original(), evidence);
    let mut evidence = honest(4);
    evidence.clips[0].verification = SoundVerification::NotSampled;
    evidence.clips[3].recording = None;
    let verdict = original(&evidence);
    assert_eq!((verdict.accepted(), verdict.standing), (4, Standing::Final));
    // 0.6·1 + 0.1·240/320 + 0.2·quality + 0.1·0.2
    let quality = 0.2 * 0.9 + 0.2 + 0.1 * 0.6 + 0.5;
    let expected = 0.6 + 0.075 + 0.2 * quality + 0.02;
    assert!((verdict.score.get() - expected).abs() < 1e-12);
    evidence.clips[0].verification = SoundVerification::Compared {
        cosine: 1.0,
        same_samples: false,
    };
    assert_eq!(
        original(&evidence).refusal,
        Some(AnswerRefusal::Mismatch { place: 0 })
    );
    let mut near = honest(2);
    near.clips[0].verification = SoundVerification::NotSampled;
    near.within_answer[0].cosine = 0.93;
    let verdict = original(&near);
    assert_eq!(
        verdict.clips[0].refusal,
        Some(ClipRefusal::DuplicateInAnswer)
    );
    assert!(verdict.clips[1].accepted);
}

#[test]
fn a_recording_is_measured() {
    let samples: Vec<f32> = (0..16_000).map(|at| (at as f32 * 0.3).sin()).collect();
    let speech = [TimeSpan::new(0.0, 0.6), TimeSpan::new(0.5, 0.75)];
    let both = [
        SpeakerTurn::new(0.0, 0.5, "1"),
        SpeakerTurn::new(0.4, 0.8, "2"),
    ];
    let overlaps = [TimeSpan::new(0.4, 0.5)];
    let measured = measure_recording(&samples, 16_000, &speech, &overlaps, &both, &both).unwrap();
    assert_eq!((measured.duration_s, measured.speech), (1.0, 0.75));
    assert!(measured.signal_to_noise_db.unwrap().abs() < 0.5);
    let found = [
        SpeakerTurn::new(0.0, 0.4, "1"),
        SpeakerTurn::new(0.5, 0.8, "2"),
    ];
    assert_eq!(measured.found, found);
    assert_eq!(measured.claimed, both);
}
