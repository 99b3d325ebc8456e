/// The generator MT19937 (Matsumoto and Nishimura, 1998), seeded and read as numpy's legacy generator
/// does it, so that the same seed gives the same permutations.
pub(super) struct MersenneTwister {
    state: Vec<u32>,
    next: usize,
}

const WORDS: usize = 624;
const SHIFT: usize = 397;

impl MersenneTwister {
    pub(super) fn new(seed: u32) -> Self {
        let mut state = Vec::with_capacity(WORDS);
        let mut word = seed;
        for index in 1..=WORDS as u32 {
            state.push(word);
            word = (word ^ (word >> 30))
                .wrapping_mul(1_812_433_253)
                .wrapping_add(index);
        }
        Self { state, next: WORDS }
    }

    fn word(&mut self) -> u32 {
        if self.next >= WORDS {
            self.twist();
        }
        let mut word = self.state.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn twist(&mut self) {
        let at =
            |state: &[u32], index: usize| state.get(index % WORDS).copied().unwrap_or_default();
        for index in 0..WORDS {
            let joined =
                (at(&self.state, index) & 0x8000_0000) | (at(&self.state, index + 1) & 0x7fff_ffff);
            let twisted = (joined >> 1) ^ if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            let word = at(&self.state, index + SHIFT) ^ twisted;
            if let Some(slot) = self.state.get_mut(index) {
                *slot = word;
            }
        }
        self.next = 0;
    }

    /// A number from 0 to `most`: draws of just enough bits, again until one is not beyond.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        let mask = u64::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let drawn = if u32::try_from(most).is_ok() {
                u64::from(self.word())
            } else {
                (u64::from(self.word()) << 32) | u64::from(self.word())
            };
            if drawn & mask <= most {
                return drawn & mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_are_those_of_the_reference() {
        // C++ demands of its `mt19937`, seeded with 5489, that the 10,000th word be this.
        let mut generator = MersenneTwister::new(5489);
        assert_eq!(
            (0..10_000).map(|_| generator.word()).last(),
            Some(4_123_659_995)
        );
    }

    #[test]
    fn nothing_is_drawn_beyond_the_range() {
        let mut generator = MersenneTwister::new(1);
        assert!((0..1000).all(|_| generator.up_to(5) <= 5));
        assert_eq!(generator.up_to(0), 0);
    }
}
