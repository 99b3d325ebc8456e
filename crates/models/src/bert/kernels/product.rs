use pulp::{Arch, Simd, WithSimd};

/// Columns of a panel: two of the widest registers, and two cache lines.
const COLUMNS: usize = 32;
/// Registers that one row of a tile takes.
const ACROSS: usize = 2;

/// One row of a panel, where a cache line begins.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([f32; COLUMNS]);

/// A weight of `outputs × inputs`, laid out once for products with many rows: panels of [`COLUMNS`]
/// outputs, each with its inputs one below the other.
///
/// General matrix libraries lay it out anew in every product, which costs a tenth of it at the batches
/// that sentences come in.
#[derive(Debug)]
pub(crate) struct Panels {
    lines: Vec<Line>,
    inputs: usize,
    outputs: usize,
}

impl Panels {
    /// Of weights whose rows, one below the other, are the outputs; each has `inputs` values.
    pub(crate) fn new(weights: &[f32], inputs: usize) -> Self {
        let outputs = weights.len() / inputs;
        let count = outputs.div_ceil(COLUMNS);
        let mut lines = vec![Line([0.0; COLUMNS]); count * inputs];
        let rows: Vec<&[f32]> = weights.chunks_exact(inputs).collect();
        for (panel, rows) in lines.chunks_exact_mut(inputs).zip(rows.chunks(COLUMNS)) {
            for (column, row) in rows.iter().enumerate() {
                for (line, value) in panel.iter_mut().zip(*row) {
                    if let Some(place) = line.0.get_mut(column) {
                        *place = *value;
                    }
                }
            }
        }
        Self {
            lines,
            inputs,
            outputs,
        }
    }

    /// `rows · weightᵀ`; the rows have as many values as the weight has inputs.
    pub(crate) fn product(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; rows.len() / self.inputs * self.outputs];
        Arch::new().dispatch(Pass {
            panels: self,
            rows,
            out: &mut out,
        });
        out
    }
}

struct Pass<'a> {
    panels: &'a Panels,
    rows: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Panels {
            lines,
            inputs,
            outputs,
        } = self.panels;
        // The registers hold a tile, a line's part of its width, and one value of a row.
        let most = if S::REGISTER_COUNT >= 32 { 12 } else { 6 };
        for (index, panel) in lines.chunks_exact(*inputs).enumerate() {
            let first = index * COLUMNS;
            let last = (first + COLUMNS).min(*outputs);
            let mut tile = Tile {
                panel,
                inputs: *inputs,
                outputs: *outputs,
                first,
                last,
            };
            let (mut rows, mut out) = (self.rows, &mut *self.out);
            while !rows.is_empty() {
                let count = (rows.len() / inputs).min(most);
                let count = match count {
                    12 => tile.run::<S, 12>(simd, rows, out),
                    8..12 => tile.run::<S, 8>(simd, rows, out),
                    6..8 => tile.run::<S, 6>(simd, rows, out),
                    4..6 => tile.run::<S, 4>(simd, rows, out),
                    2..4 => tile.run::<S, 2>(simd, rows, out),
                    _ => tile.run::<S, 1>(simd, rows, out),
                };
                rows = rows.get(count * inputs..).unwrap_or_default();
                out = out.get_mut(count * outputs..).unwrap_or_default();
            }
        }
    }
}

/// What the tiles below one panel have in common.
struct Tile<'a> {
    panel: &'a [Line],
    inputs: usize,
    outputs: usize,
    /// The panel's columns of the product.
    first: usize,
    last: usize,
}

impl Tile<'_> {
    /// The first `ROWS` rows' values in the panel's columns; returns `ROWS`.
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize>(&mut self, simd: S, rows: &[f32], out: &mut [f32]) -> usize {
        let rows: [&[f32]; ROWS] =
            std::array::from_fn(|row| &rows[row * self.inputs..][..self.panel.len()]);
        let mut values = [[0.0; COLUMNS]; ROWS];
        for part in 0..COLUMNS / (ACROSS * S::F32_LANES) {
            let mut sums = [[simd.splat_f32s(0.0); ACROSS]; ROWS];
            for (index, line) in self.panel.iter().enumerate() {
                let (line, _) = S::as_simd_f32s(&line.0);
                let line = &line[part * ACROSS..][..ACROSS];
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let factor = simd.splat_f32s(row[index]);
                    for (sum, vector) in sums.iter_mut().zip(line) {
                        *sum = simd.mul_add_f32s(factor, *vector, *sum);
                    }
                }
            }
            for (sums, values) in sums.iter().zip(&mut values) {
                let (values, _) = S::as_mut_simd_f32s(values);
                values[part * ACROSS..][..ACROSS].copy_from_slice(sums);
            }
        }
        let width = self.last - self.first;
        for (values, out) in values.iter().zip(out.chunks_exact_mut(self.outputs)) {
            out[self.first..self.last].copy_from_slice(&values[..width]);
        }
        ROWS
    }
}

#[cfg(test)]
mod tests {
    use super::Panels;

    #[test]
    fn equals_the_definition_at_every_remainder() {
        let wave = |index: usize| (index * 7919 % 1009) as f32 / 504.5 - 1.0;
        for (rows, inputs, outputs) in [
            (1, 1, 1),
            (2, 3, 33),
            (3, 40, 31),
            (5, 16, 32),
            (7, 48, 96),
            (12, 33, 64),
            (23, 384, 40),
            (64, 96, 65),
        ] {
            let weights: Vec<f32> = (0..inputs * outputs).map(|n| wave(n + 5)).collect();
            let values: Vec<f32> = (0..rows * inputs).map(wave).collect();
            let found = Panels::new(&weights, inputs).product(&values);
            assert_eq!(found.len(), rows * outputs);
            for (place, found) in found.iter().enumerate() {
                let (row, output) = (place / outputs, place % outputs);
                let exact: f64 = (0..inputs)
                    .map(|k| {
                        f64::from(values[row * inputs + k])
                            * f64::from(weights[output * inputs + k])
                    })
                    .sum();
                assert!(
                    (f64::from(*found) - exact).abs() < 2e-6 * inputs as f64,
                    "{rows} × {inputs} × {outputs} at {place}: {found} for {exact}"
                );
            }
        }
        assert!(Panels::new(&[1.0; 8], 4).product(&[]).is_empty());
    }
}
