use std::hash::{BuildHasher, RandomState};

/// Odd numbers without pattern (the golden ratio's and the square root of two's fractions).
const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0x6a09_e667_f3bc_c909;

const FREE: u32 = u32::MAX;

/// Numbers for words, in the order of their first appearance.
///
/// The table's order depends on a random seed, so that no text can be written to make it slow; the
/// numbers do not. Linear in the bytes of the words.
pub(super) struct Vocabulary<'text> {
    words: Vec<Entry<'text>>,
    /// Numbers of words, at the place their hash gives or the next free one; a power of two many,
    /// at most half of them taken.
    slots: Vec<u32>,
    seed: u64,
}

struct Entry<'text> {
    word: &'text [u8],
    /// The first eight bytes, which tell most words apart.
    head: u64,
}

impl<'text> Vocabulary<'text> {
    /// A vocabulary that takes about so many words without growing.
    pub(super) fn with_capacity(words: usize) -> Self {
        let slots = words.saturating_mul(2).next_power_of_two().max(16);
        Self {
            words: Vec::with_capacity(words),
            slots: vec![FREE; slots],
            seed: RandomState::new().hash_one(0_u8),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The number of a word, a new one where it has none.
    pub(super) fn number(&mut self, word: &'text [u8]) -> u32 {
        let (head, hash) = self.hash(word);
        let slot = match self.find(word, head, hash) {
            Ok(number) => return number,
            Err(slot) => slot,
        };
        let number = u32::try_from(self.words.len()).unwrap_or(FREE - 1);
        self.words.push(Entry { word, head });
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = number;
        }
        if self.words.len() * 2 > self.slots.len() {
            self.grow();
        }
        number
    }

    /// The number of a word that has one.
    pub(super) fn known(&self, word: &[u8]) -> Option<u32> {
        let (head, hash) = self.hash(word);
        self.find(word, head, hash).ok()
    }

    /// The word's number, or the slot that it would take.
    fn find(&self, word: &[u8], head: u64, hash: u64) -> Result<u32, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = hash as usize & mask;
        // A slot is free, as at most half of them are taken.
        loop {
            let Some(entry) = self.slots.get(slot).and_then(|number| {
                let entry = self.words.get(*number as usize)?;
                Some((number, entry))
            }) else {
                return Err(slot);
            };
            let (
                number,
                Entry {
                    word: held,
                    head: first,
                    ..
                },
            ) = entry;
            if *first == head
                && held.len() == word.len()
                && (word.len() <= 8 || held.get(8..) == word.get(8..))
            {
                return Ok(*number);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn hash(&self, word: &[u8]) -> (u64, u64) {
        let (head, mut rest) = word.split_at(word.len().min(8));
        let head = little_endian(head);
        let mut hash = mix(head ^ self.seed, FIRST ^ word.len() as u64);
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(8));
            hash = mix(hash ^ little_endian(part), SECOND);
            rest = after;
        }
        (head, hash)
    }

    fn grow(&mut self) {
        let slots = self.slots.len().saturating_mul(2);
        let mask = slots.wrapping_sub(1);
        self.slots.clear();
        self.slots.resize(slots, FREE);
        for (number, entry) in (0..).zip(&self.words) {
            let mut slot = self.hash(entry.word).1 as usize & mask;
            while self.slots.get(slot).is_some_and(|number| *number != FREE) {
                slot = (slot + 1) & mask;
            }
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = number;
            }
        }
    }
}

/// Up to eight bytes as a number. Where there are fewer, two reads overlap and agree on what they
/// share.
fn little_endian(bytes: &[u8]) -> u64 {
    if let Some(eight) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*eight);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last));
        return u64::from(u32::from_le_bytes(*first)) | last << (8 * (bytes.len() - 4));
    }
    let one = |place: usize| {
        bytes
            .get(place)
            .map_or(0, |byte| u64::from(*byte) << (8 * place))
    };
    one(0) | one(1) | one(2)
}

/// Both halves of the product, folded: each bit of the result hangs on every bit of both.
fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_words_in_order() {
        let text: Vec<String> = (0..500)
            .map(|number| format!("word number {}", number % 333))
            .collect();
        let mut vocabulary = Vocabulary::with_capacity(1);
        let numbers: Vec<u32> = text
            .iter()
            .map(|word| vocabulary.number(word.as_bytes()))
            .collect();
        let expected: Vec<u32> = (0..500).map(|number| number % 333).collect();
        assert_eq!(numbers, expected);
        assert_eq!(vocabulary.len(), 333);
        assert_eq!(vocabulary.known(b"word number 7"), Some(7));
        assert_eq!(vocabulary.known(b"word number"), None);
    }

    #[test]
    fn tells_words_apart_by_all_their_bytes() {
        let words: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\0\0",
            b"abcdefgh",
            b"abcdefgh\0",
            b"abcdefghi",
            b"abc",
            b"abcdefg",
        ];
        let mut vocabulary = Vocabulary::with_capacity(0);
        for (number, word) in words.iter().enumerate() {
            assert_eq!(vocabulary.number(word) as usize, number);
        }
        for (number, word) in words.iter().enumerate() {
            assert_eq!(vocabulary.known(word).unwrap() as usize, number);
        }
    }
}
