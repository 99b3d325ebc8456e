//! The heatmap's pixels.

use adit_primitives::Uid;
use adit_scoring::{
    Error,
    inference::{Heatmap, MOST_ANSWERS, SimilarityMatrix},
};
use proptest::prelude::*;

struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn of(heatmap: &Heatmap) -> Self {
        let bytes = heatmap.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(frame.color_type, png::ColorType::Rgb);
        assert_eq!((frame.width, frame.height), heatmap.size());
        Self {
            width: frame.width as usize,
            height: frame.height as usize,
            pixels,
        }
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * 3;
        self.pixels[start..start + 3].try_into().unwrap()
    }

    /// Whether anything but paper is in a part of the picture.
    fn inked(&self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> bool {
        rows.into_iter()
            .any(|y| columns.clone().any(|x| self.at(x, y) != [255; 3]))
    }
}

fn uids(count: usize) -> Vec<Uid> {
    (0..count).map(|uid| Uid(uid as u16)).collect()
}

#[test]
fn every_cell_has_the_colour_of_its_similarity() {
    let rows = [[1.0, 0.7, 0.1], [0.7, 1.0, 0.4], [0.1, 0.4, 1.0]];
    let heatmap = Heatmap::new(&rows, &[Uid(0), Uid(65_535), Uid(7)]).unwrap();
    let picture = Picture::of(&heatmap);
    for (row, values) in rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let (x, y, side) = heatmap.cell(row, column);
            let (x, y, side) = (x as usize, y as usize, side as usize);
            let expected = heatmap.colour(*value);
            for (x, y) in [
                (x, y),
                (x + side - 1, y),
                (x, y + side - 1),
                (x + side - 1, y + side - 1),
            ] {
                assert_eq!(picture.at(x, y), expected, "{row} {column}");
            }
        }
    }
    assert_ne!(heatmap.colour(0.1), heatmap.colour(0.4));
    // Labels at the left and above, and the bar with its numbers at the right.
    let (x, y, side) = heatmap.cell(0, 0);
    let (x, y, plot) = (x as usize, y as usize, 3 * side as usize);
    assert!(picture.inked(0..x, y..y + plot));
    assert!(picture.inked(x..x + plot, 0..y));
    assert!(picture.inked(x + plot..picture.width, 0..picture.height));
    assert!(!picture.inked(0..x, 0..y));
}

#[test]
fn gaps_are_grey_with_a_cross() {
    let rows = [[1.0, f64::NAN], [f64::INFINITY, 0.5]];
    let heatmap = Heatmap::new(&rows, &uids(2)).unwrap();
    let picture = Picture::of(&heatmap);
    let (x, y, side) = heatmap.cell(0, 1);
    let (x, y, side) = (x as usize, y as usize, side as usize);
    let quarter = side / 4;
    assert!(picture.at(x + quarter, y + quarter)[0] < 100);
    assert!(picture.at(x + side - 1 - quarter, y + quarter)[0] < 100);
    assert_eq!(picture.at(x + side / 2, y + 1), [190; 3]);
    let (x, y, _) = heatmap.cell(1, 1);
    assert_eq!(picture.at(x as usize, y as usize), heatmap.colour(0.5));
    // Only then is there an entry for them at the bar.
    let whole = Heatmap::new(&[[1.0, 0.2], [0.2, 1.0]], &uids(2)).unwrap();
    assert!(whole.size().1 < heatmap.size().1);
}

#[test]
fn size_is_bounded() {
    let rows: Vec<Vec<f64>> = (0..MOST_ANSWERS)
        .map(|row| {
            (0..MOST_ANSWERS)
                .map(|column| ((row * column) as f64).sin())
                .collect()
        })
        .collect();
    let heatmap = Heatmap::new(&rows, &uids(MOST_ANSWERS)).unwrap();
    let (width, height) = heatmap.size();
    assert!(width <= 1_280 && height <= 1_280);
    let picture = Picture::of(&heatmap);
    let (x, y, side) = heatmap.cell(1_000, 3);
    assert_eq!(side, 1);
    assert_eq!(
        picture.at(x as usize, y as usize),
        heatmap.colour(rows[1_000][3])
    );
    assert!(heatmap.svg().unwrap().len() < 4_000_000);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let rows: Vec<Vec<f64>> = (0..40)
        .map(|row| {
            (0..40)
                .map(|column| f64::from(row * column).sin())
                .collect()
        })
        .collect();
    let draw = || {
        let heatmap = Heatmap::new(&rows, &uids(40)).unwrap();
        (heatmap.png().unwrap(), heatmap.svg().unwrap())
    };
    assert_eq!(draw(), draw());
}

#[test]
fn an_svg_has_a_rectangle_for_each_cell() {
    let matrix = SimilarityMatrix::from_rows(&[[1.0, 0.3], [0.3, 1.0]]).unwrap();
    let heatmap = Heatmap::of(&matrix, &uids(2)).unwrap();
    let svg = heatmap.svg().unwrap();
    let (x, y, side) = heatmap.cell(0, 1);
    let [red, green, blue] = heatmap.colour(0.3);
    let cell = format!("x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\"");
    let line = svg.lines().find(|line| line.contains(&cell)).unwrap();
    assert!(
        line.contains(&format!("#{red:02X}{green:02X}{blue:02X}")),
        "{line}"
    );
    // Numbers are drawn, so that no font is asked for.
    assert!(!svg.contains("<text"));
}

#[test]
fn refuses_what_is_no_square() {
    let count = |what, expected, found| {
        Err(Error::Count {
            what,
            expected,
            found,
        })
    };
    assert_eq!(
        Heatmap::new::<[f64; 1]>(&[], &[]),
        Err(Error::Empty { what: "the matrix" })
    );
    let ragged = [vec![1.0, 0.0], vec![1.0]];
    assert_eq!(
        Heatmap::new(&ragged, &uids(2)),
        count("a row of a matrix", 2, 1)
    );
    let wide = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]];
    assert_eq!(
        Heatmap::new(&wide, &uids(2)),
        count("a row of a matrix", 2, 3)
    );
    assert_eq!(
        Heatmap::new(&[[1.0]], &uids(2)),
        count("the list of labels", 1, 2)
    );
    let many = vec![[]; MOST_ANSWERS + 1];
    assert!(matches!(
        Heatmap::new(&many, &[]),
        Err(Error::TooMany { found: 1_025, .. })
    ));
    let one = Heatmap::new(&[[1.0]], &uids(1)).unwrap();
    assert!(one.clone().with_scale(1.0, 1.0).is_err());
    assert!(one.clone().with_scale(f64::NAN, 1.0).is_err());
    assert_ne!(
        one.clone().with_scale(0.0, 2.0).unwrap().colour(1.0),
        one.colour(1.0)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn any_matrix_has_a_picture(values in prop::collection::vec(any::<f64>(), 1..150)) {
        let side = values.len().isqrt();
        let rows: Vec<&[f64]> = values.chunks_exact(side).take(side).collect();
        let heatmap = Heatmap::new(&rows, &uids(side)).unwrap();
        Picture::of(&heatmap);
        prop_assert!(heatmap.svg().unwrap().ends_with("</svg>\n"));
    }
}
