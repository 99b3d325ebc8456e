/// Bits that are sorted by at a time.
const DIGIT: u32 = 11;
const DIGITS: usize = 1 << DIGIT;
/// Shorter lists are faster sorted by comparing.
const SHORT: usize = 512;

/// Sorts numbers that are neither negative nor NaN, smallest first: the bits of such numbers sort
/// as the numbers do, and bits can be sorted by counting. `O(n)`.
pub(super) fn sort_f32(numbers: &mut [f32]) {
    if numbers.len() < SHORT {
        return numbers.sort_unstable_by(f32::total_cmp);
    }
    // Adding 0 makes a positive zero of a negative one.
    let keys = numbers
        .iter()
        .map(|number| u64::from((number + 0.0).to_bits()));
    let sorted = by_digits(keys.collect(), 32);
    for (slot, key) in numbers.iter_mut().zip(sorted) {
        *slot = f32::from_bits(key as u32);
    }
}

/// [`sort_f32`] in double precision.
pub(super) fn sort_f64(numbers: &mut [f64]) {
    if numbers.len() < SHORT {
        return numbers.sort_unstable_by(f64::total_cmp);
    }
    let keys = numbers.iter().map(|number| (number + 0.0).to_bits());
    let sorted = by_digits(keys.collect(), 64);
    for (slot, key) in numbers.iter_mut().zip(sorted) {
        *slot = f64::from_bits(key);
    }
}

/// Least digit first; each pass keeps the order of the one before.
fn by_digits(mut keys: Vec<u64>, bits: u32) -> Vec<u64> {
    let mut sorted = vec![0; keys.len()];
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit = |key: u64| (key >> shift) as usize % DIGITS;
        let mut ends = [0_u32; DIGITS];
        for key in &keys {
            ends[digit(*key)] += 1;
        }
        // All alike, as the exponents often are.
        let first = keys.first().map_or(0, |key| ends[digit(*key)]);
        if first as usize == keys.len() {
            continue;
        }
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        for key in &keys {
            let place = &mut ends[digit(*key)];
            if let Some(slot) = sorted.get_mut(*place as usize) {
                *slot = *key;
            }
            *place += 1;
        }
        std::mem::swap(&mut keys, &mut sorted);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_comparing_does() {
        let mut bits = 1_u64;
        let mut numbers: Vec<f64> = std::iter::repeat_with(|| {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from_bits(bits >> 2)
        })
        .take(3_000)
        .collect();
        numbers.extend([0.0, -0.0, f64::MAX, f64::INFINITY, 5e-324]);
        let mut expected: Vec<f64> = numbers.iter().map(|number| number + 0.0).collect();
        expected.sort_by(f64::total_cmp);
        sort_f64(&mut numbers);
        assert_eq!(numbers, expected);

        let mut single: Vec<f32> = expected
            .iter()
            .rev()
            .map(|number| (*number % 7.0) as f32)
            .collect();
        single.retain(|number| !number.is_nan());
        let mut expected = single.clone();
        expected.sort_by(f32::total_cmp);
        sort_f32(&mut single);
        assert_eq!(single, expected);
    }
}
