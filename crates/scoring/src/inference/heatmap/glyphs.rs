/// Columns and rows of a character.
pub(super) const WIDTH: i32 = 3;
/// Rows of a character.
pub(super) const HEIGHT: i32 = 5;

/// The dots of a character, row after row, so that numbers can be drawn on machines without fonts.
/// Characters that no label has are blank.
fn dots(character: char) -> [&'static str; 5] {
    match character {
        '0' => ["###", "# #", "# #", "# #", "###"],
        '1' => [" # ", "## ", " # ", " # ", "###"],
        '2' => ["###", "  #", "###", "#  ", "###"],
        '3' => ["###", "  #", "###", "  #", "###"],
        '4' => ["# #", "# #", "###", "  #", "  #"],
        '5' => ["###", "#  ", "###", "  #", "###"],
        '6' => ["###", "#  ", "###", "# #", "###"],
        '7' => ["###", "  #", "  #", " # ", " # "],
        '8' => ["###", "# #", "###", "# #", "###"],
        '9' => ["###", "# #", "###", "  #", "###"],
        '-' => ["   ", "   ", "###", "   ", "   "],
        '.' => ["   ", "   ", "   ", "   ", " # "],
        'N' => ["# #", "###", "###", "###", "# #"],
        'a' => ["   ", "## ", " ##", "# #", " ##"],
        _ => ["   "; 5],
    }
}

/// Places of the dots of a character, from its upper left.
pub(super) fn places(character: char) -> impl Iterator<Item = (i32, i32)> {
    (0..).zip(dots(character)).flat_map(|(y, row)| {
        let dots = (0..).zip(row.bytes());
        dots.filter(|(_, dot)| *dot == b'#')
            .map(move |(x, _)| (x, y))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_differ_and_fit() {
        let all: Vec<Vec<(i32, i32)>> = "0123456789-.Na"
            .chars()
            .map(|c| places(c).collect())
            .collect();
        for (index, one) in all.iter().enumerate() {
            assert!(!one.is_empty() && !all[..index].contains(one));
            assert!(one.iter().all(|(x, y)| *x < WIDTH && *y < HEIGHT));
        }
        assert_eq!(places('x').count(), 0);
    }
}
