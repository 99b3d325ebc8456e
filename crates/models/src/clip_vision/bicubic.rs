//! Scaling as Pillow does it: a bicubic filter as wide as a scaled pixel, in whole numbers.
//!
//! The filter is Keys' of 1981 with a = -1/2. Pillow rounds the weights to 22 bits after the point and
//! every scaled row to bytes before columns are scaled; so does this, and gives the same bytes.

/// The filter's reach to either side, in pixels of the smaller picture.
const SUPPORT: f64 = 2.0;
/// Keys' parameter.
const SHARPNESS: f64 = -0.5;
/// Bits after the point of a weight.
const FRACTION: u32 = 22;

/// The source pixels of a scaled one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) first: usize,
    /// Their weights, in units of 2^-22.
    weights: Vec<i32>,
}

impl Window {
    /// One past the last source pixel.
    pub(super) fn end(&self) -> usize {
        self.first + self.weights.len()
    }

    /// The windows of a side that is scaled from `source` to `scaled` pixels, for the scaled pixels
    /// from `first` on, `count` of them. Sides are at least 1 and below 2^31.
    pub(super) fn along(source: usize, scaled: usize, first: usize, count: usize) -> Vec<Self> {
        let places = first..first + count;
        if source == scaled {
            // Pillow leaves out a direction in which nothing changes.
            let whole = |first| Self {
                first,
                weights: vec![1 << FRACTION],
            };
            return places.map(whole).collect();
        }
        let ratio = source as f64 / scaled as f64;
        let stretch = ratio.max(1.0);
        let support = SUPPORT * stretch;
        let window = |place: usize| {
            let centre = (place as f64 + 0.5) * ratio;
            // A float that is cast to a whole number loses its fraction; below 0 it becomes 0.
            let first = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(source);
            let weight = |pixel: usize| bicubic((pixel as f64 - centre + 0.5) * (1.0 / stretch));
            let weights: Vec<f64> = (first..end).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            let rounded = |weight: &f64| {
                let share = if sum == 0.0 { *weight } else { weight / sum };
                let scaled = share * f64::from(1 << FRACTION);
                (scaled + 0.5_f64.copysign(scaled)) as i32
            };
            Self {
                first,
                weights: weights.iter().map(rounded).collect(),
            }
        };
        places.map(window).collect()
    }

    /// Adds up every `step`-th of `values`, from the window's first pixel on.
    pub(super) fn mix(&self, values: impl Iterator<Item = u8>) -> u8 {
        let half = 1 << (FRACTION - 1);
        let products = self.weights.iter().zip(values);
        let sum: i32 = products.fold(half, |sum, (weight, value)| {
            sum.wrapping_add(weight.wrapping_mul(i32::from(value)))
        });
        (sum >> FRACTION).clamp(0, 255) as u8
    }
}

fn bicubic(distance: f64) -> f64 {
    let x = distance.abs();
    let a = SHARPNESS;
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < SUPPORT {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}
