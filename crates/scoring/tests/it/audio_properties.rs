//! Whatever is said about sound, a verdict is a verdict and a measure a number or an error.

use adit_scoring::audio::{
    AudioEvidence, AudioPolicy, RecordingMeasure, SoundVerification, SpeakerTurn, TimeSpan,
    count_speakers, diarization_errors, judge, keep_long, measure_recording, merge_spans,
    original::{
        OriginalAudioAnswer, OriginalAudioClip, OriginalAudioRules, OriginalSoundCheck,
        process_diarization, reward,
    },
    signal_to_noise_db, sound_check_plan, speaker_balance, speech_content, subtract_overlap,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::audio::honest;

fn time() -> impl Strategy<Value = f64> {
    prop_oneof![20 => 0.0_f64..30.0, 8 => (0_u8..30).prop_map(f64::from), 1 => any::<f64>()]
}

fn span() -> impl Strategy<Value = TimeSpan> {
    (time(), time()).prop_map(|(one, other)| TimeSpan::new(one, other))
}

fn turn() -> impl Strategy<Value = SpeakerTurn> {
    (span(), 0_u8..5).prop_map(|(span, speaker)| SpeakerTurn {
        span,
        speaker: speaker.to_string(),
    })
}

fn turns() -> impl Strategy<Value = Vec<SpeakerTurn>> {
    prop::collection::vec(turn(), 0..12)
}

fn real_turns() -> impl Strategy<Value = Vec<SpeakerTurn>> {
    let turn = (0.0_f64..30.0, 0.01_f64..5.0, 0_u8..5);
    let turn = turn.prop_map(|(start, length, speaker)| {
        SpeakerTurn::new(start, start + length, speaker.to_string())
    });
    prop::collection::vec(turn, 1..12)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![10 => -1.0_f64..=1.0, 1 => any::<f64>()]
}

fn verification() -> impl Strategy<Value = SoundVerification> {
    prop_oneof![
        3 => Just(SoundVerification::NotSampled),
        3 => (number(), any::<bool>())
            .prop_map(|(cosine, same_samples)| SoundVerification::Compared { cosine, same_samples }),
        1 => (0_u32..5).prop_map(|attempts| SoundVerification::OriginUnreachable { attempts }),
        1 => any::<u32>().prop_map(|attempts| SoundVerification::OwnFailure { attempts }),
        1 => Just(SoundVerification::SourceInvalid { reason: String::new() }),
    ]
}

fn evidence() -> impl Strategy<Value = AudioEvidence> {
    let recording = (
        number(),
        number(),
        prop::option::of(number()),
        turns(),
        turns(),
    );
    let recording =
        recording.prop_map(|(length, speech, ratio, claimed, found)| RecordingMeasure {
            duration_s: 60.0 + length,
            speech,
            signal_to_noise_db: ratio,
            claimed,
            found,
        });
    let measured = (prop::option::of(recording), verification(), 0_u32..6);
    let numbers = [
        prop::option::of(number()),
        prop::option::of(number()),
        prop::option::of(number()),
    ];
    let spoil = (
        measured,
        numbers,
        prop_oneof![Just(61_000_u64), any::<u64>()],
    );
    let spoils = prop::collection::vec(prop::option::of(spoil), 4);
    (spoils, prop::collection::vec(number(), 6), any::<bool>()).prop_map(
        |(spoils, cosines, distinct)| {
            let mut evidence = honest(4);
            for (clip, spoil) in evidence.clips.iter_mut().zip(spoils) {
                let Some(((recording, verification, place), numbers, end_ms)) = spoil else {
                    continue;
                };
                if !distinct {
                    clip.place = place;
                }
                (clip.recording, clip.verification, clip.end_ms) =
                    (recording, verification, end_ms);
                [
                    clip.global_novelty,
                    clip.nearest_in_task,
                    clip.query_relevance,
                ] = numbers;
            }
            for (pair, cosine) in evidence.within_answer.iter_mut().zip(cosines) {
                pair.cosine = cosine;
            }
            evidence
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_verdict_keeps_its_promises(evidence in evidence()) {
        for policy in [AudioPolicy::hardened(), AudioPolicy::original()] {
            let verdict = judge(&policy, &evidence);
            prop_assert!((0.0..=1.0).contains(&verdict.score.get()));
            prop_assert_eq!(verdict.clips.len(), evidence.clips.len());
            for clip in &verdict.clips {
                prop_assert_eq!(clip.accepted, clip.refusal.is_none());
                let measures = clip.measures;
                for measure in [measures.agreement, measures.length, measures.quality,
                                measures.relevance, measures.novelty, measures.score] {
                    prop_assert!((0.0..=1.0).contains(&measure));
                    prop_assert!(clip.accepted || measure == 0.0);
                }
            }
            let stored = serde_json::to_string(&(&policy, &evidence, &verdict)).unwrap();
            let (policy, evidence, expected): (AudioPolicy, AudioEvidence, _) =
                serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(judge(&policy, &evidence), expected);
        }
    }

    #[test]
    fn errors_of_a_diarization_stay_within_its_reference(one in real_turns(), other in real_turns()) {
        let errors = diarization_errors(&one, &other).unwrap();
        prop_assert!(errors.missed_s + errors.confused_s <= errors.reference_s + 1e-9);
        prop_assert!(errors.false_alarm_s >= 0.0);
        let mut renamed = other;
        renamed.iter_mut().for_each(|turn| turn.speaker.push('x'));
        prop_assert_eq!(diarization_errors(&one, &renamed).unwrap(), errors);
        let itself = diarization_errors(&one, &one).unwrap();
        prop_assert!(itself.confused_s < 1e-9);
    }

    #[test]
    fn spans_and_turns_are_total(turns in turns(), others in turns(), spans in prop::collection::vec(span(), 0..12),
                                 least in any::<f64>(), duration in time()) {
        let _ = diarization_errors(&turns, &others).map(|errors| errors.agreement());
        let _ = process_diarization(&OriginalAudioRules::default(), &turns, &spans);
        let _ = (speaker_balance(duration, &turns), speech_content(duration, &spans), count_speakers(&turns));
        prop_assert!(keep_long(&turns, least).len() <= turns.len());
        if let Ok(merged) = merge_spans(&spans) {
            prop_assert!(merged.windows(2).all(|two| two[0].end_s < two[1].start_s));
        }
        if let Ok(left) = subtract_overlap(&turns, &spans) {
            prop_assert!(left.iter().all(|turn| turn.span.duration_s() > 0.0));
        }
    }

    #[test]
    fn any_samples_are_measured(samples in prop::collection::vec(any::<f32>(), 0..300), rate in 0_u32..5_000) {
        if let Ok(Some(ratio)) = signal_to_noise_db(&samples, rate) {
            prop_assert!(!ratio.is_nan());
        }
        let measured = measure_recording(&samples, rate, &[], &[], &[], &[]);
        prop_assert!(measured.is_err() || measured.unwrap().speech == 0.0);
    }

    #[test]
    fn the_whole_reward_is_total(
        vectors in prop::collection::vec(prop::collection::vec(prop_oneof![8 => -1.0_f32..1.0, 1 => any::<f32>()], 3), 0..6),
        query in prop::collection::vec(-1.0_f32..1.0, 2..4),
        end_s in any::<i64>(), lasting in 0_i64..90, samples in prop::collection::vec(-1.0_f32..1.0, 0..80),
        turns in turns(), diarization in turns(), place in 0_usize..4, wanted in 0_usize..6, check in 0_u8..3,
    ) {
        let clip = |audio: Vec<f32>| OriginalAudioClip {
            video_id: Some("01234567890".into()),
            start_s: if place == 3 { end_s } else { 0 },
            end_s: lasting,
            audio,
            samples: samples.clone(),
            sample_rate: 1_000,
            turns: turns.clone(),
        };
        let answer = OriginalAudioAnswer {
            clips_wanted: wanted,
            clips: vectors.into_iter().map(clip).collect(),
            query,
            sound_check: match check {
                0 => OriginalSoundCheck::NotChecked,
                1 => OriginalSoundCheck::PunishFake,
                _ => OriginalSoundCheck::Fetched { clip: place, samples: samples.clone() },
            },
            measured: place,
            speech: Vec::new(),
            diarization,
        };
        if let Ok(found) = reward(&OriginalAudioRules::default(), &answer) {
            prop_assert!(found.reward.is_finite());
        }
    }

    #[test]
    fn every_answer_has_a_sound_checked(seed in any::<u64>(), clips in 0_usize..40) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let plan = sound_check_plan(&AudioPolicy::hardened(), &mut rng, clips);
        prop_assert_eq!(plan.is_empty(), clips == 0);
        prop_assert!(plan.iter().all(|clip| *clip < clips));
        prop_assert!(sound_check_plan(&AudioPolicy::original(), &mut rng, clips).len() <= 1);
    }
}
