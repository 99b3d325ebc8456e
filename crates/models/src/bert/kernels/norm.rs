use pulp::{Arch, Simd, WithSimd};

/// Layer normalisation of rows of `scale.len()` values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NormRows<'a> {
    pub(crate) scale: &'a [f32],
    pub(crate) shift: &'a [f32],
    /// Added to the variance before its root is taken.
    pub(crate) epsilon: f32,
}

impl NormRows<'_> {
    /// Normalises each row, after adding a bias (one row) and a residual (as many rows) when given.
    pub(crate) fn apply(&self, rows: &mut [f32], added: Option<(&[f32], &[f32])>) {
        let norm = *self;
        Arch::new().dispatch(Pass { norm, rows, added });
    }
}

struct Pass<'a> {
    norm: NormRows<'a>,
    rows: &'a mut [f32],
    added: Option<(&'a [f32], &'a [f32])>,
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.norm.scale.len();
        match self.added {
            Some((bias, residual)) => {
                let residual = residual.chunks_exact(width);
                for (row, residual) in self.rows.chunks_exact_mut(width).zip(residual) {
                    add(simd, row, bias, residual);
                    self.norm.row(simd, row);
                }
            }
            None => {
                for row in self.rows.chunks_exact_mut(width) {
                    self.norm.row(simd, row);
                }
            }
        }
    }
}

impl NormRows<'_> {
    #[inline(always)]
    fn row<S: Simd>(&self, simd: S, row: &mut [f32]) {
        let share = 1.0 / row.len() as f32;
        let mean = sum(simd, row, |_, vector| vector, |value| value) * share;
        let means = simd.splat_f32s(mean);
        let variance = sum(
            simd,
            row,
            #[inline(always)]
            |simd: S, vector| {
                let apart = simd.sub_f32s(vector, means);
                simd.mul_f32s(apart, apart)
            },
            |value| (value - mean) * (value - mean),
        ) * share;
        let inverse = 1.0 / (variance + self.epsilon).sqrt();
        let inverses = simd.splat_f32s(inverse);
        let (vectors, values) = S::as_mut_simd_f32s(row);
        let (scales, scale_rest) = S::as_simd_f32s(self.scale);
        let (shifts, shift_rest) = S::as_simd_f32s(self.shift);
        for ((vector, scale), shift) in vectors.iter_mut().zip(scales).zip(shifts) {
            let unit = simd.mul_f32s(simd.sub_f32s(*vector, means), inverses);
            *vector = simd.mul_add_f32s(unit, *scale, *shift);
        }
        for ((value, scale), shift) in values.iter_mut().zip(scale_rest).zip(shift_rest) {
            *value = ((*value - mean) * inverse).mul_add(*scale, *shift);
        }
    }
}

/// `row + (bias + residual)`.
#[inline(always)]
fn add<S: Simd>(simd: S, row: &mut [f32], bias: &[f32], residual: &[f32]) {
    let (vectors, values) = S::as_mut_simd_f32s(row);
    let (biases, bias_rest) = S::as_simd_f32s(bias);
    let (residuals, residual_rest) = S::as_simd_f32s(residual);
    for ((vector, bias), residual) in vectors.iter_mut().zip(biases).zip(residuals) {
        *vector = simd.add_f32s(*vector, simd.add_f32s(*bias, *residual));
    }
    for ((value, bias), residual) in values.iter_mut().zip(bias_rest).zip(residual_rest) {
        *value += bias + residual;
    }
}

/// The sum of `part` over a row, in four chains so that none waits for another.
#[inline(always)]
fn sum<S: Simd>(
    simd: S,
    row: &[f32],
    part: impl Fn(S, S::f32s) -> S::f32s,
    part_of_one: impl Fn(f32) -> f32,
) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(row);
    let mut sums = [simd.splat_f32s(0.0); 4];
    let (fours, last) = vectors.as_chunks::<4>();
    for four in fours {
        for (sum, vector) in sums.iter_mut().zip(four) {
            *sum = simd.add_f32s(*sum, part(simd, *vector));
        }
    }
    for (sum, vector) in sums.iter_mut().zip(last) {
        *sum = simd.add_f32s(*sum, part(simd, *vector));
    }
    let [first, second, third, fourth] = sums;
    let all = simd.add_f32s(simd.add_f32s(first, second), simd.add_f32s(third, fourth));
    simd.reduce_sum_f32s(all) + rest.iter().map(|value| part_of_one(*value)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::NormRows;

    #[test]
    fn rows_have_mean_zero_and_variance_one() {
        let norm = NormRows {
            scale: &[1.0; 32],
            shift: &[0.0; 32],
            epsilon: 1e-12,
        };
        let mut rows: Vec<f32> = (0..96).map(|index| ((index * 37) % 41) as f32).collect();
        let residual = vec![3.0; 96];
        norm.apply(&mut rows, Some((&[2.0; 32], &residual)));
        for row in rows.chunks_exact(32) {
            let mean = row.iter().sum::<f32>() / 32.0;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 32.0;
            assert!(mean.abs() < 1e-5, "mean {mean}");
            assert!((variance - 1.0).abs() < 1e-4, "variance {variance}");
        }
    }

    #[test]
    fn rows_of_any_length_are_normalised() {
        for width in [1, 5, 16, 40, 63, 150] {
            let ones = vec![1.0; width];
            let norm = NormRows {
                scale: &ones,
                shift: &vec![0.5; width],
                epsilon: 1e-5,
            };
            let mut rows: Vec<f32> = (0..width).map(|n| (n * n % 13) as f32).collect();
            let mean = rows.iter().sum::<f32>() / width as f32;
            let variance = rows.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / width as f32;
            let expected: Vec<f32> = rows
                .iter()
                .map(|value| (value - mean) / (variance + 1e-5).sqrt() + 0.5)
                .collect();
            norm.apply(&mut rows, Some((&ones, &vec![-1.0; width])));
            for (found, expected) in rows.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
            }
        }
    }

    #[test]
    fn scales_and_shifts() {
        let mut row = vec![-1.0; 8];
        row.extend(vec![1.0; 8]);
        let norm = NormRows {
            scale: &[3.0; 16],
            shift: &[5.0; 16],
            epsilon: 0.0,
        };
        norm.apply(&mut row, None);
        assert_eq!(row.first(), Some(&2.0));
        assert_eq!(row.last(), Some(&8.0));
    }
}
