use std::path::{Path, PathBuf};

use adit_embedding::{FramePlan, FrameScaling};
use adit_media::{Error, Fault, Media, MediaConfig};

use crate::footage::{Studio, fixture, media};

async fn refusal(path: &Path) -> Error {
    let error = media().probe(path).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Media, "{error}");
    // Every other question refuses too.
    let clip = path.with_file_name("clip-of-bad.mp4");
    assert!(media().cut(path, 0, 1000, &clip).await.is_err());
    assert!(!clip.exists());
    assert!(media().pcm(path, 0, 1000, 16_000).await.is_err());
    assert!(media().keyframes(path).await.is_err());
    assert!(media().shot_boundaries(path).await.is_err());
    error
}

#[tokio::test]
async fn empty_text_and_other_files_are_no_video() {
    let studio = Studio::new();
    let empty = studio.write("empty.mp4", b"");
    assert!(matches!(refusal(&empty).await, Error::Empty));
    let text = studio.write(
        "text.mp4",
        "This is a letter, not a film.\n".repeat(200).as_bytes(),
    );
    assert!(matches!(refusal(&text).await, Error::NotMedia { .. }));
    let noise: Vec<u8> = (0..50_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert!(matches!(
        refusal(&studio.write("noise.mp4", &noise)).await,
        Error::NotMedia { .. }
    ));
    let picture = studio.make("-f lavfi -i testsrc2=d=1:r=1 -frames:v 1", "picture.png");
    assert!(matches!(refusal(&picture).await, Error::NotMedia { .. }));
    let folder = studio.path("folder.mp4");
    std::fs::create_dir(&folder).unwrap();
    assert!(matches!(
        media().probe(&folder).await,
        Err(Error::NotMedia { .. })
    ));
}

#[tokio::test]
async fn playlists_cannot_name_other_files() {
    let studio = Studio::new();
    let bikes = fixture("bikes.mp4").canonicalize().unwrap();
    let bikes = bikes.display();
    for (name, text) in [
        (
            "list.m3u8",
            format!("#EXTM3U\n#EXTINF:10,\nfile://{bikes}\n#EXT-X-ENDLIST\n"),
        ),
        (
            "list.mp4",
            format!("#EXTM3U\n#EXTINF:10,\n{bikes}\n#EXT-X-ENDLIST\n"),
        ),
        (
            "list.ffconcat",
            format!("ffconcat version 1.0\nfile '{bikes}'\n"),
        ),
    ] {
        let path = studio.write(name, text.as_bytes());
        assert!(
            matches!(refusal(&path).await, Error::NotMedia { .. }),
            "{name}"
        );
    }
}

#[tokio::test]
async fn sound_alone_is_no_video() {
    let studio = Studio::new();
    let path = studio.make("-f lavfi -i sine=440:d=2 -c:a aac", "sound.mp4");
    assert!(matches!(refusal(&path).await, Error::NoVideo));
}

#[tokio::test]
async fn truncated_files_are_told_apart() {
    let studio = Studio::new();
    let cut_at = |path: PathBuf, share: f64, name: &str| {
        let bytes = std::fs::read(path).unwrap();
        studio.write(name, &bytes[..(bytes.len() as f64 * share) as usize])
    };
    // The index lies at the end, and is lost.
    let path = cut_at(fixture("bikes.mp4"), 0.5, "half.mp4");
    assert!(matches!(refusal(&path).await, Error::Truncated { .. }));
    // The index lies at the beginning: only the boxes tell.
    let front = studio.make_from(
        &[&fixture("bikes.mp4")],
        "-c copy -movflags +faststart",
        "front.mp4",
    );
    let path = cut_at(front, 0.6, "front-half.mp4");
    assert!(matches!(refusal(&path).await, Error::Truncated { .. }));
    // Matroska announces its duration first and is found short when frames are missing.
    let matroska = studio.make_from(&[&fixture("bikes.mp4")], "-c copy", "whole.mkv");
    let path = cut_at(matroska, 0.5, "half.mkv");
    let plan = FramePlan {
        times_ms: vec![0, 3500],
        scaling: FrameScaling::ShortSide(32),
    };
    let early = media().frames(&path, 0, 4000, &plan).await.unwrap();
    assert_eq!(early.frames.len(), 2);
    let late = media()
        .frames(&path, 6000, 10_000, &plan)
        .await
        .unwrap_err();
    assert!(matches!(late, Error::Truncated { .. }), "{late}");
    assert_eq!(late.fault(), Fault::Media);
    let clip = studio.path("clip.mp4");
    let cut = media().cut(&path, 3000, 9000, &clip).await.unwrap_err();
    assert!(matches!(cut, Error::Truncated { .. }), "{cut}");
    let cut = media().cut(&path, 8000, 9000, &clip).await.unwrap_err();
    assert_eq!(cut.fault(), Fault::Media, "{cut}");
    assert!(!clip.exists() && !studio.path("clip.mp4.partial").exists());
}

#[tokio::test]
async fn encrypted_streams_are_recognised() {
    let studio = Studio::new();
    let path = studio.make_from(
        &[&fixture("bikes.mp4")],
        "-c copy -t 2 -encryption_scheme cenc-aes-ctr \
         -encryption_key 76a6c65c5ea762046bd749a2e632ccbb \
         -encryption_kid a7e61c373e219033c21091fa607bf3b8",
        "encrypted.mp4",
    );
    assert!(matches!(refusal(&path).await, Error::Encrypted));
}

#[tokio::test]
async fn huge_frames_and_long_films_are_refused() {
    let studio = Studio::new();
    let path = studio.make(
        "-f lavfi -i color=gray:s=6000x6000:r=1:d=1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
        "huge.mp4",
    );
    let error = refusal(&path).await;
    assert!(
        matches!(
            error,
            Error::FrameTooLarge {
                width: 6000,
                height: 6000,
                ..
            }
        ),
        "{error}"
    );
    let short = Media::new(MediaConfig {
        max_duration_ms: 9_999,
        ..MediaConfig::default()
    })
    .unwrap();
    let error = short.probe(&fixture("bikes.mp4")).await.unwrap_err();
    assert!(matches!(
        error,
        Error::TooLong {
            duration_ms: 10_000,
            limit_ms: 9_999
        }
    ));
}

#[tokio::test]
async fn clips_must_lie_within_their_video() {
    let studio = Studio::new();
    let path = fixture("bikes.mp4");
    let clip = studio.path("clip.mp4");
    let plan = FramePlan {
        times_ms: vec![0],
        scaling: FrameScaling::ShortSide(32),
    };
    for (start, end) in [(5000, 5000), (5000, 4000), (u64::MAX, 0)] {
        let error = media().cut(&path, start, end, &clip).await.unwrap_err();
        assert!(matches!(error, Error::EmptyClip { .. }), "{error}");
    }
    for (start, end) in [
        (0, 10_001),
        (20_000, 30_000),
        (0, u64::MAX),
        (u64::MAX - 1, u64::MAX),
    ] {
        let errors = [
            media().cut(&path, start, end, &clip).await.unwrap_err(),
            media().frames(&path, start, end, &plan).await.unwrap_err(),
            media().pcm(&path, start, end, 16_000).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::BeyondEnd { .. }), "{error}");
            assert_eq!(error.fault(), Fault::Media);
        }
    }
    assert!(media().cut(&path, 9_000, 10_000, &clip).await.is_ok());
}

#[tokio::test]
async fn damaged_content_never_harms_us() {
    let studio = Studio::new();
    let whole = std::fs::read(fixture("bikes.mp4")).unwrap();
    let plan = FramePlan {
        times_ms: vec![0, 400],
        scaling: FrameScaling::ShortSide(32),
    };
    for seed in 0..12_usize {
        let mut bytes = whole.clone();
        for n in 0..400_usize {
            let place = (n * 7919 + seed * 104_729) * 31 % bytes.len();
            bytes[place] ^= 0x55;
        }
        let path = studio.write("damaged.mp4", &bytes);
        // Either frames of the right shape, or the media's fault.
        match media().frames(&path, 1000, 2000, &plan).await {
            Ok(frames) => assert_eq!(frames.frames.len(), 2),
            Err(error) => assert_eq!(error.fault(), Fault::Media, "{error}"),
        }
    }
}
