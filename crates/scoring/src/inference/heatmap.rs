//! The heatmap of a similarity matrix.

mod colours;
mod draw;
mod glyphs;

use adit_primitives::Uid;
use draw::{Layout, draw};
use plotters::prelude::{BitMapBackend, IntoDrawingArea, SVGBackend};

use super::SimilarityMatrix;
use crate::{Error, Result};

/// Most answers that a heatmap shows.
pub const MOST_ANSWERS: usize = 1_024;
/// Cells of an SVG in one direction; more are averaged in blocks.
const MOST_VECTOR_CELLS: usize = 128;

/// A picture of how alike answers are: a square cell for each pair, its colour by similarity on the
/// viridis scale, uids above and at the left, a bar with numbers at the right.
///
/// A cell that is not finite is grey with a cross, and has an entry at the bar. The same input always
/// gives the same bytes. Needs no fonts: numbers are drawn dot by dot.
///
/// ```
/// use adit_primitives::Uid;
/// use adit_scoring::inference::{Heatmap, SimilarityMatrix};
///
/// let matrix = SimilarityMatrix::cosines(&[[1.0_f32, 0.0], [0.9, 0.4], [0.0, 1.0]])?;
/// let heatmap = Heatmap::of(&matrix, &[Uid(4), Uid(17), Uid(230)])?;
/// assert!(heatmap.png()?.starts_with(b"\x89PNG"));
/// assert!(heatmap.svg()?.starts_with("<svg"));
/// # Ok::<(), adit_scoring::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    uids: Vec<Uid>,
    values: Vec<f64>,
    low: f64,
    high: f64,
}

impl Heatmap {
    /// The heatmap of any square matrix, row after row, such as one with gaps.
    ///
    /// The scale is the original's: from 0.05 below the lowest finite value, though not below 0, to
    /// 0.05 above the highest, though not above 1; 0 to 1 when values lie within 0.01, are none, or
    /// leave no such scale.
    ///
    /// # Errors
    /// [`Error::Empty`] without a row, [`Error::TooMany`] beyond [`MOST_ANSWERS`], [`Error::Count`]
    /// for a row or labels of another length than there are rows.
    pub fn new<V: AsRef<[f64]>>(rows: &[V], uids: &[Uid]) -> Result<Self> {
        Self::of_rows(rows.len(), rows.iter().map(AsRef::as_ref), uids)
    }

    /// The heatmap of a round's similarities.
    ///
    /// # Errors
    /// As [`Heatmap::new`].
    pub fn of(matrix: &SimilarityMatrix, uids: &[Uid]) -> Result<Self> {
        Self::of_rows(matrix.len(), matrix.rows(), uids)
    }

    fn of_rows<'a>(
        len: usize,
        rows: impl Iterator<Item = &'a [f64]>,
        uids: &[Uid],
    ) -> Result<Self> {
        if len == 0 {
            return Err(Error::Empty { what: "the matrix" });
        }
        if len > MOST_ANSWERS {
            return Err(Error::TooMany {
                what: "answers of a heatmap",
                most: MOST_ANSWERS,
                found: len,
            });
        }
        if uids.len() != len {
            return Err(Error::Count {
                what: "the list of labels",
                expected: len,
                found: uids.len(),
            });
        }
        let mut values = Vec::with_capacity(len * len);
        for row in rows {
            if row.len() != len {
                return Err(Error::Count {
                    what: "a row of a matrix",
                    expected: len,
                    found: row.len(),
                });
            }
            values.extend_from_slice(row);
        }
        let (low, high) = scale(&values);
        Ok(Self {
            uids: uids.to_vec(),
            values,
            low,
            high,
        })
    }

    /// With another scale; values beyond have the colour of its end.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for an end, [`Error::Constant`] unless the low end is below the high end
    /// and both lie in −1,000 to 1,000.
    pub fn with_scale(mut self, low: f64, high: f64) -> Result<Self> {
        for (name, value, least, most) in [("low", low, -1e3, high), ("high", high, low, 1e3)] {
            if !value.is_finite() {
                return Err(Error::NotFinite {
                    what: "an end of the scale",
                });
            }
            if !(least..=most).contains(&value) || low >= high {
                return Err(Error::Constant {
                    name,
                    value,
                    least,
                    most,
                });
            }
        }
        (self.low, self.high) = (low, high);
        Ok(self)
    }

    /// Number of answers.
    pub fn answers(&self) -> usize {
        self.uids.len()
    }

    /// Width and height of the picture in pixels; at most 1,280 each.
    pub fn size(&self) -> (u32, u32) {
        Layout::of(self).size()
    }

    /// Where the cell of two answers is: its upper left pixel, and its side. Beyond the last answer
    /// lies the rest of the picture.
    pub fn cell(&self, row: usize, column: usize) -> (u32, u32, u32) {
        Layout::of(self).cell(row, column)
    }

    /// The colour of a similarity, red, green and blue.
    pub fn colour(&self, similarity: f64) -> [u8; 3] {
        if similarity.is_finite() {
            colours::viridis((similarity - self.low) / (self.high - self.low))
        } else {
            draw::GAP
        }
    }

    /// The picture as PNG, 8 bits a channel.
    ///
    /// # Errors
    /// [`Error::Drawing`] when drawing or packing fails.
    pub fn png(&self) -> Result<Vec<u8>> {
        let (width, height) = self.size();
        let mut pixels = vec![0; width as usize * height as usize * 3];
        draw(
            self,
            1,
            &BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area(),
        )?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(drawing)?;
        writer.write_image_data(&pixels).map_err(drawing)?;
        writer.finish().map_err(drawing)?;
        Ok(bytes)
    }

    /// The picture as SVG. Above 128 answers, cells are the mean of a block of pairs, and a gap where
    /// one of them is, so that the text stays below 4 MB.
    ///
    /// # Errors
    /// [`Error::Drawing`] when drawing fails.
    pub fn svg(&self) -> Result<String> {
        let mut text = String::new();
        let block = self.answers().div_ceil(MOST_VECTOR_CELLS);
        draw(
            self,
            block,
            &SVGBackend::with_string(&mut text, self.size()).into_drawing_area(),
        )?;
        Ok(text)
    }

    fn value(&self, row: usize, column: usize) -> f64 {
        let place = row * self.answers() + column;
        self.values.get(place).copied().unwrap_or(f64::NAN)
    }
}

fn drawing(error: impl std::fmt::Display) -> Error {
    Error::Drawing {
        reason: error.to_string(),
    }
}

fn scale(values: &[f64]) -> (f64, f64) {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, most) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    // Without a finite value, the ends are infinite and the wrong way round.
    if most - least < 0.01 {
        return (0.0, 1.0);
    }
    let (low, high) = ((least - 0.05).max(0.0), (most + 0.05).min(1.0));
    if low < high { (low, high) } else { (0.0, 1.0) }
}
