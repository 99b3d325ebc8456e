//! Likeness of two texts by the blocks that they share, as Python's `difflib` has it.

/// `2M / (n + m)`, 0 to 1: twice the characters in shared blocks over the lengths in characters; 1
/// for two empty texts (Python 3.11, `difflib.SequenceMatcher(None, first, second).ratio()`; Ratcliff
/// and Obershelp, "Pattern matching: the gestalt approach", 1988).
///
/// The longest block is found, then the longest before it and after it, and so on. In a second text
/// of 200 characters or more, a character that makes up more than a hundredth of it (and one) starts
/// no block: it only lengthens blocks of others. So the ratio of long texts is small even when they
/// are nearly equal, and it depends on the order of the texts.
///
/// Each search takes time in the pairs of equal characters left, at most `n · m / 100` for long
/// texts, and there may be as many searches as blocks; memory is linear. Callers bound the lengths.
///
/// ```
/// use adit_scoring::long_context::matching_blocks::block_ratio;
///
/// assert_eq!(block_ratio("abxcd", "abcd"), 8.0 / 9.0);
/// ```
pub fn block_ratio(first: &str, second: &str) -> f64 {
    let first: Vec<char> = first.chars().collect();
    let second: Vec<char> = second.chars().collect();
    let length = first.len() + second.len();
    if length == 0 {
        return 1.0;
    }
    let mut matcher = Matcher::new(&first, &second);
    let mut shared = 0;
    let mut open = vec![Pair {
        first: (0, first.len()),
        second: (0, second.len()),
    }];
    while let Some(pair) = open.pop() {
        let block = matcher.longest(pair);
        if block.size == 0 {
            continue;
        }
        shared += block.size;
        let (first_end, second_end) = (block.first + block.size, block.second + block.size);
        let before = Pair {
            first: (pair.first.0, block.first),
            second: (pair.second.0, block.second),
        };
        let after = Pair {
            first: (first_end, pair.first.1),
            second: (second_end, pair.second.1),
        };
        open.extend([before, after].into_iter().filter(Pair::has_both));
    }
    2.0 * shared as f64 / length as f64
}

/// From this length of the second text on, common characters start no block.
const LONG: usize = 200;

/// A part of each text, from and to.
#[derive(Clone, Copy)]
struct Pair {
    first: (usize, usize),
    second: (usize, usize),
}

impl Pair {
    fn has_both(&self) -> bool {
        self.first.0 < self.first.1 && self.second.0 < self.second.1
    }
}

#[derive(Clone, Copy)]
struct Block {
    first: usize,
    second: usize,
    size: usize,
}

struct Matcher<'text> {
    first: &'text [char],
    second: &'text [char],
    /// The places in the second text of each of its characters that may start a block, in order.
    places: Vec<Vec<usize>>,
    /// For each character of the first text, its row in `places`.
    rows: Vec<Option<usize>>,
    /// Length of the block that ends at each place of the second text, and at which step.
    here: Vec<(u64, usize)>,
    above: Vec<(u64, usize)>,
    step: u64,
}

impl<'text> Matcher<'text> {
    fn new(first: &'text [char], second: &'text [char]) -> Self {
        let mut characters = second.to_vec();
        characters.sort_unstable();
        characters.dedup();
        let mut places = vec![Vec::new(); characters.len()];
        for (place, character) in second.iter().enumerate() {
            if let Ok(row) = characters.binary_search(character)
                && let Some(places) = places.get_mut(row)
            {
                places.push(place);
            }
        }
        if second.len() >= LONG {
            let most = second.len() / 100 + 1;
            places
                .iter_mut()
                .filter(|places| places.len() > most)
                .for_each(Vec::clear);
        }
        let row = |character| characters.binary_search(character).ok();
        Self {
            first,
            second,
            places,
            rows: first.iter().map(row).collect(),
            here: vec![(0, 0); second.len() + 1],
            above: vec![(0, 0); second.len() + 1],
            step: 0,
        }
    }

    /// The longest block; of several, the one that ends first in the first text, then in the second.
    fn longest(&mut self, pair: Pair) -> Block {
        let mut best = Block {
            first: pair.first.0,
            second: pair.second.0,
            size: 0,
        };
        // A gap of one step, so that nothing of an earlier search counts.
        self.step += 1;
        for place in pair.first.0..pair.first.1 {
            self.step += 1;
            std::mem::swap(&mut self.here, &mut self.above);
            let Some(Some(row)) = self.rows.get(place) else {
                continue;
            };
            let others = self.places.get(*row).map_or(&[][..], Vec::as_slice);
            let from = others.partition_point(|other| *other < pair.second.0);
            for other in others
                .iter()
                .skip(from)
                .take_while(|other| **other < pair.second.1)
            {
                // Index 0 stands before the text.
                let size = match self.above.get(*other) {
                    Some((step, size)) if step + 1 == self.step => size + 1,
                    _ => 1,
                };
                if let Some(cell) = self.here.get_mut(*other + 1) {
                    *cell = (self.step, size);
                }
                if size > best.size {
                    best = Block {
                        first: place + 1 - size,
                        second: *other + 1 - size,
                        size,
                    };
                }
            }
        }
        self.lengthened(best, pair)
    }

    /// The block with the equal characters on both sides of it, those that start none included.
    fn lengthened(&self, mut block: Block, pair: Pair) -> Block {
        let equal = |first: usize, second: usize| self.first.get(first) == self.second.get(second);
        while block.first > pair.first.0
            && block.second > pair.second.0
            && equal(block.first - 1, block.second - 1)
        {
            block.first -= 1;
            block.second -= 1;
            block.size += 1;
        }
        while block.first + block.size < pair.first.1
            && block.second + block.size < pair.second.1
            && equal(block.first + block.size, block.second + block.size)
        {
            block.size += 1;
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_difflib() {
        assert_eq!(block_ratio("", ""), 1.0);
        assert_eq!(block_ratio("", "a"), 0.0);
        assert_eq!(block_ratio("tide", "diet"), 0.25);
        assert_eq!(block_ratio("diet", "tide"), 0.5);
        assert_eq!(
            block_ratio(
                "private Thread currentThread;",
                "private volatile Thread currentThread;"
            ),
            58.0 / 67.0
        );
        assert_eq!(block_ratio("中文代码", "中文"), 4.0 / 6.0);
    }

    #[test]
    fn common_characters_of_long_texts_start_no_block() {
        let text = "ab".repeat(100);
        // From the very ends they still lengthen the empty block.
        assert_eq!(block_ratio(&text, &text), 1.0);
        assert_eq!(block_ratio(&format!("x{text}"), &format!("y{text}")), 0.0);
        let short = "ab".repeat(99);
        assert!(block_ratio(&format!("x{short}"), &format!("y{short}")) > 0.99);
    }
}
