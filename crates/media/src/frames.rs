use std::path::Path;

use adit_embedding::{Frame, FramePlan, FrameScaling, VideoFrames};

use crate::{
    Error, Media, Result,
    child::{self, Bounds},
    media::{FINE_CLOCK, LAST_FRAME_STAYS, ffmpeg_options, seeking_input},
};

/// Longest side of a scaled frame, in pixels.
const LONGEST_SIDE: u32 = 4096;

impl Media {
    /// The frames that `plan` wants of the clip `[start_ms, end_ms)`, upright, scaled bilinearly:
    /// for each time the frame that a player would show then. A time before the video's first frame
    /// gets that first frame, one up to half a second after its last frame gets the last. Pixels are
    /// taken as square.
    ///
    /// One ffmpeg child decodes from the key frame before the clip to the last frame wanted.
    ///
    /// # Errors
    /// As [`Media::probe`]; [`Error::EmptyClip`] and [`Error::BeyondEnd`]; [`Error::Truncated`] when
    /// the video ends before a wanted frame; [`Error::Undecodable`] and [`Error::TooCostly`];
    /// [`Error::Plan`] for times that descend or lie outside the clip, too many of them, or
    /// impossible sizes.
    pub async fn frames(
        &self,
        path: &Path,
        start_ms: u64,
        end_ms: u64,
        plan: &FramePlan,
    ) -> Result<VideoFrames> {
        let probe = self.probe_clip(path, start_ms, end_ms).await?;
        self.check_plan(plan, end_ms - start_ms)?;
        if plan.times_ms.is_empty() {
            return Ok(VideoFrames::default());
        }
        let (width, height) = scaled(probe.width, probe.height, plan.scaling)?;
        let frame_bytes = u64::from(width) * u64::from(height) * 3;
        let grid = Grid::of(&plan.times_ms);
        let expected = frame_bytes * grid.ticks.len() as u64;
        if expected > self.config().output_bytes {
            return Err(Error::Plan {
                reason: format!("{expected} bytes of frames exceed the limit on output"),
            });
        }

        let (input, origin) = seeking_input(path, &probe, start_ms)?;
        let mut arguments = ffmpeg_options();
        arguments.extend(input);
        arguments.extend(child::arguments([
            "-map",
            "0:v:0",
            "-an",
            "-sn",
            "-dn",
            "-vf",
            // `fps` with `round=up` puts on tick n the last frame at or before n ticks.
            &format!(
                "{FINE_CLOCK},fps=fps=1000/{step}:start_time={origin}:round=up,{LAST_FRAME_STAYS},select='{wanted}',\
                 scale={width}:{height}:flags=bilinear+accurate_rnd+full_chroma_int",
                step = grid.step_ms,
                wanted = grid.selection(),
            ),
            "-fps_mode",
            "passthrough",
            "-frames:v",
            &grid.ticks.len().to_string(),
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "pipe:1",
        ]));
        let bounds = Bounds {
            stdout: expected,
            file: 0,
        };
        let bytes = self.ffmpeg(arguments, bounds).await?;
        if bytes.len() as u64 != expected {
            return Err(Error::Truncated {
                reason: format!(
                    "{} of {} frames could be decoded",
                    bytes.len() as u64 / frame_bytes,
                    grid.ticks.len()
                ),
            });
        }
        let decoded: Vec<&[u8]> = bytes.chunks_exact(frame_bytes as usize).collect();
        let frames = grid.places.iter().filter_map(|place| decoded.get(*place));
        Ok(VideoFrames {
            frames: frames
                .map(|rgb| Frame {
                    width,
                    height,
                    rgb: rgb.to_vec(),
                })
                .collect(),
            times_ms: plan.times_ms.clone(),
        })
    }

    fn check_plan(&self, plan: &FramePlan, duration_ms: u64) -> Result<()> {
        let refuse = |reason: String| Err(Error::Plan { reason });
        let times = &plan.times_ms;
        let limit = self.config().max_frames;
        if times.len() > limit {
            return refuse(format!(
                "{} frames exceed the limit of {limit}",
                times.len()
            ));
        }
        if !times.is_sorted() {
            return refuse("the times descend".into());
        }
        match times.last() {
            Some(last) if *last >= duration_ms => refuse(format!(
                "a frame at {last} ms lies outside a clip of {duration_ms} ms"
            )),
            _ => Ok(()),
        }
    }
}

/// The coarsest regular grid that holds every wanted time.
#[derive(Debug, PartialEq, Eq)]
struct Grid {
    /// Milliseconds between ticks.
    step_ms: u64,
    /// The wanted ticks, ascending, each once.
    ticks: Vec<u64>,
    /// For each wanted time, the place of its tick.
    places: Vec<usize>,
}

impl Grid {
    fn of(times_ms: &[u64]) -> Self {
        let step_ms = match times_ms.iter().copied().fold(0, greatest_common_divisor) {
            0 => 1000,
            step => step,
        };
        let mut ticks: Vec<u64> = Vec::new();
        let mut places = Vec::new();
        for time in times_ms {
            let tick = time / step_ms;
            if ticks.last() != Some(&tick) {
                ticks.push(tick);
            }
            places.push(ticks.len() - 1);
        }
        Self {
            step_ms,
            ticks,
            places,
        }
    }

    /// An expression for ffmpeg's `select` that is true on the wanted ticks.
    fn selection(&self) -> String {
        let terms: Vec<String> = self
            .ticks
            .iter()
            .map(|tick| format!("eq(n,{tick})"))
            .collect();
        terms.join("+")
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The size of a scaled frame; of [`FrameScaling::ShortSide`] the longer side is rounded down.
fn scaled(width: u32, height: u32, scaling: FrameScaling) -> Result<(u32, u32)> {
    let (to_width, to_height) = match scaling {
        FrameScaling::Exact { width, height } => (width, height),
        FrameScaling::ShortSide(short) => {
            let long = |side: u32, other: u32| {
                let side = u64::from(side) * u64::from(short) / u64::from(other.max(1));
                u32::try_from(side).unwrap_or(u32::MAX)
            };
            if width < height {
                (short, long(height, width))
            } else {
                (long(width, height), short)
            }
        }
    };
    let possible = 1..=LONGEST_SIDE;
    if possible.contains(&to_width) && possible.contains(&to_height) {
        Ok((to_width, to_height))
    } else if matches!(scaling, FrameScaling::ShortSide(short) if possible.contains(&short)) {
        // The plan is sound; no honest video is this thin.
        Err(Error::Undecodable {
            reason: format!("frames of {width}x{height} are too thin to scale"),
        })
    } else {
        Err(Error::Plan {
            reason: format!("{to_width}x{to_height} pixels"),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn grids_hold_every_time_once() {
        let grid = Grid::of(&[0, 0, 400, 1000, 1000]);
        assert_eq!(
            grid,
            Grid {
                step_ms: 200,
                ticks: vec![0, 2, 5],
                places: vec![0, 0, 1, 2, 2],
            }
        );
        assert_eq!(Grid::of(&[0]).step_ms, 1000);
        assert_eq!(Grid::of(&[7]).ticks, vec![1]);
    }

    proptest! {
        #[test]
        fn every_time_is_found_again(mut times in prop::collection::vec(0_u64..1_000_000, 1..40)) {
            times.sort_unstable();
            let grid = Grid::of(&times);
            let found: Vec<u64> =
                grid.places.iter().map(|place| grid.ticks[*place] * grid.step_ms).collect();
            prop_assert_eq!(found, times);
        }

        #[test]
        fn the_short_side_is_exact(width in 1_u32..5000, height in 1_u32..5000, short in 1_u32..512) {
            if let Ok((w, h)) = scaled(width, height, FrameScaling::ShortSide(short)) {
                prop_assert_eq!(w.min(h), short);
            }
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let exact = |width, height| scaled(640, 480, FrameScaling::Exact { width, height });
        assert!(matches!(exact(0, 10), Err(Error::Plan { .. })));
        assert!(matches!(exact(10, 5000), Err(Error::Plan { .. })));
        let thin = scaled(4096, 1, FrameScaling::ShortSide(224));
        assert!(matches!(thin, Err(Error::Undecodable { .. })));
    }
}
