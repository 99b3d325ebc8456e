//! Every vector recorded from the originals, or from `$ADIT_GOLDEN`, with a report.

use adit_models::{ClipSampling, ClipTokenizer, CropPlan};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome};
use serde_json::{Value, json};

use crate::preparation::{is_mojibake, tokenizer};

#[test]
fn every_vector_of_the_preparation() {
    let mut suite = GoldenSuite::new("adit-models");
    texts(&mut suite);
    recordings(&mut suite);
    let report = suite.run(false).unwrap();
    assert!(report.is_green(), "some vectors fail or are not covered");
}

fn on(suite: &mut GoldenSuite, function: &str, ours: impl Fn(&Value) -> Value + 'static) {
    suite.on("omega", function, move |file: &GoldenFile, case| {
        Outcome::compare(file, case, &ours(&case.input))
    });
}

fn texts(suite: &mut GoldenSuite) {
    on(suite, "text.bpe_decode", |input| {
        let tokens: Vec<u32> = serde_json::from_value(input["tokens"].clone()).unwrap();
        json!(tokenizer().decode(&tokens).unwrap())
    });
    on_text(
        suite,
        "bpe_encode",
        |text| json!(tokenizer().encode(text)),
        |_| None,
    );
    on_text(
        suite,
        "tokenize_77",
        |text| json!(tokenizer().sequence(text).as_slice()),
        |text| (tokenizer().encode(text).len() > 75).then_some("clip-keeps-the-end"),
    );
    let chunks = |text: &str| {
        let chunks = tokenizer().chunks(text);
        json!(
            chunks
                .iter()
                .map(|chunk| chunk.as_slice())
                .collect::<Vec<_>>()
        )
    };
    on_text(suite, "v2_text_chunks_tokens", chunks, |text| {
        // Pieces that no separator splits, too long for one sequence.
        let long = |piece: &str| tokenizer().encode(piece).len() > ClipTokenizer::CHUNK;
        let blank = |piece: &str| piece.is_empty();
        let mut pieces = text.split(['\n', '.', '!', '?', ',', ' ']);
        if pieces.clone().all(blank) {
            return Some("clip-embeds-nothing");
        }
        pieces.any(long).then_some("clip-keeps-the-end")
    });
}

/// Compares, and excuses a difference by what the text is.
fn on_text(
    suite: &mut GoldenSuite,
    function: &str,
    ours: impl Fn(&str) -> Value + 'static,
    excuse: impl Fn(&str) -> Option<&'static str> + 'static,
) {
    let function = format!("text.{function}");
    suite.on(
        "omega",
        &function,
        move |file: &GoldenFile, case: &GoldenCase| {
            let text = case.input["text"].as_str().unwrap();
            match Outcome::compare(file, case, &ours(text)) {
                Outcome::Failed(why) if is_mojibake(text) => {
                    tracing::debug!(why, "mojibake");
                    Outcome::Deviates("clip-leaves-mojibake")
                }
                Outcome::Failed(why) => {
                    excuse(text).map_or(Outcome::Failed(why), Outcome::Deviates)
                }
                outcome => outcome,
            }
        },
    );
}

fn recordings(suite: &mut GoldenSuite) {
    let number = |input: &Value, name: &str| input[name].as_f64().unwrap();
    let count = |input: &Value, name: &str| input[name].as_u64().unwrap() as usize;
    on(suite, "protocol_preproc.clip_timepoints", move |input| {
        let clips = count(input, "clips_per_video");
        let sampling = ClipSampling::new(clips, number(input, "clip_duration")).unwrap();
        let times = sampling.times(number(input, "duration")).unwrap();
        json!(
            times
                .iter()
                .map(|time| [time.start, time.end])
                .collect::<Vec<_>>()
        )
    });
    on(
        suite,
        "protocol_preproc.video_frame_indices",
        move |input| {
            let (frames, rate) = (count(input, "n_frames"), number(input, "avg_fps"));
            json!({
                "duration": frames as f64 / rate,
                "frames_per_clip": ClipSampling::VIDEO.frames(frames, rate).unwrap(),
            })
        },
    );
    on(
        suite,
        "protocol_preproc.audio_sample_windows",
        move |input| {
            let samples = count(input, "n_samples_16k");
            let windows = ClipSampling::AUDIO.samples(samples, 16_000).unwrap();
            json!(
                windows
                    .iter()
                    .map(|window| [window.start, window.end])
                    .collect::<Vec<_>>()
            )
        },
    );
    on(
        suite,
        "protocol_preproc.short_side_scale_and_crops",
        move |input| {
            let plan = CropPlan::new(count(input, "width"), count(input, "height")).unwrap();
            let (width, height) = plan.scaled();
            json!({
                "scaled_h": height,
                "scaled_w": width,
                "crop_offsets_yx": plan.offsets().map(|(x, y)| [y, x]),
            })
        },
    );
}
