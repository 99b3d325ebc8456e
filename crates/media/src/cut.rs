use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    Error, Media, Probe, Result,
    child::{self, Bounds},
    media::{FINE_CLOCK, LAST_FRAME_STAYS, ffmpeg_options, seconds, seeking_input},
};

/// Frames per second of a clip cut from a video with a variable frame rate, at least.
const STEADY_RATE: f64 = 30.0;
/// Frames per second of any clip, at most.
const HIGHEST_RATE: f64 = 120.0;

impl Media {
    /// Cuts the clip `[start_ms, end_ms)` into the MP4 file `output`, exactly: at every moment it
    /// shows what the video shows `start_ms` later. H.264 and AAC, upright, at the video's average
    /// frame rate (at least 30 frames per second when it varies), at even width and height. `output`
    /// appears whole or not at all.
    ///
    /// # Errors
    /// As [`Media::probe`]; [`Error::EmptyClip`] and [`Error::BeyondEnd`]; [`Error::Truncated`] when
    /// the video ends early; [`Error::Undecodable`], [`Error::TooCostly`], [`Error::DiskFull`] and
    /// [`Error::Io`].
    pub async fn cut(&self, path: &Path, start_ms: u64, end_ms: u64, output: &Path) -> Result<()> {
        let probe = self.probe_clip(path, start_ms, end_ms).await?;
        let partial = Partial::beside(output);
        let arguments = cut_arguments(path, &probe, start_ms, end_ms, &partial.path)?;
        let bounds = Bounds {
            stdout: 0,
            file: self.config().output_bytes,
        };
        self.ffmpeg(arguments, bounds).await?;
        let made = match self.probe(&partial.path).await {
            // The decoder found no frame at all.
            Err(Error::NoVideo | Error::NotMedia { .. } | Error::UnknownDuration) => {
                return Err(Error::Truncated {
                    reason: "the clip has no frames".into(),
                });
            }
            other => other?,
        };
        let wanted = end_ms - start_ms;
        let frame_ms = (1000.0 / frame_rate(&probe)).ceil() as u64;
        if made.duration_ms.abs_diff(wanted) > frame_ms + 1 {
            return Err(Error::Truncated {
                reason: format!("the clip lasts {} of {wanted} ms", made.duration_ms),
            });
        }
        tokio::fs::rename(&partial.path, output)
            .await
            .map_err(Error::io("write", output))
    }
}

fn cut_arguments(
    path: &Path,
    probe: &Probe,
    start_ms: u64,
    end_ms: u64,
    output: &Path,
) -> Result<Vec<OsString>> {
    let (input, origin) = seeking_input(path, probe, start_ms)?;
    let mut arguments = ffmpeg_options();
    arguments.extend(input);
    arguments.extend(child::arguments([
        "-map",
        "0:v:0",
        "-map",
        "0:a:0?",
        "-sn",
        "-dn",
        "-map_metadata",
        "-1",
        "-map_chapters",
        "-1",
        "-vf",
        &format!(
            "{FINE_CLOCK},fps=fps={rate}:start_time={origin}:round=up,{LAST_FRAME_STAYS},setpts=PTS-{origin}/TB,\
             crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,format=yuv420p",
            rate = frame_rate(probe),
        ),
        "-af",
        &format!("atrim=start={origin},asetpts=PTS-{origin}/TB,aresample=async=1:first_pts=0"),
        "-t",
        &seconds(end_ms - start_ms),
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "18",
        "-threads",
        "1",
        "-c:a",
        "aac",
        "-b:a",
        "128k",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-flags:a",
        "+bitexact",
        "-movflags",
        "+faststart",
        "-f",
        "mp4",
    ]));
    arguments.push(child::file_argument(output)?);
    Ok(arguments)
}

fn frame_rate(probe: &Probe) -> f64 {
    let average = probe.frames_per_second;
    if probe.variable_frame_rate || average <= 0.0 {
        average.clamp(STEADY_RATE, HIGHEST_RATE)
    } else {
        average.min(HIGHEST_RATE)
    }
}

/// A file that vanishes unless it was renamed.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn beside(output: &Path) -> Self {
        let mut name = output.as_os_str().to_owned();
        name.push(".partial");
        Self { path: name.into() }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After the rename there is nothing to remove.
        let _ = std::fs::remove_file(&self.path);
    }
}
