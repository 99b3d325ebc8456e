use adit_scoring::curation::{
    sampling::{SamplingRange, least_common_multiple, nearest_frames, sample_frames},
    timestamps::{DecodeGroup, GridEnd, decode_plan, sample_window, timestamp_grid},
    vision_input::{
        PictureSize, PixelLimits, model_frames, model_picture_size, shortest_side_size,
    },
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, Tolerance};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{exactly, flag, number, settle, whole};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("curate", "sampling.find_closest_indices_f32", |_, case| {
        let (timestamps, moments) = (list::<f32>(case, "src"), list(case, "dst"));
        exactly(
            case,
            nearest_frames(&timestamps, &moments).map(|frames| json!(frames)),
        )
    });
    suite.on("curate", "sampling.sample_closest_f32", |_, case| {
        sample(case)
    });
    suite.on("curate", "sampling.lcm_multiple", |_, case| {
        let rates: Vec<f64> = list(case, "fps");
        let rates: Vec<u64> = rates.iter().map(|rate| *rate as u64).collect();
        exactly(
            case,
            least_common_multiple(&rates).map(|multiple| json!(multiple)),
        )
    });
    suite.on("curate", "sensors.make_ts_grid", |_, case| {
        let end = match case.input["end_ns"].as_i64() {
            Some(end) => GridEnd::Inclusive(end),
            None => GridEnd::Exclusive(case.input["exclusive_end_ns"].as_i64().unwrap()),
        };
        let start = case.input["start_ns"].as_i64().unwrap();
        let grid = timestamp_grid(start, end, number(case, "sample_rate_hz"));
        let told = grid.map(|grid| {
            let count = grid.points.len();
            let first = &grid.points[..count.min(12)];
            let last = &grid.points[count.saturating_sub(3)..];
            json!([grid.start, grid.exclusive_end, count, first, last])
        });
        exactly(case, told)
    });
    suite.on("curate", "sensors.sample_window_indices", |_, case| {
        let (samples, moments) = (list::<i64>(case, "canonical"), list(case, "timestamps"));
        let end = case.input["exclusive_end"].as_i64().unwrap();
        let tolerance = case.input["tolerance_ns"].as_u64();
        let found = sample_window(&samples, &moments, end, tolerance, flag(case, "dedup"));
        exactly(
            case,
            found.map(|found| json!([found.samples, found.counts])),
        )
    });
    suite.on("curate", "sensors.make_decode_plan", |_, case| {
        let frames = list::<i64>(case, "pts")
            .into_iter()
            .zip(list(case, "counts"));
        let plan = decode_plan(&list::<i64>(case, "kf"), &frames.collect::<Vec<_>>());
        let told = |group: &DecodeGroup| json!([group.keyframe, group.frames]);
        exactly(case, plan.map(|plan| plan.iter().map(told).collect()))
    });
    suite.on("curate", "vlm.smart_resize", |_, case| {
        let limits = PixelLimits {
            multiple: whole(case, "factor"),
            least: whole(case, "min_pixels"),
            most: whole(case, "max_pixels"),
        };
        let size = model_picture_size(size(case), limits);
        exactly(case, size.map(|size| json!([size.height, size.width])))
    });
    suite.on("curate", "vlm.smart_nframes", |_, case| {
        let frames = whole(case, "total_frames");
        let wanted = model_frames(frames, number(case, "video_fps"), number(case, "fps"));
        exactly(case, wanted.map(|wanted| json!(wanted)))
    });
    suite.on("curate", "shard.resize_by_shortest", |_, case| {
        let size = shortest_side_size(size(case), whole(case, "short"));
        exactly(case, size.map(|size| json!([size.width, size.height])))
    });
}

fn sample(case: &GoldenCase) -> Outcome {
    let (start, rate) = (number(case, "src_start"), number(case, "src_fps"));
    let frames = 0..whole(case, "n");
    let timestamps: Vec<f32> = frames
        .map(|frame| (start + frame as f64 / rate) as f32)
        .collect();
    let range = SamplingRange {
        rate: number(case, "sample_rate"),
        start: case.input["start"].as_f64(),
        stop: case.input["stop"].as_f64(),
        endpoint: flag(case, "endpoint"),
        deduplicate: flag(case, "dedup"),
    };
    let sampled = sample_frames(&timestamps, &range);
    if case.expected.get("error").is_some() {
        // The field indexes the last of no moments; ours has no frames then.
        let none = sampled.is_ok_and(|sampled| sampled.frames.is_empty());
        return if none && !range.endpoint {
            Outcome::Deviates("no-moments-no-frames")
        } else {
            Outcome::Failed("frames, or an error, where the field fails".to_owned())
        };
    }
    let told = sampled.map(|sampled| json!([sampled.frames, sampled.counts, sampled.moments]));
    // The tolerance is for the moments; places and counts differ by whole numbers.
    settle(case, told, Tolerance::absolute(1e-5))
}

fn size(case: &GoldenCase) -> PictureSize {
    PictureSize {
        width: whole(case, "width"),
        height: whole(case, "height"),
    }
}

fn list<T: DeserializeOwned>(case: &GoldenCase, name: &str) -> Vec<T> {
    serde_json::from_value(case.input[name].clone()).unwrap()
}
