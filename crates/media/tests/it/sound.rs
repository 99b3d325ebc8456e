use crate::footage::{COUNTED, ENCODED, Studio, fixture, media};

fn level(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

#[tokio::test]
async fn sound_is_mono_exact_and_in_its_place() {
    let studio = Studio::new();
    let tone = "aevalsrc=0.5*sin(2*PI*1000*t)*between(t\\,1\\,2)|0:s=48000:d=4";
    for name in ["s.mp4", "s.mkv", "s.ts"] {
        let path = studio.make(
            &format!("{COUNTED} -f lavfi -i {tone} {ENCODED} -c:a aac -b:a 192k"),
            name,
        );
        let sound = media()
            .pcm(&path, 500, 3000, 16_000)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(sound.sample_rate, 16_000);
        assert_eq!(sound.samples.len(), 40_000);
        let part = |from: usize, to: usize| level(&sound.samples[from * 16..to * 16]);
        assert!(part(0, 470) < 0.02, "{name} {}", part(0, 470));
        assert!(part(530, 1470) > 0.15, "{name} {}", part(530, 1470));
        assert!(part(1530, 2500) < 0.02, "{name} {}", part(1530, 2500));
    }
}

#[tokio::test]
async fn a_late_start_of_the_sound_is_silence() {
    let studio = Studio::new();
    let path = studio.make(
        &format!("{COUNTED} -itsoffset 2 -f lavfi -i sine=440:d=1 {ENCODED} -c:a aac"),
        "late.mp4",
    );
    let sound = media().pcm(&path, 0, 4000, 16_000).await.unwrap().unwrap();
    assert_eq!(sound.samples.len(), 64_000);
    assert!(level(&sound.samples[..16 * 1900]) < 0.01);
    assert!(level(&sound.samples[16 * 2100..16 * 2900]) > 0.05);
    assert!(level(&sound.samples[16 * 3100..]) < 0.01);
}

#[tokio::test]
async fn a_silent_film_has_no_sound() {
    let sound = media()
        .pcm(&fixture("bikes.mp4"), 0, 5000, 16_000)
        .await
        .unwrap();
    assert!(sound.is_none());
    let sound = media()
        .pcm(&fixture("bigbuckbunny.mp4"), 1000, 5000, 16_000)
        .await
        .unwrap();
    let sound = sound.unwrap();
    assert_eq!(sound.samples.len(), 64_000);
    assert!(level(&sound.samples) > 0.001);
}
