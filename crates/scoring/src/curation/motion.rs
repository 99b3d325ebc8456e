//! Whether anything moves in a clip, by the motion vectors its encoder left in it.

mod policy;

pub use policy::{MotionPatch, MotionPolicy, MotionSampling};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, rules::within};

/// Side of a patch in pixels.
const PATCH: usize = 256;
/// Blocks whose vectors count, width and height.
const BLOCKS: [(i32, i32); 4] = [(8, 8), (16, 16), (16, 8), (8, 16)];
/// Most pixels of a frame: 16,384 squared.
const PIXELS_MOST: usize = 1 << 28;

/// The motion of one block of a frame, as FFmpeg exports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MotionVector {
    /// Width of the block in pixels.
    pub width: i32,
    /// Height of the block.
    pub height: i32,
    /// Column of the block's centre in this frame.
    pub x: i32,
    /// Row of the block's centre.
    pub y: i32,
    /// Motion along a row, in parts of a pixel.
    pub motion_x: i32,
    /// Motion along a column.
    pub motion_y: i32,
    /// Parts that make a pixel, from 1.
    pub scale: u16,
}

/// How much moves in a clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MotionScore {
    /// Mean magnitude of motion over all pixels and frames.
    pub global_mean: f64,
    /// The least of [`MotionScore::patches`].
    pub patch_least: f64,
    /// Mean magnitude over time, one number for each patch of 256 by 256 pixels, row by row.
    pub patches: Vec<f64>,
    /// Patches of a row.
    pub patch_columns: usize,
}

/// What the motion says about a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MotionDecision {
    /// Enough moves: keep it.
    Moving,
    /// Too little moves: drop it.
    Still,
    /// There are no motion vectors, which says nothing about motion.
    Unknown,
}

/// How much moves, over frames of motion vectors. Nothing where there are no frames.
///
/// Each vector paints its block, the pixels `centre − size/2` to `centre + size/2 − 1` moved into the
/// frame, with the flow `−motion / scale`; blocks other than 8×8, 16×16, 16×8 and 8×16 are ignored,
/// later vectors paint over earlier ones, and what is not painted does not move. A pixel's magnitude
/// is `√(flow_x² + flow_y²) / (height + width)`. Patches are explained at [`MotionPatch`].
///
/// Takes one frame of memory, O(frames · (pixels + vectors)) time.
///
/// # Errors
/// [`Error::Constant`] for a side shorter than 256 pixels where the policy needs whole patches, a
/// side of 0, a frame of more than 2²⁸ pixels, or a scale of 0.
pub fn motion_score(
    policy: &MotionPolicy,
    width: usize,
    height: usize,
    frames: &[Vec<MotionVector>],
) -> Result<Option<MotionScore>> {
    let least = match policy.patch {
        MotionPatch::Centre => PATCH as f64,
        MotionPatch::Whole => 1.0,
    };
    within("the width", width as f64, least, PIXELS_MOST as f64)?;
    within("the height", height as f64, least, PIXELS_MOST as f64)?;
    within(
        "the number of pixels",
        width as f64 * height as f64,
        1.0,
        PIXELS_MOST as f64,
    )?;
    if frames.is_empty() {
        return Ok(None);
    }
    let mut magnitudes = vec![0.0_f32; width * height];
    let mut patches = Patches::new(policy.patch, width, height);
    let mut total = 0.0;
    for frame in frames {
        magnitudes.fill(0.0);
        for vector in frame {
            paint(&mut magnitudes, width, height, vector)?;
        }
        total += patches.add(&magnitudes, width);
    }
    let count = frames.len() as f64;
    let pixels = width as f64 * height as f64;
    let means = patches.means(count);
    Ok(Some(MotionScore {
        global_mean: total / (count * pixels),
        patch_least: means.iter().copied().fold(f64::INFINITY, f64::min),
        patches: means,
        patch_columns: patches.columns.len(),
    }))
}

/// What the policy makes of a score: still when the mean over all pixels is below
/// `global_mean_least` or the stillest patch below `patch_least`.
pub fn decide_motion(policy: &MotionPolicy, score: Option<&MotionScore>) -> MotionDecision {
    match score {
        Some(score)
            if score.global_mean < policy.global_mean_least
                || score.patch_least < policy.patch_least =>
        {
            MotionDecision::Still
        }
        Some(_) => MotionDecision::Moving,
        None if policy.missing_is_still => MotionDecision::Still,
        None => MotionDecision::Unknown,
    }
}

/// Shrinks a picture 256 times, as the field's bilinear resize does: to `⌊side/256⌉` (half to even)
/// pixels, each the mean of the four around the centre of its 256 by 256, or fewer at the edge.
/// Rows of the result, its width first.
///
/// # Errors
/// [`Error::Constant`] for a side shorter than 129 pixels, of which nothing would be left, and
/// [`Error::Length`] unless there are `width · height` pixels.
pub fn shrink_by_256(pixels: &[f32], width: usize, height: usize) -> Result<(usize, Vec<f64>)> {
    let least = (PATCH / 2 + 1) as f64;
    within("the width", width as f64, least, PIXELS_MOST as f64)?;
    within("the height", height as f64, least, PIXELS_MOST as f64)?;
    if width.checked_mul(height) != Some(pixels.len()) {
        return Err(Error::Length {
            left: pixels.len(),
            right: width.saturating_mul(height),
        });
    }
    let mut patches = Patches::new(MotionPatch::Centre, width, height);
    patches.add(pixels, width);
    Ok((patches.columns.len(), patches.means(1.0)))
}

fn paint(magnitudes: &mut [f32], width: usize, height: usize, vector: &MotionVector) -> Result<()> {
    if !BLOCKS.contains(&(vector.width, vector.height)) {
        return Ok(());
    }
    if vector.scale == 0 {
        return Err(Error::Constant {
            name: "the scale of motion",
            value: 0.0,
            least: 1.0,
            most: f64::from(u16::MAX),
        });
    }
    let scale = f32::from(vector.scale);
    let (x, y) = (
        vector.motion_x as f32 / scale,
        vector.motion_y as f32 / scale,
    );
    let magnitude = (x * x + y * y).sqrt() / (height + width) as f32;
    let columns = covered(vector.x, vector.width, width);
    for row in covered(vector.y, vector.height, height) {
        if let Some(pixels) = magnitudes
            .get_mut(row * width..(row + 1) * width)
            .and_then(|row| row.get_mut(columns.clone()))
        {
            pixels.fill(magnitude);
        }
    }
    Ok(())
}

/// The pixels `centre − size/2` to `centre + size/2 − 1`, each moved to the nearest in the frame.
fn covered(centre: i32, size: i32, side: usize) -> std::ops::Range<usize> {
    let (centre, half) = (i64::from(centre), i64::from(size / 2));
    let last = side as i64 - 1;
    let first = (centre - half).clamp(0, last) as usize;
    let end = (centre + half - 1).clamp(0, last) as usize + 1;
    first..end
}

/// Sums of magnitudes, patch by patch.
struct Patches {
    columns: Vec<std::ops::Range<usize>>,
    rows: Vec<std::ops::Range<usize>>,
    sums: Vec<f64>,
}

impl Patches {
    fn new(patch: MotionPatch, width: usize, height: usize) -> Self {
        let ranges = |side: usize| -> Vec<std::ops::Range<usize>> {
            match patch {
                MotionPatch::Centre => (0..(side as f64 / PATCH as f64).round_ties_even() as usize)
                    .map(|index| {
                        let left = (index * PATCH + PATCH / 2 - 1).min(side - 1);
                        left..(left + 2).min(side)
                    })
                    .collect(),
                MotionPatch::Whole => {
                    // At least half a patch is one of its own, a smaller rest joins the last.
                    let count = ((side + PATCH / 2) / PATCH).max(1);
                    let end = |index: usize| if index == count { side } else { index * PATCH };
                    (0..count).map(|index| end(index)..end(index + 1)).collect()
                }
            }
        };
        let (columns, rows) = (ranges(width), ranges(height));
        Self {
            sums: vec![0.0; columns.len() * rows.len()],
            columns,
            rows,
        }
    }

    /// Adds a frame and returns the sum of all its pixels.
    fn add(&mut self, magnitudes: &[f32], width: usize) -> f64 {
        let total = magnitudes.chunks(PATCH).map(sum).sum();
        let mut sums = self.sums.iter_mut();
        for rows in &self.rows {
            for columns in &self.columns {
                let Some(slot) = sums.next() else { break };
                for row in rows.clone() {
                    let start = row * width;
                    let pixels = magnitudes.get(start + columns.start..start + columns.end);
                    *slot += pixels.map_or(0.0, sum);
                }
            }
        }
        total
    }

    fn means(&self, frames: f64) -> Vec<f64> {
        let areas = self.rows.iter().flat_map(|rows| {
            self.columns
                .iter()
                .map(|columns| rows.len() * columns.len())
        });
        let means = self.sums.iter().zip(areas);
        means
            .map(|(sum, area)| sum / (frames * area as f64))
            .collect()
    }
}

/// The sum of a few hundred numbers, in eight parts so that it is vectorised.
fn sum(numbers: &[f32]) -> f64 {
    let mut parts = [0.0_f32; 8];
    let (whole, rest) = numbers.as_chunks::<8>();
    for eight in whole {
        for (part, number) in parts.iter_mut().zip(eight) {
            *part += number;
        }
    }
    parts
        .iter()
        .chain(rest)
        .map(|number| f64::from(*number))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(x: i32, y: i32, motion: i32) -> MotionVector {
        MotionVector {
            width: 16,
            height: 16,
            x,
            y,
            motion_x: motion,
            motion_y: 0,
            scale: 4,
        }
    }

    #[test]
    fn a_clip_that_moves_everywhere_is_moving() {
        let frame: Vec<_> = (0..18)
            .flat_map(|y| (0..18).map(move |x| vector(x * 16 + 8, y * 16 + 8, 40)))
            .collect();
        for policy in [MotionPolicy::original(), MotionPolicy::hardened()] {
            let frames = [frame.clone(), frame.clone()];
            let score = motion_score(&policy, 288, 288, &frames).unwrap().unwrap();
            assert!((score.global_mean - 10.0 / 576.0).abs() < 1e-8);
            assert!((score.patch_least - 10.0 / 576.0).abs() < 1e-8);
            assert_eq!(decide_motion(&policy, Some(&score)), MotionDecision::Moving);
        }
    }

    #[test]
    fn a_clip_without_vectors_is_not_called_still() {
        let none = motion_score(&MotionPolicy::original(), 256, 256, &[]).unwrap();
        assert_eq!(
            decide_motion(&MotionPolicy::original(), none.as_ref()),
            MotionDecision::Still
        );
        assert_eq!(
            decide_motion(&MotionPolicy::hardened(), none.as_ref()),
            MotionDecision::Unknown
        );
    }

    #[test]
    fn motion_away_from_the_centre_of_a_patch_counts() {
        // A patch that moves everywhere but in its centre.
        let frame: Vec<_> = (0..16)
            .flat_map(|y| (0..16).map(move |x| (x, y)))
            .filter(|at| !(7..=8).contains(&at.0) || !(7..=8).contains(&at.1))
            .map(|(x, y)| vector(x * 16 + 8, y * 16 + 8, 40))
            .collect();
        let decision = |policy: MotionPolicy| {
            let score = motion_score(&policy, 256, 256, std::slice::from_ref(&frame)).unwrap();
            decide_motion(&policy, score.as_ref())
        };
        assert_eq!(decision(MotionPolicy::original()), MotionDecision::Still);
        assert_eq!(decision(MotionPolicy::hardened()), MotionDecision::Moving);
    }

    #[test]
    fn small_videos_have_a_patch_when_hardened() {
        let frames = [vec![vector(8, 8, 40)]];
        assert!(motion_score(&MotionPolicy::original(), 64, 64, &frames).is_err());
        let score = motion_score(&MotionPolicy::hardened(), 64, 64, &frames)
            .unwrap()
            .unwrap();
        assert_eq!(score.patches.len(), 1);
        assert!((score.patch_least - score.global_mean).abs() < 1e-12);
    }

    #[test]
    fn hostile_vectors_stay_in_the_frame() {
        let mut far = vector(i32::MAX, i32::MIN, i32::MIN);
        let policy = MotionPolicy::original();
        assert!(
            motion_score(&policy, 256, 256, &[vec![far]])
                .unwrap()
                .is_some()
        );
        far.scale = 0;
        assert!(motion_score(&policy, 256, 256, &[vec![far]]).is_err());
        far.width = 4;
        assert!(
            motion_score(&policy, 256, 256, &[vec![far]]).is_ok(),
            "ignored"
        );
        assert!(motion_score(&policy, usize::MAX, 256, &[vec![far]]).is_err());
        assert!(motion_score(&policy, 0, 0, &[vec![far]]).is_err());
    }

    #[test]
    fn shrinking_takes_the_centre() {
        let mut pixels = vec![0.0; 384 * 256];
        pixels[127 * 384 + 127] = 4.0;
        pixels[128 * 384 + 383] = 2.0;
        // The second column's centre lies between pixels 383 and 384, of which there is one.
        assert_eq!(
            shrink_by_256(&pixels, 384, 256).unwrap(),
            (2, vec![1.0, 1.0])
        );
        assert!(shrink_by_256(&pixels, 256, 256).is_err());
        assert!(shrink_by_256(&pixels[..128 * 128], 128, 128).is_err());
    }
}
