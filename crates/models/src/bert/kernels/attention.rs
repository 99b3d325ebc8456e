use pulp::{Arch, Simd, WithSimd};

use super::{LANES, exp_of_negative, sum};

/// Queries that share one pass over the keys and values.
const ROWS: usize = 4;

/// Scaled dot-product attention of many sequences, each over itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attention<'a> {
    /// Queries, keys and values side by side, `3 hidden` a row, without their biases.
    pub(crate) projected: &'a [f32],
    /// The biases, `3 hidden`.
    pub(crate) bias: &'a [f32],
    /// Rows of each sequence, in order.
    pub(crate) lengths: &'a [usize],
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    /// What is added to the scores.
    pub(crate) relative: Option<Relative<'a>>,
}

/// A bias on scores by how far the key stands from the query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relative<'a> {
    /// For each head, the biases of the distances from `1 - longest` to `longest - 1`.
    pub(crate) biases: &'a [f32],
    /// Most rows of a sequence.
    pub(crate) longest: usize,
}

impl<'a> Relative<'a> {
    /// The biases of a head's keys, as many as there are, for the query at `place`.
    fn of(&self, head: usize, place: usize) -> &'a [f32] {
        let start = head * (2 * self.longest - 1) + self.longest - 1 - place;
        self.biases.get(start..).unwrap_or_default()
    }
}

impl Attention<'_> {
    /// Writes the heads' outputs side by side, `hidden` a row, into `context`.
    pub(crate) fn apply(self, context: &mut [f32]) {
        Arch::new().dispatch(Pass {
            attention: self,
            context,
        });
    }
}

struct Pass<'a, 'b> {
    attention: Attention<'a>,
    context: &'b mut [f32],
}

/// Memory for one head of one sequence.
#[derive(Default)]
struct Scratch {
    /// `head size × padded length`.
    keys: Vec<f32>,
    /// `length × head size`, each row padded.
    values: Vec<f32>,
    /// `ROWS × padded length`.
    scores: Vec<f32>,
    /// For each component, that of `ROWS` queries.
    queries: Vec<[f32; ROWS]>,
    /// `ROWS × head size`, each row padded.
    mixed: Vec<f32>,
}

impl WithSimd for Pass<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Attention {
            projected,
            lengths,
            hidden,
            heads,
            ..
        } = self.attention;
        let size = hidden / heads;
        let mut scratch = Scratch::default();
        let (mut projected, mut context) = (projected, self.context);
        for length in lengths {
            let (rows, rest) = projected.split_at(length * 3 * hidden);
            let (out, out_rest) = context.split_at_mut(length * hidden);
            for head in 0..heads {
                self.attention
                    .head(simd, head, size, rows, out, &mut scratch);
            }
            (projected, context) = (rest, out_rest);
        }
    }
}

impl Attention<'_> {
    /// One head of one sequence.
    #[inline(always)]
    fn head<S: Simd>(
        &self,
        simd: S,
        head: usize,
        size: usize,
        rows: &[f32],
        out: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let first = head * size;
        let width = 3 * self.hidden;
        let padded_size = size.next_multiple_of(LANES);
        let length = rows.len() / width;
        let padded = length.next_multiple_of(LANES);
        let (key, value) = (self.hidden + first, 2 * self.hidden + first);
        let (query_bias, key_bias, value_bias) = (
            &self.bias[first..first + size],
            &self.bias[key..key + size],
            &self.bias[value..value + size],
        );
        scratch.keys.clear();
        scratch.keys.resize(size * padded, 0.0);
        scratch.values.clear();
        for (column, row) in rows.chunks_exact(width).enumerate() {
            let keys = scratch.keys.iter_mut().skip(column).step_by(padded);
            for ((place, key), bias) in keys.zip(&row[key..key + size]).zip(key_bias) {
                *place = key + bias;
            }
            scratch.values.extend_from_slice(&row[value..value + size]);
            scratch.values.resize((column + 1) * padded_size, 0.0);
        }
        scratch.scores.resize(ROWS * padded, 0.0);
        let scale = 1.0 / (size as f32).sqrt();
        let blocks = rows
            .chunks(ROWS * width)
            .zip(out.chunks_mut(ROWS * self.hidden));
        for (block, (queries, out)) in blocks.enumerate() {
            scratch.queries.clear();
            scratch.queries.resize(size, [0.0; ROWS]);
            for (lane, row) in queries.chunks_exact(width).enumerate() {
                let pairs = row[first..first + size].iter().zip(query_bias);
                for (place, (query, bias)) in scratch.queries.iter_mut().zip(pairs) {
                    place[lane] = (query + bias) * scale;
                }
            }
            score(simd, &scratch.queries, &scratch.keys, &mut scratch.scores);
            let mut shares = [0.0; ROWS];
            let scores = scratch.scores.chunks_exact_mut(padded);
            for (lane, (row, share)) in scores.zip(&mut shares).enumerate() {
                let place = block * ROWS + lane;
                if let Some(relative) = self.relative.filter(|_| place < length) {
                    let row = row.iter_mut().take(length);
                    for (score, bias) in row.zip(relative.of(head, place)) {
                        *score += bias;
                    }
                }
                *share = weigh(row, length);
            }
            scratch.mixed.resize(ROWS * padded_size, 0.0);
            mix(simd, &scratch.scores, &scratch.values, &mut scratch.mixed);
            let mixed = scratch.mixed.chunks_exact(padded_size).zip(&shares);
            for (row, (mixed, share)) in out.chunks_exact_mut(self.hidden).zip(mixed) {
                let places = row[first..first + size].iter_mut();
                for ((place, value), bias) in places.zip(mixed).zip(value_bias) {
                    *place = value.mul_add(*share, *bias);
                }
            }
        }
    }
}

/// Turns a row of scores into unnormalised weights, zero beyond `length`, and returns what makes
/// them sum to 1.
#[inline(always)]
fn weigh(row: &mut [f32], length: usize) -> f32 {
    row[length..].fill(f32::NEG_INFINITY);
    let mut greatest = [f32::NEG_INFINITY; LANES];
    for group in row.as_chunks::<LANES>().0 {
        for (greatest, value) in greatest.iter_mut().zip(group) {
            *greatest = if *value > *greatest {
                *value
            } else {
                *greatest
            };
        }
    }
    let greatest = greatest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in row.iter_mut() {
        *value = exp_of_negative(*value - greatest);
    }
    row[length..].fill(0.0);
    1.0 / sum(row, |value| value)
}

/// `scores[row, key] = Σ queries[component][row] · keys[component, key]`.
#[inline(always)]
fn score<S: Simd>(simd: S, queries: &[[f32; ROWS]], keys: &[f32], scores: &mut [f32]) {
    let (keys, _) = S::as_simd_f32s(keys);
    let (scores, _) = S::as_mut_simd_f32s(scores);
    let width = scores.len() / ROWS;
    let mut column = 0;
    while column + 2 <= width {
        score_tile::<S, 2>(simd, queries, keys, scores, width, column);
        column += 2;
    }
    if column < width {
        score_tile::<S, 1>(simd, queries, keys, scores, width, column);
    }
}

#[inline(always)]
fn score_tile<S: Simd, const COLUMNS: usize>(
    simd: S,
    queries: &[[f32; ROWS]],
    keys: &[S::f32s],
    scores: &mut [S::f32s],
    width: usize,
    column: usize,
) {
    let mut sums = [[simd.splat_f32s(0.0); COLUMNS]; ROWS];
    for (query, keys) in queries.iter().zip(keys.chunks_exact(width)) {
        accumulate(simd, &mut sums, query, &keys[column..column + COLUMNS]);
    }
    for (sums, row) in sums.iter().zip(scores.chunks_exact_mut(width)) {
        row[column..column + COLUMNS].copy_from_slice(sums);
    }
}

/// `mixed[row, component] = Σ weights[row, key] · values[key, component]`.
#[inline(always)]
fn mix<S: Simd>(simd: S, weights: &[f32], values: &[f32], mixed: &mut [f32]) {
    let (values, _) = S::as_simd_f32s(values);
    let (mixed, _) = S::as_mut_simd_f32s(mixed);
    let width = mixed.len() / ROWS;
    let mut column = 0;
    while column + 2 <= width {
        mix_tile::<S, 2>(simd, weights, values, mixed, width, column);
        column += 2;
    }
    if column < width {
        mix_tile::<S, 1>(simd, weights, values, mixed, width, column);
    }
}

#[inline(always)]
fn mix_tile<S: Simd, const COLUMNS: usize>(
    simd: S,
    weights: &[f32],
    values: &[S::f32s],
    mixed: &mut [S::f32s],
    width: usize,
    column: usize,
) {
    let mut sums = [[simd.splat_f32s(0.0); COLUMNS]; ROWS];
    let keys = weights.len() / ROWS;
    let (first, rest) = weights.split_at(keys);
    let (second, rest) = rest.split_at(keys);
    let (third, fourth) = rest.split_at(keys);
    let weights = first.iter().zip(second).zip(third).zip(fourth);
    for ((((first, second), third), fourth), values) in weights.zip(values.chunks_exact(width)) {
        let weights = [*first, *second, *third, *fourth];
        accumulate(simd, &mut sums, &weights, &values[column..column + COLUMNS]);
    }
    for (sums, row) in sums.iter().zip(mixed.chunks_exact_mut(width)) {
        row[column..column + COLUMNS].copy_from_slice(sums);
    }
}

/// Adds the outer product of `factors` and `vectors`.
#[inline(always)]
fn accumulate<S: Simd, const COLUMNS: usize>(
    simd: S,
    sums: &mut [[S::f32s; COLUMNS]; ROWS],
    factors: &[f32; ROWS],
    vectors: &[S::f32s],
) {
    for (sums, factor) in sums.iter_mut().zip(factors) {
        let factor = simd.splat_f32s(*factor);
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            *sum = simd.mul_add_f32s(factor, *vector, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Attention, Relative};

    /// The definition, in f64.
    fn reference(attention: &Attention<'_>) -> Vec<f32> {
        let Attention {
            projected,
            bias,
            lengths,
            hidden,
            heads,
            relative,
        } = *attention;
        let size = hidden / heads;
        let at = |row: usize, column: usize| {
            f64::from(projected[row * 3 * hidden + column]) + f64::from(bias[column])
        };
        let mut out = Vec::new();
        let mut start = 0;
        for length in lengths {
            for row in start..start + length {
                for column in 0..hidden {
                    let first = column / size * size;
                    let score = |key: usize| {
                        (first..first + size)
                            .map(|c| at(row, c) * at(key, hidden + c))
                            .sum::<f64>()
                            / (size as f64).sqrt()
                            + relative.map_or(0.0, |relative| {
                                let distance = relative.longest - 1 + key - row;
                                let head = column / size * (2 * relative.longest - 1);
                                f64::from(relative.biases[head + distance])
                            })
                    };
                    let weights: Vec<f64> = (start..start + length)
                        .map(|key| score(key).exp())
                        .collect();
                    let mixed: f64 = weights
                        .iter()
                        .enumerate()
                        .map(|(key, weight)| weight * at(start + key, 2 * hidden + column))
                        .sum();
                    out.push((mixed / weights.iter().sum::<f64>()) as f32);
                }
            }
            start += length;
        }
        out
    }

    #[test]
    fn equals_the_definition_at_every_remainder() {
        let wave = |index: usize| ((index * 7919 % 1009) as f32 / 504.5 - 1.0) * 1.5;
        let lengths = [1, 2, 3, 4, 5, 15, 16, 17, 33, 50];
        let rows: usize = lengths.iter().sum();
        for (hidden, heads, longest) in [(96, 3, None), (40, 5, Some(50)), (63, 3, Some(64))] {
            let projected: Vec<f32> = (0..rows * 3 * hidden).map(wave).collect();
            let bias: Vec<f32> = (0..3 * hidden)
                .map(|index| wave(index + 13) * 0.1)
                .collect();
            let biases: Vec<f32> = (0..heads * 127).map(|index| wave(index + 31)).collect();
            let attention = Attention {
                projected: &projected,
                bias: &bias,
                lengths: &lengths,
                hidden,
                heads,
                relative: longest.map(|longest| Relative {
                    biases: &biases,
                    longest,
                }),
            };
            let mut context = vec![f32::NAN; rows * hidden];
            attention.apply(&mut context);
            for (index, (found, expected)) in context.iter().zip(reference(&attention)).enumerate()
            {
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{hidden} in {heads} at {index}: {found} for {expected}"
                );
            }
        }
    }
}
