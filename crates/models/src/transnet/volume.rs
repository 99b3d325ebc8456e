//! The convolutions over frames and time.
//!
//! A layer looks at each frame by itself (3 × 3 pixels, four branches side by side), then along time
//! (three frames, 1, 2, 4 or 8 apart by branch). Both are products of matrices over plain memory, a few
//! frames at a time, so that what stands between them stays near; the three frames' products are added
//! up afterwards, each from its own frame.

use burn_tensor::{FloatDType, Tensor, TensorData, backend::Backend};
use pulp::Arch;
use rayon::prelude::*;

use super::{columns::surroundings, size::DILATIONS};

/// Pixels of a product: enough that reading the weights again costs little.
const TILE: usize = 1_296;
/// Frames that a branch looks at.
const TAPS: usize = 3;

/// What stands between two stacks: `frames × height × width × channels` values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Volume {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    pub(super) values: Vec<f32>,
}

/// Layers, a short cut from the first to the end, and every 2 × 2 pixels made one.
#[derive(Debug)]
pub(super) struct Stack<B: Backend> {
    pub(super) layers: Vec<Layer<B>>,
}

/// Four branches of different reach in time.
#[derive(Debug)]
pub(super) struct Layer<B: Backend> {
    /// Over 3 × 3 pixels: `9 · inputs × 4 · wide`.
    pub(super) spatial: Tensor<B, 2>,
    /// Of each branch, over time: `wide × 3 · filters`, the three frames side by side.
    pub(super) temporal: Vec<Tensor<B, 2>>,
    /// What is added at the end, `4 · filters` values.
    pub(super) shift: Vec<f32>,
}

impl Volume {
    pub(super) fn of(frames: &[u8], height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            channels: 3,
            values: frames.iter().map(|byte| f32::from(*byte) / 255.0).collect(),
        }
    }

    /// Values of a frame.
    fn frame(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The mean over each frame's pixels, `frames × channels`.
    pub(super) fn means(&self) -> Vec<f32> {
        let pixels = (self.height * self.width).max(1) as f32;
        let mut all = Vec::new();
        for frame in self.values.chunks_exact(self.frame().max(1)) {
            let mut sums = vec![0.0; self.channels];
            for pixel in frame.chunks_exact(self.channels) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += value;
                }
            }
            all.extend(sums.iter().map(|sum| sum / pixels));
        }
        all
    }

    /// The mean of every 2 × 2 pixels; an odd row or column is left out.
    fn halved(&self) -> Self {
        let (height, width) = (self.height / 2, self.width / 2);
        let line = self.width * self.channels;
        let mut values =
            vec![0.0; self.values.len() / self.frame().max(1) * height * width * self.channels];
        let frames = values.par_chunks_exact_mut((height * width * self.channels).max(1));
        frames.enumerate().for_each(|(index, halved)| {
            let start = index * self.frame();
            let rows = self
                .values
                .get(start..start + self.frame())
                .unwrap_or_default();
            let pairs = rows.chunks_exact(2 * line);
            for (pair, halved) in pairs.zip(halved.chunks_exact_mut(width * self.channels)) {
                let (above, below) = pair.split_at(line);
                let two = 2 * self.channels;
                let squares = above.chunks_exact(two).zip(below.chunks_exact(two));
                for ((above, below), mean) in squares.zip(halved.chunks_exact_mut(self.channels)) {
                    let (a, b) = above.split_at(self.channels);
                    let (c, d) = below.split_at(self.channels);
                    for ((((mean, a), b), c), d) in mean.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                        *mean = (a + b + c + d) * 0.25;
                    }
                }
            }
        });
        Self {
            height,
            width,
            channels: self.channels,
            values,
        }
    }
}

impl<B: Backend> Stack<B> {
    pub(super) fn apply(&self, volume: &Volume) -> Volume {
        let Some((layer, rest)) = self.layers.split_first() else {
            return volume.clone();
        };
        let mut sum = layer.apply(volume, !rest.is_empty());
        let mut last: Option<Volume> = None;
        for (index, layer) in rest.iter().enumerate() {
            let bend = index + 1 < rest.len();
            last = Some(layer.apply(last.as_ref().unwrap_or(&sum), bend));
        }
        match last {
            Some(last) => {
                for (sum, value) in sum.values.iter_mut().zip(last.values) {
                    *sum += value.max(0.0);
                }
            }
            // One layer is its own short cut.
            None => {
                for sum in &mut sum.values {
                    *sum += sum.max(0.0);
                }
            }
        }
        sum.halved()
    }
}

/// What frames give to the frames that look at them, before it is added up.
#[derive(Debug)]
struct Products {
    /// Of each tile and each branch: frames × pixels × 3 × filters.
    tiles: Vec<Vec<Vec<f32>>>,
    /// Frames of a tile.
    tile: usize,
    /// Values of one frame and one branch.
    part: usize,
}

impl Products {
    fn of(&self, frame: usize, branch: usize) -> &[f32] {
        let tile = self.tiles.get(frame / self.tile);
        let start = frame % self.tile * self.part;
        tile.and_then(|tile| tile.get(branch)?.get(start..start + self.part))
            .unwrap_or_default()
    }
}

impl<B: Backend> Layer<B> {
    fn apply(&self, volume: &Volume, bend: bool) -> Volume {
        let pixels = volume.height * volume.width;
        let frames = volume.values.len() / volume.frame().max(1);
        let channels = self.shift.len();
        let filters = channels / DILATIONS.len();
        let products = self.products(volume, pixels, filters);
        let mut values = vec![0.0; frames * pixels * channels];
        let places = values.par_chunks_exact_mut((pixels * channels).max(1));
        places.enumerate().for_each(|(frame, place)| {
            for pixel in place.chunks_exact_mut(channels) {
                pixel.copy_from_slice(&self.shift);
            }
            for (branch, dilation) in DILATIONS.into_iter().enumerate() {
                let seen = [
                    frame.checked_sub(dilation),
                    Some(frame),
                    Some(frame + dilation).filter(|seen| *seen < frames),
                ];
                for (tap, seen) in seen.into_iter().enumerate() {
                    let Some(seen) = seen else { continue };
                    let rows = products.of(seen, branch).chunks_exact(TAPS * filters);
                    let (own, given) = (branch * filters, tap * filters);
                    Arch::new().dispatch(|| {
                        for (pixel, row) in place.chunks_exact_mut(channels).zip(rows) {
                            let own = pixel.get_mut(own..own + filters).unwrap_or_default();
                            let given = row.get(given..given + filters).unwrap_or_default();
                            for (sum, value) in own.iter_mut().zip(given) {
                                *sum += value;
                            }
                        }
                    });
                }
            }
            if bend {
                for value in place {
                    *value = value.max(0.0);
                }
            }
        });
        Volume {
            channels,
            values,
            ..*volume
        }
    }

    fn products(&self, volume: &Volume, pixels: usize, filters: usize) -> Products {
        let device = self.spatial.device();
        let dtype: FloatDType = self.spatial.dtype().into();
        let [inputs, outputs] = self.spatial.dims();
        let wide = outputs / DILATIONS.len();
        let frame = volume.frame().max(1);
        let tile = (TILE / pixels.max(1)).max(1);
        let product = |frames: &[f32]| -> Vec<Vec<f32>> {
            let rows = frames.len() / volume.channels.max(1);
            let mut columns = Vec::with_capacity(rows * inputs);
            for frame in frames.chunks_exact(frame) {
                surroundings(frame, volume.width, volume.channels, &mut columns);
            }
            let columns = TensorData::new(columns, [rows, inputs]);
            let states = Tensor::<B, 2>::from_data(columns, &device)
                .cast(dtype)
                .matmul(self.spatial.clone());
            let branches = self.temporal.iter().enumerate().map(|(branch, weights)| {
                let own = states.clone().narrow(1, branch * wide, wide);
                let product = own.matmul(weights.clone()).cast(FloatDType::F32);
                // The format was asked for in the line before.
                product.into_data().into_vec().unwrap_or_default()
            });
            branches.collect()
        };
        Products {
            tiles: volume
                .values
                .par_chunks(tile * frame)
                .map(product)
                .collect(),
            tile,
            part: pixels * TAPS * filters,
        }
    }
}
