use adit_embedding::{
    AudioEmbedder, AudioSamples, Embedding, Error, Frame, VideoEmbedder, VideoFrames, cosine,
    perceptual::{PerceptualAudio, PerceptualVideo},
};
use proptest::prelude::*;

fn frame(width: u32, height: u32, rgb: Vec<u8>) -> Frame {
    Frame { width, height, rgb }
}

fn clip(frames: Vec<Frame>) -> VideoFrames {
    VideoFrames {
        times_ms: (0..frames.len() as u64).collect(),
        frames,
    }
}

fn flat(value: u8, count: usize) -> VideoFrames {
    clip(vec![frame(64, 64, vec![value; 64 * 64 * 3]); count])
}

fn see(clip: VideoFrames) -> Result<Embedding, Error> {
    let seen = PerceptualVideo::new()?.embed_clips(&[clip])?;
    assert_eq!(seen.len(), 1);
    Ok(seen.into_iter().next().unwrap())
}

fn hear(sample_rate: u32, samples: Vec<f32>) -> Result<Embedding, Error> {
    let heard = PerceptualAudio::new()?.embed_sounds(&[AudioSamples {
        sample_rate,
        samples,
    }])?;
    Ok(heard.into_iter().next().unwrap())
}

fn is_unit(embedding: &Embedding) -> bool {
    let square: f32 = embedding.values().iter().map(|value| value * value).sum();
    (square - 1.0).abs() < 1e-4
}

#[test]
fn flat_footage_has_a_direction_that_does_not_depend_on_its_length() {
    let black = see(flat(0, 8)).unwrap();
    assert!(is_unit(&black));
    assert!(cosine(&black, &see(flat(0, 1)).unwrap()).unwrap() > 0.999);
    assert!(cosine(&black, &see(flat(255, 8)).unwrap()).unwrap() < 0.8);
}

#[test]
fn silence_has_one_direction() {
    let silence = hear(16_000, vec![0.0; 16_000]).unwrap();
    assert!(is_unit(&silence));
    for samples in [vec![0.0; 1], vec![0.0; 80_000], vec![1e-6; 16_000]] {
        assert!(cosine(&silence, &hear(16_000, samples).unwrap()).unwrap() > 0.999);
    }
}

#[test]
fn what_cannot_be_embedded_is_the_inputs_fault() {
    let refused = [
        see(clip(vec![])).unwrap_err(),
        see(flat(0, 257)).unwrap_err(),
        see(clip(vec![frame(0, 5, vec![])])).unwrap_err(),
        see(clip(vec![frame(9_000, 1, vec![0; 27_000])])).unwrap_err(),
        see(clip(vec![frame(64, 64, vec![0; 100])])).unwrap_err(),
        see(clip(vec![frame(u32::MAX, u32::MAX, vec![0; 3])])).unwrap_err(),
        hear(44_100, vec![0.0; 100]).unwrap_err(),
        hear(16_000, vec![]).unwrap_err(),
        hear(16_000, vec![0.0, f32::NAN]).unwrap_err(),
        hear(16_000, vec![f32::INFINITY]).unwrap_err(),
    ];
    for error in refused {
        assert!(
            error.is_input() && matches!(error, Error::Input { .. }),
            "{error}"
        );
    }
}

#[test]
fn the_plan_ascends_for_every_duration() {
    let embedder = PerceptualVideo::new().unwrap();
    for duration in [0, 1, 2, 7, 8, 100, 3_333, 120_000, u64::MAX] {
        let times = embedder.frame_plan(duration).times_ms;
        assert!(!times.is_empty() && times.len() <= 8);
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        assert!(
            times.iter().all(|time| *time < duration.max(1)),
            "{times:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_frames_give_a_unit_vector(
        sizes in prop::collection::vec((1_u32..90, 1_u32..90), 1..10),
        seed in any::<u64>(),
    ) {
        let mut state = seed;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let frames = sizes
            .into_iter()
            .map(|(width, height)| {
                frame(width, height, (0..width * height * 3).map(|_| byte()).collect())
            })
            .collect();
        prop_assert!(is_unit(&see(clip(frames)).unwrap()));
    }

    #[test]
    fn the_size_of_a_frame_hardly_matters(factor in 2_usize..5, seed in any::<u8>()) {
        let pixel = |x: usize, y: usize| {
            let wave = ((x * 5 + usize::from(seed)) as f32 / 40.0).sin() + (y as f32 / 9.0).cos();
            [(wave * 60.0 + 128.0) as u8, (x * 3) as u8, (y * 3) as u8]
        };
        let large = 64 * factor;
        let bytes = |side: usize, step: usize| -> Vec<u8> {
            (0..side * side).flat_map(|i| pixel(i % side / step, i / side / step)).collect()
        };
        let one = see(clip(vec![frame(64, 64, bytes(64, 1))])).unwrap();
        let other = see(clip(vec![frame(large as u32, large as u32, bytes(large, factor))])).unwrap();
        prop_assert!(cosine(&one, &other).unwrap() > 0.999);
    }

    #[test]
    fn any_finite_samples_give_a_unit_vector(
        samples in prop::collection::vec(
            prop::num::f32::NORMAL | prop::num::f32::ZERO | prop::num::f32::SUBNORMAL, 1..3_000,
        ),
    ) {
        prop_assert!(is_unit(&hear(16_000, samples).unwrap()));
    }
}
