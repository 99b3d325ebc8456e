use std::{fs::Permissions, os::unix::fs::PermissionsExt};

use adit_embedding::{FramePlan, FrameScaling};

use crate::footage::{Studio, fixture, media};

#[tokio::test]
async fn real_files_are_described() {
    let bunny = media().probe(&fixture("bigbuckbunny.mp4")).await.unwrap();
    assert_eq!(
        (bunny.width, bunny.height, bunny.duration_ms),
        (1280, 720, 5280)
    );
    assert_eq!(
        (bunny.video_codec.as_str(), bunny.audio_codec.as_deref()),
        ("h264", Some("aac"))
    );
    assert_eq!(bunny.frames_per_second, 25.0);
    assert!(bunny.has_audio && !bunny.variable_frame_rate && bunny.rotation == 0);
    let bikes = media().probe(&fixture("bikes.mp4")).await.unwrap();
    assert!(!bikes.has_audio);
    assert_eq!(bikes.audio_codec, None);
    assert_eq!(bikes.bytes, 509_868);
}

#[tokio::test]
async fn names_are_never_options_patterns_or_protocols() {
    let studio = Studio::new();
    let bytes = std::fs::read(fixture("bikes.mp4")).unwrap();
    for name in [
        "-i.mp4",
        "concat:a|b.mp4",
        "clip %03d *.mp4",
        "http:x.mp4",
        "$(true);'\".mp4",
    ] {
        let path = studio.write(name, &bytes);
        assert_eq!(
            media().probe(&path).await.unwrap().duration_ms,
            10_000,
            "{name}"
        );
        assert!(!media().keyframes(&path).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_file_that_only_its_owner_may_read_is_described() {
    let studio = Studio::new();
    let path = studio.write("own.mp4", &std::fs::read(fixture("bikes.mp4")).unwrap());
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(media().probe(&path).await.unwrap().duration_ms, 10_000);
}

#[tokio::test]
async fn keyframes_are_where_the_encoder_put_them() {
    let studio = Studio::new();
    for name in ["k.mp4", "k.mkv", "k.ts"] {
        let path = studio.counted(name);
        assert_eq!(
            media().keyframes(&path).await.unwrap(),
            vec![0, 1600, 3200],
            "{name}"
        );
    }
}

#[tokio::test]
async fn rotated_video_stands_upright() {
    let studio = Studio::new();
    let source = "-f lavfi -i color=red:s=64x32:r=10:d=1 -f lavfi -i color=blue:s=64x32:r=10:d=1 \
                  -filter_complex hstack -c:v libx264 -crf 6 -pix_fmt yuv420p";
    let flat = std::fs::read(studio.make(source, "flat.mp4")).unwrap();
    // (a, b, c, d) of the track's matrix, ISO/IEC 14496-12 §8.3.2, in 16.16.
    let (one, minus) = (0x1_0000_u32, 0xffff_0000_u32);
    for (rotation, matrix, red_first) in [
        (90, [0, one, minus, 0], true),
        (180, [minus, 0, 0, minus], false),
        (270, [0, minus, one, 0], false),
    ] {
        let mut turned = flat.clone();
        let header = turned.windows(4).position(|four| four == b"tkhd").unwrap();
        for (place, value) in [0, 4, 12, 16].into_iter().zip(matrix) {
            turned[header + 44 + place..][..4].copy_from_slice(&value.to_be_bytes());
        }
        let path = studio.write("turned.mp4", &turned);
        let probe = media().probe(&path).await.unwrap();
        assert_eq!(probe.rotation, rotation);
        let (width, height) = if rotation == 180 {
            (128, 32)
        } else {
            (32, 128)
        };
        assert_eq!((probe.width, probe.height), (width, height));

        let plan = FramePlan {
            times_ms: vec![0],
            scaling: FrameScaling::ShortSide(32),
        };
        let clip = studio.path("clip.mp4");
        media().cut(&path, 0, 1000, &clip).await.unwrap();
        for source in [&path, &clip] {
            let frames = media().frames(source, 0, 1000, &plan).await.unwrap();
            let frame = &frames.frames[0];
            assert_eq!((frame.width, frame.height), (width, height));
            // The first pixels are at the top left, the last at the bottom right.
            let first = &frame.rgb[..3];
            let last = &frame.rgb[frame.rgb.len() - 3..];
            let (red, blue) = if red_first {
                (first, last)
            } else {
                (last, first)
            };
            assert!(
                red[0] > 200 && red[2] < 60,
                "{rotation}: {first:?} {last:?}"
            );
            assert!(
                blue[2] > 200 && blue[0] < 60,
                "{rotation}: {first:?} {last:?}"
            );
        }
    }
}
