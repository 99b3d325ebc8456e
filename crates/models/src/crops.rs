//! Frames as the vision trunk takes them: the short side scaled to 224, three crops along the long
//! one, each channel normalised.

use crate::{Error, Result};

/// Side of a crop, in pixels.
pub(crate) const SIDE: usize = 224;
/// Longest side of a frame, in pixels.
const LONGEST_SIDE: usize = 1 << 15;
/// Longest scaled side, in pixels: 146 times the short one.
const LONGEST_SCALED: usize = 1 << 15;
/// Mean and standard deviation of red, green and blue in CLIP's training images, of 1.
pub(crate) const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
pub(crate) const DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// How frames of one size are scaled and cropped.
///
/// ```
/// use adit_models::CropPlan;
///
/// let plan = CropPlan::new(640, 360)?;
/// assert_eq!(plan.scaled(), (398, 224));
/// assert_eq!(plan.offsets(), [(0, 0), (87, 0), (174, 0)]);
/// let crops = plan.crops(&vec![127; 640 * 360 * 3])?;
/// assert_eq!(crops[1].len(), 3 * 224 * 224);
/// # Ok::<(), adit_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CropPlan {
    width: usize,
    height: usize,
    scaled_width: usize,
    scaled_height: usize,
}

impl CropPlan {
    /// The plan for frames of `width × height` pixels: the short side becomes 224, the long one keeps
    /// the proportion, rounded down.
    ///
    /// # Errors
    /// [`Error::Input`] for a side of 0 or above 32,768 pixels, or one that is over 146 times the other.
    pub fn new(width: usize, height: usize) -> Result<Self> {
        let short = width.min(height);
        let long = width.max(height);
        if short == 0 || long > LONGEST_SIDE {
            return Err(Error::Input {
                reason: format!("a frame of {width} × {height} pixels"),
            });
        }
        let scaled = (long as f64 / short as f64 * SIDE as f64).floor() as usize;
        if scaled > LONGEST_SCALED {
            return Err(Error::Input {
                reason: format!("a frame of {width} × {height} pixels is too narrow"),
            });
        }
        let (scaled_width, scaled_height) = if width < height {
            (SIDE, scaled)
        } else {
            (scaled, SIDE)
        };
        Ok(Self {
            width,
            height,
            scaled_width,
            scaled_height,
        })
    }

    /// Width and height after scaling, in pixels.
    pub fn scaled(&self) -> (usize, usize) {
        (self.scaled_width, self.scaled_height)
    }

    /// Where the three crops begin in the scaled frame, as `(x, y)`: left, centre, right; or top,
    /// centre, bottom of a frame that is higher than wide.
    pub fn offsets(&self) -> [(usize, usize); 3] {
        let (across, down) = (self.scaled_width - SIDE, self.scaled_height - SIDE);
        let three = [0, 1, 2];
        if down > across {
            three.map(|part| (across.div_ceil(2), (down * part).div_ceil(2)))
        } else {
            three.map(|part| ((across * part).div_ceil(2), down.div_ceil(2)))
        }
    }

    /// The crops of a frame of packed RGB bytes, row by row. Each has 3 × 224 × 224 values, the
    /// channels one after another.
    ///
    /// Scaling is bilinear between the centres of pixels, without smoothing, as
    /// `torch.nn.functional.interpolate` does it.
    ///
    /// # Errors
    /// [`Error::Input`] for a number of bytes that is not 3 × width × height.
    pub fn crops(&self, rgb: &[u8]) -> Result<[Vec<f32>; 3]> {
        let expected = self.width * self.height * 3;
        if rgb.len() != expected {
            return Err(Error::Input {
                reason: format!("a frame of {} bytes, not {expected}", rgb.len()),
            });
        }
        let columns = taps(self.width, self.scaled_width);
        let rows = taps(self.height, self.scaled_height);
        Ok(self.offsets().map(|(x, y)| {
            let columns = columns.get(x..x + SIDE).unwrap_or_default();
            let rows = rows.get(y..y + SIDE).unwrap_or_default();
            self.crop(rgb, columns, rows)
        }))
    }

    fn crop(&self, rgb: &[u8], columns: &[Tap], rows: &[Tap]) -> Vec<f32> {
        let mut planes = vec![0.0; 3 * SIDE * SIDE];
        let line = |index: usize| {
            let line = self.width * 3;
            rgb.get(index * line..(index + 1) * line)
                .unwrap_or_default()
        };
        for ((channel, plane), (mean, deviation)) in planes
            .chunks_exact_mut(SIDE * SIDE)
            .enumerate()
            .zip(MEAN.iter().zip(&DEVIATION))
        {
            for (row, places) in rows.iter().zip(plane.chunks_exact_mut(SIDE)) {
                let (above, below) = (line(row.near), line(row.far));
                let mix = |line: &[u8], column: &Tap| {
                    let value = |pixel: usize| {
                        f32::from(line.get(pixel * 3 + channel).copied().unwrap_or_default())
                    };
                    column.mix(value(column.near), value(column.far))
                };
                for (column, place) in columns.iter().zip(places) {
                    let value = row.mix(mix(above, column), mix(below, column)) / 255.0;
                    *place = (value - mean) / deviation;
                }
            }
        }
        planes
    }
}

/// The two source pixels of a scaled one.
#[derive(Debug, Clone, Copy)]
struct Tap {
    near: usize,
    far: usize,
    /// Weight of `far`, 0 to 1.
    share: f32,
}

impl Tap {
    fn mix(&self, near: f32, far: f32) -> f32 {
        near * (1.0 - self.share) + far * self.share
    }
}

fn taps(source: usize, scaled: usize) -> Vec<Tap> {
    let ratio = source as f32 / scaled as f32;
    let last = source.saturating_sub(1);
    (0..scaled)
        .map(|index| {
            let place = (ratio * (index as f32 + 0.5) - 0.5).max(0.0);
            let near = (place as usize).min(last);
            Tap {
                near,
                far: (near + 1).min(last),
                share: place - near as f32,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CropPlan, SIDE};

    #[test]
    fn what_is_no_frame_is_refused() {
        for (width, height) in [(0, 9), (9, 0), (40_000, 300), (1, 200), (usize::MAX, 1)] {
            assert!(CropPlan::new(width, height).is_err(), "{width} × {height}");
        }
        assert!(CropPlan::new(4, 4).unwrap().crops(&[0; 47]).is_err());
    }

    #[test]
    fn one_colour_stays_one_colour() {
        let plan = CropPlan::new(3, 5).unwrap();
        for crop in plan.crops(&[255; 45]).unwrap() {
            for (plane, expected) in crop
                .chunks(SIDE * SIDE)
                .zip([1.930_336, 2.074_884, 2.145_896])
            {
                assert!(plane.iter().all(|value| (value - expected).abs() < 1e-4));
            }
        }
    }

    proptest! {
        #[test]
        fn crops_lie_within_the_scaled_frame(width in 1_usize..5_000, height in 1_usize..5_000) {
            let Ok(plan) = CropPlan::new(width, height) else {
                prop_assert!(width.max(height) > 140 * width.min(height));
                return Ok(());
            };
            let (scaled_width, scaled_height) = plan.scaled();
            prop_assert_eq!(scaled_width.min(scaled_height), SIDE);
            for (x, y) in plan.offsets() {
                prop_assert!(x + SIDE <= scaled_width && y + SIDE <= scaled_height);
            }
        }
    }
}
