/// Scales a block to `weight · |x| / sqrt(|x|² + floor²)`: full weight when it has structure, little
/// when it is noise.
pub(super) fn damp(block: &mut [f32], weight: f32, floor: f32) {
    let square: f64 = block.iter().map(|value| f64::from(*value).powi(2)).sum();
    let scale = f64::from(weight) / (square + f64::from(floor).powi(2)).sqrt();
    for value in block {
        *value = (f64::from(*value) * scale) as f32;
    }
}

/// Subtracts the mean.
pub(super) fn centre(block: &mut [f32]) {
    let mean = block.iter().sum::<f32>() / block.len().max(1) as f32;
    for value in block {
        *value -= mean;
    }
}
