use std::ops::Range;

const BITS: usize = u64::BITS as usize;

/// Rows whose states are held at once on each level of [`Sequence::walk`].
const HELD: usize = 64;

/// A sequence of numbered words, prepared to be compared with many others, a bit for each word
/// (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).
///
/// Row `i` of the table of longest common subsequences is kept as its steps: bit `j` is 0 where the
/// entry exceeds its left neighbour. Time is the product of the lengths over 64; memory is linear
/// in the length and in the size of the vocabulary.
pub(super) struct Sequence<'words> {
    words: &'words [u32],
    /// The last place of each word, by its number; then the place before that, by place.
    last: Vec<u32>,
    before: Vec<u32>,
    /// For the commonest words, of which there cannot be many: the bits of all their places.
    frequent: Vec<u64>,
    row_of: Vec<u32>,
    /// The places of the word in hand.
    places: Vec<u64>,
    /// The places of each word in a sequence of at most 64.
    narrow: Vec<u64>,
    /// What going forward found: the places of each row's word, and the row.
    passed: Vec<(u64, u64)>,
}

const NONE: u32 = u32::MAX;

impl<'words> Sequence<'words> {
    /// An empty sequence over a vocabulary of so many words.
    pub(super) fn over(vocabulary: usize) -> Self {
        Self {
            words: &[],
            last: vec![NONE; vocabulary],
            before: Vec::new(),
            frequent: Vec::new(),
            row_of: vec![NONE; vocabulary],
            places: Vec::new(),
            narrow: vec![0; vocabulary],
            passed: Vec::new(),
        }
    }

    /// Takes another sequence in hand.
    pub(super) fn set(&mut self, words: &'words [u32]) {
        for word in self.words {
            if let Some(last) = self.last.get_mut(*word as usize) {
                *last = NONE;
            }
            if let Some(row) = self.row_of.get_mut(*word as usize) {
                *row = NONE;
            }
            if let Some(places) = self.narrow.get_mut(*word as usize) {
                *places = 0;
            }
        }
        self.words = words;
        if words.len() <= BITS {
            for (place, word) in words.iter().enumerate() {
                if let Some(places) = self.narrow.get_mut(*word as usize) {
                    *places |= 1 << place;
                }
            }
            return;
        }
        self.before.clear();
        self.frequent.clear();
        self.places.clear();
        self.places.resize(self.width(), 0);
        let mut counts: Vec<u32> = Vec::new();
        for (place, word) in (0..).zip(words) {
            let Some(last) = self.last.get_mut(*word as usize) else {
                continue;
            };
            let earlier = std::mem::replace(last, place);
            let count = counts.get(earlier as usize).copied().unwrap_or(0) + 1;
            counts.push(count);
            self.before.push(earlier);
            // Setting the bits of a rarer word one by one costs no more than passing over a row.
            if count as usize == self.width() + 1 {
                let row = self.frequent.len();
                self.frequent.resize(row + self.width(), 0);
                if let Some(place) = self.row_of.get_mut(*word as usize) {
                    *place = u32::try_from(row).unwrap_or(NONE);
                }
            }
        }
        for (place, word) in words.iter().enumerate() {
            let row = self.row_of.get(*word as usize).copied().unwrap_or(NONE);
            if row != NONE
                && let Some(bits) = self.frequent.get_mut(row as usize + place / BITS)
            {
                *bits |= 1 << (place % BITS);
            }
        }
    }

    fn width(&self) -> usize {
        self.words.len().div_ceil(BITS)
    }

    /// The length of a longest common subsequence with these words.
    pub(super) fn common(&mut self, rows: &[u32]) -> usize {
        if self.words.len() <= BITS {
            let steps = rows.iter().fold(u64::MAX, |steps, row| {
                let matches = self.narrow.get(*row as usize).copied().unwrap_or(0);
                steps.wrapping_add(steps & matches) | (steps & !matches)
            });
            return steps.count_zeros() as usize;
        }
        let mut steps = vec![u64::MAX; self.width()];
        for row in rows {
            self.advance(&mut steps, *row);
        }
        // The bits beyond the last word have stayed 1.
        steps.iter().map(|bits| bits.count_zeros() as usize).sum()
    }

    /// Calls `mark` with every word of that longest common subsequence with `rows` which going back
    /// from the ends finds when it takes every match it meets, and else goes back in `rows` only
    /// where going back in this sequence would lose a word.
    pub(super) fn mark_common(&mut self, rows: &[u32], mark: &mut impl FnMut(u32)) {
        if self.words.len() <= BITS {
            self.mark_narrow(rows, mark);
            return;
        }
        let mut column = self.words.len();
        let steps = vec![u64::MAX; self.width()];
        self.walk(rows, 0..rows.len(), &steps, &mut column, mark);
    }

    /// [`Sequence::mark_common`] where a row is one number.
    fn mark_narrow(&mut self, rows: &[u32], mark: &mut impl FnMut(u32)) {
        let mut column = self.words.len();
        let mut passed = std::mem::take(&mut self.passed);
        passed.clear();
        let (mut steps, mut any) = (u64::MAX, 0);
        for row in rows {
            let matches = self.narrow.get(*row as usize).copied().unwrap_or(0);
            let both = steps & matches;
            steps = steps.wrapping_add(both) | (steps & !matches);
            any |= matches;
            passed.push((matches, steps));
        }
        if any != 0 {
            for (row, (matches, steps)) in rows.iter().zip(&passed).rev() {
                let stops = (!steps | matches) & low_bits(column);
                if stops == 0 {
                    break;
                }
                column = BITS - stops.leading_zeros() as usize;
                if matches >> (column - 1) & 1 == 1 {
                    mark(*row);
                    column -= 1;
                }
            }
        }
        self.passed = passed;
    }

    /// Goes back from `column` through the rows of the range, given the state before them.
    ///
    /// The states of all rows would be too many to hold. So the range is cut in at most [`HELD`]
    /// parts, the states before each are held, and each part is computed again when going back has
    /// reached it: as many passes as the length has digits to the base of 64.
    fn walk(
        &mut self,
        rows: &[u32],
        range: Range<usize>,
        before: &[u64],
        column: &mut usize,
        mark: &mut impl FnMut(u32),
    ) {
        let width = self.width();
        if *column == 0 || range.is_empty() || width == 0 {
            return;
        }
        let part = part_of(range.len());
        let mut states = Vec::with_capacity(range.len().div_ceil(part) * width);
        let mut steps = before.to_vec();
        for (row, word) in range
            .clone()
            .zip(rows.get(range.clone()).unwrap_or_default())
        {
            if part > 1 && (row - range.start).is_multiple_of(part) {
                states.extend_from_slice(&steps);
            }
            self.advance(&mut steps, *word);
            if part == 1 {
                states.extend_from_slice(&steps);
            }
        }
        let starts = range.clone().step_by(part).zip(states.chunks(width)).rev();
        for (start, state) in starts {
            if part > 1 {
                let end = range.end.min(start + part);
                self.walk(rows, start..end, state, column, mark);
            } else if let Some(word) = rows.get(start) {
                self.step_back(*word, state, column, mark);
            }
        }
    }

    /// Goes back in this sequence to the next place where the row is left, and leaves it.
    fn step_back(
        &mut self,
        word: u32,
        steps: &[u64],
        column: &mut usize,
        mark: &mut impl FnMut(u32),
    ) {
        self.with_places(word, |matches| {
            while *column > 0 {
                let at = (*column - 1) / BITS;
                let bits = matches.get(at).copied().unwrap_or(0);
                let state = steps.get(at).copied().unwrap_or(u64::MAX);
                let stops = (!state | bits) & low_bits(*column - at * BITS);
                if stops == 0 {
                    *column = at * BITS;
                    continue;
                }
                let bit = BITS - 1 - stops.leading_zeros() as usize;
                *column = at * BITS + bit + 1;
                if bits >> bit & 1 == 1 {
                    mark(word);
                    *column -= 1;
                }
                return;
            }
        });
    }

    /// The row of the table after this word.
    fn advance(&mut self, steps: &mut [u64], word: u32) {
        if self
            .last
            .get(word as usize)
            .is_none_or(|last| *last == NONE)
        {
            return;
        }
        self.with_places(word, |matches| {
            let mut carry = false;
            for (steps, matches) in steps.iter_mut().zip(matches) {
                let (sum, over) = steps.overflowing_add(*steps & matches);
                let (sum, again) = sum.overflowing_add(u64::from(carry));
                carry = over | again;
                *steps = sum | (*steps & !matches);
            }
        });
    }

    /// Hands on the bits of the word's places.
    fn with_places(&mut self, word: u32, work: impl FnOnce(&[u64])) {
        let row = self.row_of.get(word as usize).copied().unwrap_or(NONE);
        let frequent = self.frequent.get(row as usize..);
        if let Some(places) = frequent.and_then(|rows| rows.get(..self.places.len())) {
            work(places);
            return;
        }
        let first = self.last.get(word as usize).copied().unwrap_or(NONE);
        let mut place = first;
        while let Some(earlier) = self.before.get(place as usize) {
            if let Some(bits) = self.places.get_mut(place as usize / BITS) {
                *bits |= 1 << (place as usize % BITS);
            }
            place = *earlier;
        }
        work(&self.places);
        place = first;
        while let Some(earlier) = self.before.get(place as usize) {
            if let Some(bits) = self.places.get_mut(place as usize / BITS) {
                *bits = 0;
            }
            place = *earlier;
        }
    }
}

/// How long the parts are in which so many rows are walked: the largest power of [`HELD`] below.
fn part_of(rows: usize) -> usize {
    let mut part = 1_usize;
    while part.saturating_mul(HELD) < rows {
        part = part.saturating_mul(HELD);
    }
    part
}

/// The lowest bits, all where there are more.
fn low_bits(count: usize) -> u64 {
    if count >= BITS {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The table itself, and the way back through it.
    fn by_table(rows: &[u32], columns: &[u32]) -> (usize, Vec<u32>) {
        let mut table = vec![vec![0; columns.len() + 1]; rows.len() + 1];
        for (i, row) in rows.iter().enumerate() {
            for (j, column) in columns.iter().enumerate() {
                table[i + 1][j + 1] = if row == column {
                    table[i][j] + 1
                } else {
                    table[i][j + 1].max(table[i + 1][j])
                };
            }
        }
        let (mut i, mut j) = (rows.len(), columns.len());
        let mut found = Vec::new();
        while i > 0 && j > 0 {
            if rows[i - 1] == columns[j - 1] {
                found.push(rows[i - 1]);
                (i, j) = (i - 1, j - 1);
            } else if table[i - 1][j] > table[i][j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        (table[rows.len()][columns.len()], found)
    }

    fn by_bits(rows: &[u32], columns: &[u32]) -> (usize, Vec<u32>) {
        let mut sequence = Sequence::over(400);
        sequence.set(&[1, 2, 3, 1]);
        sequence.set(columns);
        let mut found = Vec::new();
        sequence.mark_common(rows, &mut |word| found.push(word));
        (sequence.common(rows), found)
    }

    fn words(most: usize) -> impl Strategy<Value = Vec<u32>> {
        let variety = prop_oneof![Just(2_u32), Just(5), Just(40), Just(400)];
        variety.prop_flat_map(move |variety| proptest::collection::vec(0..variety, 0..most))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn goes_the_way_of_the_table(rows in words(90), columns in words(90)) {
            prop_assert_eq!(by_bits(&rows, &columns), by_table(&rows, &columns));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn goes_the_way_of_the_table_when_long(rows in words(700), columns in words(700)) {
            prop_assert_eq!(by_bits(&rows, &columns), by_table(&rows, &columns));
        }
    }

    #[test]
    fn parts_are_powers_of_what_is_held() {
        assert_eq!(
            [0, 1, 64, 65, 4096, 4097].map(part_of),
            [1, 1, 1, 64, 64, 4096]
        );
        let rows: Vec<u32> = (0..5000).map(|row| row * row % 389).collect();
        let columns: Vec<u32> = (0..300).map(|column| column * 7 % 389).collect();
        assert_eq!(by_bits(&rows, &columns), by_table(&rows, &columns));
    }
}
