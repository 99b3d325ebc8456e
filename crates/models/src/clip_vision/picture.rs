use super::bicubic::Window;
use crate::{
    Error, Result,
    crops::{DEVIATION, MEAN},
};

/// Longest side of a picture, in pixels, before and after scaling.
const LONGEST_SIDE: usize = 1 << 15;
/// Largest side of a crop, in pixels.
const LARGEST_CROP: usize = 1_024;
/// Bytes of a pixel.
const PIXEL: usize = 3;

/// How pictures of one size become what CLIP's vision tower takes: the short side scaled to the
/// tower's, a square cut out of the middle, each colour normalised.
///
/// Bytes are exactly those of Hugging Face's `CLIPImageProcessor` on Pillow: bicubic, smoothed where
/// a picture shrinks, rounded to bytes. [`crate::CropPlan`] prepares frames for ImageBind, which
/// scales otherwise.
///
/// ```
/// use adit_models::CentreCrop;
///
/// let crop = CentreCrop::new(640, 361, 224)?;
/// assert_eq!(crop.scaled(), (397, 224));
/// assert_eq!(crop.offset(), (86, 0));
/// let values = crop.values(&vec![127; 640 * 361 * 3])?;
/// assert_eq!(values.len(), 3 * 224 * 224);
/// # Ok::<(), adit_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentreCrop {
    width: usize,
    height: usize,
    scaled_width: usize,
    scaled_height: usize,
    side: usize,
}

impl CentreCrop {
    /// The plan for pictures of `width × height` pixels and a square of `side` pixels. The long side
    /// keeps the proportion, rounded down.
    ///
    /// # Errors
    /// [`Error::Input`] for a side of 0 or above 32,768 pixels, before or after scaling, and for a
    /// square of 0 or above 1,024.
    pub fn new(width: usize, height: usize, side: usize) -> Result<Self> {
        let refuse = |reason: String| Err(Error::Input { reason });
        let (short, long) = (width.min(height), width.max(height));
        if short == 0 || long > LONGEST_SIDE {
            return refuse(format!("a picture of {width} × {height} pixels"));
        }
        if !(1..=LARGEST_CROP).contains(&side) {
            return refuse(format!(
                "a square of {side} pixels, 1 to {LARGEST_CROP} are allowed"
            ));
        }
        let scaled = side * long / short;
        if scaled > LONGEST_SIDE {
            return refuse(format!(
                "a picture of {width} × {height} pixels is too narrow"
            ));
        }
        let (scaled_width, scaled_height) = if width <= height {
            (side, scaled)
        } else {
            (scaled, side)
        };
        Ok(Self {
            width,
            height,
            scaled_width,
            scaled_height,
            side,
        })
    }

    /// Width and height after scaling, in pixels.
    pub fn scaled(&self) -> (usize, usize) {
        (self.scaled_width, self.scaled_height)
    }

    /// Where the square begins in the scaled picture, as `(x, y)`. An odd pixel is left to the right
    /// and below.
    pub fn offset(&self) -> (usize, usize) {
        (
            (self.scaled_width - self.side) / 2,
            (self.scaled_height - self.side) / 2,
        )
    }

    /// The square as packed RGB bytes, row by row, of a picture of such bytes.
    ///
    /// # Errors
    /// [`Error::Input`] for a number of bytes that is not 3 × width × height.
    pub fn bytes(&self, rgb: &[u8]) -> Result<Vec<u8>> {
        let expected = self.width * self.height * PIXEL;
        if rgb.len() != expected {
            return Err(Error::Input {
                reason: format!("a picture of {} bytes, not {expected}", rgb.len()),
            });
        }
        let (x, y) = self.offset();
        let columns = Window::along(self.width, self.scaled_width, x, self.side);
        let rows = Window::along(self.height, self.scaled_height, y, self.side);
        // Only what the square is made of is scaled.
        let top = rows.iter().map(|row| row.first).min().unwrap_or_default();
        let end = rows.iter().map(Window::end).max().unwrap_or_default();
        let line = self.width * PIXEL;
        let narrow = self.side * PIXEL;
        let mut scaled = Vec::with_capacity((end - top) * narrow);
        for source in rgb.chunks_exact(line).skip(top).take(end - top) {
            for column in &columns {
                for colour in 0..PIXEL {
                    let from = column.first * PIXEL + colour;
                    scaled.push(column.mix(source.iter().skip(from).step_by(PIXEL).copied()));
                }
            }
        }
        let mut square = Vec::with_capacity(self.side * narrow);
        for row in &rows {
            let from = (row.first - top) * narrow;
            for place in 0..narrow {
                let values = scaled.iter().skip(from + place).step_by(narrow);
                square.push(row.mix(values.copied()));
            }
        }
        Ok(square)
    }

    /// What the tower takes: 3 × side × side values, the colours one after another.
    ///
    /// # Errors
    /// As [`Self::bytes`].
    pub fn values(&self, rgb: &[u8]) -> Result<Vec<f32>> {
        let square = self.bytes(rgb)?;
        let mut values = Vec::with_capacity(square.len());
        for (colour, (mean, deviation)) in MEAN.iter().zip(&DEVIATION).enumerate() {
            // The same 256 values again and again.
            let table: Vec<f32> = (0..=255_u8)
                .map(|byte| (f32::from(byte) / 255.0 - mean) / deviation)
                .collect();
            let bytes = square.iter().skip(colour).step_by(PIXEL);
            values.extend(bytes.filter_map(|byte| table.get(usize::from(*byte))));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::CentreCrop;

    #[test]
    fn what_is_no_picture_is_refused() {
        for (width, height, side) in [
            (0, 9, 224),
            (9, 0, 224),
            (40_000, 300, 224),
            (1, 200, 224),
            (usize::MAX, usize::MAX, 224),
            (9, 9, 0),
            (9, 9, 1_025),
        ] {
            let refused = CentreCrop::new(width, height, side);
            assert!(refused.is_err(), "{width} × {height} to {side}");
        }
        assert!(CentreCrop::new(4, 4, 2).unwrap().bytes(&[0; 47]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn one_colour_stays_one_colour(
            width in 1_usize..90, height in 1_usize..90, side in 1_usize..40, rgb in any::<[u8; 3]>(),
        ) {
            let crop = CentreCrop::new(width, height, side).unwrap();
            let bytes = crop.bytes(&rgb.repeat(width * height)).unwrap();
            prop_assert_eq!(bytes.len(), side * side * 3);
            prop_assert!(bytes.chunks(3).all(|pixel| pixel == rgb), "{:?}", &bytes[..3]);
        }
    }
}
