/// Colours from low to high: 17 places of matplotlib's viridis (CC0), which stay in order of
/// brightness for eyes that confuse red with green or blue with yellow, and in grey.
const VIRIDIS: [[u8; 3]; 17] = [
    [68, 1, 84],
    [72, 24, 106],
    [71, 45, 123],
    [66, 64, 134],
    [59, 82, 139],
    [51, 99, 141],
    [44, 114, 142],
    [38, 129, 142],
    [33, 144, 140],
    [31, 159, 136],
    [40, 174, 128],
    [62, 188, 116],
    [93, 201, 99],
    [130, 211, 76],
    [171, 220, 50],
    [213, 226, 26],
    [253, 231, 37],
];

/// The colour of a place in 0 to 1 on the scale, which ends at both.
pub(super) fn viridis(place: f64) -> [u8; 3] {
    let place = place.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    // In 0 to 16.
    let below = place.floor() as usize;
    let part = place - below as f64;
    let from = VIRIDIS.get(below).copied().unwrap_or_default();
    let to = VIRIDIS.get(below + 1).copied().unwrap_or(from);
    let mut colour = [0; 3];
    for ((channel, from), to) in colour.iter_mut().zip(from).zip(to) {
        let (from, to) = (f64::from(from), f64::from(to));
        *channel = (from + part * (to - from)).round() as u8;
    }
    colour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brightness_rises_all_the_way() {
        let brightness = |colour: [u8; 3]| {
            let [red, green, blue] = colour.map(f64::from);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let steps: Vec<f64> = (0..=100)
            .map(|step| brightness(viridis(f64::from(step) / 100.0)))
            .collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(viridis(-3.0), VIRIDIS[0]);
        assert_eq!(viridis(7.0), VIRIDIS[16]);
    }
}
