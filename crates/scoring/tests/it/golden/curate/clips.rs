use adit_scoring::{
    Result,
    curation::{
        clip_id::ClipUuid,
        scenes::{
            CutClip, LengthRounding, OverlongScene, SceneLengths, ScenePolicy, crop_scenes,
            filter_scenes, scene_clips, scenes_with_lost_tail,
        },
        shot_windows::{ShotWindow, shot_windows},
        spans::{FixedStride, FrameSpan, SecondsSpan, fixed_stride_spans, split_span},
        windows::{FrameWindow, caption_windows, overlapping_windows, padded_frames, source_times},
    },
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, Tolerance};
use serde_json::{Value, json};

use super::{exactly, flag, number, settle, whole};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("curate", "transnet.get_scenes", |_, case| {
        let scenes = scenes_with_lost_tail(&bits(case), flag(case, "entire_scene_as_clip"));
        exactly(case, Ok(pairs(&scenes)))
    });
    suite.on("curate", "transnet.create_spans", |_, case| {
        let span = FrameSpan {
            start: whole(case, "start"),
            end: whole(case, "end"),
        };
        let least = case.input["min_length"].as_u64();
        let spans = split_span(span, whole(case, "max_length"), least);
        exactly(case, spans.map(|spans| pairs(&spans)))
    });
    suite.on("curate", "transnet.crop_scenes", |_, case| {
        let cropped = crop_scenes(&spans(case), whole(case, "crop_length"));
        exactly(case, Ok(pairs(&cropped)))
    });
    suite.on("curate", "transnet.filtered_scenes", |_, case| {
        let lengths = SceneLengths {
            least: case.input["min_length"].as_u64(),
            most: case.input["max_length"].as_u64(),
            crop: case.input["crop_length"].as_u64(),
        };
        let overlong = overlong(&case.input["max_length_mode"]);
        let kept = filter_scenes(&spans(case), lengths, overlong);
        exactly(case, kept.map(|kept| pairs(&kept)))
    });
    suite.on("curate", "transnet.frame_lengths", |_, case| {
        let policy = ScenePolicy {
            least_seconds: case.input["min_length_s"].as_f64(),
            least_frames: case.input["min_length_frames"].as_u64(),
            most_seconds: case.input["max_length_s"].as_f64(),
            crop_seconds: case.input["crop_s"].as_f64(),
            ..ScenePolicy::original()
        };
        let told = |lengths: SceneLengths| {
            json!({
                "min_length": lengths.least,
                "max_length": lengths.most,
                "crop_length": lengths.crop,
            })
        };
        exactly(case, policy.lengths(number(case, "fps")).map(told))
    });
    suite.on("curate", "transnet.clips_curate", |_, case| {
        let policy = ScenePolicy {
            least_frames: case.input["min_length_frames"].as_u64(),
            ..ScenePolicy::original()
        };
        clips(case, policy)
    });
    suite.on("curate", "transnet.clips_nemo", |_, case| {
        let policy = ScenePolicy {
            rounding: LengthRounding::Down,
            ..ScenePolicy::original_nemo()
        };
        clips(case, policy)
    });
    suite.on("curate", "transnet.batch_index_layout", |_, case| {
        let windows = shot_windows(whole(case, "num_frames"), false);
        let told = |(place, window): (usize, ShotWindow)| {
            // The vectors list the frames only of short videos.
            let listed = !case.expected["ok"][place]["idx"].is_null();
            let frames = listed.then(|| window.indices().collect::<Vec<_>>());
            json!({
                "len": window.frames(),
                "first": window.indices().next(),
                "last": window.indices().last(),
                "lead_pad": window.lead,
                "idx": frames,
            })
        };
        let told: Vec<_> = windows.enumerate().map(told).collect();
        exactly(case, Ok(json!(told)))
    });
    suite.on("curate", "fixed_stride.spans_curate", |_, case| {
        let source = case.input["session_id"].as_str().unwrap();
        let spans = fixed_stride_spans(number(case, "start"), number(case, "end"), stride(case));
        let told = |spans: Vec<SecondsSpan>| {
            let ids = spans.iter().map(|span| ClipUuid::of_seconds(source, *span));
            let ids: Vec<_> = ids.map(|id| id.to_string()).collect();
            let spans: Vec<_> = spans.iter().map(|span| [span.start, span.end]).collect();
            json!({ "spans": spans, "uuids": ids })
        };
        settle(case, spans.map(told), Tolerance::absolute(1e-12))
    });
    suite.on("curate", "fixed_stride.clips_nemo", |_, case| {
        let source = case.input["path"].as_str().unwrap();
        let rate = number(case, "fps");
        let end = number(case, "num_frames") / rate;
        let clips = fixed_stride_spans(0.0, end, stride(case)).map(|spans| {
            let clips = spans.into_iter().map(|span| CutClip {
                id: ClipUuid::of_seconds_in_frames(source, span, rate),
                span,
            });
            told_clips(&clips.collect::<Vec<_>>())
        });
        settle(case, clips, Tolerance::absolute(1e-12))
    });
    suite.on("curate", "windows.compute_windows", |_, case| {
        let (frames, size) = (whole(case, "total_frames"), whole(case, "window_size"));
        let least = whole(case, "remainder_threshold");
        let windows = caption_windows(frames, size, least).map(|windows| ends(&windows));
        if least == 0 && frames > size && frames.checked_rem(size) == Some(0) {
            let mut whole_ones = case.expected["ok"].as_array().unwrap().clone();
            let empty = whole_ones.pop();
            let same = windows.is_ok_and(|found| found == json!(whole_ones));
            return if same && empty == Some(json!([frames, frames - 1])) {
                Outcome::Deviates("no-empty-window")
            } else {
                Outcome::Failed("more differs than the empty window".to_owned())
            };
        }
        exactly(case, windows)
    });
    suite.on("curate", "windows.source_time", |_, case| {
        let [start, end]: [f64; 2] = serde_json::from_value(case.input["span"].clone()).unwrap();
        let window = FrameWindow {
            first: whole(case, "start_frame"),
            last: whole(case, "end_frame"),
        };
        let frames = whole(case, "native_frame_count");
        let times = source_times(SecondsSpan { start, end }, window, frames);
        let told = times.map(|times| json!([times.start, times.end]));
        settle(case, told, Tolerance::absolute(1e-9))
    });
    suite.on("curate", "super_resolution.windows", |_, case| {
        let group = whole(case, "sp_size");
        let frames = whole(case, "total_frames");
        let (size, overlap) = (whole(case, "window_frames"), whole(case, "overlap_frames"));
        let told = |windows: Vec<FrameWindow>| -> Result<Value> {
            let told = windows.iter().enumerate().map(|(index, window)| {
                let length = window.last - window.first + 1;
                let padded = padded_frames(length, group)?;
                Ok(json!([index, window.first, length, padded]))
            });
            Ok(json!(told.collect::<Result<Vec<_>>>()?))
        };
        exactly(
            case,
            overlapping_windows(frames, size, overlap).and_then(told),
        )
    });
}

fn clips(case: &GoldenCase, policy: ScenePolicy) -> Outcome {
    let policy = ScenePolicy {
        least_seconds: case.input["min_length_s"].as_f64(),
        most_seconds: case.input["max_length_s"].as_f64(),
        overlong: overlong(&case.input["mode"]),
        crop_seconds: case.input["crop_s"].as_f64(),
        whole_video: flag(case, "entire"),
        ..policy
    };
    let source = case.input["path"].as_str().unwrap();
    let most = match whole(case, "limit_clips") {
        0 => usize::MAX,
        most => most as usize,
    };
    let clips = scene_clips(&policy, source, number(case, "fps"), &bits(case));
    let told = clips.map(|mut clips| {
        clips.truncate(most);
        told_clips(&clips)
    });
    settle(case, told, Tolerance::absolute(1e-9))
}

fn told_clips(clips: &[CutClip]) -> Value {
    let told = |clip: &CutClip| json!({ "uuid": clip.id.to_string(), "span": [clip.span.start, clip.span.end] });
    clips.iter().map(told).collect()
}

fn stride(case: &GoldenCase) -> FixedStride {
    FixedStride {
        length: number(case, "clip_len_s"),
        stride: number(case, "stride_s"),
        least: number(case, "min_len_s"),
    }
}

fn overlong(mode: &Value) -> OverlongScene {
    match mode.as_str() {
        Some("stride") => OverlongScene::Stride,
        Some("truncate") => OverlongScene::Truncate,
        other => panic!("an unknown mode: {other:?}"),
    }
}

fn bits(case: &GoldenCase) -> Vec<bool> {
    let runs: Vec<(u8, usize)> = serde_json::from_value(case.input["pred_rle"].clone()).unwrap();
    let runs = runs.into_iter().map(|(bit, length)| vec![bit == 1; length]);
    runs.flatten().collect()
}

fn spans(case: &GoldenCase) -> Vec<FrameSpan> {
    let scenes: Vec<(u64, u64)> = serde_json::from_value(case.input["scenes"].clone()).unwrap();
    let scenes = scenes
        .into_iter()
        .map(|(start, end)| FrameSpan { start, end });
    scenes.collect()
}

fn pairs(spans: &[FrameSpan]) -> Value {
    spans
        .iter()
        .map(|span| json!([span.start, span.end]))
        .collect()
}

fn ends(windows: &[FrameWindow]) -> Value {
    windows
        .iter()
        .map(|window| json!([window.first, window.last]))
        .collect()
}
