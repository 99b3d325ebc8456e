//! AVX-512 and AVX2 variants: the only unsafe code of this crate. Each loop reads whole registers
//! inside the shorter slice and leaves the rest to the portable twin.
#![expect(
    unsafe_code,
    reason = "vector loads through pointers; every offset is bounded by the slices' lengths, and \
              each function runs only after its instructions were detected"
)]

use std::arch::{
    is_x86_feature_detected,
    x86_64::{
        __m256, __m256d, __m512d, __m512i, _mm_loadu_ps, _mm_loadu_si128, _mm256_add_epi32,
        _mm256_add_pd, _mm256_add_ps, _mm256_cvtepi8_epi16, _mm256_cvtph_ps, _mm256_cvtps_pd,
        _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_loadu_si256,
        _mm256_madd_epi16, _mm256_setzero_pd, _mm256_setzero_ps, _mm256_setzero_si256,
        _mm256_storeu_pd, _mm256_storeu_ps, _mm256_storeu_si256, _mm512_add_pd, _mm512_add_ps,
        _mm512_cvtph_ps, _mm512_cvtps_pd, _mm512_dpbusd_epi32, _mm512_fmadd_pd, _mm512_fmadd_ps,
        _mm512_loadu_pd, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_reduce_add_epi32,
        _mm512_reduce_add_pd, _mm512_reduce_add_ps, _mm512_set1_epi8, _mm512_setzero_pd,
        _mm512_setzero_ps, _mm512_setzero_si512, _mm512_xor_si512,
    },
};

use half::f16;

use super::portable;

pub(super) fn instructions() -> Option<&'static str> {
    if has_avx512() {
        Some("avx512")
    } else if has_avx2() {
        Some("avx2")
    } else {
        None
    }
}

/// None when this machine has neither AVX-512 nor AVX2.
pub(super) fn dot(left: &[f32], right: &[f32]) -> Option<f32> {
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        Some(unsafe { dot_avx512(left, right) })
    } else if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        Some(unsafe { dot_avx2(left, right) })
    } else {
        None
    }
}

/// None when this machine has neither AVX-512 nor AVX2 with F16C.
pub(super) fn dot_f16(left: &[f32], right: &[f16]) -> Option<f32> {
    if has_avx512() {
        // SAFETY: AVX-512F was detected; it includes the conversion.
        Some(unsafe { dot_f16_avx512(left, right) })
    } else if has_avx2() {
        // SAFETY: AVX2, FMA and F16C were detected.
        Some(unsafe { dot_f16_avx2(left, right) })
    } else {
        None
    }
}

/// None when this machine has neither AVX-512 nor AVX2.
pub(super) fn dot_and_square(query: &[f64], vector: &[f64]) -> Option<(f64, f64)> {
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        Some(unsafe { dot_and_square_avx512(query, vector) })
    } else if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        Some(unsafe { dot_and_square_avx2(query, vector) })
    } else {
        None
    }
}

/// None when this machine has neither AVX-512 nor AVX2.
pub(super) fn dot_and_square_f32(query: &[f64], vector: &[f32]) -> Option<(f64, f64)> {
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        Some(unsafe { dot_and_square_f32_avx512(query, vector) })
    } else if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        Some(unsafe { dot_and_square_f32_avx2(query, vector) })
    } else {
        None
    }
}

/// None when this machine has neither AVX-512 VNNI nor AVX2.
pub(super) fn dot_int8(left: &[i8], right: &[i8]) -> Option<i32> {
    if has_vnni() {
        // SAFETY: AVX-512F, BW and VNNI were detected.
        Some(unsafe { dot_int8_vnni(left, right) })
    } else if has_avx2() {
        // SAFETY: AVX2 was detected.
        Some(unsafe { dot_int8_avx2(left, right) })
    } else {
        None
    }
}

/// One query with several rows, so that it is loaded once; none when this machine has neither AVX-512 nor AVX2.
pub(super) fn dot_block<const N: usize>(query: &[f32], rows: [&[f32]; N]) -> Option<[f32; N]> {
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        Some(unsafe { dot_block_avx512(query, rows) })
    } else if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        Some(unsafe { dot_block_avx2(query, rows) })
    } else {
        None
    }
}

fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}

fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
}

fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

/// Every variant this machine can run, for the test that they agree.
#[cfg(test)]
pub(super) fn every_dot(left: &[f32], right: &[f32]) -> Vec<f32> {
    let mut products = Vec::new();
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        products.push(unsafe { dot_avx512(left, right) });
    }
    if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        products.push(unsafe { dot_avx2(left, right) });
    }
    products
}

#[cfg(test)]
pub(super) fn every_dot_block<const N: usize>(query: &[f32], rows: [&[f32]; N]) -> Vec<[f32; N]> {
    let mut products = Vec::new();
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        products.push(unsafe { dot_block_avx512(query, rows) });
    }
    if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        products.push(unsafe { dot_block_avx2(query, rows) });
    }
    products
}

#[cfg(test)]
pub(super) fn every_dot_int8(left: &[i8], right: &[i8]) -> Vec<i32> {
    let mut products = Vec::new();
    if has_vnni() {
        // SAFETY: AVX-512F, BW and VNNI were detected.
        products.push(unsafe { dot_int8_vnni(left, right) });
    }
    if has_avx2() {
        // SAFETY: AVX2 was detected.
        products.push(unsafe { dot_int8_avx2(left, right) });
    }
    products
}

#[cfg(test)]
pub(super) fn every_dot_f16(left: &[f32], right: &[f16]) -> Vec<f32> {
    let mut products = Vec::new();
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        products.push(unsafe { dot_f16_avx512(left, right) });
    }
    if has_avx2() {
        // SAFETY: AVX2, FMA and F16C were detected.
        products.push(unsafe { dot_f16_avx2(left, right) });
    }
    products
}

#[cfg(test)]
pub(super) fn every_dot_and_square(query: &[f64], vector: &[f64]) -> Vec<(f64, f64)> {
    let mut products = Vec::new();
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        products.push(unsafe { dot_and_square_avx512(query, vector) });
    }
    if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        products.push(unsafe { dot_and_square_avx2(query, vector) });
    }
    products
}

#[cfg(test)]
pub(super) fn every_dot_and_square_f32(query: &[f64], vector: &[f32]) -> Vec<(f64, f64)> {
    let mut products = Vec::new();
    if has_avx512() {
        // SAFETY: AVX-512F was detected.
        products.push(unsafe { dot_and_square_f32_avx512(query, vector) });
    }
    if has_avx2() {
        // SAFETY: AVX2 and FMA were detected.
        products.push(unsafe { dot_and_square_f32_avx2(query, vector) });
    }
    products
}

#[target_feature(enable = "avx512f")]
fn dot_avx512(left: &[f32], right: &[f32]) -> f32 {
    const WIDTH: usize = 16;
    let length = left.len().min(right.len());
    let mut sums = [_mm512_setzero_ps(); 4];
    let mut place = 0;
    while place + 4 * WIDTH <= length {
        for (step, sum) in sums.iter_mut().enumerate() {
            let at = place + step * WIDTH;
            // SAFETY: at + 16 ≤ length of both slices.
            let (a, b) = unsafe {
                (
                    _mm512_loadu_ps(left.as_ptr().add(at)),
                    _mm512_loadu_ps(right.as_ptr().add(at)),
                )
            };
            *sum = _mm512_fmadd_ps(a, b, *sum);
        }
        place += 4 * WIDTH;
    }
    let [mut first, second, third, fourth] = sums;
    while place + WIDTH <= length {
        // SAFETY: place + 16 ≤ length of both slices.
        let (a, b) = unsafe {
            (
                _mm512_loadu_ps(left.as_ptr().add(place)),
                _mm512_loadu_ps(right.as_ptr().add(place)),
            )
        };
        first = _mm512_fmadd_ps(a, b, first);
        place += WIDTH;
    }
    let sum = _mm512_add_ps(_mm512_add_ps(first, second), _mm512_add_ps(third, fourth));
    _mm512_reduce_add_ps(sum) + portable::dot(rest(left, place), rest(right, place))
}

#[target_feature(enable = "avx2,fma")]
fn dot_avx2(left: &[f32], right: &[f32]) -> f32 {
    const WIDTH: usize = 8;
    let length = left.len().min(right.len());
    let mut sums = [_mm256_setzero_ps(); 4];
    let mut place = 0;
    while place + 4 * WIDTH <= length {
        for (step, sum) in sums.iter_mut().enumerate() {
            let at = place + step * WIDTH;
            // SAFETY: at + 8 ≤ length of both slices.
            let (a, b) = unsafe {
                (
                    _mm256_loadu_ps(left.as_ptr().add(at)),
                    _mm256_loadu_ps(right.as_ptr().add(at)),
                )
            };
            *sum = _mm256_fmadd_ps(a, b, *sum);
        }
        place += 4 * WIDTH;
    }
    add_avx2(sums) + portable::dot(rest(left, place), rest(right, place))
}

#[target_feature(enable = "avx512f")]
fn dot_block_avx512<const N: usize>(query: &[f32], rows: [&[f32]; N]) -> [f32; N] {
    const WIDTH: usize = 16;
    let length = rows
        .iter()
        .fold(query.len(), |least, row| least.min(row.len()));
    let mut sums = [[_mm512_setzero_ps(); 2]; N];
    let mut place = 0;
    while place + 2 * WIDTH <= length {
        // SAFETY: place + 32 ≤ length of all slices.
        let (a, b) = unsafe {
            (
                _mm512_loadu_ps(query.as_ptr().add(place)),
                _mm512_loadu_ps(query.as_ptr().add(place + WIDTH)),
            )
        };
        for (sums, row) in sums.iter_mut().zip(rows) {
            // SAFETY: as above.
            let (c, d) = unsafe {
                (
                    _mm512_loadu_ps(row.as_ptr().add(place)),
                    _mm512_loadu_ps(row.as_ptr().add(place + WIDTH)),
                )
            };
            sums[0] = _mm512_fmadd_ps(a, c, sums[0]);
            sums[1] = _mm512_fmadd_ps(b, d, sums[1]);
        }
        place += 2 * WIDTH;
    }
    let mut products = [0.0; N];
    for ((product, [one, other]), row) in products.iter_mut().zip(sums).zip(rows) {
        *product = _mm512_reduce_add_ps(_mm512_add_ps(one, other))
            + portable::dot(rest(query, place), rest(row, place));
    }
    products
}

#[target_feature(enable = "avx2,fma")]
fn dot_block_avx2<const N: usize>(query: &[f32], rows: [&[f32]; N]) -> [f32; N] {
    const WIDTH: usize = 8;
    let length = rows
        .iter()
        .fold(query.len(), |least, row| least.min(row.len()));
    let mut sums = [[_mm256_setzero_ps(); 2]; N];
    let mut place = 0;
    while place + 2 * WIDTH <= length {
        // SAFETY: place + 16 ≤ length of all slices.
        let (a, b) = unsafe {
            (
                _mm256_loadu_ps(query.as_ptr().add(place)),
                _mm256_loadu_ps(query.as_ptr().add(place + WIDTH)),
            )
        };
        for (sums, row) in sums.iter_mut().zip(rows) {
            // SAFETY: as above.
            let (c, d) = unsafe {
                (
                    _mm256_loadu_ps(row.as_ptr().add(place)),
                    _mm256_loadu_ps(row.as_ptr().add(place + WIDTH)),
                )
            };
            sums[0] = _mm256_fmadd_ps(a, c, sums[0]);
            sums[1] = _mm256_fmadd_ps(b, d, sums[1]);
        }
        place += 2 * WIDTH;
    }
    let mut products = [0.0; N];
    for ((product, [one, other]), row) in products.iter_mut().zip(sums).zip(rows) {
        let none = _mm256_setzero_ps();
        *product = add_avx2([one, other, none, none])
            + portable::dot(rest(query, place), rest(row, place));
    }
    products
}

#[target_feature(enable = "avx512f")]
fn dot_f16_avx512(left: &[f32], right: &[f16]) -> f32 {
    const WIDTH: usize = 16;
    let length = left.len().min(right.len());
    let mut sums = [_mm512_setzero_ps(); 2];
    let mut place = 0;
    while place + 2 * WIDTH <= length {
        for (step, sum) in sums.iter_mut().enumerate() {
            let at = place + step * WIDTH;
            // SAFETY: at + 16 ≤ length of both slices; f16 is two bytes of any value.
            let (a, b) = unsafe {
                (
                    _mm512_loadu_ps(left.as_ptr().add(at)),
                    _mm256_loadu_si256(right.as_ptr().add(at).cast()),
                )
            };
            *sum = _mm512_fmadd_ps(a, _mm512_cvtph_ps(b), *sum);
        }
        place += 2 * WIDTH;
    }
    let [first, second] = sums;
    _mm512_reduce_add_ps(_mm512_add_ps(first, second))
        + portable::dot_f16(rest(left, place), rest(right, place))
}

#[target_feature(enable = "avx2,fma,f16c")]
fn dot_f16_avx2(left: &[f32], right: &[f16]) -> f32 {
    const WIDTH: usize = 8;
    let length = left.len().min(right.len());
    let mut sums = [_mm256_setzero_ps(); 4];
    let mut place = 0;
    while place + 4 * WIDTH <= length {
        for (step, sum) in sums.iter_mut().enumerate() {
            let at = place + step * WIDTH;
            // SAFETY: at + 8 ≤ length of both slices; f16 is two bytes of any value.
            let (a, b) = unsafe {
                (
                    _mm256_loadu_ps(left.as_ptr().add(at)),
                    _mm_loadu_si128(right.as_ptr().add(at).cast()),
                )
            };
            *sum = _mm256_fmadd_ps(a, _mm256_cvtph_ps(b), *sum);
        }
        place += 4 * WIDTH;
    }
    add_avx2(sums) + portable::dot_f16(rest(left, place), rest(right, place))
}

/// The instruction multiplies unsigned with signed bytes, so `right` is lifted by 128, and 128 times the
/// sum of `left` is taken off at the end.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_int8_vnni(left: &[i8], right: &[i8]) -> i32 {
    const WIDTH: usize = 64;
    let length = left.len().min(right.len());
    let (lift, ones) = (_mm512_set1_epi8(i8::MIN), _mm512_set1_epi8(1));
    let (mut product, mut sum): (__m512i, __m512i) =
        (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut place = 0;
    while place + WIDTH <= length {
        // SAFETY: place + 64 ≤ length of both slices.
        let (a, b) = unsafe {
            (
                _mm512_loadu_si512(left.as_ptr().add(place).cast()),
                _mm512_loadu_si512(right.as_ptr().add(place).cast()),
            )
        };
        product = _mm512_dpbusd_epi32(product, _mm512_xor_si512(b, lift), a);
        sum = _mm512_dpbusd_epi32(sum, ones, a);
        place += WIDTH;
    }
    // The lifted product may pass through the end of the range; the difference fits.
    _mm512_reduce_add_epi32(product)
        .wrapping_sub(_mm512_reduce_add_epi32(sum).wrapping_mul(128))
        .wrapping_add(portable::dot_int8(rest(left, place), rest(right, place)))
}

#[target_feature(enable = "avx2")]
fn dot_int8_avx2(left: &[i8], right: &[i8]) -> i32 {
    const WIDTH: usize = 16;
    let length = left.len().min(right.len());
    let mut sums = _mm256_setzero_si256();
    let mut place = 0;
    while place + WIDTH <= length {
        // SAFETY: place + 16 ≤ length of both slices.
        let (a, b) = unsafe {
            (
                _mm_loadu_si128(left.as_ptr().add(place).cast()),
                _mm_loadu_si128(right.as_ptr().add(place).cast()),
            )
        };
        let products = _mm256_madd_epi16(_mm256_cvtepi8_epi16(a), _mm256_cvtepi8_epi16(b));
        sums = _mm256_add_epi32(sums, products);
        place += WIDTH;
    }
    let mut lanes = [0_i32; 8];
    // SAFETY: the array holds one register.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sums) };
    lanes.iter().sum::<i32>() + portable::dot_int8(rest(left, place), rest(right, place))
}

/// `loaded!(from, load)` or, where the register must be widened, `loaded!(from, widen load)`.
macro_rules! loaded {
    ($from:expr, $load:ident) => {
        $load($from)
    };
    ($from:expr, $widen:ident $load:ident) => {
        $widen($load($from))
    };
}

/// One variant of the inner product of `query` and `vector` together with the vector's own square,
/// so that the vector is read once.
macro_rules! dot_and_square {
    (
        $name:ident, $features:literal, $component:ty, $width:literal,
        $zero:ident, $load:ident, ($($load_vector:ident)+), $multiply_add:ident, $sum:ident
    ) => {
        #[target_feature(enable = $features)]
        fn $name(query: &[f64], vector: &[$component]) -> (f64, f64) {
            const WIDTH: usize = $width;
            let length = query.len().min(vector.len());
            let (mut dots, mut squares) = ([$zero(); 4], [$zero(); 4]);
            let mut place = 0;
            while place + 4 * WIDTH <= length {
                for (step, (dot, square)) in dots.iter_mut().zip(&mut squares).enumerate() {
                    let at = place + step * WIDTH;
                    // SAFETY: at + WIDTH ≤ length of both slices.
                    let (a, b) = unsafe {
                        (
                            $load(query.as_ptr().add(at)),
                            loaded!(vector.as_ptr().add(at), $($load_vector)+),
                        )
                    };
                    *dot = $multiply_add(a, b, *dot);
                    *square = $multiply_add(b, b, *square);
                }
                place += 4 * WIDTH;
            }
            let (dot, square) =
                portable::dot_and_square(rest(query, place), rest(vector, place));
            ($sum(dots) + dot, $sum(squares) + square)
        }
    };
}

dot_and_square!(
    dot_and_square_avx512,
    "avx512f",
    f64,
    8,
    _mm512_setzero_pd,
    _mm512_loadu_pd,
    (_mm512_loadu_pd),
    _mm512_fmadd_pd,
    add_avx512_f64
);
dot_and_square!(
    dot_and_square_f32_avx512, "avx512f", f32, 8,
    _mm512_setzero_pd, _mm512_loadu_pd, (_mm512_cvtps_pd _mm256_loadu_ps), _mm512_fmadd_pd, add_avx512_f64
);
dot_and_square!(
    dot_and_square_avx2,
    "avx2,fma",
    f64,
    4,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    (_mm256_loadu_pd),
    _mm256_fmadd_pd,
    add_avx2_f64
);
dot_and_square!(
    dot_and_square_f32_avx2, "avx2,fma", f32, 4,
    _mm256_setzero_pd, _mm256_loadu_pd, (_mm256_cvtps_pd _mm_loadu_ps), _mm256_fmadd_pd, add_avx2_f64
);

#[target_feature(enable = "avx512f")]
fn add_avx512_f64([first, second, third, fourth]: [__m512d; 4]) -> f64 {
    let sum = _mm512_add_pd(_mm512_add_pd(first, second), _mm512_add_pd(third, fourth));
    _mm512_reduce_add_pd(sum)
}

#[target_feature(enable = "avx2")]
fn add_avx2_f64([first, second, third, fourth]: [__m256d; 4]) -> f64 {
    let sum = _mm256_add_pd(_mm256_add_pd(first, second), _mm256_add_pd(third, fourth));
    let mut lanes = [0.0_f64; 4];
    // SAFETY: the array holds one register.
    unsafe { _mm256_storeu_pd(lanes.as_mut_ptr(), sum) };
    lanes.iter().sum()
}

#[target_feature(enable = "avx2,fma")]
fn add_avx2([first, second, third, fourth]: [__m256; 4]) -> f32 {
    let sum = _mm256_add_ps(_mm256_add_ps(first, second), _mm256_add_ps(third, fourth));
    let mut lanes = [0.0_f32; 8];
    // SAFETY: the array holds one register.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), sum) };
    lanes.iter().sum()
}

fn rest<T>(slice: &[T], from: usize) -> &[T] {
    slice.get(from..).unwrap_or_default()
}
