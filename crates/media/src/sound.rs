use std::path::Path;

use adit_embedding::AudioSamples;

use crate::{
    Error, Media, Result,
    child::{self, Bounds},
    media::{ffmpeg_options, seconds},
};

/// Sample rates that a caller may ask for.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=192_000;

impl Media {
    /// The sound of the clip `[start_ms, end_ms)`, all channels mixed to one, at `sample_rate`
    /// samples per second: exactly `(end_ms − start_ms) · sample_rate / 1000` samples, rounded down,
    /// with silence where the stream has none. `None` when the video has no sound.
    ///
    /// # Errors
    /// As [`Media::probe`]; [`Error::EmptyClip`] and [`Error::BeyondEnd`]; [`Error::Undecodable`] and
    /// [`Error::TooCostly`]; [`Error::Plan`] for a rate outside 1,000 to 192,000 or more sound than
    /// the limit on output.
    pub async fn pcm(
        &self,
        path: &Path,
        start_ms: u64,
        end_ms: u64,
        sample_rate: u32,
    ) -> Result<Option<AudioSamples>> {
        let probe = self.probe_clip(path, start_ms, end_ms).await?;
        if !probe.has_audio {
            return Ok(None);
        }
        let wanted = u128::from(end_ms - start_ms) * u128::from(sample_rate) / 1000;
        if !SAMPLE_RATES.contains(&sample_rate)
            || wanted * 4 > u128::from(self.config().output_bytes)
        {
            return Err(Error::Plan {
                reason: format!("{wanted} samples at {sample_rate} a second"),
            });
        }
        let wanted = wanted as usize;
        let mut arguments = ffmpeg_options();
        arguments.extend(child::arguments(["-ss", &seconds(start_ms), "-i"]));
        arguments.push(child::file_argument(path)?);
        arguments.extend(child::arguments([
            "-map",
            "0:a:0",
            "-vn",
            "-sn",
            "-dn",
            "-ac",
            "1",
            // Gaps and a late start become silence, so that sample n is at n / rate seconds.
            "-af",
            &format!("aresample={sample_rate}:async=1:min_hard_comp=0.1:first_pts=0,atrim=end_sample={wanted}"),
            "-ar",
            &sample_rate.to_string(),
            "-f",
            "f32le",
            "pipe:1",
        ]));
        let bounds = Bounds {
            stdout: wanted as u64 * 4,
            file: 0,
        };
        let bytes = self.ffmpeg(arguments, bounds).await?;
        let decoded = bytes.chunks_exact(4).map(|four| match *four {
            [a, b, c, d] => f32::from_le_bytes([a, b, c, d]),
            _ => 0.0,
        });
        // Floating-point codecs can overshoot and, when broken, produce NaN.
        let mut samples: Vec<f32> = decoded
            .map(|sample| {
                if sample.is_finite() {
                    sample.clamp(-1.0, 1.0)
                } else {
                    0.0
                }
            })
            .collect();
        samples.resize(wanted, 0.0);
        Ok(Some(AudioSamples {
            sample_rate,
            samples,
        }))
    }
}
