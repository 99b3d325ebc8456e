//! What holds of curation whatever it is given: no panic, and nothing that contradicts itself.

use std::collections::BTreeSet;

use adit_scoring::curation::{
    answers::{
        AnswerPolicy, JsonValue, LabelRules, extract_events, judge_criteria, judge_labels,
        read_labels, read_labels_with_care,
    },
    clip_id::{ClipUuid, shortest_decimal},
    clusters::k_means,
    duplicates::{
        DuplicatePolicy, KeepOrder, centre_distances, find_duplicates, find_ranked_duplicates,
        preference, unit_rows,
    },
    grouping::{chunks_by_weight, even_chunks},
    minhash::{HashWidth, bucket_edges, content_name, hash_bands, hash_permutations},
    motion::{MotionPolicy, MotionVector, decide_motion, motion_score, shrink_by_256},
    sampling::{SamplingRange, least_common_multiple, nearest_frames, sample_frames},
    scenes::{
        LengthRounding, OverlongScene, SceneLengths, ScenePolicy, crop_scenes, filter_scenes,
        runs_between_transitions, scene_clips, scenes_with_lost_tail, transitions,
    },
    shards::{ShardLimits, VideoBin, pack_shards, video_hours_per_gpu_day},
    shot_windows::shot_windows,
    spans::{FixedStride, FrameSpan, SecondsSpan, fixed_stride_spans, split_span},
    text_overlay::{OverlayRules, TextBox, VideoShape, find_overlays},
    timestamps::{GridEnd, decode_plan, sample_window, timestamp_grid},
    vision_input::{
        PictureSize, PixelLimits, model_frames, model_picture_size, shortest_side_size,
    },
    windows::{FrameWindow, caption_windows, overlapping_windows, padded_frames, source_times},
};
use proptest::{collection::vec, prelude::*};

/// Any float, and often one that matters.
fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -1e3..1e3,
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
    ]
}

fn single() -> impl Strategy<Value = f32> {
    prop_oneof![4 => -2.0_f32..2.0, 1 => float().prop_map(|number| number as f32)]
}

/// Any count, mostly one that a video might have.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..5_000, 1 => any::<u64>()]
}

fn scene_policy() -> impl Strategy<Value = ScenePolicy> {
    let seconds = || proptest::option::of(float());
    let lengths = (
        seconds(),
        proptest::option::of(count()),
        seconds(),
        seconds(),
    );
    (lengths, any::<[bool; 4]>()).prop_map(|(lengths, flags)| {
        let (least_seconds, least_frames, most_seconds, crop_seconds) = lengths;
        ScenePolicy {
            least_seconds,
            least_frames,
            most_seconds,
            crop_seconds,
            overlong: if flags[0] {
                OverlongScene::Stride
            } else {
                OverlongScene::Truncate
            },
            rounding: if flags[1] {
                LengthRounding::Up
            } else {
                LengthRounding::Down
            },
            whole_video: flags[2],
            keep_last_frame: flags[3],
            ..ScenePolicy::hardened()
        }
    })
}

/// What models write, and what breaks it.
fn answer() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just("\""),
        Just("\\\""),
        Just("\\u12"),
        Just("\"a\": \"yes\""),
        Just("\"b c\": \"no\""),
        Just(","),
        Just(":"),
        Just("\n"),
        Just("</think>"),
        Just("<answer>"),
        Just("```json\n"),
        Just("```"),
        Just("\"events\":"),
        Just("NaN"),
        Just("-1e9"),
        Just("é"),
        Just("\u{0}"),
    ];
    prop_oneof![
        4 => vec(piece, 0..30).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn scenes_are_in_order_and_in_the_video(
        transition in vec(prop::bool::weighted(0.1), 0..400),
        whole in any::<bool>(),
        policy in scene_policy(),
        rate in float(),
    ) {
        let frames = transition.len() as u64;
        for scenes in [
            scenes_with_lost_tail(&transition, whole),
            runs_between_transitions(&transition, whole),
        ] {
            prop_assert!(scenes.iter().all(|scene| scene.start <= scene.end && scene.end <= frames));
            prop_assert!(scenes.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
        for scene in runs_between_transitions(&transition, whole) {
            let run = &transition[scene.start as usize..scene.end as usize];
            prop_assert!(!run.is_empty() && run.iter().all(|now| !now));
        }
        let _ = scene_clips(&policy, "film", rate, &transition);
        let clips = scene_clips(&ScenePolicy::hardened(), "film", 5.0, &transition).unwrap();
        let ids: BTreeSet<_> = clips.iter().map(|clip| clip.id).collect();
        prop_assert_eq!(ids.len(), clips.len());
        prop_assert!(clips.iter().all(|clip| clip.span.end <= frames as f64 / 5.0));
    }

    #[test]
    fn scenes_take_any_bounds(
        bounds in vec((count(), count()), 0..20),
        lengths in any::<[Option<u64>; 3]>(),
        small in any::<[Option<u8>; 3]>(),
        probabilities in vec(single(), 0..50),
    ) {
        let scenes: Vec<_> = bounds.iter().map(|(start, end)| FrameSpan { start: *start, end: *end }).collect();
        let [least, most, crop] = lengths;
        let small = small.map(|length| length.map(u64::from));
        for overlong in [OverlongScene::Stride, OverlongScene::Truncate] {
            let _ = filter_scenes(&scenes, SceneLengths { least, most, crop }, overlong);
            let [least, most, crop] = small;
            let lengths = SceneLengths { least, most, crop };
            if let Ok(kept) = filter_scenes(&scenes, lengths, overlong) {
                let most = most.unwrap_or(u64::MAX);
                prop_assert!(kept.iter().all(|scene| scene.frames() <= most));
                prop_assert!(kept.iter().all(|scene| scene.frames() >= least.unwrap_or(0)));
            }
        }
        let cropped = crop_scenes(&scenes, crop.unwrap_or(1));
        prop_assert!(cropped.iter().all(|scene| scene.frames() > 0));
        prop_assert_eq!(transitions(&probabilities, f32::NAN), vec![false; probabilities.len()]);
    }

    #[test]
    fn pieces_cover_what_they_are_cut_from(
        start in float(),
        end in float(),
        numbers in [float(), float(), float()],
        span in (0_u64..3_000, 0_u64..3_000),
        most in count(),
        name in any::<String>(),
    ) {
        let [length, stride, least] = numbers;
        let _ = fixed_stride_spans(start, end, FixedStride { length, stride, least });
        let cut = FixedStride { length: 3.0, stride: 3.0, least: 0.0 };
        let end = (start.abs() % 1e3) + 1.0;
        if let Ok(spans) = fixed_stride_spans(0.0, end, cut) {
            prop_assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert_eq!(spans.last().unwrap().end, end);
        }
        let span = FrameSpan { start: span.0, end: span.1 };
        if let Ok(pieces) = split_span(span, most, None) {
            prop_assert_eq!(pieces.iter().map(|piece| piece.frames()).sum::<u64>(), span.frames());
        }
        let seconds = SecondsSpan { start, end: least };
        let _ = (ClipUuid::of_seconds(&name, seconds), ClipUuid::of_frames(&name, span));
        let _ = ClipUuid::of_seconds_in_frames(&name, seconds, stride);
        if !start.is_nan() {
            prop_assert_eq!(shortest_decimal(start).parse::<f64>().unwrap(), start);
        }
    }

    #[test]
    fn windows_cover_their_clip(
        frames in count(),
        size in count(),
        other in count(),
        start in float(),
        end in float(),
    ) {
        if let Ok(windows) = caption_windows(frames, size, other)
            && frames >= 4
        {
            prop_assert_eq!(windows[0].first, 0);
            prop_assert_eq!(windows.last().unwrap().last, frames - 1);
            prop_assert!(windows.iter().all(|window| window.first <= window.last));
            prop_assert!(windows.windows(2).all(|pair| pair[0].last + 1 == pair[1].first));
        }
        if let Ok(windows) = overlapping_windows(frames, size, other)
            && frames > 0
        {
            prop_assert_eq!(windows.last().unwrap().last, frames - 1);
            prop_assert!(windows.windows(2).all(|pair| pair[1].first <= pair[0].last + 1));
        }
        if let Ok(padded) = padded_frames(frames, other) {
            prop_assert!(padded >= frames);
        }
        let window = FrameWindow { first: size, last: other };
        let _ = source_times(SecondsSpan { start, end }, window, frames);
        prop_assert!(shot_windows(frames, true).take(5).all(|window| window.frames() == 100));
    }

    #[test]
    fn pictures_and_frames_fit_their_limits(
        sides in (count(), count()),
        multiple in count(),
        pixels in (count(), count()),
        rates in (float(), float()),
        frames in count(),
    ) {
        let size = PictureSize { width: sides.0, height: sides.1 };
        let limits = PixelLimits { multiple, least: pixels.0, most: pixels.1 };
        if let Ok(fitted) = model_picture_size(size, limits) {
            prop_assert!(fitted.width.is_multiple_of(multiple) && fitted.height.is_multiple_of(multiple));
        }
        if let Ok(wanted) = model_frames(frames, rates.0, rates.1) {
            prop_assert!(wanted >= 2 && wanted <= frames.min(768) && wanted % 2 == 0);
        }
        if let Ok(scaled) = shortest_side_size(size, multiple) {
            prop_assert_eq!(scaled.width.min(scaled.height), multiple.min(scaled.width.max(scaled.height)));
        }
        let _ = VideoBin::of(size, rates.0);
        let _ = video_hours_per_gpu_day(rates.0, rates.1, frames as u32, multiple as u32);
    }

    #[test]
    fn lists_are_cut_without_loss(
        weights in vec(count(), 0..60),
        least in count(),
        parts in 0_usize..20,
        drop in any::<bool>(),
    ) {
        let chunks = chunks_by_weight(weights.iter().copied(), least, false);
        prop_assert!(chunks.iter().cloned().flatten().eq(0..weights.len()));
        let dropped = chunks_by_weight(weights.iter().copied(), least, true);
        prop_assert!(chunks.starts_with(&dropped) && chunks.len() - dropped.len() <= 1);
        let _ = even_chunks(weights.len(), parts);
        let limits = ShardLimits {
            bytes: least,
            drop_small_tail: drop,
            clips_least: parts,
            shards_per_part: parts,
        };
        if let Ok(shards) = pack_shards(&weights, &limits) {
            let clips = shards.iter().flat_map(|shard| shard.clips.clone());
            let packed = clips.clone().count();
            prop_assert!(clips.eq(0..packed));
            prop_assert!(drop || packed == weights.len());
        }
    }

    #[test]
    fn samples_are_the_nearest(
        timestamps in vec(single(), 0..40),
        moments in vec(single(), 0..20),
        bounds in (proptest::option::of(float()), proptest::option::of(float())),
        rate in float(),
        flags in any::<[bool; 2]>(),
        rates in vec(count(), 0..6),
    ) {
        let range = SamplingRange {
            rate: if flags[0] { rate } else { 7.0 },
            start: bounds.0,
            stop: bounds.1,
            endpoint: flags[0],
            deduplicate: flags[1],
        };
        // A range that is finite but wide takes millions of samples; that is allowed, but slow here.
        let wide = |bound: &Option<f64>| bound.is_some_and(|bound| bound.abs() > 1e3);
        if !wide(&bounds.0) && !wide(&bounds.1) && (rate.is_nan() || rate.abs() <= 1e3) {
            let _ = sample_frames(&timestamps, &range);
        }
        let mut sorted: Vec<f32> = timestamps.iter().copied().filter(|time| time.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        if let Ok(nearest) = nearest_frames(&sorted, &moments) {
            for (moment, place) in moments.iter().zip(nearest) {
                let distance = (sorted[place] - moment).abs();
                prop_assert!(sorted.iter().all(|time| distance <= (time - moment).abs()));
            }
        }
        let _ = nearest_frames(&timestamps, &moments);
        if let Ok(multiple) = least_common_multiple(&rates) {
            prop_assert!(rates.iter().all(|rate| multiple.is_multiple_of(*rate)));
        }
    }

    #[test]
    fn sensors_take_any_list(
        times in vec(any::<i64>(), 0..20),
        more in vec(-500_i64..500, 0..20),
        rate in float(),
        span in 0_i64..10_000_000_000,
        counts in vec(any::<u64>(), 20),
        tolerance in proptest::option::of(any::<u64>()),
        exclusive in any::<bool>(),
    ) {
        let start = times.first().copied().unwrap_or_default();
        let end = start.saturating_add(span);
        let end = if exclusive { GridEnd::Exclusive(end) } else { GridEnd::Inclusive(end) };
        if (rate.is_nan() || rate.abs() <= 1e4)
            && let Ok(grid) = timestamp_grid(start, end, rate)
        {
            prop_assert!(grid.points.is_sorted_by(|one, next| one < next));
            prop_assert!(grid.points.iter().all(|point| *point < grid.exclusive_end));
        }
        let _ = timestamp_grid(start, GridEnd::Inclusive(i64::MAX), 1e-9);
        let ascending = |list: &[i64]| -> Vec<i64> {
            list.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
        };
        let _ = sample_window(&times, &more, span, tolerance, exclusive);
        let (samples, moments) = (ascending(&more), ascending(&times));
        for (samples, moments) in [(&samples, &moments), (&moments, &samples)] {
            if let Ok(found) = sample_window(samples, moments, i64::MAX, None, exclusive) {
                let served: usize = found.counts.iter().sum();
                prop_assert!(served == 0 || served == moments.len());
            }
            let frames: Vec<_> = moments.iter().copied().zip(counts.iter().copied()).collect();
            if let Ok(plan) = decode_plan(samples, &frames) {
                prop_assert!(plan.iter().flat_map(|group| group.frames.clone()).eq(frames));
            }
        }
        let frames: Vec<_> = times.iter().copied().zip(counts).collect();
        let _ = decode_plan(&times, &frames);
    }

    #[test]
    fn boxes_and_motion_take_any_numbers(
        corners in vec([float(), float()], 0..6),
        boxes in vec(any::<[i32; 4]>(), 0..12),
        vectors in vec(any::<([i32; 4], u16)>(), 0..12),
        rate in float(),
        interval in count(),
        length in proptest::option::of(count()),
    ) {
        let _ = TextBox::around(&corners);
        let boxes: Vec<_> = boxes.iter().map(|[left, top, right, bottom]| TextBox {
            left: *left, top: *top, right: *right, bottom: *bottom,
        }).collect();
        for one in &boxes {
            for other in &boxes {
                prop_assert!(one.overlap(*other).is_finite());
            }
        }
        let rules = OverlayRules { frame_interval: interval, ..OverlayRules::original() };
        let shape = VideoShape { width: 640, height: 480, rate };
        let frames: Vec<_> = (0..).zip(boxes.chunks(2).map(<[TextBox]>::to_vec)).collect();
        let _ = find_overlays(&rules, shape, &frames);
        let vectors: Vec<_> = vectors.iter().map(|([x, y, motion_x, motion_y], scale)| MotionVector {
            width: 16, height: 8, x: *x, y: *y, motion_x: *motion_x, motion_y: *motion_y, scale: *scale,
        }).collect();
        for policy in [MotionPolicy::original(), MotionPolicy::hardened()] {
            if let Ok(score) = motion_score(&policy, 300, 260, std::slice::from_ref(&vectors)) {
                let score = score.unwrap();
                prop_assert!(score.global_mean >= 0.0 && score.patch_least >= 0.0);
                let _ = decide_motion(&policy, Some(&score));
            }
            let _ = policy.sampling(rate, length, Some(interval));
        }
        let pixels: Vec<f32> = corners.concat().iter().map(|number| *number as f32).collect();
        let _ = shrink_by_256(&pixels, interval as usize, pixels.len());
    }

    #[test]
    fn answers_take_any_text(
        answers in vec((0_u64..4, answer()), 0..5),
        threshold in float(),
        flags in any::<[bool; 5]>(),
    ) {
        for (_, answer) in &answers {
            let _ = extract_events(answer);
            // What the field reads, care reads too.
            if read_labels(answer).is_some() {
                prop_assert!(read_labels_with_care(answer).is_some() || answer.contains("\\\""));
            }
        }
        let policy = AnswerPolicy {
            rejected_most: threshold,
            score_only: flags[0],
            careful_reading: flags[1],
            readable_only: flags[2],
            pass_unreadable: flags[3],
            any_case: flags[4],
            ..AnswerPolicy::original()
        };
        let answers: Vec<_> = answers.iter().map(|(window, answer)| (*window, answer.as_str())).collect();
        let verdict = judge_criteria(&policy, &answers, &["a", "b c"]);
        prop_assert!(!flags[0] || verdict.passes);
        let rules = LabelRules { block: vec!["a".to_owned()], ..LabelRules::default() };
        let verdict = judge_labels(&policy, &answers, &rules);
        prop_assert!(!flags[0] || verdict.passes);
    }

    #[test]
    fn duplicates_take_any_vectors(
        vectors in vec(single(), 0..120),
        centre in vec(single(), 0..5),
        dimension in 0_usize..5,
        epsilon in single(),
        rounds in 0_usize..6,
    ) {
        for policy in [DuplicatePolicy::original(), DuplicatePolicy::original_nemo(), DuplicatePolicy::hardened()] {
            let policy = DuplicatePolicy { epsilon, ..policy };
            let _ = find_ranked_duplicates(&policy, &vectors, dimension);
            if let Ok(report) = find_duplicates(&policy, &vectors, dimension, &centre) {
                let places: BTreeSet<_> = report.order.iter().copied().collect();
                prop_assert!(places.into_iter().eq(0..vectors.len() / dimension));
                prop_assert!(report.duplicate.first() != Some(&true) || epsilon >= 1.0);
                prop_assert!(report.score.iter().all(|score| (-1.001..1.001).contains(score)));
            }
        }
        if let Ok(rows) = unit_rows(&vectors, dimension) {
            let _ = centre_distances(&rows, &centre);
        }
        prop_assert_eq!(preference(&vectors, KeepOrder::CentreFirst).len(), vectors.len());
        if let Ok(found) = k_means(&vectors, &centre, dimension, rounds) {
            prop_assert_eq!(found.labels.len(), vectors.len() / dimension);
            prop_assert!(found.labels.iter().all(|label| *label < centre.len() / dimension));
            prop_assert!(found.inertia.is_finite());
        }
    }

    #[test]
    fn hashes_take_anything(
        paths in vec(any::<String>(), 0..6),
        seed in any::<String>(),
        bands in (0_usize..50, any::<usize>()),
        number in any::<u32>(),
    ) {
        let mut paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let name = content_name(&paths, &seed);
        paths.reverse();
        prop_assert_eq!(content_name(&paths, &seed), name);
        let _ = hash_bands(bands.0, bands.1);
        prop_assert_eq!(bucket_edges(&paths).len(), paths.len().saturating_sub(1));
        let drawn = hash_permutations(number, 3, HashWidth::Bits64).unwrap();
        prop_assert!(drawn.iter().all(|drawn| drawn.factor > 0));
    }
}

#[test]
fn events_are_written_as_they_were_read() {
    let text = r#"[[1.0,null,true],{"b":{"c":"x"},"a":2.5}]"#;
    let events = extract_events(text);
    assert_eq!(serde_json::to_string(&events).unwrap(), text);
    assert_eq!(
        serde_json::from_str::<Vec<JsonValue>>(text).unwrap(),
        events
    );
}

#[test]
fn policies_survive_their_text() {
    fn same<T>(policies: impl IntoIterator<Item = (T, &'static str)>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        for (policy, name) in policies {
            let text = serde_json::to_string(&policy).unwrap();
            assert!(
                text.starts_with(&format!(r#"{{"name":"curation/{name}""#)),
                "{text}"
            );
            assert_eq!(serde_json::from_str::<T>(&text).unwrap(), policy);
        }
    }
    same([
        (ScenePolicy::original(), "scenes/original-1"),
        (ScenePolicy::original_nemo(), "scenes/original-nemo-1"),
        (ScenePolicy::default(), "scenes/hardened-1"),
    ]);
    same([
        (MotionPolicy::original(), "motion/original-1"),
        (MotionPolicy::default(), "motion/hardened-1"),
    ]);
    same([
        (DuplicatePolicy::original(), "duplicates/original-1"),
        (
            DuplicatePolicy::original_nemo(),
            "duplicates/original-nemo-1",
        ),
        (DuplicatePolicy::default(), "duplicates/hardened-1"),
    ]);
    same([
        (AnswerPolicy::original(), "answers/original-1"),
        (AnswerPolicy::default(), "answers/hardened-1"),
    ]);
    same([(OverlayRules::default(), "overlay/original-1")]);
}
