use adit_embedding::{FramePlan, FrameScaling};

use crate::footage::{COUNTED, ENCODED, Studio, fixture, media, number_of};

async fn all_numbers(path: &std::path::Path, frames: u64) -> Vec<u64> {
    let plan = FramePlan {
        times_ms: (0..frames).map(|n| n * 40).collect(),
        scaling: FrameScaling::ShortSide(16),
    };
    let read = media().frames(path, 0, frames * 40, &plan).await.unwrap();
    read.frames.iter().map(number_of).collect()
}

#[tokio::test]
async fn a_cut_holds_exactly_its_frames() {
    let studio = Studio::new();
    for name in ["a.mp4", "a.mkv", "a.ts"] {
        let path = studio.counted(name);
        let clip = studio.path("clip.mp4");
        for (start, end) in [(1040, 2560), (1060, 2060), (0, 1000), (1600, 1640)] {
            media().cut(&path, start, end, &clip).await.unwrap();
            let probe = media().probe(&clip).await.unwrap();
            assert_eq!(probe.duration_ms, end - start, "{name} [{start}, {end})");
            let count = (end - start) / 40;
            let expected: Vec<u64> = (0..count).map(|n| (start + n * 40) / 40).collect();
            assert_eq!(
                all_numbers(&clip, count).await,
                expected,
                "{name} [{start}, {end})"
            );
        }
    }
}

#[tokio::test]
async fn a_cut_of_a_variable_frame_rate_shows_the_same() {
    let studio = Studio::new();
    let source = format!(
        "{COUNTED},select=eq(n\\,0)+eq(n\\,30)+eq(n\\,31)+eq(n\\,99) -fps_mode vfr {ENCODED}"
    );
    let path = studio.make(&source, "v.mp4");
    let clip = studio.path("clip.mp4");
    media().cut(&path, 400, 2400, &clip).await.unwrap();
    let probe = media().probe(&clip).await.unwrap();
    assert!(probe.duration_ms.abs_diff(2000) <= 1, "{probe:?}");
    assert!(!probe.variable_frame_rate);
    let plan = FramePlan {
        times_ms: vec![0, 700, 900, 1950],
        scaling: FrameScaling::ShortSide(16),
    };
    let frames = media().frames(&clip, 0, 1999, &plan).await.unwrap();
    let numbers: Vec<u64> = frames.frames.iter().map(number_of).collect();
    assert_eq!(numbers, vec![0, 0, 31, 31]);
}

#[tokio::test]
async fn sound_stays_beside_its_picture() {
    let studio = Studio::new();
    let path = studio.make(
        &format!("{COUNTED} -f lavfi -i aevalsrc=0.5*sin(2*PI*440*t)*between(t\\,2\\,3):s=44100:d=4 {ENCODED} -c:a aac"),
        "tone.mp4",
    );
    let clip = studio.path("clip.mp4");
    media().cut(&path, 1500, 3500, &clip).await.unwrap();
    let sound = media().pcm(&clip, 0, 2000, 8000).await.unwrap().unwrap();
    let loud = |from: usize, to: usize| {
        let part = &sound.samples[from * 8..to * 8];
        (part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32).sqrt()
    };
    assert!(loud(0, 450) < 0.02, "{}", loud(0, 450));
    assert!(loud(550, 1450) > 0.3, "{}", loud(550, 1450));
    assert!(loud(1550, 2000) < 0.02, "{}", loud(1550, 2000));
}

#[tokio::test]
async fn a_real_cut_begins_at_its_shot() {
    let studio = Studio::new();
    let path = fixture("bikes.mp4");
    let shots = media().shot_boundaries(&path).await.unwrap();
    assert_eq!(shots, vec![1200, 3040, 5480, 7480, 9680]);
    let clip = studio.path("clip.mp4");
    media().cut(&path, shots[0], shots[1], &clip).await.unwrap();
    assert_eq!(media().probe(&clip).await.unwrap().duration_ms, 1840);
    assert!(media().shot_boundaries(&clip).await.unwrap().is_empty());
    assert!(!studio.path("clip.mp4.partial").exists());
}
