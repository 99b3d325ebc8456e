//! A frame's surroundings as rows of a matrix, so that a convolution becomes a product.

/// Side of the surroundings.
const KERNEL: usize = 3;

/// Appends a row for each pixel of a frame of `height × width × channels` values: the pixels of the
/// 3 × 3 around it, row by row, 0 outside of the frame.
pub(super) fn surroundings(frame: &[f32], width: usize, channels: usize, columns: &mut Vec<f32>) {
    let line = width * channels;
    let height = frame.len() / line.max(1);
    let zeros = vec![0.0; KERNEL * channels];
    for y in 0..height {
        for x in 0..width {
            for dy in 0..KERNEL {
                let row = (y + dy)
                    .checked_sub(1)
                    .filter(|row| *row < height)
                    .and_then(|row| frame.get(row * line..(row + 1) * line));
                let Some(row) = row else {
                    columns.extend_from_slice(&zeros);
                    continue;
                };
                // Of three pixels, those at the edges are missing.
                let before = usize::from(x == 0) * channels;
                let after = usize::from(x + 1 == width) * channels;
                columns.extend(zeros.iter().take(before));
                let first = (x * channels + before).saturating_sub(channels);
                let end = (x + 2) * channels - after;
                columns.extend_from_slice(row.get(first..end).unwrap_or_default());
                columns.extend(zeros.iter().take(after));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::surroundings;

    #[test]
    fn surroundings_end_at_the_edges() {
        let mut columns = Vec::new();
        surroundings(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 1, &mut columns);
        assert_eq!(columns.len(), 6 * 9);
        assert_eq!(columns[..9], [0., 0., 0., 0., 1., 2., 0., 4., 5.]);
        assert_eq!(columns[9..18], [0., 0., 0., 1., 2., 3., 4., 5., 6.]);
        assert_eq!(columns[45..], [2., 3., 0., 5., 6., 0., 0., 0., 0.]);
        columns.clear();
        // One column of two channels.
        surroundings(&[1.0, 2.0, 3.0, 4.0], 1, 2, &mut columns);
        let rows = [[0.0; 6], [0., 0., 1., 2., 0., 0.], [0., 0., 3., 4., 0., 0.]];
        assert_eq!(columns[..18], rows.concat());
    }
}
