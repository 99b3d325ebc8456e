//! The whole reward of the audio task of the system in the field.

use adit_scoring::{
    Error,
    audio::{
        SpeakerTurn,
        original::{
            OriginalAudioAnswer, OriginalAudioClip, OriginalAudioReward, OriginalAudioRules,
            OriginalSoundCheck, reward,
        },
    },
};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome, real};
use serde_json::{Value, json};

use super::{
    NO_SCORE,
    audio::{spans, turns},
    vector,
};

/// Clips that the system asks for.
const CLIPS: usize = 4;

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on(
        "omega",
        "audio.check_audios_and_calculate_rewards",
        whole_reward,
    );
}

fn whole_reward(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let answer = answer(&case.input);
    match reward(&OriginalAudioRules::default(), &answer) {
        Ok(found) => {
            let query = &case.input["response_query"];
            Outcome::compare(file, case, &told(&answer, found, query))
        }
        Err(Error::Empty { .. }) if case.expected["reward"].is_null() => {
            Outcome::Deviates(NO_SCORE)
        }
        Err(_) if has_a_poisoned_number(&answer) => Outcome::Deviates(NO_SCORE),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// The original gives the query that the miner echoes, unread, to the dataset.
fn told(answer: &OriginalAudioAnswer, found: OriginalAudioReward, query: &Value) -> Value {
    let reward = real(found.reward);
    let Some(upload) = found.upload else {
        return json!({"reward": reward});
    };
    let id = |index: &usize| answer.clips[*index].video_id.clone().unwrap();
    json!({
        "reward": reward,
        "upload": {
            "uploaded_ids": upload.clips.iter().map(id).collect::<Vec<_>>(),
            "inverse_der": real(upload.inverse_error),
            "audio_length_score": real(upload.length),
            "audio_quality_total_score": real(upload.quality),
            "audio_query_score": real(upload.query),
            "query": query,
            "total_score": reward,
        },
    })
}

fn has_a_poisoned_number(answer: &OriginalAudioAnswer) -> bool {
    let vectors = answer.clips.iter().map(|clip| &clip.audio);
    vectors
        .chain([&answer.query])
        .flatten()
        .any(|number| !number.is_finite())
}

fn answer(input: &Value) -> OriginalAudioAnswer {
    let clips: Vec<OriginalAudioClip> = input["clips"]
        .as_array()
        .unwrap()
        .iter()
        .map(clip)
        .collect();
    let check = &input["spot_check"];
    // The check fetches the first clip of allowed length.
    let fetched = || {
        let mut clips = clips.iter();
        let first = clips.find(|clip| (5..=120).contains(&(clip.end_s - clip.start_s)));
        first.map(|clip| clip.samples.clone()).unwrap_or_default()
    };
    let sound_check = match check["mode"].as_str().unwrap() {
        _ if check["enabled"] == false => OriginalSoundCheck::NotChecked,
        "fake" => OriginalSoundCheck::PunishFake,
        "audio_ok" => OriginalSoundCheck::Fetched {
            clip: 0,
            samples: fetched(),
        },
        "audio_mismatch" => OriginalSoundCheck::Fetched {
            clip: 0,
            samples: fetched().iter().map(|sample| 0.5 - sample).collect(),
        },
        // Whatever else came of it, no sound was fetched.
        _ => OriginalSoundCheck::NotChecked,
    };
    OriginalAudioAnswer {
        clips_wanted: CLIPS,
        clips,
        query: vector(&input["query_emb"]),
        sound_check,
        measured: 0,
        speech: spans(&input["vad_segments"]),
        diarization: turns(&input["validator_diarization"]),
    }
}

fn clip(clip: &Value) -> OriginalAudioClip {
    let list = |name: &str| clip[name].as_array().unwrap().iter();
    let times = list("diar_timestamps_start").zip(list("diar_timestamps_end"));
    let turns = times.zip(list("diar_speakers"));
    let turn = |((start, end), speaker): ((&Value, &Value), &Value)| {
        let (start, end) = (start.as_f64().unwrap(), end.as_f64().unwrap());
        SpeakerTurn::new(start, end, speaker.as_str().unwrap())
    };
    let (sample_rate, samples) = clip["audio_bytes"].as_str().map(wave).unwrap_or_default();
    OriginalAudioClip {
        video_id: clip["video_id"].as_str().map(str::to_owned),
        start_s: clip["start_time"].as_i64().unwrap(),
        end_s: clip["end_time"].as_i64().unwrap(),
        audio: vector(&clip["audio_emb"]),
        samples,
        sample_rate,
        turns: turns.map(turn).collect(),
    }
}

/// Rate and samples of a WAVE file of one channel of 16 bits, in base64.
fn wave(text: &str) -> (u32, Vec<f32>) {
    let bytes = base64(text);
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    let (mut rate, mut at) = (0, 12);
    while at + 8 <= bytes.len() {
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        let chunk = &bytes[at + 8..(at + 8 + size).min(bytes.len())];
        match &bytes[at..at + 4] {
            b"fmt " => rate = u32::from_le_bytes(chunk[4..8].try_into().unwrap()),
            b"data" => {
                let samples = chunk.chunks_exact(2);
                let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]]));
                return (rate, samples.map(|pair| sample(pair) / 32_768.0).collect());
            }
            _ => {}
        }
        at += 8 + size + size % 2;
    }
    panic!("a WAVE file without samples");
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = ALPHABET.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}
