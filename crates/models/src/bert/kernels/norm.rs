use pulp::Arch;

use super::sum;

/// Layer normalisation of rows of `scale.len()` values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerNorm<'a> {
    pub(crate) scale: &'a [f32],
    pub(crate) shift: &'a [f32],
    /// Added to the variance before its root is taken.
    pub(crate) epsilon: f32,
}

impl LayerNorm<'_> {
    /// Normalises each row, after adding a bias (one row) and a residual (as many rows) when given.
    pub(crate) fn apply(&self, rows: &mut [f32], added: Option<(&[f32], &[f32])>) {
        let width = self.scale.len();
        Arch::new().dispatch(|| match added {
            Some((bias, residual)) => {
                let residual = residual.chunks_exact(width);
                for (row, residual) in rows.chunks_exact_mut(width).zip(residual) {
                    for ((value, bias), residual) in row.iter_mut().zip(bias).zip(residual) {
                        *value += bias + residual;
                    }
                    self.row(row);
                }
            }
            None => {
                for row in rows.chunks_exact_mut(width) {
                    self.row(row);
                }
            }
        });
    }

    #[inline(always)]
    fn row(&self, row: &mut [f32]) {
        let share = 1.0 / row.len() as f32;
        let mean = sum(row, |value| value) * share;
        let variance = sum(row, |value| (value - mean) * (value - mean)) * share;
        let inverse = 1.0 / (variance + self.epsilon).sqrt();
        for ((value, scale), shift) in row.iter_mut().zip(self.scale).zip(self.shift) {
            *value = ((*value - mean) * inverse).mul_add(*scale, *shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LayerNorm;

    #[test]
    fn rows_have_mean_zero_and_variance_one() {
        let norm = LayerNorm {
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
    fn scales_and_shifts() {
        let mut row = vec![-1.0; 8];
        row.extend(vec![1.0; 8]);
        let norm = LayerNorm {
            scale: &[3.0; 16],
            shift: &[5.0; 16],
            epsilon: 0.0,
        };
        norm.apply(&mut row, None);
        assert_eq!(row.first(), Some(&2.0));
        assert_eq!(row.last(), Some(&8.0));
    }
}
