//! The nearest rows, by every way of finding them.

use adit_embedding::nearest::{CompactRows, Neighbour, Quantization, RowSlice, nearest};
use half::f16;
use proptest::prelude::*;

/// Rows with ties, opposites, zeros and very different lengths.
fn any_rows() -> impl Strategy<Value = (usize, Vec<f32>, Vec<f32>)> {
    (1_usize..40, 0_usize..60).prop_flat_map(|(dimension, count)| {
        let component = prop_oneof![
            4 => -1.0_f32..1.0,
            1 => Just(0.0_f32),
            1 => Just(1.0_f32),
            1 => -1e-20_f32..1e-20,
            1 => -1e3_f32..1e3,
        ];
        (
            Just(dimension),
            prop::collection::vec(component.clone(), dimension * count),
            prop::collection::vec(component, dimension),
        )
    })
}

fn by_sorting(query: &[f32], rows: &[f32], k: usize) -> Vec<Neighbour> {
    let rows = rows.chunks_exact(query.len()).zip(0..);
    let mut all: Vec<Neighbour> = rows
        .map(|(values, row)| Neighbour {
            similarity: adit_embedding::kernels::dot(query, values).unwrap(),
            row,
        })
        .collect();
    all.sort();
    all.truncate(k);
    all
}

proptest! {
    #[test]
    fn all_ways_find_the_same((dimension, rows, query) in any_rows(), k in 0_usize..12) {
        let expected = by_sorting(&query, &rows, k);
        prop_assert_eq!(&nearest(&query, RowSlice::F32(&rows), k, 2).unwrap(), &expected);
        for quantization in [Quantization::F16, Quantization::Int8] {
            let compact = CompactRows::new(&rows, dimension, quantization).unwrap();
            prop_assert_eq!(compact.len() * dimension, rows.len());
            prop_assert_eq!(&compact.nearest(&query, &rows, k, 2).unwrap(), &expected);
        }
    }

    #[test]
    fn hostile_rows_are_refused_or_left_out(
        bits in prop::collection::vec(any::<u32>(), 0..200),
        dimension in 0_usize..9,
        query in prop::collection::vec(any::<u32>(), 0..9),
    ) {
        let values = |bits: &[u32]| bits.iter().map(|bits| f32::from_bits(*bits)).collect::<Vec<_>>();
        let (rows, query) = (values(&bits), values(&query));
        if let Ok(found) = nearest(&query, RowSlice::F32(&rows), 3, 1) {
            prop_assert!(found.iter().all(|found| found.similarity.is_finite()));
        }
        for quantization in [Quantization::F16, Quantization::Int8] {
            if let Ok(compact) = CompactRows::new(&rows, dimension, quantization)
                && let Ok(found) = compact.nearest(&query, &rows, 3, 1)
            {
                prop_assert_eq!(found, nearest(&query, RowSlice::F32(&rows), 3, 1).unwrap());
            }
        }
    }
}

#[test]
fn several_threads_find_what_one_finds() {
    const DIMENSION: usize = 512;
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    // Enough for several threads, with an uneven last share.
    let rows: Vec<f32> = (0..DIMENSION * 33_001).map(|_| next()).collect();
    let query: Vec<f32> = (0..DIMENSION).map(|_| next()).collect();
    let one = nearest(&query, RowSlice::F32(&rows), 10, 1).unwrap();
    assert_eq!(nearest(&query, RowSlice::F32(&rows), 10, 3).unwrap(), one);
    let compact = CompactRows::new(&rows, DIMENSION, Quantization::Int8).unwrap();
    assert_eq!(compact.nearest(&query, &rows, 10, 3).unwrap(), one);
    assert!(compact.bytes() < rows.len() * 4 / 3);
    let halves: Vec<f16> = rows.iter().map(|value| f16::from_f32(*value)).collect();
    let found = nearest(&query, RowSlice::F16(&halves), 10, 3).unwrap();
    assert_eq!(found[0].row, one[0].row);
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    assert!(nearest(&[1.0, 2.0], RowSlice::F32(&[1.0]), 1, 1).is_err());
    assert!(nearest(&[], RowSlice::F32(&[1.0]), 1, 1).is_err());
    assert_eq!(nearest(&[], RowSlice::F32(&[]), 1, 1).unwrap(), []);
    assert!(CompactRows::new(&[1.0, f32::NAN], 2, Quantization::Int8).is_err());
    assert!(CompactRows::new(&[1e6, 1.0], 2, Quantization::F16).is_err());
    let mut compact = CompactRows::new(&[1.0, 2.0], 2, Quantization::F16).unwrap();
    assert!(compact.push(&[1.0]).is_err());
    assert!(compact.push(&[1e6, 1.0]).is_err());
    assert_eq!((compact.len(), compact.is_empty()), (1, false));
    assert!(
        compact
            .nearest(&[1.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 1, 1)
            .is_err()
    );
}
