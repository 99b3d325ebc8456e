use std::collections::BTreeMap;

use adit_scoring::curation::text_overlay::{
    OverlayRules, OverlaySegment, TextBox, VideoShape, find_overlays,
};
use adit_testkit::{GoldenSuite, Tolerance};
use serde_json::{Value, json};

use super::{exactly, flag, number, settle, whole};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("curate", "artificial_text.iou", |_, case| {
        let text_box = |name: &str| {
            let [left, top, right, bottom] =
                serde_json::from_value(case.input[name].clone()).unwrap();
            TextBox {
                left,
                top,
                right,
                bottom,
            }
        };
        let overlap = text_box("a").overlap(text_box("b"));
        settle(case, Ok(json!(overlap)), Tolerance::absolute(1e-12))
    });
    suite.on("curate", "artificial_text.detect", |_, case| {
        let rules = OverlayRules {
            frame_interval: whole(case, "frame_interval"),
            frames_least: whole(case, "min_duration_frames"),
            stable_overlap: number(case, "stability_iou_threshold"),
            judge_corners: flag(case, "use_corner_detection"),
            corner_share: number(case, "min_duration_frames_corner_ratio"),
            ignore_corners: flag(case, "ignore_corner_region"),
            ..OverlayRules::original()
        };
        let shape = VideoShape {
            width: whole(case, "width") as u32,
            height: whole(case, "height") as u32,
            rate: number(case, "fps"),
        };
        let found: BTreeMap<u64, Vec<Vec<[f64; 2]>>> =
            serde_json::from_value(case.input["ocr"].clone()).unwrap();
        let frame = |frame: u64| {
            let text = found.get(&frame).into_iter().flatten();
            (
                frame,
                text.map(|corners| TextBox::around(corners)).collect(),
            )
        };
        let frames: Vec<_> = (0..whole(case, "num_frames")).map(frame).collect();
        let segments = find_overlays(&rules, shape, &frames);
        let told = segments.map(|segments| segments.iter().map(told).collect());
        exactly(case, told)
    });
}

fn told(segment: &OverlaySegment) -> Value {
    let mut told = json!({
        "start_frame": segment.start_frame,
        "end_frame": segment.end_frame,
        "start_time_sec": segment.start,
        "end_time_sec": segment.end,
        "duration_frames": segment.frames,
        "duration_seconds": segment.duration,
        "classification_reason": segment.reason,
    });
    if let Some(overlap) = segment.mean_overlap {
        told["avg_bbox_stability_iou"] = json!(overlap);
    }
    told
}
