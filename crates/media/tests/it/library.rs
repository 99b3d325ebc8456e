//! What `scripts/make-fixtures` makes: the demo's videos and the broken ones.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use adit_embedding::{Embedding, VideoEmbedder, cosine, perceptual::PerceptualVideo};
use adit_media::Error;

use crate::footage::{fixture, media};

/// Made once, and kept between runs: the script makes nothing twice.
fn library() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("videos");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/make-fixtures");
        assert!(
            Command::new(script)
                .arg(&folder)
                .status()
                .unwrap()
                .success()
        );
        folder
    })
}

fn files() -> Vec<PathBuf> {
    let catalogue = std::fs::read_to_string(library().join("catalogue.toml")).unwrap();
    let lines = catalogue
        .lines()
        .filter_map(|line| line.strip_prefix("file = "));
    lines
        .map(|name| library().join(name.trim_matches('"')))
        .collect()
}

async fn embed(path: &Path, start_ms: u64, end_ms: u64) -> Embedding {
    let embedder = PerceptualVideo::new().unwrap();
    let plan = embedder.frame_plan(end_ms - start_ms);
    let frames = media().frames(path, start_ms, end_ms, &plan).await.unwrap();
    embedder.embed_clips(&[frames]).unwrap().remove(0)
}

#[tokio::test]
async fn every_video_is_sound_and_unlike_the_others() {
    let mut seen: Vec<(PathBuf, Embedding)> = Vec::new();
    for path in files() {
        let probe = media().probe(&path).await.unwrap();
        assert!(
            (5_000..=12_000).contains(&probe.duration_ms),
            "{path:?} {probe:?}"
        );
        let embedding = embed(&path, 0, probe.duration_ms).await;
        for (other, earlier) in &seen {
            let cosine = cosine(earlier, &embedding).unwrap();
            assert!(cosine < 0.8, "{path:?} and {other:?}: {cosine}");
        }
        seen.push((path, embedding));
    }
    assert!(seen.len() >= 24, "{}", seen.len());
}

#[tokio::test]
async fn copies_are_recognised() {
    let original = embed(&fixture("bikes.mp4"), 0, 10_000).await;
    for name in [
        "duplicate-smaller.mp4",
        "duplicate-other-codec.avi",
        "no-audio.mp4",
    ] {
        let copy = embed(&library().join("broken").join(name), 0, 10_000).await;
        let cosine = cosine(&original, &copy).unwrap();
        assert!(cosine > 0.95, "{name}: {cosine}");
    }
}

#[tokio::test]
async fn broken_files_are_broken_as_described() {
    let probe = async |name: &str| media().probe(&library().join("broken").join(name)).await;
    assert!(matches!(probe("empty.mp4").await, Err(Error::Empty)));
    assert!(matches!(
        probe("text.mp4").await,
        Err(Error::NotMedia { .. })
    ));
    assert!(matches!(
        probe("playlist.mp4").await,
        Err(Error::NotMedia { .. })
    ));
    assert!(matches!(probe("sound-only.mp4").await, Err(Error::NoVideo)));
    assert!(matches!(
        probe("encrypted.mp4").await,
        Err(Error::Encrypted)
    ));
    for name in ["truncated.mp4", "truncated-index-first.mp4"] {
        assert!(
            matches!(probe(name).await, Err(Error::Truncated { .. })),
            "{name}"
        );
    }
    let rotated = probe("rotated.mp4").await.unwrap();
    assert_eq!(
        (rotated.width, rotated.height, rotated.rotation),
        (272, 640, 90)
    );
    assert!(
        probe("variable-frame-rate.mp4")
            .await
            .unwrap()
            .variable_frame_rate
    );
    assert!(probe("truncated.mkv").await.is_ok());
    assert!(!probe("no-audio.mp4").await.unwrap().has_audio);
    assert!(probe("joined.mp4").await.unwrap().duration_ms > 15_000);
}
