//! Inner products as fast as the machine allows, without allocation.
//!
//! AVX-512 or AVX2 with FMA and F16C where the processor has them, found out at run time; otherwise
//! a portable loop. All variants agree within rounding: sums are taken in another order. Vectors are
//! plain slices; for unit vectors the inner product is the cosine.
//!
//! ```
//! use adit_embedding::kernels;
//!
//! assert_eq!(kernels::dot(&[1.0, 2.0], &[3.0, 4.0])?, 11.0);
//! assert!(kernels::dot(&[1.0, 2.0], &[3.0]).is_err());
//!
//! let mut products = [0.0; 2];
//! kernels::dot_rows(&[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], &mut products)?;
//! assert_eq!(products, [11.0, 17.0]);
//! # Ok::<(), adit_embedding::Error>(())
//! ```

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use half::f16;

use crate::{Error, Result};

/// The inner product `Σ left_i · right_i`; 0 for empty vectors. Not finite when a component is not,
/// or when it overflows.
///
/// # Errors
/// [`Error::Length`] for different lengths.
pub fn dot(left: &[f32], right: &[f32]) -> Result<f32> {
    same_length(left.len(), right.len())?;
    Ok(product(left, right))
}

/// The inner product of a vector in single and one in half precision, summed in single precision.
///
/// # Errors
/// [`Error::Length`] for different lengths.
pub fn dot_f16(left: &[f32], right: &[f16]) -> Result<f32> {
    same_length(left.len(), right.len())?;
    Ok(product_f16(left, right))
}

/// The inner products of `query` with every row of `rows` (row after row, each as long as `query`),
/// one per entry of `products`.
///
/// # Errors
/// [`Error::Length`] unless `rows` has exactly `query.len() · products.len()` components.
pub fn dot_rows(query: &[f32], rows: &[f32], products: &mut [f32]) -> Result<()> {
    same_length(query.len().saturating_mul(products.len()), rows.len())?;
    each_row(query, rows, products, product);
    Ok(())
}

/// The inner products of `query` with each of `rows`, wherever they lie. Four at a time share the
/// loads of `query`, so that many are faster than one by one.
///
/// # Errors
/// [`Error::Length`] for a row of another length, or another number of `products` than of `rows`.
pub fn dot_each(query: &[f32], rows: &[&[f32]], products: &mut [f32]) -> Result<()> {
    same_length(rows.len(), products.len())?;
    for row in rows {
        same_length(query.len(), row.len())?;
    }
    let (fours, rest) = rows.as_chunks::<4>();
    let (four_products, rest_products) = products.as_chunks_mut::<4>();
    for (four, products) in fours.iter().zip(four_products) {
        *products = block(query, *four);
    }
    let (twos, rest) = rest.as_chunks::<2>();
    let (two_products, rest_products) = rest_products.as_chunks_mut::<2>();
    for (two, products) in twos.iter().zip(two_products) {
        *products = block(query, *two);
    }
    for (row, slot) in rest.iter().zip(rest_products) {
        *slot = product(query, row);
    }
    Ok(())
}

/// [`dot_rows`] over rows in half precision.
///
/// # Errors
/// As [`dot_rows`].
pub fn dot_rows_f16(query: &[f32], rows: &[f16], products: &mut [f32]) -> Result<()> {
    same_length(query.len().saturating_mul(products.len()), rows.len())?;
    each_row(query, rows, products, product_f16);
    Ok(())
}

/// `(Σ query_i · vector_i, Σ vector_i²)`, reading `vector` once: all that the cosine with one known
/// vector needs. Zeros for empty vectors. Not finite when a component is not, or on overflow.
///
/// # Errors
/// [`Error::Length`] for different lengths.
pub fn dot_and_square(query: &[f64], vector: &[f64]) -> Result<(f64, f64)> {
    same_length(query.len(), vector.len())?;
    #[cfg(target_arch = "x86_64")]
    if let Some(found) = x86::dot_and_square(query, vector) {
        return Ok(found);
    }
    Ok(portable::dot_and_square(query, vector))
}

/// [`dot_and_square`] of a vector in single precision, summed in double precision.
///
/// # Errors
/// [`Error::Length`] for different lengths.
pub fn dot_and_square_f32(query: &[f64], vector: &[f32]) -> Result<(f64, f64)> {
    same_length(query.len(), vector.len())?;
    #[cfg(target_arch = "x86_64")]
    if let Some(found) = x86::dot_and_square_f32(query, vector) {
        return Ok(found);
    }
    Ok(portable::dot_and_square(query, vector))
}

/// The most components that [`dot_int8`] takes: their products cannot overflow.
pub const MOST_INT8_COMPONENTS: usize = 1 << 16;

/// The inner product of two vectors of signed bytes, exactly.
///
/// # Errors
/// [`Error::Length`] for different lengths, or more than [`MOST_INT8_COMPONENTS`].
pub fn dot_int8(left: &[i8], right: &[i8]) -> Result<i32> {
    same_length(left.len(), right.len())?;
    if left.len() > MOST_INT8_COMPONENTS {
        return Err(Error::Length {
            left: MOST_INT8_COMPONENTS,
            right: left.len(),
        });
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(product) = x86::dot_int8(left, right) {
        return Ok(product);
    }
    Ok(portable::dot_int8(left, right))
}

/// Which instructions [`dot`] uses on this machine: `avx512`, `avx2` or `portable`.
pub fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if let Some(name) = x86::instructions() {
        return name;
    }
    "portable"
}

fn each_row<T>(
    query: &[f32],
    rows: &[T],
    products: &mut [f32],
    product: impl Fn(&[f32], &[T]) -> f32,
) {
    if query.is_empty() {
        products.fill(0.0);
        return;
    }
    for (row, slot) in rows.chunks_exact(query.len()).zip(products) {
        *slot = product(query, row);
    }
}

fn same_length(left: usize, right: usize) -> Result<()> {
    if left == right {
        Ok(())
    } else {
        Err(Error::Length { left, right })
    }
}

/// All slices have the same length.
fn block<const N: usize>(query: &[f32], rows: [&[f32]; N]) -> [f32; N] {
    #[cfg(target_arch = "x86_64")]
    if let Some(products) = x86::dot_block(query, rows) {
        return products;
    }
    rows.map(|row| portable::dot(query, row))
}

/// Both slices have the same length.
fn product(left: &[f32], right: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(product) = x86::dot(left, right) {
        return product;
    }
    portable::dot(left, right)
}

/// Both slices have the same length.
fn product_f16(left: &[f32], right: &[f16]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(product) = x86::dot_f16(left, right) {
        return product;
    }
    portable::dot_f16(left, right)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rounding of a sum in another order: relative to the sum of magnitudes.
    fn close(found: f32, expected: f32, left: &[f32], right: &[f32]) {
        let magnitude: f32 = left.iter().zip(right).map(|(a, b)| (a * b).abs()).sum();
        let bound = 1e-6 * magnitude.max(1e-30);
        assert!(
            (found - expected).abs() <= bound,
            "{found} against {expected}"
        );
    }

    proptest! {
        #[test]
        fn all_variants_agree(pairs in prop::collection::vec((-1e3_f32..1e3, -1e3_f32..1e3), 0..300)) {
            let (left, right): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let exact: f64 = left.iter().zip(&right).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            close(dot(&left, &right).unwrap(), exact as f32, &left, &right);
            close(portable::dot(&left, &right), exact as f32, &left, &right);
            #[cfg(target_arch = "x86_64")]
            for product in x86::every_dot(&left, &right) {
                close(product, exact as f32, &left, &right);
            }
        }

        #[test]
        fn all_block_variants_agree(
            columns in prop::collection::vec(prop::array::uniform8(-1e3_f32..1e3), 0..150),
            count in 0_usize..8,
        ) {
            let row = |place: usize| -> Vec<f32> { columns.iter().map(|column| column[place]).collect() };
            let query = row(0);
            let rows: Vec<Vec<f32>> = (1..8).map(row).collect();
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let mut products = vec![f32::NAN; count];
            if let Some(rows) = rows.get(..count) {
                dot_each(&query, rows, &mut products).unwrap();
            }
            for (found, row) in products.iter().zip(&rows) {
                close(*found, portable::dot(&query, row), &query, row);
            }
            #[cfg(target_arch = "x86_64")]
            for found in x86::every_dot_block(&query, [rows[0], rows[1], rows[2], rows[3]]) {
                for (found, row) in found.iter().zip(&rows) {
                    close(*found, portable::dot(&query, row), &query, row);
                }
            }
        }

        #[test]
        fn all_half_precision_variants_agree(pairs in prop::collection::vec((-1e3_f32..1e3, -1e3_f32..1e3), 0..300)) {
            let (left, right): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let halves: Vec<f16> = right.iter().map(|value| f16::from_f32(*value)).collect();
            let right: Vec<f32> = halves.iter().map(|value| value.to_f32()).collect();
            let exact: f64 = left.iter().zip(&right).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            close(dot_f16(&left, &halves).unwrap(), exact as f32, &left, &right);
            close(portable::dot_f16(&left, &halves), exact as f32, &left, &right);
            #[cfg(target_arch = "x86_64")]
            for product in x86::every_dot_f16(&left, &halves) {
                close(product, exact as f32, &left, &right);
            }
        }

        #[test]
        fn all_byte_variants_agree(pairs in prop::collection::vec(any::<(i8, i8)>(), 0..300)) {
            let (left, right): (Vec<i8>, Vec<i8>) = pairs.into_iter().unzip();
            let exact: i32 = left.iter().zip(&right).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            prop_assert_eq!(dot_int8(&left, &right).unwrap(), exact);
            prop_assert_eq!(portable::dot_int8(&left, &right), exact);
            #[cfg(target_arch = "x86_64")]
            for product in x86::every_dot_int8(&left, &right) {
                prop_assert_eq!(product, exact);
            }
        }

        #[test]
        fn all_one_pass_variants_agree(pairs in prop::collection::vec((-1e3_f64..1e3, -1e3_f32..1e3), 0..300)) {
            let (query, singles): (Vec<f64>, Vec<f32>) = pairs.into_iter().unzip();
            let vector: Vec<f64> = singles.iter().map(|value| f64::from(*value)).collect();
            let dot: f64 = query.iter().zip(&vector).map(|(a, b)| a * b).sum();
            let square: f64 = vector.iter().map(|b| b * b).sum();
            let magnitude: f64 = query.iter().zip(&vector).map(|(a, b)| (a * b).abs()).sum();
            let mut found = vec![
                dot_and_square(&query, &vector).unwrap(),
                dot_and_square_f32(&query, &singles).unwrap(),
                portable::dot_and_square(&query, &vector),
                portable::dot_and_square(&query, &singles),
            ];
            #[cfg(target_arch = "x86_64")]
            {
                found.extend(x86::every_dot_and_square(&query, &vector));
                found.extend(x86::every_dot_and_square_f32(&query, &singles));
            }
            for (found_dot, found_square) in found {
                prop_assert!((found_dot - dot).abs() <= 1e-14 * magnitude.max(1e-30));
                prop_assert!((found_square - square).abs() <= 1e-14 * square.max(1e-30));
            }
        }

        #[test]
        fn lengths_that_differ_are_errors(left in 0_usize..70, right in 0_usize..70, rows in 0_usize..4) {
            let (a, b) = (vec![1.0_f32; left], vec![1.0_f32; right]);
            let halves = vec![f16::ONE; right];
            prop_assert_eq!(dot(&a, &b).is_ok(), left == right);
            prop_assert_eq!(dot_f16(&a, &halves).is_ok(), left == right);
            prop_assert_eq!(dot_each(&a, &[&b], &mut [0.0]).is_ok(), left == right);
            prop_assert_eq!(dot_each(&a, &[&a], &mut vec![0.0; rows]).is_ok(), rows == 1);
            let doubles = vec![1.0_f64; left];
            prop_assert_eq!(dot_and_square_f32(&doubles, &b).is_ok(), left == right);
            prop_assert_eq!(dot_and_square(&doubles, &vec![1.0; right]).is_ok(), left == right);
            let mut products = vec![f32::NAN; rows];
            let fits = left * rows == right;
            prop_assert_eq!(dot_rows(&a, &b, &mut products).is_ok(), fits);
            prop_assert_eq!(dot_rows_f16(&a, &halves, &mut products).is_ok(), fits);
            if fits {
                prop_assert!(products.iter().all(|product| *product == left as f32));
            }
        }

        #[test]
        fn any_bits_are_taken_without_panic(bits in prop::collection::vec((any::<u32>(), any::<u16>()), 0..100)) {
            let left: Vec<f32> = bits.iter().map(|(bits, _)| f32::from_bits(*bits)).collect();
            let right: Vec<f16> = bits.iter().map(|(_, bits)| f16::from_bits(*bits)).collect();
            prop_assert!(dot(&left, &left).is_ok());
            prop_assert!(dot_f16(&left, &right).is_ok());
            let doubles: Vec<f64> = left.iter().map(|value| f64::from(*value)).collect();
            prop_assert!(dot_and_square(&doubles, &doubles).is_ok());
            prop_assert!(dot_and_square_f32(&doubles, &left).is_ok());
        }
    }

    #[test]
    fn the_longest_vectors_of_bytes_do_not_overflow() {
        let least = vec![i8::MIN; MOST_INT8_COMPONENTS];
        let most = vec![i8::MAX; MOST_INT8_COMPONENTS];
        assert_eq!(dot_int8(&least, &least).unwrap(), 128 * 128 * (1 << 16));
        assert_eq!(dot_int8(&least, &most).unwrap(), -128 * 127 * (1 << 16));
        let over = vec![0; MOST_INT8_COMPONENTS + 1];
        assert!(dot_int8(&over, &over).is_err());
    }

    #[test]
    fn a_poisoned_component_poisons_the_product() {
        for length in [1, 15, 16, 17, 64, 100] {
            for place in 0..length {
                let mut left = vec![1.0_f32; length];
                left[place] = f32::NAN;
                assert!(dot(&left, &vec![1.0; length]).unwrap().is_nan());
            }
        }
    }
}
