use std::f32::consts::PI;

/// Cells along one side.
pub(super) const CELLS: usize = 4;
/// Orientations of an edge, over half a turn.
pub(super) const ORIENTATIONS: usize = 8;

/// Adds a square luma picture's gradients to a layout of `CELLS² · ORIENTATIONS` bins (cell after
/// cell, orientations within), each weighted by its strength and shared between the two nearest
/// orientations.
pub(super) fn add_gradients(luma: &[f32], side: usize, layout: &mut [f32]) {
    let at = |x: usize, y: usize| luma.get(y * side + x).copied().unwrap_or(0.0);
    for y in 1..side.saturating_sub(1) {
        for x in 1..side - 1 {
            let (dx, dy) = (at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1));
            let strength = dx.hypot(dy);
            if strength == 0.0 {
                continue;
            }
            let turn = (dy.atan2(dx) / PI).rem_euclid(1.0) * ORIENTATIONS as f32;
            let lower = turn.floor();
            let share = turn - lower;
            let cell = (y * CELLS / side) * CELLS + x * CELLS / side;
            let first = lower as usize % ORIENTATIONS;
            for (bin, part) in [(first, 1.0 - share), ((first + 1) % ORIENTATIONS, share)] {
                if let Some(slot) = layout.get_mut(cell * ORIENTATIONS + bin) {
                    *slot += strength * part;
                }
            }
        }
    }
}

/// Subtracts from every bin the mean of its orientation over all cells: what is left is where the
/// edges are, not that most pictures have upright and level ones.
pub(super) fn centre_orientations(layout: &mut [f32]) {
    for orientation in 0..ORIENTATIONS {
        let bins = layout.iter().skip(orientation).step_by(ORIENTATIONS);
        let mean = bins.sum::<f32>() / (CELLS * CELLS) as f32;
        for bin in layout.iter_mut().skip(orientation).step_by(ORIENTATIONS) {
            *bin -= mean;
        }
    }
}
