use adit_scoring::curation::motion::{
    MotionDecision, MotionPolicy, MotionScore, MotionVector, decide_motion, motion_score,
    shrink_by_256,
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, Tolerance};
use serde_json::{Value, json};

use super::{exactly, number, settle, whole};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("curate", "motion.check_if_small_motion", |_, case| {
        check(case)
    });
    suite.on("curate", "motion.cv2_resize_1_256", |_, case| {
        let (height, width) = (whole(case, "H"), whole(case, "W"));
        let (a, b) = (whole(case, "a"), whole(case, "b"));
        let row = |y: u64| (0..width).map(move |x| ((y * 31 + x * 17 + a) % b) as f32 / b as f32);
        let pixels: Vec<f32> = (0..height).flat_map(row).collect();
        let shrunk = shrink_by_256(&pixels, width as usize, height as usize);
        let told = shrunk.map(|(columns, values)| {
            let rows: Vec<_> = values.chunks(columns).collect();
            json!({ "shape": [rows.len(), columns], "values": rows })
        });
        let tolerance = Tolerance {
            abs: 0.0,
            rel: 1e-5,
        };
        settle(case, told, tolerance)
    });
    suite.on("curate", "motion.sampling_plan", |_, case| {
        let policy = MotionPolicy {
            frames_per_second: number(case, "target_fps"),
            duration_share: number(case, "ratio"),
            ..MotionPolicy::original()
        };
        let length = whole(case, "container_duration_us");
        let plan = policy.sampling(number(case, "source_fps"), Some(length), None);
        let told = plan.map(|plan| {
            json!({
                "duration_s": plan.seconds,
                "max_frames": plan.frames_most,
                "sample_step": plan.step,
            })
        });
        exactly(case, told)
    });
}

fn check(case: &GoldenCase) -> Outcome {
    let policy = MotionPolicy {
        global_mean_least: number(case, "global_mean_threshold"),
        patch_least: number(case, "per_patch_min_256_threshold"),
        ..MotionPolicy::original()
    };
    let (height, width) = (whole(case, "H") as usize, whole(case, "W") as usize);
    let frames: Vec<Vec<[i32; 7]>> = serde_json::from_value(case.input["frames"].clone()).unwrap();
    let vector = |[width, height, x, y, motion_x, motion_y, scale]: [i32; 7]| MotionVector {
        width,
        height,
        x,
        y,
        motion_x,
        motion_y,
        scale: u16::try_from(scale).unwrap(),
    };
    let frames = frames
        .into_iter()
        .map(|frame| frame.into_iter().map(vector).collect());
    let frames: Vec<Vec<MotionVector>> = frames.collect();
    let score = match motion_score(&policy, width, height, &frames) {
        Ok(score) => score,
        Err(error) => return exactly(case, Err(error)),
    };
    let still = decide_motion(&policy, score.as_ref()) == MotionDecision::Still;
    let Some(score) = score else {
        let told = json!({
            "global_mean": -1.0, "per_patch_min_256": -1.0, "is_small_motion": still,
        });
        return exactly(case, Ok(told));
    };
    compare(case, &policy, &score, still)
}

fn compare(case: &GoldenCase, policy: &MotionPolicy, score: &MotionScore, still: bool) -> Outcome {
    let expected = &case.expected["ok"];
    let near = |found: f64, expected: &Value, rel: f64| {
        Tolerance { abs: 1e-9, rel }.accepts(found, expected.as_f64().unwrap())
    };
    if !near(score.global_mean, &expected["global_mean"], 2e-5) {
        return Outcome::Failed(format!("the mean is {}", score.global_mean));
    }
    if !near(score.patch_least, &expected["per_patch_min_256"], 1e-4) {
        return Outcome::Failed(format!("the least patch is {}", score.patch_least));
    }
    let rows: Vec<_> = score.patches.chunks(score.patch_columns).collect();
    if json!([rows.len(), score.patch_columns]) != expected["resized_shape"] {
        return Outcome::Failed(format!("{} rows of {}", rows.len(), score.patch_columns));
    }
    for (found, expected) in rows.iter().zip(expected["resized"].as_array().unwrap()) {
        for (found, expected) in found.iter().zip(expected.as_array().unwrap()) {
            if !near(*found, expected, 1e-4) {
                return Outcome::Failed(format!("a patch is {found}, expected {expected}"));
            }
        }
    }
    // The file allows either decision this near to a bound.
    let doubtful = (score.global_mean - policy.global_mean_least).abs() < 1e-7
        || (score.patch_least - policy.patch_least).abs() < 1e-7;
    let same = Some(still) == expected["is_small_motion"].as_bool();
    Outcome::when(same || doubtful, format!("still: {still}"))
}
