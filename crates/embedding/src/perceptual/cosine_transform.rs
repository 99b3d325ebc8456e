use std::f64::consts::PI;

/// The first rows of the discrete cosine transform (type II) of a signal of fixed length, scaled so
/// that a coefficient is the mean of signal times `√2 · cos`, whatever the length.
#[derive(Debug, Clone)]
pub(super) struct CosineTransform {
    length: usize,
    /// Row after row, each `length` long.
    rows: Vec<f32>,
}

impl CosineTransform {
    /// Rows from `length` on are zero: a signal of that length cannot tell them from lower ones.
    pub(super) fn new(length: usize, rows: usize) -> Self {
        let value = |row: usize, place: usize| {
            if row >= length {
                return 0.0;
            }
            let norm = if row == 0 { 1.0 } else { 2.0_f64.sqrt() } / length as f64;
            let angle = PI * row as f64 * (place as f64 + 0.5) / length as f64;
            (norm * angle.cos()) as f32
        };
        let rows = (0..rows).flat_map(|row| (0..length).map(move |place| value(row, place)));
        Self {
            length,
            rows: rows.collect(),
        }
    }

    /// One weight vector per coefficient.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.rows.chunks_exact(self.length.max(1))
    }

    /// The coefficients of one signal of the right length.
    pub(super) fn apply<'a>(&'a self, signal: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        self.rows()
            .map(move |row| row.iter().zip(signal).map(|(a, b)| a * b).sum())
    }

    /// The coefficients of a square picture along both axes: rows × rows, vertical first.
    pub(super) fn apply_square(&self, picture: &[f32]) -> Vec<f32> {
        let along: Vec<Vec<f32>> = picture
            .chunks_exact(self.length.max(1))
            .map(|line| self.apply(line).collect())
            .collect();
        let across = self.rows().flat_map(|row| {
            let count = along.first().map_or(0, Vec::len);
            (0..count).map(|coefficient| {
                let lines = row.iter().zip(&along);
                lines
                    .map(|(weight, line)| weight * line.get(coefficient).copied().unwrap_or(0.0))
                    .sum()
            })
        });
        across.collect()
    }
}
