use plotters::{
    coord::Shift,
    prelude::{DrawingArea, DrawingBackend, PathElement, RGBColor, Rectangle},
    style::Color,
};

use super::{Heatmap, colours::viridis, drawing, glyphs};
use crate::Result;

/// The colour of a cell that has no similarity: no scale has it.
pub(super) const GAP: [u8; 3] = [190, 190, 190];
const INK: [u8; 3] = [34, 34, 34];
const PAPER: [u8; 3] = [255, 255, 255];

/// Pixels of a dot.
const DOT: i32 = 2;
const CHARACTER_WIDTH: i32 = (glyphs::WIDTH + 1) * DOT;
const CHARACTER_HEIGHT: i32 = (glyphs::HEIGHT + 1) * DOT;
/// A uid has at most five digits.
const MARGIN: i32 = 8;
const LEFT: i32 = MARGIN + 5 * CHARACTER_WIDTH + MARGIN;
const TOP: i32 = MARGIN + 5 * CHARACTER_HEIGHT + MARGIN;
const BAR_WIDTH: i32 = 16;
const BAR_LEAST_HEIGHT: i32 = 120;
/// A number at the bar has at most eight characters.
const RIGHT: i32 = 2 * MARGIN + BAR_WIDTH + MARGIN + 8 * CHARACTER_WIDTH + MARGIN;
/// What cells in a row take together, unless they are many.
const PLOT: i32 = 960;
const LARGEST_CELL: i32 = 40;
/// Cells from this side up have their cross.
const CROSSED_CELL: i32 = 4;

/// Where everything is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    answers: i32,
    cell: i32,
    bar: i32,
    gaps: bool,
}

impl Layout {
    pub(super) fn of(heatmap: &Heatmap) -> Self {
        // At most 1,024.
        let answers = i32::try_from(heatmap.answers()).unwrap_or(1).max(1);
        let cell = (PLOT / answers).clamp(1, LARGEST_CELL);
        Self {
            answers,
            cell,
            bar: (answers * cell).max(BAR_LEAST_HEIGHT),
            gaps: heatmap.values.iter().any(|value| !value.is_finite()),
        }
    }

    fn plot(&self) -> i32 {
        self.answers * self.cell
    }

    pub(super) fn size(&self) -> (u32, u32) {
        let gap_entry = if self.gaps { 2 * MARGIN + BAR_WIDTH } else { 0 };
        let width = LEFT + self.plot() + RIGHT;
        let height = TOP + self.bar + gap_entry + MARGIN;
        (width.unsigned_abs(), height.unsigned_abs())
    }

    pub(super) fn cell(&self, row: usize, column: usize) -> (u32, u32, u32) {
        let place = |start: i32, index: usize| {
            let index = i32::try_from(index)
                .unwrap_or(self.answers)
                .min(self.answers);
            (start + index * self.cell).unsigned_abs()
        };
        (
            place(LEFT, column),
            place(TOP, row),
            self.cell.unsigned_abs(),
        )
    }
}

/// Draws with cells of `block` × `block` pairs.
pub(super) fn draw<B: DrawingBackend>(
    heatmap: &Heatmap,
    block: usize,
    area: &DrawingArea<B, Shift>,
) -> Result<()> {
    let layout = Layout::of(heatmap);
    area.fill(&colour(PAPER)).map_err(drawing)?;
    cells(heatmap, &layout, block.max(1), area)?;
    labels(heatmap, &layout, area)?;
    bar(heatmap, &layout, area)?;
    area.present().map_err(drawing)
}

fn cells<B: DrawingBackend>(
    heatmap: &Heatmap,
    layout: &Layout,
    block: usize,
    area: &DrawingArea<B, Shift>,
) -> Result<()> {
    let answers = heatmap.answers();
    for row in (0..answers).step_by(block) {
        for column in (0..answers).step_by(block) {
            let (rows, columns) = (
                row..(row + block).min(answers),
                column..(column + block).min(answers),
            );
            let count = rows.len() * columns.len();
            let (right, lower) = (columns.end, rows.end);
            let pairs = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
            let sum: f64 = pairs.map(|(row, column)| heatmap.value(row, column)).sum();
            let mean = sum / count as f64;
            let (left, upper, _) = layout.cell(row, column);
            let (right, lower, _) = layout.cell(lower, right);
            let corner = |x: u32, y: u32| (x.cast_signed(), y.cast_signed());
            let (from, to) = (corner(left, upper), corner(right, lower));
            rectangle(area, from, to, heatmap.colour(mean))?;
            if !mean.is_finite() && to.0 - from.0 >= CROSSED_CELL {
                cross(area, from, to)?;
            }
        }
    }
    Ok(())
}

/// From one corner up to, but not onto, the other.
fn rectangle<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    from: (i32, i32),
    to: (i32, i32),
    fill: [u8; 3],
) -> Result<()> {
    let shape = Rectangle::new([from, to], colour(fill).filled());
    area.draw(&shape).map_err(drawing)
}

fn cross<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    from: (i32, i32),
    to: (i32, i32),
) -> Result<()> {
    let last = (to.0 - 1, to.1 - 1);
    let lines = [[from, last], [(from.0, last.1), (last.0, from.1)]];
    for line in lines {
        let path = PathElement::new(line.to_vec(), colour(INK).stroke_width(1));
        area.draw(&path).map_err(drawing)?;
    }
    Ok(())
}

/// Every answer has its uid, or every few where they would overlap.
fn labels<B: DrawingBackend>(
    heatmap: &Heatmap,
    layout: &Layout,
    area: &DrawingArea<B, Shift>,
) -> Result<()> {
    let each = |pitch: i32| {
        let step = (pitch + layout.cell - 1) / layout.cell;
        let labels = (0..).zip(&heatmap.uids);
        labels.filter(move |(place, _)| place % step == 0)
    };
    for (place, uid) in each(CHARACTER_HEIGHT) {
        let text = uid.0.to_string();
        let digits = i32::try_from(text.len()).unwrap_or(5);
        let x = LEFT - MARGIN - digits * CHARACTER_WIDTH;
        let y = TOP + place * layout.cell + (layout.cell - glyphs::HEIGHT * DOT) / 2;
        write(area, &text, (x, y), (CHARACTER_WIDTH, 0))?;
    }
    // Above, digit stands below digit.
    for (place, uid) in each(CHARACTER_WIDTH) {
        let text = uid.0.to_string();
        let digits = i32::try_from(text.len()).unwrap_or(5);
        let x = LEFT + place * layout.cell + (layout.cell - glyphs::WIDTH * DOT) / 2;
        let y = TOP - MARGIN - digits * CHARACTER_HEIGHT;
        write(area, &text, (x, y), (0, CHARACTER_HEIGHT))?;
    }
    Ok(())
}

fn bar<B: DrawingBackend>(
    heatmap: &Heatmap,
    layout: &Layout,
    area: &DrawingArea<B, Shift>,
) -> Result<()> {
    const STRIPES: i32 = 60;
    const MARKS: i32 = 4;
    let left = LEFT + layout.plot() + 2 * MARGIN;
    let bottom = TOP + layout.bar;
    let height = |part: i32, of: i32| bottom - layout.bar * part / of;
    for stripe in 0..STRIPES {
        let place = (f64::from(stripe) + 0.5) / f64::from(STRIPES);
        let (from, to) = (height(stripe + 1, STRIPES), height(stripe, STRIPES));
        rectangle(area, (left, from), (left + BAR_WIDTH, to), viridis(place))?;
    }
    let text_left = left + BAR_WIDTH + MARGIN;
    for mark in 0..=MARKS {
        let value = heatmap.low + (heatmap.high - heatmap.low) * f64::from(mark) / f64::from(MARKS);
        // Within the bar also at its ends.
        let middle = height(mark, MARKS) - glyphs::HEIGHT * DOT / 2;
        let y = middle.clamp(TOP, bottom - glyphs::HEIGHT * DOT);
        write(
            area,
            &format!("{value:.2}"),
            (text_left, y),
            (CHARACTER_WIDTH, 0),
        )?;
    }
    if layout.gaps {
        let (from, to) = (bottom + 2 * MARGIN, bottom + 2 * MARGIN + BAR_WIDTH);
        rectangle(area, (left, from), (left + BAR_WIDTH, to), GAP)?;
        cross(area, (left, from), (left + BAR_WIDTH, to))?;
        let y = from + (BAR_WIDTH - glyphs::HEIGHT * DOT) / 2;
        write(area, "NaN", (text_left, y), (CHARACTER_WIDTH, 0))?;
    }
    Ok(())
}

fn write<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    text: &str,
    (mut x, mut y): (i32, i32),
    step: (i32, i32),
) -> Result<()> {
    for character in text.chars() {
        for (column, row) in glyphs::places(character) {
            let from = (x + column * DOT, y + row * DOT);
            rectangle(area, from, (from.0 + DOT, from.1 + DOT), INK)?;
        }
        (x, y) = (x + step.0, y + step.1);
    }
    Ok(())
}

fn colour([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}
