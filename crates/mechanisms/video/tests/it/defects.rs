//! Every way in which a single clip can be wrong.

use std::{path::PathBuf, process::Command};

use adit_mechanism_video::{ClaimedClip, PackedVector};
use adit_protocol::v1;

use crate::{
    origin::{Reply, nobody},
    subnet::{Subnet, refusals, scores},
};

fn at(clip: &ClaimedClip, start_ms: u64, end_ms: u64) -> ClaimedClip {
    ClaimedClip {
        start_ms,
        end_ms,
        ..clip.clone()
    }
}

fn from(clip: &ClaimedClip, source_url: impl Into<String>) -> ClaimedClip {
    ClaimedClip {
        source_url: source_url.into(),
        ..clip.clone()
    }
}

fn named(clip: &ClaimedClip, video_id: &str) -> ClaimedClip {
    ClaimedClip {
        video_id: video_id.to_owned(),
        ..clip.clone()
    }
}

/// The clip with its video vector changed on the wire.
fn spoiled(clip: &ClaimedClip, spoil: fn(&mut v1::Vector)) -> ClaimedClip {
    let mut wire = v1::Vector::from(clip.video.clone().unwrap());
    spoil(&mut wire);
    ClaimedClip {
        video: Some(PackedVector::from(wire)),
        ..clip.clone()
    }
}

fn floats(value: f32, vector: &v1::Vector) -> Vec<u8> {
    value.to_le_bytes().repeat(vector.dimension as usize)
}

/// Ways to be wrong that the bytes of the answer show. None of these clips is fetched.
async fn malformed(subnet: &Subnet, good: &ClaimedClip) -> Vec<(&'static str, ClaimedClip)> {
    let vector = |spoil| spoiled(good, spoil);
    let stranger = nobody().await;
    vec![
        (
            "vector_missing",
            ClaimedClip {
                video: None,
                ..good.clone()
            },
        ),
        (
            "vector_missing",
            ClaimedClip {
                text: None,
                ..good.clone()
            },
        ),
        (
            "vector_space",
            ClaimedClip {
                video: good.text.clone(),
                ..good.clone()
            },
        ),
        (
            "vector_space",
            ClaimedClip {
                text: good.video.clone(),
                ..good.clone()
            },
        ),
        (
            "vector_space",
            ClaimedClip {
                audio: good.video.clone(),
                ..good.clone()
            },
        ),
        ("vector_space", vector(|vector| vector.space.clear())),
        ("vector_length", vector(|vector| vector.dimension = 3)),
        ("vector_length", vector(|vector| vector.encoding = 77)),
        (
            "vector_length",
            vector(|vector| vector.values = vec![1; 5].into()),
        ),
        (
            "vector_not_finite",
            vector(|vector| vector.values = floats(f32::NAN, vector).into()),
        ),
        (
            "vector_not_finite",
            vector(|vector| {
                vector.values = floats(f32::NEG_INFINITY, vector).into();
            }),
        ),
        (
            "vector_zero",
            vector(|vector| vector.values = floats(0.0, vector).into()),
        ),
        ("source_address", from(good, "file:///etc/passwd")),
        ("source_address", from(good, "ftp://media.example/a.mp4")),
        ("source_address", from(good, "data:video/mp4;base64,AAAA")),
        ("source_address", from(good, "http://")),
        ("source_address", from(good, "no address at all")),
        ("source_address", from(good, "")),
        (
            "identifier",
            from(good, format!("http://{stranger}/{}", "a".repeat(3_000))),
        ),
        ("identifier", named(good, "")),
        ("identifier", named(good, "two\nlines")),
        ("identifier", named(good, &"n".repeat(300))),
        (
            "vector_missing",
            subnet
                .saying(
                    &ClaimedClip {
                        video: None,
                        ..good.clone()
                    },
                    "",
                )
                .await,
        ),
    ]
}

/// Ways to be wrong that only show once the source is fetched, or that cost the clip alone.
async fn unsound(subnet: &Subnet, good: &ClaimedClip) -> Vec<(&'static str, ClaimedClip)> {
    let origin = &subnet.origin;
    let text = origin.serve("/text.mp4", Reply::Bytes(b"I am no video.\n".repeat(99)));
    let empty = origin.serve("/empty.mp4", Reply::Bytes(Vec::new()));
    let whole = std::fs::read(crate::origin::recording("bikes.mp4")).unwrap();
    let cut = origin.serve("/cut.mp4", Reply::Bytes(whole[..100_000].to_vec()));
    let gone = origin.serve("/gone.mp4", Reply::HangUp);
    let private = nobody().await;
    let end = subnet.clip("bikes.mp4", 9_000, 10_000).await;
    let bunny = subnet.clip("bigbuckbunny.mp4", 0, 2_000).await;
    let whole_bikes = subnet.clip("bikes.mp4", 0, 9_000).await;
    let blink = subnet.clip("bikes.mp4", 0, 500).await;
    vec![
        ("beyond_source", at(&end, 9_000, 11_000)),
        ("source_invalid", at(good, 20_000, 22_000)),
        ("source_invalid", at(good, u64::MAX - 2_000, u64::MAX)),
        ("bad_interval", at(good, 3_000, 1_000)),
        ("bad_interval", at(good, 3_000, 3_000)),
        ("too_short", blink),
        ("too_long", whole_bikes),
        ("mismatch", at(good, 0, 1_200)),
        ("source_invalid", from(good, text)),
        ("source_invalid", from(good, empty)),
        ("source_invalid", from(good, cut)),
        ("source_invalid", from(good, origin.url("/missing.mp4"))),
        (
            "source_invalid",
            from(good, format!("http://{private}/bikes.mp4")),
        ),
        (
            "source_invalid",
            from(good, "http://169.254.169.254/latest/meta-data"),
        ),
        ("origin_unreachable", from(good, gone)),
        (
            "mismatch",
            from(&at(good, 0, 2_000), bunny.source_url.clone()),
        ),
        // A sound that is not there, and one that is left out.
        (
            "mismatch",
            ClaimedClip {
                audio: bunny.audio.clone(),
                ..good.clone()
            },
        ),
        (
            "sound_withheld",
            ClaimedClip {
                audio: None,
                ..bunny.clone()
            },
        ),
        ("description_empty", subnet.saying(good, "").await),
        (
            "description_empty",
            subnet.saying(good, " .,;\u{200b} ").await,
        ),
        (
            "description_too_long",
            subnet.saying(good, &"cars ".repeat(200_000)).await,
        ),
        (
            "description_stuffed",
            subnet.saying(good, &"cars ".repeat(20)).await,
        ),
        ("not_relevant", subnet.saying(good, "penguins").await),
        (
            "text_mismatch",
            ClaimedClip {
                text: Some(subnet.text("penguins").await),
                ..good.clone()
            },
        ),
    ]
}

#[tokio::test]
async fn each_defect_costs_its_own_answer_and_no_other() {
    let subnet = Subnet::start().await;
    let good = subnet.clip("bikes.mp4", 5_480, 7_480).await;
    let alone = subnet.judge(1, &[vec![good.clone()]]).await.unwrap();
    let mut cases = malformed(&subnet, &good).await;
    cases.extend(unsound(&subnet, &good).await);
    let mut answers: Vec<Vec<ClaimedClip>> =
        cases.iter().map(|(_, clip)| vec![clip.clone()]).collect();
    answers.push(vec![good]);
    let judged = subnet.judge(1, &answers).await.unwrap();
    assert_eq!(judged.scores.len(), cases.len() + 1);
    for (score, (reason, clip)) in judged.scores.iter().zip(&cases) {
        let evidence = &score.evidence["answer"]["clips"][0];
        let shown: String = format!("{clip:?}").chars().take(200).collect();
        let shown = format!("{shown}… {evidence}");
        assert_eq!(score.reasons, [*reason], "{shown}");
        assert_eq!(score.score.get(), 0.0, "{shown}");
    }
    assert!(scores(&alone)[0] > 0.0);
    assert_eq!(scores(&judged).last(), scores(&alone).last());
    let accepted = judged.items.iter().filter(|item| item.accepted).count();
    assert_eq!(accepted, 1);
    assert_eq!(subnet.origin.requests("/gone.mp4"), 3);
    assert_eq!(subnet.origin.requests("/text.mp4"), 1);
}

#[tokio::test]
async fn clips_beyond_those_wanted_do_not_count() {
    let subnet = Subnet::start().await;
    let mut clips = Vec::new();
    for (start, end) in [(0, 1_200), (1_200, 3_040), (3_040, 5_480), (5_480, 7_480)] {
        clips.push(subnet.clip("bikes.mp4", start, end).await);
    }
    let alone = subnet.judge(1, &[clips.clone()]).await.unwrap();
    let filler = at(&clips[0], 7_480, 9_680);
    clips.resize(500, filler);
    let judged = subnet.judge(1, &[clips]).await.unwrap();
    assert_eq!(scores(&judged), scores(&alone));
    let refusals = refusals(&judged, 0);
    // Enough are shown to name the excess.
    assert_eq!(refusals.len(), 12);
    assert!(refusals[..4].iter().all(Option::is_none), "{refusals:?}");
    assert_eq!(refusals[4..], [Some("beyond_wanted"); 8]);
}

#[tokio::test]
async fn footage_counts_once_within_an_answer() {
    let subnet = Subnet::start().await;
    let good = subnet.clip("bikes.mp4", 5_480, 7_480).await;
    let shifted = subnet.clip("bikes.mp4", 5_600, 7_400).await;
    let address = good.source_url.clone();
    let again = [
        ("duplicate_id", good.clone()),
        ("overlap", named(&good, "renamed")),
        ("overlap", named(&shifted, "shifted")),
        ("overlap", from(&shifted, format!("{address}#part"))),
        (
            "duplicate_in_answer",
            from(&shifted, format!("{address}?copy")),
        ),
    ];
    let alone = subnet.judge(1, &[vec![good.clone()]]).await.unwrap();
    for (reason, copy) in again {
        let judged = subnet.judge(1, &[vec![good.clone(), copy]]).await.unwrap();
        assert_eq!(refusals(&judged, 0), [None, Some(reason)]);
        assert_eq!(scores(&judged), scores(&alone), "{reason}");
    }
}

#[tokio::test]
async fn an_unreachable_origin_vouches_for_nothing() {
    let subnet = Subnet::start().await;
    let gone = subnet.origin.serve("/gone.mp4", Reply::HangUp);
    let mut clips = Vec::new();
    for (start, end) in [(0, 1_200), (1_200, 3_040), (3_040, 5_480), (5_480, 7_480)] {
        clips.push(from(
            &subnet.clip("bikes.mp4", start, end).await,
            gone.clone(),
        ));
    }
    let judged = subnet.judge(1, &[clips]).await.unwrap();
    assert_eq!(judged.scores[0].verdict, "scored");
    assert_eq!(scores(&judged), [0.0]);
    let refusals = refusals(&judged, 0);
    let count = |code| refusals.iter().filter(|one| **one == Some(code)).count();
    assert_eq!((count("origin_unreachable"), count("not_vouched")), (1, 3));
    assert!(judged.batch.is_none());
}

/// A clip beyond the end of its source is refused also when another one was fetched in its place.
#[tokio::test]
async fn no_unsampled_clip_reaches_beyond_its_source() {
    let subnet = Subnet::start().await;
    let good = subnet.clip("bikes.mp4", 5_480, 7_480).await;
    let other = subnet.clip("bikes.mp4", 0, 1_200).await;
    let mut vouched = 0;
    for task in 0..3 {
        let beyond = at(&other, 1 << 50, (1 << 50) + 2_000);
        let near = at(&other, 12_000, 14_000);
        for invented in [beyond, near] {
            let judged = subnet.judge(task, &[vec![good.clone(), invented]]).await;
            let judged = judged.unwrap();
            let refusals = refusals(&judged, 0);
            match judged.scores[0].verdict.as_str() {
                "scored" => {
                    vouched += 1;
                    assert_eq!(refusals, [None, Some("beyond_source")]);
                }
                _ => assert_eq!(judged.scores[0].reasons, ["source_invalid"]),
            }
        }
    }
    assert!(vouched > 0, "chance never chose the honest clip");
}

/// Makes a video with ffmpeg's own generators.
pub(crate) fn generated(folder: &std::path::Path, name: &str, source: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ffmpeg")
        .args([
            "-nostdin",
            "-loglevel",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            source,
        ])
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    path
}
