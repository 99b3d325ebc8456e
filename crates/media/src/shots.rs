use std::path::Path;

use crate::{
    Media, Result,
    child::{self, Bounds},
    media::{ffmpeg_options, input_options},
};

/// Bytes of a packet list: some ten hours of video at 60 frames per second.
const LIST_BYTES: u64 = 64 << 20;

impl Media {
    /// Times of the key frames, in milliseconds from the start of the file, ascending. Reads every
    /// packet and decodes none.
    ///
    /// # Errors
    /// As [`Media::probe`]; [`crate::Error::Undecodable`] and [`crate::Error::TooCostly`].
    pub async fn keyframes(&self, path: &Path) -> Result<Vec<u64>> {
        self.probe(path).await?;
        let mut arguments = child::arguments([
            "-hide_banner",
            "-loglevel",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pts_time,flags:format=start_time",
            "-of",
            "compact=nokey=0:print_section=1",
        ]);
        arguments.extend(input_options());
        arguments.push("-i".into());
        arguments.push(child::file_argument(path)?);
        let list = self.ffprobe(arguments, LIST_BYTES).await?;
        Ok(keyframes(&String::from_utf8_lossy(&list)))
    }

    /// Times at which a new shot begins, in milliseconds from the start of the file, ascending;
    /// the first shot's start at 0 is not among them. A cut is where ffmpeg's scene score exceeds
    /// [`crate::MediaConfig::scene_threshold`]. Decodes the whole video.
    ///
    /// # Errors
    /// As [`Media::probe`]; [`crate::Error::Undecodable`] and [`crate::Error::TooCostly`].
    pub async fn shot_boundaries(&self, path: &Path) -> Result<Vec<u64>> {
        self.probe(path).await?;
        let mut arguments = ffmpeg_options();
        arguments.push("-i".into());
        arguments.push(child::file_argument(path)?);
        let threshold = self.config().scene_threshold;
        arguments.extend(child::arguments([
            "-map",
            "0:v:0",
            "-an",
            "-sn",
            "-dn",
            "-vf",
            // Scores hardly change with size, costs do.
            &format!(
                "scale=160:90:flags=fast_bilinear,select='gt(scene,{threshold})',metadata=mode=print:file=-"
            ),
            "-fps_mode",
            "passthrough",
            "-f",
            "null",
            "-",
        ]));
        let bounds = Bounds {
            stdout: LIST_BYTES,
            file: 0,
        };
        let list = self.ffmpeg(arguments, bounds).await?;
        Ok(boundaries(&String::from_utf8_lossy(&list)))
    }
}

/// Reads lines such as `packet|pts_time=1.040000|flags=K_` and `format|start_time=0.000000`.
fn keyframes(list: &str) -> Vec<u64> {
    let mut zero = 0.0;
    let mut times = Vec::new();
    for line in list.lines() {
        let mut fields = line.split('|');
        let section = fields.next().unwrap_or_default();
        let mut time = None;
        let mut key = false;
        for field in fields {
            match field.split_once('=') {
                Some(("pts_time" | "start_time", value)) => time = value.parse::<f64>().ok(),
                Some(("flags", flags)) => key = flags.starts_with('K'),
                _ => {}
            }
        }
        match (section, time) {
            ("format", Some(start)) => zero = start,
            ("packet", Some(time)) if key => times.push(time),
            _ => {}
        }
    }
    sorted_ms(times.iter().map(|time| time - zero))
}

/// Reads lines such as `frame:3    pts:51200   pts_time:3.2`.
fn boundaries(list: &str) -> Vec<u64> {
    let times = list
        .lines()
        .filter(|line| line.starts_with("frame:"))
        .filter_map(|line| {
            line.split_whitespace()
                .find_map(|word| word.strip_prefix("pts_time:"))
        })
        .filter_map(|time| time.parse::<f64>().ok());
    sorted_ms(times)
}

fn sorted_ms(seconds: impl Iterator<Item = f64>) -> Vec<u64> {
    let mut times: Vec<u64> = seconds
        .filter(|time| time.is_finite())
        .map(|time| (time.max(0.0) * 1000.0).round() as u64)
        .collect();
    times.sort_unstable();
    times.dedup();
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_lists_are_read() {
        let list = "packet|pts_time=2.400000|flags=K_\npacket|pts_time=2.440000|flags=__\n\
                    packet|pts_time=1.400000|flags=K_\npacket|pts_time=N/A|flags=K_\n\
                    junk\nformat|start_time=1.400000\n";
        assert_eq!(keyframes(list), vec![0, 1000]);
        assert!(keyframes("packet|pts_time=inf|flags=K_").is_empty());
    }

    #[test]
    fn scene_lists_are_read() {
        let list = "frame:0    pts:51200   pts_time:3.2\nlavfi.scene_score=0.7\n\
                    frame:1    pts:1   pts_time:nan\n";
        assert_eq!(boundaries(list), vec![3200]);
    }
}
