//! Inputs cut into patches, each a row for one matrix product in the place of a convolution.

use super::config::TUBELET;
use crate::{MelBank, crops::SIDE};

/// How planes are cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patches {
    /// Planes under a patch.
    pub(crate) planes: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Side of a patch.
    pub(crate) kernel: usize,
    /// From one patch to the next.
    pub(crate) stride: usize,
}

/// Two frames of three colours; the planes come colour by colour.
pub(crate) const VISION: Patches = Patches {
    planes: 3 * TUBELET,
    rows: SIDE,
    columns: SIDE,
    kernel: 14,
    stride: 14,
};

/// A spectrogram; the patches overlap.
pub(crate) const AUDIO: Patches = Patches {
    planes: 1,
    rows: MelBank::BINS,
    columns: MelBank::FRAMES,
    kernel: 16,
    stride: 10,
};

impl Patches {
    fn grid(&self) -> (usize, usize) {
        let along = |side: usize| (side - self.kernel) / self.stride + 1;
        (along(self.rows), along(self.columns))
    }

    /// Values of one input.
    pub(crate) fn values(&self) -> usize {
        self.planes * self.rows * self.columns
    }

    /// Patches of one input.
    pub(crate) fn count(&self) -> usize {
        let (down, across) = self.grid();
        down * across
    }

    /// Values of one patch.
    pub(crate) fn size(&self) -> usize {
        self.planes * self.kernel * self.kernel
    }

    /// Appends the patches of one input, row by row, each plane by plane.
    pub(crate) fn cut(&self, values: &[f32], rows: &mut Vec<f32>) {
        let (down, across) = self.grid();
        for top in (0..down).map(|index| index * self.stride) {
            for left in (0..across).map(|index| index * self.stride) {
                for plane in values.chunks_exact(self.rows * self.columns) {
                    for line in plane.chunks_exact(self.columns).skip(top).take(self.kernel) {
                        rows.extend(line.iter().skip(left).take(self.kernel));
                    }
                }
            }
        }
    }
}
