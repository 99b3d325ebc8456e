use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Media, Result,
    boxes::{self, Structure},
    child,
    media::input_options,
};

/// Most bytes of a probe's report.
const REPORT_BYTES: u64 = 1 << 20;

/// What a video is, as its container tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Probe {
    /// Duration of the video in milliseconds, rounded to the nearest.
    pub duration_ms: u64,
    /// Width in pixels, after rotation.
    pub width: u32,
    /// Height in pixels, after rotation.
    pub height: u32,
    /// Degrees (0 to 359) by which the stored frames are turned clockwise to stand upright.
    pub rotation: u16,
    /// Average frames per second; 0 where the container does not say.
    pub frames_per_second: f64,
    /// Whether the times between frames vary: the container's average and finest frame rate differ.
    /// Matroska often does not tell; frames are read by their times either way.
    pub variable_frame_rate: bool,
    /// Whether there is sound.
    pub has_audio: bool,
    /// Name of the video codec, as ffmpeg spells it.
    pub video_codec: String,
    /// Name of the audio codec.
    pub audio_codec: Option<String>,
    /// Name of the container, as ffmpeg spells it.
    pub container: String,
    /// Whether the container has an index of key frames, so that reading can start in the middle.
    pub seekable: bool,
    /// Size of the file in bytes.
    pub bytes: u64,
}

impl Media {
    /// Says what the video at `path` is.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotMedia`], [`Error::NoVideo`], [`Error::Truncated`],
    /// [`Error::Encrypted`], [`Error::FrameTooLarge`], [`Error::TooLong`] and
    /// [`Error::UnknownDuration`] for what is wrong with the file; [`Error::Tool`],
    /// [`Error::ChildTimeout`] and [`Error::Io`] for what is wrong with this machine.
    pub async fn probe(&self, path: &Path) -> Result<Probe> {
        let metadata = tokio::fs::metadata(path)
            .await
            .map_err(Error::io("read", path))?;
        if !metadata.is_file() {
            return Err(Error::NotMedia {
                reason: "not a regular file".into(),
            });
        }
        if metadata.len() == 0 {
            return Err(Error::Empty);
        }
        let owned = path.to_owned();
        let structure = tokio::task::spawn_blocking(move || boxes::structure(&owned))
            .await
            .map_err(|_| Error::NotMedia {
                reason: "its structure cannot be read".into(),
            })?
            .map_err(Error::io("read", path))?;
        if structure == Structure::Encrypted {
            return Err(Error::Encrypted);
        }
        let mut arguments = child::arguments([
            "-hide_banner",
            "-loglevel",
            "error",
            "-of",
            "json",
            "-show_entries",
            "format=format_name,duration,start_time:\
             stream=codec_type,codec_name,codec_tag_string,width,height,avg_frame_rate,r_frame_rate,duration,start_time:\
             stream_disposition=attached_pic:stream_tags:stream_side_data=rotation",
        ]);
        arguments.extend(input_options());
        arguments.push("-i".into());
        arguments.push(child::file_argument(path)?);
        let report = match self.ffprobe(arguments, REPORT_BYTES).await {
            Err(Error::Undecodable { reason }) => {
                return Err(match structure {
                    Structure::Truncated => Error::Truncated { reason },
                    _ => Error::NotMedia { reason },
                });
            }
            other => other?,
        };
        let report: Report = serde_json::from_slice(&report).map_err(|_| Error::NotMedia {
            reason: "the prober's report makes no sense".into(),
        })?;
        let probe = read(self, &report, metadata.len())?;
        if structure == Structure::Truncated {
            return Err(Error::Truncated {
                reason: "the file ends inside one of its parts".into(),
            });
        }
        Ok(probe)
    }
}

#[derive(Debug, Deserialize)]
struct Report {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    duration: Option<String>,
    start_time: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    #[serde(default)]
    codec_type: String,
    codec_name: Option<String>,
    codec_tag_string: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    duration: Option<String>,
    start_time: Option<String>,
    #[serde(default)]
    disposition: BTreeMap<String, i64>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

impl Stream {
    fn is_encrypted(&self) -> bool {
        let tag = self.codec_tag_string.as_deref().unwrap_or_default();
        matches!(tag, "encv" | "enca") || self.tags.contains_key("enc_key_id")
    }

    fn is_picture(&self) -> bool {
        self.disposition
            .get("attached_pic")
            .is_some_and(|set| *set != 0)
    }
}

fn read(media: &Media, report: &Report, bytes: u64) -> Result<Probe> {
    let limits = media.config();
    let audio = report
        .streams
        .iter()
        .find(|stream| stream.codec_type == "audio");
    let video = report
        .streams
        .iter()
        .find(|stream| stream.codec_type == "video" && !stream.is_picture());
    // Some disguised texts and pictures probe as containers without any stream.
    let Some(video) = video else {
        return Err(Error::NoVideo);
    };
    if report.streams.iter().any(Stream::is_encrypted) {
        return Err(Error::Encrypted);
    }
    let (Some(width @ 1..), Some(height @ 1..)) = (video.width, video.height) else {
        return Err(Error::NotMedia {
            reason: "its frames have no size".into(),
        });
    };
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(Error::FrameTooLarge {
            width,
            height,
            limit: limits.max_pixels,
        });
    }
    let average = rate(video.avg_frame_rate.as_deref());
    let finest = rate(video.r_frame_rate.as_deref());
    let variable_frame_rate = average > 0.0 && (finest - average).abs() > 0.02 * average;
    let duration_ms =
        duration_ms(video, &report.format, variable_frame_rate).ok_or(Error::UnknownDuration)?;
    if duration_ms > limits.max_duration_ms {
        return Err(Error::TooLong {
            duration_ms,
            limit_ms: limits.max_duration_ms,
        });
    }
    let rotation = rotation(video);
    let sideways = matches!(rotation, 90 | 270);
    let container = report.format.format_name.clone();
    Ok(Probe {
        duration_ms,
        width: if sideways { height } else { width },
        height: if sideways { width } else { height },
        rotation,
        frames_per_second: average,
        variable_frame_rate,
        has_audio: audio.is_some(),
        video_codec: video.codec_name.clone().unwrap_or_default(),
        audio_codec: audio.and_then(|stream| stream.codec_name.clone()),
        seekable: container.contains("mp4") || container.contains("matroska"),
        container,
        bytes,
    })
}

/// The video's end on the file's clock, whose zero is where its first stream starts.
fn duration_ms(video: &Stream, format: &Format, variable: bool) -> Option<u64> {
    let zero = number(format.start_time.as_deref()).unwrap_or(0.0);
    let delay = number(video.start_time.as_deref()).map_or(0.0, |start| (start - zero).max(0.0));
    let tagged = || {
        let tag = video.tags.get("DURATION")?;
        let mut parts = tag.split(':').map(|part| part.trim().parse::<f64>().ok());
        let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
        Some(hours * 3600.0 + minutes * 60.0 + seconds - zero)
    };
    let whole = number(format.duration.as_deref());
    let own = number(video.duration.as_deref())
        .map(|duration| duration + delay)
        .or_else(tagged);
    let duration = match (own, whole) {
        // MP4 counts a stream's duration by decoding times, which end early when a long frame is
        // decoded out of order.
        (Some(own), Some(whole)) if variable => own.max(whole),
        _ => own.or(whole)?,
    };
    let ms = (duration * 1000.0).round();
    // Beyond this, f64 no longer counts milliseconds.
    (1.0..9e15).contains(&ms).then_some(ms as u64)
}

/// Degrees clockwise. ffprobe reports counter-clockwise ones.
fn rotation(video: &Stream) -> u16 {
    let angle = video
        .side_data_list
        .iter()
        .find_map(|data| data.rotation)
        .filter(|angle| angle.is_finite())
        .unwrap_or(0.0);
    (-angle).rem_euclid(360.0).round() as u16 % 360
}

fn number(text: Option<&str>) -> Option<f64> {
    text?.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Frames per second of a text such as `30000/1001`; 0 for none.
fn rate(text: Option<&str>) -> f64 {
    let parse = || {
        let (above, below) = text?.split_once('/')?;
        let (above, below) = (above.parse::<f64>().ok()?, below.parse::<f64>().ok()?);
        (above > 0.0 && below > 0.0).then_some(above / below)
    };
    parse().unwrap_or(0.0)
}
