//! MPNet's bias on attention scores by how far the key stands from the query.

/// Distances from here on share the last bucket of their side.
const FARTHEST: f32 = 128.0;

/// The bucket of a key that stands `distance` tokens after the query. Half of the buckets are for each
/// side; half of those for one distance each, the rest for ever wider ranges (Raffel et al.,
/// «Exploring the Limits of Transfer Learning», 2020, in the sizes of MPNet's code).
pub(crate) fn bucket(distance: isize, buckets: usize) -> usize {
    let side = buckets / 2;
    let exact = side / 2;
    let far = distance.unsigned_abs();
    let within = if far < exact {
        far
    } else {
        // In f32, as the original: the borders between ranges depend on it.
        let share = (far as f32 / exact as f32).ln() / (FARTHEST / exact as f32).ln();
        (exact + (share * (side - exact) as f32) as usize).min(side - 1)
    };
    if distance > 0 { side + within } else { within }
}

/// For each head, what is added to the score at each distance from `1 - longest` to `longest - 1`;
/// `table` has a row for each bucket and a column for each head.
pub(crate) fn by_distance(table: &[f32], heads: usize, longest: usize) -> Vec<f32> {
    let buckets = table.len() / heads;
    let farthest = longest as isize - 1;
    (0..heads)
        .flat_map(|head| {
            (-farthest..=farthest).map(move |distance| {
                let place = bucket(distance, buckets) * heads + head;
                table.get(place).copied().unwrap_or_default()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{bucket, by_distance};

    #[test]
    fn buckets_are_the_original_ones() {
        // As `MPNetEncoder.relative_position_bucket` of transformers 5.23 gives them.
        let found: Vec<usize> = [
            0, 1, 7, 8, 11, 12, 15, 16, 22, 23, 31, 32, 45, 46, 63, 64, 90, 91, 127, 128, 511,
        ]
        .map(|distance| bucket(-distance, 32))
        .to_vec();
        assert_eq!(found, BEFORE);
        for distance in 1..600 {
            assert_eq!(bucket(distance, 32), 16 + bucket(-distance, 32));
        }
    }

    const BEFORE: [usize; 21] = [
        0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 15, 15,
    ];

    #[test]
    fn distances_run_from_before_to_after() {
        let table: Vec<f32> = (0..64).map(|value| value as f32).collect();
        let biases = by_distance(&table, 2, 3);
        assert_eq!(
            biases,
            [4.0, 2.0, 0.0, 34.0, 36.0, 5.0, 3.0, 1.0, 35.0, 37.0]
        );
    }
}
