//! Where a clip goes in a training set: its bin, and its shard within the bin.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

use super::{positive, vision_input::PictureSize};
use crate::{Error, Result, rules::within};

/// The shape of a picture, width to height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AspectRatio {
    /// Up to 0.65.
    Portrait9To16,
    /// Up to 0.88.
    Portrait3To4,
    /// Up to 1.16.
    Square,
    /// Up to 1.55.
    Landscape4To3,
    /// Up to 10.
    Landscape16To9,
}

/// How many pixels the shorter side has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionClass {
    /// Fewer than 720.
    Below720,
    /// 720 to 1079.
    From720,
    /// 1080 or more.
    From1080,
}

/// How long a clip is. A bound belongs to the shorter class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DurationClass {
    /// 5 to 10 seconds.
    From5To10,
    /// Up to 30 seconds.
    From10To30,
    /// Longer.
    From30,
}

/// Clips that are alike enough to be trained on together. Printed as the folder the field keeps
/// them in, for instance `resolution_1080/aspect_ratio_16_9/duration_5_10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VideoBin {
    /// Pixels of the shorter side.
    pub resolution: ResolutionClass,
    /// Shape.
    pub aspect_ratio: AspectRatio,
    /// Length.
    pub duration: DurationClass,
}

impl VideoBin {
    /// The bin of a clip; none for a clip that no bin takes: shorter than 5 seconds, or more than
    /// ten times as wide as high.
    ///
    /// # Errors
    /// [`Error::Constant`] for a side of 0 or a duration that is negative or not finite.
    pub fn of(size: PictureSize, seconds: f64) -> Result<Option<Self>> {
        within("the width", size.width as f64, 1.0, f64::MAX)?;
        within("the height", size.height as f64, 1.0, f64::MAX)?;
        within("the duration", seconds, 0.0, f64::MAX)?;
        let ratio = size.width as f64 / size.height as f64;
        let aspect_ratio = match ratio {
            ..=0.65 => AspectRatio::Portrait9To16,
            ..=0.88 => AspectRatio::Portrait3To4,
            ..=1.16 => AspectRatio::Square,
            ..=1.55 => AspectRatio::Landscape4To3,
            ..=10.0 => AspectRatio::Landscape16To9,
            _ => return Ok(None),
        };
        let duration = match seconds {
            5.0..=10.0 => DurationClass::From5To10,
            10.0..=30.0 => DurationClass::From10To30,
            30.0.. => DurationClass::From30,
            _ => return Ok(None),
        };
        let resolution = match size.width.min(size.height) {
            1080.. => ResolutionClass::From1080,
            720.. => ResolutionClass::From720,
            _ => ResolutionClass::Below720,
        };
        Ok(Some(Self {
            resolution,
            aspect_ratio,
            duration,
        }))
    }
}

impl fmt::Display for VideoBin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resolution = match self.resolution {
            ResolutionClass::Below720 => "lt_720",
            ResolutionClass::From720 => "720",
            ResolutionClass::From1080 => "1080",
        };
        let aspect_ratio = match self.aspect_ratio {
            AspectRatio::Portrait9To16 => "9_16",
            AspectRatio::Portrait3To4 => "3_4",
            AspectRatio::Square => "1_1",
            AspectRatio::Landscape4To3 => "4_3",
            AspectRatio::Landscape16To9 => "16_9",
        };
        let duration = match self.duration {
            DurationClass::From5To10 => "5_10",
            DurationClass::From10To30 => "10_30",
            DurationClass::From30 => "30_inf",
        };
        write!(
            f,
            "resolution_{resolution}/aspect_ratio_{aspect_ratio}/duration_{duration}"
        )
    }
}

/// How clips are packed into shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShardLimits {
    /// Bytes a shard should not pass; a single larger clip is a shard of its own.
    pub bytes: u64,
    /// Whether a last shard of fewer than `clips_least` clips is dropped.
    pub drop_small_tail: bool,
    /// Fewest clips of the last shard, where small ones are dropped.
    pub clips_least: usize,
    /// Shards of one part.
    pub shards_per_part: usize,
}

/// 500 megabytes, nothing dropped, 100 shards a part: the field's default.
impl Default for ShardLimits {
    fn default() -> Self {
        Self {
            bytes: 500_000_000,
            drop_small_tail: false,
            clips_least: 1,
            shards_per_part: 100,
        }
    }
}

/// Consecutive clips in one archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClipShard {
    /// The part, from 0.
    pub part: usize,
    /// The shard within its part, from 0.
    pub shard: usize,
    /// The clips' places in the list.
    pub clips: Range<usize>,
}

impl ClipShard {
    /// Its path: `part_000000/000000.tar`.
    pub fn path(&self) -> String {
        format!("part_{:06}/{:06}.tar", self.part, self.shard)
    }
}

/// Packs clips of the given sizes in bytes, in order: a shard is closed when the next clip would
/// carry it past the limit. O(clips).
///
/// # Errors
/// [`Error::Empty`] when a part may hold no shard.
pub fn pack_shards(sizes: &[u64], limits: &ShardLimits) -> Result<Vec<ClipShard>> {
    if limits.shards_per_part == 0 {
        return Err(Error::Empty { what: "a part" });
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut open: Option<(Range<usize>, u64)> = None;
    for (place, &size) in sizes.iter().enumerate() {
        open = Some(match open {
            Some((clips, bytes)) if bytes.saturating_add(size) <= limits.bytes => {
                (clips.start..place + 1, bytes + size)
            }
            closed => {
                ranges.extend(closed.map(|(clips, _)| clips));
                (place..place + 1, size)
            }
        });
    }
    if let Some((clips, _)) = open
        && !(limits.drop_small_tail && clips.len() < limits.clips_least)
    {
        ranges.push(clips);
    }
    let shard = |(index, clips): (usize, Range<usize>)| ClipShard {
        part: index / limits.shards_per_part,
        shard: index % limits.shards_per_part,
        clips,
    };
    Ok(ranges.into_iter().enumerate().map(shard).collect())
}

/// Hours of video that one GPU curates in a day:
/// `seconds · 24 / (60 · minutes · nodes · GPUs per node)`, the field's measure of throughput.
///
/// # Errors
/// [`Error::Constant`] unless the seconds are not negative and the rest is positive.
pub fn video_hours_per_gpu_day(
    video_seconds: f64,
    run_minutes: f64,
    nodes: u32,
    gpus_per_node: u32,
) -> Result<f64> {
    within("the length of the videos", video_seconds, 0.0, f64::MAX)?;
    positive("the run time", run_minutes)?;
    let gpus = positive("the number of nodes", f64::from(nodes))?
        * positive("the number of GPUs", f64::from(gpus_per_node))?;
    Ok(video_seconds * 24.0 / (60.0 * run_minutes * gpus))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_first_bin() {
        let bin = |width, height, seconds| {
            let bin = VideoBin::of(PictureSize { width, height }, seconds).unwrap();
            bin.map(|bin| bin.to_string())
        };
        let found = bin(1920, 1080, 10.0).unwrap();
        assert_eq!(found, "resolution_1080/aspect_ratio_16_9/duration_5_10");
        assert_eq!(
            bin(65, 100, 30.5).unwrap(),
            "resolution_lt_720/aspect_ratio_9_16/duration_30_inf"
        );
        assert_eq!(bin(1920, 1080, 4.999), None);
        assert_eq!(bin(1001, 100, 9.0), None);
        assert!(
            VideoBin::of(
                PictureSize {
                    width: 1,
                    height: 0
                },
                9.0
            )
            .is_err()
        );
        assert!(
            VideoBin::of(
                PictureSize {
                    width: 1,
                    height: 1
                },
                f64::NAN
            )
            .is_err()
        );
    }

    #[test]
    fn shards_close_before_they_overflow() {
        let limits = ShardLimits {
            bytes: 500,
            shards_per_part: 2,
            ..ShardLimits::default()
        };
        let shards = pack_shards(&[400, 100, 100, 600, 10], &limits).unwrap();
        let clips: Vec<_> = shards.iter().map(|shard| shard.clips.clone()).collect();
        assert_eq!(clips, [0..2, 2..3, 3..4, 4..5]);
        assert_eq!(shards[3].path(), "part_000001/000001.tar");
        let strict = ShardLimits {
            drop_small_tail: true,
            clips_least: 2,
            ..limits
        };
        assert_eq!(pack_shards(&[400, 100, 100], &strict).unwrap().len(), 1);
        assert_eq!(
            pack_shards(&[u64::MAX, u64::MAX], &limits).unwrap().len(),
            2
        );
        assert!(pack_shards(&[], &limits).unwrap().is_empty());
        let none = ShardLimits {
            shards_per_part: 0,
            ..limits
        };
        assert!(pack_shards(&[1], &none).is_err());
    }
}
