//! How large and how many the pictures are that a vision model is given.

use serde::{Deserialize, Serialize};

use super::positive;
use crate::{Result, rules::within};

/// Frames are taken in multiples of this.
const FRAME_MULTIPLE: f64 = 2.0;
/// Fewest frames of a window.
const FRAMES_LEAST: f64 = 4.0;
/// Most frames of a window.
const FRAMES_MOST: u64 = 768;
/// Largest ratio of the sides of a picture.
const RATIO_MOST: f64 = 200.0;

/// Width and height of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PictureSize {
    /// Pixels in a row.
    pub width: u64,
    /// Rows.
    pub height: u64,
}

impl PictureSize {
    /// Neither side is 0, both are exact as floats, and their product is.
    fn check(self) -> Result<()> {
        let most = f64::from(1_u32 << 26);
        within("the width", self.width as f64, 1.0, most)?;
        within("the height", self.height as f64, 1.0, most)?;
        Ok(())
    }
}

/// What a vision model accepts: sides that are multiples of `multiple`, and a number of pixels
/// within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelLimits {
    /// Both sides are multiples of this.
    pub multiple: u64,
    /// Fewest pixels.
    pub least: u64,
    /// Most pixels.
    pub most: u64,
}

/// Qwen2.5-VL's limits for the frames of a video: multiples of 28, 128 to 768 such squares.
impl Default for PixelLimits {
    fn default() -> Self {
        Self {
            multiple: 28,
            least: 128 * 28 * 28,
            most: 768 * 28 * 28,
        }
    }
}

/// The size a picture is scaled to, by the rule of Qwen-VL's preprocessing: each side is rounded to
/// a multiple, half to even; beyond the bounds on pixels both sides are instead divided by
/// `β = √(width·height / most)` and rounded down, or multiplied by `β = √(least / (width·height))`
/// and rounded up, so that the shape is kept about.
///
/// # Errors
/// [`crate::Error::Constant`] for a side of 0 or beyond 2²⁶ pixels, sides whose ratio is above 200,
/// and a limit of 0.
pub fn model_picture_size(size: PictureSize, limits: PixelLimits) -> Result<PictureSize> {
    size.check()?;
    let multiple = limits.multiple as f64;
    within("the multiple", multiple, 1.0, f64::from(1_u32 << 26))?;
    within("the fewest pixels", limits.least as f64, 1.0, f64::MAX)?;
    within("the most pixels", limits.most as f64, 1.0, f64::MAX)?;
    let (width, height) = (size.width as f64, size.height as f64);
    let ratio = width.max(height) / width.min(height);
    within("the ratio of the sides", ratio, 1.0, RATIO_MOST)?;
    let rounded = |side: f64| ((side / multiple).round_ties_even() * multiple).max(multiple);
    let pixels = rounded(width) * rounded(height);
    let area = (size.width * size.height) as f64;
    let scaled = |side: f64| {
        if pixels > limits.most as f64 {
            let shrink = (area / limits.most as f64).sqrt();
            ((side / shrink / multiple).floor() * multiple).max(multiple)
        } else if pixels < limits.least as f64 {
            let grow = (limits.least as f64 / area).sqrt();
            (side * grow / multiple).ceil() * multiple
        } else {
            rounded(side)
        }
    };
    Ok(PictureSize {
        width: scaled(width) as u64,
        height: scaled(height) as u64,
    })
}

/// How many frames of a window a vision model is given: `frames / rate · wanted_rate`, at least 4
/// and at most 768 or all, rounded to an even number, half to even.
///
/// # Errors
/// [`crate::Error::Constant`] when a rate is not positive, and when fewer than 2 frames would be
/// left, as for a window of one frame.
pub fn model_frames(frames: u64, rate: f64, wanted_rate: f64) -> Result<u64> {
    positive("the frame rate", rate)?;
    positive("the sampling rate", wanted_rate)?;
    let most = (frames.min(FRAMES_MOST) / 2 * 2) as f64;
    let wanted = (frames as f64 / rate * wanted_rate)
        .max(FRAMES_LEAST)
        .min(most);
    let even = (wanted / FRAME_MULTIPLE).round_ties_even() * FRAME_MULTIPLE;
    within("the number of frames", even, FRAME_MULTIPLE, frames as f64)?;
    Ok(even as u64)
}

/// The size of a picture whose shorter side becomes `shortest`: the longer one keeps the shape,
/// `long · shortest / short`, rounded half to even, and one more where that is odd, which encoders
/// refuse.
///
/// # Errors
/// [`crate::Error::Constant`] for a side of 0 or beyond 2²⁶ pixels.
pub fn shortest_side_size(size: PictureSize, shortest: u64) -> Result<PictureSize> {
    size.check()?;
    within(
        "the shorter side",
        shortest as f64,
        1.0,
        f64::from(1_u32 << 26),
    )?;
    let scaled = |long: u64, short: u64| {
        let exact = (long * shortest) as f64 / short as f64;
        let rounded = exact.round_ties_even() as u64;
        rounded + rounded % 2
    };
    Ok(if size.width <= size.height {
        PictureSize {
            width: shortest,
            height: scaled(size.height, size.width),
        }
    } else {
        PictureSize {
            width: scaled(size.width, size.height),
            height: shortest,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit_the_model() {
        let size = |width, height| {
            let fitted = model_picture_size(PictureSize { width, height }, PixelLimits::default());
            fitted.map(|size| (size.width, size.height))
        };
        assert_eq!(size(1920, 1080).unwrap(), (1008, 560));
        assert_eq!(size(28, 14).unwrap(), (448, 224));
        assert!(size(2001, 10).is_err());
        assert!(size(0, 10).is_err());
        assert!(size(u64::MAX, u64::MAX).is_err());
    }

    #[test]
    fn frames_are_even_and_bounded() {
        assert_eq!(model_frames(256, 25.0, 1.0).unwrap(), 10);
        assert_eq!(model_frames(3, 30.0, 2.0).unwrap(), 2);
        assert_eq!(model_frames(1 << 40, 30.0, 2.0).unwrap(), 768);
        assert!(model_frames(1, 30.0, 2.0).is_err());
        assert!(model_frames(100, 0.0, 2.0).is_err());
        assert!(model_frames(100, 25.0, f64::NAN).is_err());
    }

    #[test]
    fn the_longer_side_is_even() {
        let size = PictureSize {
            width: 87,
            height: 141,
        };
        let found = shortest_side_size(size, 720).unwrap();
        assert_eq!((found.width, found.height), (720, 1168));
        assert!(shortest_side_size(size, 0).is_err());
    }
}
