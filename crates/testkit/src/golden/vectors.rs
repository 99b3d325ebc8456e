use serde_json::Value;

use super::Real;

/// A vector of a golden file: numbers, or a recipe `{gen: "sm64", seed, dim, base_seed, w}`, by
/// which a SplitMix64 generator makes it (the file's `encoding` says how). Nothing where the value
/// is neither.
pub fn recipe_vector(value: &Value) -> Option<Vec<f64>> {
    if let Value::Array(numbers) = value {
        let numbers = numbers.iter();
        return numbers
            .map(|number| serde_json::from_value::<Real>(number.clone()).ok())
            .map(|number| number.map(|number| number.0))
            .collect();
    }
    if value.get("gen")?.as_str()? != "sm64" {
        return None;
    }
    let dimension = usize::try_from(value.get("dim")?.as_u64()?).ok()?;
    let noise = numbers(seed(value.get("seed")?)?, dimension);
    let Some(base) = value.get("base_seed").filter(|base| !base.is_null()) else {
        return Some(noise);
    };
    let share = value.get("w")?.as_f64()?;
    let base = numbers(seed(base)?, dimension);
    let mixed = base.iter().zip(noise);
    Some(
        mixed
            .map(|(base, noise)| share * base + (1.0 - share) * noise)
            .collect(),
    )
}

fn seed(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014), each output mapped to `[-1, 1)`.
fn numbers(mut state: u64, count: usize) -> Vec<f64> {
    let next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 * 2f64.powi(-53) * 2.0 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn makes_the_vectors_that_the_files_describe() {
        let made = recipe_vector(&json!({"gen": "sm64", "seed": "1", "dim": 4})).unwrap();
        let told = [
            0.133_123_150_344_561_8,
            0.491_563_514_525_402_26,
            0.942_005_507_173_592_4,
            -0.111_281_565_888_455_84,
        ];
        assert_eq!(made, told);
        let mixed = json!({"gen": "sm64", "seed": "2", "base_seed": "1", "w": 1.0, "dim": 4});
        assert_eq!(recipe_vector(&mixed).unwrap(), told);
        assert_eq!(recipe_vector(&json!([1, "-Infinity"])).unwrap()[0], 1.0);
        assert!(recipe_vector(&json!({"gen": "other"})).is_none());
        assert!(recipe_vector(&json!(["x"])).is_none());
    }
}
