use adit_embedding::{FramePlan, FrameScaling};
use adit_media::{Error, Fault};

use crate::footage::{COUNTED, ENCODED, Studio, fixture, media, number_of};

fn plan(times_ms: &[u64]) -> FramePlan {
    FramePlan {
        times_ms: times_ms.to_vec(),
        scaling: FrameScaling::Exact {
            width: 16,
            height: 8,
        },
    }
}

async fn numbers(path: &std::path::Path, start: u64, end: u64, times: &[u64]) -> Vec<u64> {
    let frames = media()
        .frames(path, start, end, &plan(times))
        .await
        .unwrap();
    assert_eq!(frames.times_ms, times);
    assert!(
        frames
            .frames
            .iter()
            .all(|frame| (frame.width, frame.height) == (16, 8))
    );
    assert!(
        frames
            .frames
            .iter()
            .all(|frame| frame.rgb.len() == 16 * 8 * 3)
    );
    frames.frames.iter().map(number_of).collect()
}

#[tokio::test]
async fn every_time_gets_the_frame_shown_then() {
    let studio = Studio::new();
    for name in ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.flv"] {
        // AVI stores no times, so that frames out of order get wrong ones.
        let path = match name {
            "a.avi" => studio.make(&format!("{COUNTED} {ENCODED} -bf 0"), name),
            _ => studio.counted(name),
        };
        for (start, times) in [
            (0, vec![0, 39, 40, 41, 1000, 3999]),
            (1000, vec![0, 500, 1000]),
            (1590, vec![0, 9, 10, 11, 777, 1601]),
            (1610, vec![7, 7, 7, 2000]),
            (3960, vec![0, 39]),
        ] {
            // Containers that are no index of frames may end a frame early.
            let duration = media().probe(&path).await.unwrap().duration_ms;
            let end = duration.min(4000);
            let times: Vec<u64> = times.into_iter().filter(|t| start + t < end).collect();
            if start >= end {
                continue;
            }
            let expected: Vec<u64> = times.iter().map(|time| (start + time) / 40).collect();
            assert_eq!(
                numbers(&path, start, end, &times).await,
                expected,
                "{name} from {start} at {times:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_variable_frame_rate_is_read_by_its_times() {
    let studio = Studio::new();
    let kept = [0_u64, 1, 2, 30, 31, 70, 99];
    let terms: Vec<String> = kept.iter().map(|n| format!("eq(n\\,{n})")).collect();
    let source = format!(
        "{COUNTED},select={} -fps_mode vfr {ENCODED}",
        terms.join("+")
    );
    for name in ["v.mp4", "v.mkv"] {
        let path = studio.make(&source, name);
        let probe = media().probe(&path).await.unwrap();
        // Matroska keeps the encoder's nominal rate beside the true times.
        assert!(probe.variable_frame_rate || name == "v.mkv");
        assert_eq!(probe.duration_ms, 4000, "{name}");
        let times = [0, 50, 500, 1100, 1230, 1250, 2700, 2799];
        let expected: Vec<u64> = times
            .iter()
            .map(|time| *kept.iter().rfind(|n| **n * 40 <= 100 + time).unwrap())
            .collect();
        assert_eq!(numbers(&path, 100, 3900, &times).await, expected, "{name}");
    }
}

#[tokio::test]
async fn frames_keep_their_colours_and_shape() {
    let studio = Studio::new();
    let path = studio.make(
        "-f lavfi -i color=red:s=320x180:r=10:d=1 -f lavfi -i color=blue:s=320x180:r=10:d=1 \
         -filter_complex hstack -c:v libx264 -crf 6 -pix_fmt yuv420p",
        "halves.mp4",
    );
    let plan = FramePlan {
        times_ms: vec![0, 900],
        scaling: FrameScaling::ShortSide(45),
    };
    let frames = media().frames(&path, 0, 1000, &plan).await.unwrap();
    for frame in &frames.frames {
        assert_eq!((frame.width, frame.height), (160, 45));
        let pixel = |x: usize, y: usize| &frame.rgb[(y * 160 + x) * 3..][..3];
        assert!(
            pixel(20, 20)[0] > 240 && pixel(20, 20)[2] < 16,
            "red at the left"
        );
        assert!(
            pixel(140, 20)[2] > 240 && pixel(140, 20)[0] < 16,
            "blue at the right"
        );
    }
}

#[tokio::test]
async fn real_footage_differs_between_shots() {
    let frames = media()
        .frames(
            &fixture("bikes.mp4"),
            0,
            10_000,
            &plan(&[600, 2000, 4200, 9900]),
        )
        .await
        .unwrap();
    for pair in frames.frames.windows(2) {
        let bytes = pair[0].rgb.iter().zip(&pair[1].rgb);
        let difference: u32 = bytes.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        assert!(difference as usize > 10 * pair[0].rgb.len(), "{difference}");
    }
}

#[tokio::test]
async fn impossible_plans_are_our_own_fault() {
    let path = fixture("bikes.mp4");
    let too_many: Vec<u64> = (0..1000).collect();
    for times in [&[1000][..], &[5, 4], &too_many] {
        let error = media()
            .frames(&path, 1000, 2000, &plan(times))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Plan { .. }), "{error}");
        assert_eq!(error.fault(), Fault::Local);
    }
    let nothing = media().frames(&path, 1000, 2000, &plan(&[])).await.unwrap();
    assert!(nothing.frames.is_empty());
}
