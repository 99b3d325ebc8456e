use super::{
    block::{centre, damp},
    cosine_transform::CosineTransform,
    gradient::{CELLS, ORIENTATIONS, add_gradients, centre_orientations},
};
use crate::{
    Embedding, Error, Frame, FramePlan, FrameScaling, Result, Space, VideoEmbedder, VideoFrames,
};

/// Pixels along a side of what is looked at.
const SIDE: usize = 64;
/// Frames looked at over a clip.
const FRAMES: u64 = 8;
/// Most frames taken of one clip.
const MOST_FRAMES: usize = 256;
/// Longest side of a frame.
const LONGEST_SIDE: u32 = 8_192;

const LUMA_ROWS: usize = 8;
const LUMA_TIMES: usize = 4;
const CHROMA_ROWS: usize = 4;
const CHROMA_TIMES: usize = 2;
const LEVELS: usize = 4;

const LUMA: usize = LUMA_ROWS * LUMA_ROWS * LUMA_TIMES;
const CHROMA: usize = 2 * CHROMA_ROWS * CHROMA_ROWS * CHROMA_TIMES;
const GRADIENT: usize = CELLS * CELLS * ORIENTATIONS;
const HISTOGRAM: usize = LEVELS * LEVELS * LEVELS;
const DIMENSION: usize = LUMA + CHROMA + GRADIENT + HISTOGRAM;

/// The weight-free descriptor of footage, space `perceptual-video-v1/512`.
///
/// Over eight frames of 64 × 64 pixels, spread evenly over the clip:
/// - luma: the 8 × 8 lowest spatial by 4 lowest temporal cosine coefficients, scaled by frequency
///   so that fine structure counts as much as coarse (256 components; the one that would hold mean
///   brightness is the constant);
/// - chroma: 4 × 4 by 2 coefficients of each colour difference (64);
/// - gradients: orientations by 4 × 4 cells (128);
/// - colours: a soft 4 × 4 × 4 histogram (64).
///
/// Takes any number of frames from 1 to 256 and any frame size up to 8,192 pixels a side; frames of
/// another size are averaged to 64 × 64. A single frame has no temporal part. Frames without any
/// structure (black, or one grey) all have one and the same direction.
#[derive(Debug, Clone)]
pub struct PerceptualVideo {
    space: Space,
    luma: CosineTransform,
    chroma: CosineTransform,
}

impl PerceptualVideo {
    /// Name of its space.
    pub const SPACE: &'static str = "perceptual-video-v1";

    /// Prepares the transforms.
    ///
    /// # Errors
    /// None in practice; the space's name and dimension are valid.
    pub fn new() -> Result<Self> {
        Ok(Self {
            space: Space::new(Self::SPACE, DIMENSION)?,
            luma: CosineTransform::new(SIDE, LUMA_ROWS),
            chroma: CosineTransform::new(SIDE, CHROMA_ROWS),
        })
    }

    fn embed(&self, clip: &VideoFrames) -> Result<Embedding> {
        let count = clip.frames.len();
        if count == 0 || count > MOST_FRAMES {
            return Err(Error::Input {
                what: "a clip",
                reason: format!("it has {count} frames, allowed are 1 to {MOST_FRAMES}"),
            });
        }
        let luma_times = CosineTransform::new(count, LUMA_TIMES);
        let chroma_times = CosineTransform::new(count, CHROMA_TIMES);
        let mut luma = vec![0.0; LUMA];
        let mut chroma = vec![0.0; CHROMA];
        let mut gradient = vec![0.0; GRADIENT];
        let mut histogram = vec![0.0; HISTOGRAM];
        for (index, frame) in clip.frames.iter().enumerate() {
            let planes = Planes::new(frame)?;
            add_at_time(
                &mut luma,
                &luma_times,
                index,
                &self.luma.apply_square(&planes.luma),
            );
            let mut colour = self.chroma.apply_square(&planes.blue);
            colour.extend(self.chroma.apply_square(&planes.red));
            add_at_time(&mut chroma, &chroma_times, index, &colour);
            add_gradients(&planes.luma, SIDE, &mut gradient);
            planes.add_colours(&mut histogram);
        }
        shape_luma(&mut luma);
        damp(&mut luma, 1.0, 0.02);
        damp(&mut chroma, 0.6, 0.02);
        for bin in &mut gradient {
            *bin = (*bin / (count * SIDE * SIDE) as f32).sqrt();
        }
        centre_orientations(&mut gradient);
        damp(&mut gradient, 0.7, 0.02);
        for bin in &mut histogram {
            *bin = (*bin / (count * SIDE * SIDE) as f32).sqrt();
        }
        centre(&mut histogram);
        // Material without structure is one flat colour: its histogram must not outweigh that.
        damp(&mut histogram, 0.5, 0.05);
        if let Some(constant) = luma.first_mut() {
            *constant = 0.05;
        }
        luma.extend(chroma);
        luma.extend(gradient);
        luma.extend(histogram);
        Embedding::new(self.space.clone(), luma)
    }
}

impl VideoEmbedder for PerceptualVideo {
    fn space(&self) -> &Space {
        &self.space
    }

    fn frame_plan(&self, duration_ms: u64) -> FramePlan {
        let time = |index: u64| {
            let twice = u128::from(duration_ms) * u128::from(2 * index + 1);
            u64::try_from(twice / u128::from(2 * FRAMES)).unwrap_or(u64::MAX)
        };
        let mut times_ms: Vec<u64> = (0..FRAMES).map(time).collect();
        times_ms.dedup();
        FramePlan {
            times_ms,
            scaling: FrameScaling::Exact {
                width: SIDE as u32,
                height: SIDE as u32,
            },
        }
    }

    fn embed_clips(&self, clips: &[VideoFrames]) -> Result<Vec<Embedding>> {
        clips.iter().map(|clip| self.embed(clip)).collect()
    }
}

/// Adds a frame's coefficients to every temporal coefficient, times after times.
fn add_at_time(block: &mut [f32], times: &CosineTransform, index: usize, coefficients: &[f32]) {
    for (row, part) in times
        .rows()
        .zip(block.chunks_exact_mut(coefficients.len().max(1)))
    {
        let weight = row.get(index).copied().unwrap_or(0.0);
        for (slot, coefficient) in part.iter_mut().zip(coefficients) {
            *slot += weight * coefficient;
        }
    }
}

/// Scales luma coefficients by spatial frequency (pictures have amplitudes that fall like its
/// inverse) and change over time, and drops mean brightness.
fn shape_luma(block: &mut [f32]) {
    for (index, value) in block.iter_mut().enumerate() {
        let (time, place) = (
            index / (LUMA_ROWS * LUMA_ROWS),
            index % (LUMA_ROWS * LUMA_ROWS),
        );
        let (vertical, horizontal) = (place / LUMA_ROWS, place % LUMA_ROWS);
        let frequency = ((vertical * vertical + horizontal * horizontal) as f32).sqrt();
        *value *= match (time, place) {
            (0, 0) => 0.0,
            (0, _) => frequency,
            _ => 1.5 * frequency.max(0.7),
        };
    }
}

/// A frame at 64 × 64: luma 0 to 1, colour differences −0.5 to 0.5.
struct Planes {
    luma: Vec<f32>,
    blue: Vec<f32>,
    red: Vec<f32>,
    rgb: Vec<[f32; 3]>,
}

impl Planes {
    fn new(frame: &Frame) -> Result<Self> {
        let rgb = small(frame)?;
        let luma_of = |[red, green, blue]: &[f32; 3]| 0.299 * red + 0.587 * green + 0.114 * blue;
        Ok(Self {
            luma: rgb.iter().map(luma_of).collect(),
            blue: rgb
                .iter()
                .map(|pixel| (pixel[2] - luma_of(pixel)) * 0.564)
                .collect(),
            red: rgb
                .iter()
                .map(|pixel| (pixel[0] - luma_of(pixel)) * 0.713)
                .collect(),
            rgb,
        })
    }

    /// Shares each pixel between the eight nearest of 4 × 4 × 4 colours.
    fn add_colours(&self, histogram: &mut [f32]) {
        let levels = (LEVELS - 1) as f32;
        for pixel in &self.rgb {
            let scaled = pixel.map(|value| value.clamp(0.0, 1.0) * levels);
            let lower = scaled.map(|value| (value as usize).min(LEVELS - 2));
            for corner in 0..8_usize {
                let (mut place, mut share) = (0, 1.0);
                for (axis, (value, lower)) in scaled.iter().zip(lower).enumerate() {
                    let upper = corner >> axis & 1;
                    let part = value - lower as f32;
                    place = place * LEVELS + lower + upper;
                    share *= if upper == 1 { part } else { 1.0 - part };
                }
                if let Some(slot) = histogram.get_mut(place) {
                    *slot += share;
                }
            }
        }
    }
}

/// Averages a frame to 64 × 64 pixels of 0 to 1. Pixels that straddle two targets count for each by
/// the area they share.
fn small(frame: &Frame) -> Result<Vec<[f32; 3]>> {
    let refuse = |reason: String| Error::Input {
        what: "a frame",
        reason,
    };
    let (width, height) = (frame.width, frame.height);
    let sides = 1..=LONGEST_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(refuse(format!("it is {width} by {height} pixels")));
    }
    let (width, height) = (width as usize, height as usize);
    if frame.rgb.len() != width * height * 3 {
        return Err(refuse(format!(
            "{width} by {height} pixels need {} bytes, it has {}",
            width * height * 3,
            frame.rgb.len()
        )));
    }
    let (pixels, _) = frame.rgb.as_chunks::<3>();
    if (width, height) == (SIDE, SIDE) {
        return Ok(pixels
            .iter()
            .map(|pixel| pixel.map(|byte| f32::from(byte) / 255.0))
            .collect());
    }
    let columns: Vec<Vec<(usize, f32)>> = shares(width);
    let lines = shares(height);
    let mut target = Vec::with_capacity(SIDE * SIDE);
    for line in &lines {
        for column in &columns {
            let (mut sum, mut area) = ([0.0_f32; 3], 0.0_f32);
            for (y, tall) in line {
                for (x, wide) in column {
                    let share = tall * wide;
                    area += share;
                    if let Some(pixel) = pixels.get(y * width + x) {
                        for (sum, byte) in sum.iter_mut().zip(pixel) {
                            *sum += share * f32::from(*byte);
                        }
                    }
                }
            }
            target.push(sum.map(|sum| sum / (area.max(f32::MIN_POSITIVE) * 255.0)));
        }
    }
    Ok(target)
}

/// For each of 64 targets the source places it covers, with the covered part of each.
fn shares(length: usize) -> Vec<Vec<(usize, f32)>> {
    let step = length as f64 / SIDE as f64;
    let of = |target: usize| {
        let (from, to) = (target as f64 * step, (target + 1) as f64 * step);
        let last = (to.ceil() as usize).clamp(1, length);
        let first = (from as usize).min(last - 1);
        (first..last)
            .map(|place| {
                let covered = to.min(place as f64 + 1.0) - from.max(place as f64);
                (place, covered.max(1e-6) as f32)
            })
            .collect()
    };
    (0..SIDE).map(of).collect()
}
