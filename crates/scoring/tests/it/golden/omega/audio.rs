//! Every recorded function of judging sound, except the whole reward.

use adit_scoring::{
    Error,
    audio::{
        SpeakerTurn, TimeSpan, count_speakers, diarization_errors, keep_long,
        original::{OriginalAudioRules, background_noise, process_diarization, remove_overlap},
        speaker_balance, speaker_count_score, speech_content,
    },
};
use adit_testkit::{GoldenSuite, Outcome, real};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{RAISES, vector};

pub(super) fn register(suite: &mut GoldenSuite) {
    let mut on = |function: &str, answer: fn(&Value) -> Result<Value, Error>| {
        suite.on("omega", function, move |file, case| {
            match answer(&case.input) {
                Ok(found) => Outcome::compare(file, case, &found),
                Err(Error::Empty { .. }) if case.expected.get("exception").is_some() => {
                    Outcome::Deviates(RAISES)
                }
                Err(error) => Outcome::Failed(error.to_string()),
            }
        });
    };
    on("audio.speech_content_score", |input| {
        let seconds = number(&input["n_samples"]) / number(&input["sr"]);
        speech_content(seconds, &spans(&input["vad_segments"])).map(real)
    });
    on("audio.background_noise_score", |input| {
        let rate = u32::try_from(input["sr"].as_u64().unwrap()).unwrap();
        let rules = OriginalAudioRules::default();
        background_noise(&rules, &vector(&input["samples"]), rate).map(real)
    });
    on("audio.speaker_dominance_score", |input| {
        let turns = parallel(input, "starts", "ends");
        speaker_balance(number(&input["total_duration"]), &turns).map(real)
    });
    on("audio.unique_speakers_error", |input| {
        let speakers: Vec<String> = Vec::deserialize(&input["speakers"]).unwrap();
        let turn = |speaker: &String| SpeakerTurn::new(0.0, 1.0, speaker);
        let turns: Vec<SpeakerTurn> = speakers.iter().map(turn).collect();
        Ok(real(speaker_count_score(count_speakers(&turns))))
    });
    on("audio.filter_segments_by_duration", |input| {
        let segments: Vec<Segment> = Vec::deserialize(&input["segments"]).unwrap();
        let kept = keep_long(&segments, number(&input["min_duration"]));
        Ok(kept.iter().map(|segment| segment.1.clone()).collect())
    });
    on("audio.remove_overlapping_segments", |input| {
        let overlaps = spans(&input["overlap_segments"]);
        let left = remove_overlap(&turns(&input["diar_segments"]), &overlaps)?;
        Ok(left
            .iter()
            .map(|turn| json!([turn.span.start_s, turn.span.end_s, turn.speaker]))
            .collect())
    });
    on("audio.diarization_process", |input| {
        let overlaps = spans(&input["overlap_segments"]);
        let rules = OriginalAudioRules::default();
        let left = process_diarization(&rules, &turns(&input["diar_segments"]), &overlaps)?;
        let column = |value: fn(&SpeakerTurn) -> Value| left.iter().map(value).collect::<Value>();
        Ok(json!({
            "start": column(|turn| turn.span.start_s.into()),
            "end": column(|turn| turn.span.end_s.into()),
            "speakers": column(|turn| turn.speaker.as_str().into()),
        }))
    });
    on("audio.calculate_diarization_metrics", |input| {
        let reference = parallel(&input["reference_from_miner"], "start", "end");
        let found = turns(&input["hypothesis_from_validator_model"]);
        let agreement = diarization_errors(&reference, &found)?.agreement()?;
        Ok(json!({
            "inverse_der": real(agreement.inverse_error),
            "miss_rate": real(agreement.inverse_miss),
            "false_alarm_rate": real(agreement.inverse_false_alarm),
            "speaker_error_rate": real(agreement.inverse_confusion),
        }))
    });
}

/// A segment as recorded, whose speaker may be missing.
#[derive(Clone)]
struct Segment(TimeSpan, Value);

impl AsRef<TimeSpan> for Segment {
    fn as_ref(&self) -> &TimeSpan {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let span = TimeSpan::new(number(&value[0]), number(&value[1]));
        Ok(Self(span, value))
    }
}

fn number(value: &Value) -> f64 {
    adit_testkit::Real::deserialize(value).unwrap().0
}

pub(super) fn spans(value: &Value) -> Vec<TimeSpan> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| TimeSpan::new(number(&row[0]), number(&row[1])))
        .collect()
}

pub(super) fn turns(value: &Value) -> Vec<SpeakerTurn> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| SpeakerTurn::new(number(&row[0]), number(&row[1]), row[2].as_str().unwrap()))
        .collect()
}

/// Turns given as parallel lists.
pub(super) fn parallel(value: &Value, starts: &str, ends: &str) -> Vec<SpeakerTurn> {
    let list = |name: &str| value[name].as_array().unwrap().iter();
    let speakers = value["speakers"].as_array().unwrap().iter();
    let times = list(starts).zip(list(ends));
    times
        .zip(speakers)
        .map(|((start, end), speaker)| {
            SpeakerTurn::new(number(start), number(end), speaker.as_str().unwrap())
        })
        .collect()
}
