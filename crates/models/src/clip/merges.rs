use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use crate::{Error, Result};

/// The end of a word, as the vocabulary writes it.
const WORD_END: &str = "</w>";
/// Merges of the vocabulary.
const MERGES: usize = 48_894;
/// Tokens before the first merge: each byte inside a word, and each at its end.
const BYTES: u32 = 256;

/// The byte-pair vocabulary.
#[derive(Debug)]
pub(super) struct Merges {
    /// Token of each byte inside a word; [`BYTES`] more at its end.
    of_byte: [u32; 256],
    /// The token that two tokens make. Earlier merges have lower tokens, so it is their rank too.
    of_pair: HashMap<(u32, u32), u32>,
    /// Each token's bytes, with `</w>` spelt out.
    bytes: Vec<Vec<u8>>,
}

impl Merges {
    /// Parses one merge per line: two tokens in CLIP's alphabet of bytes, with a blank between.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let alphabet = alphabet();
        let byte_of: HashMap<char, u8> = alphabet
            .iter()
            .map(|(byte, letter)| (*letter, *byte))
            .collect();
        let mut of_byte = [0; 256];
        let mut tokens: HashMap<String, u32> = HashMap::with_capacity(MERGES + 512);
        let mut bytes = Vec::with_capacity(MERGES + 512);
        for end in ["", WORD_END] {
            for (byte, letter) in &alphabet {
                let token = bytes.len() as u32;
                if let Some(place) = of_byte.get_mut(usize::from(*byte))
                    && end.is_empty()
                {
                    *place = token;
                }
                tokens.insert(format!("{letter}{end}"), token);
                bytes.push([&[*byte], end.as_bytes()].concat());
            }
        }
        let damaged = |line: &str| Error::Tokenizer {
            source: format!("the vocabulary is damaged at {line:?}").into(),
        };
        let mut of_pair = HashMap::with_capacity(MERGES);
        for line in text.lines() {
            let parts = line
                .split_once(' ')
                .and_then(|(left, right)| Some((*tokens.get(left)?, *tokens.get(right)?)));
            let pair = parts.ok_or_else(|| damaged(line))?;
            let token = bytes.len() as u32;
            let merged = line.replace(' ', "");
            let spelt = merged.strip_suffix(WORD_END).unwrap_or(&merged);
            let mut spelt: Vec<u8> = spelt
                .chars()
                .map(|letter| byte_of.get(&letter).copied())
                .collect::<Option<_>>()
                .ok_or_else(|| damaged(line))?;
            if merged.ends_with(WORD_END) {
                spelt.extend_from_slice(WORD_END.as_bytes());
            }
            if of_pair.insert(pair, token).is_some() || tokens.insert(merged, token).is_some() {
                return Err(damaged(line));
            }
            bytes.push(spelt);
        }
        if of_pair.len() != MERGES {
            return Err(damaged("the end"));
        }
        Ok(Self {
            of_byte,
            of_pair,
            bytes,
        })
    }

    /// A token's bytes.
    pub(super) fn bytes(&self, token: u32) -> Result<&[u8]> {
        self.bytes
            .get(token as usize)
            .map(Vec::as_slice)
            .ok_or(Error::TokenUnknown { token })
    }

    /// Appends the tokens of one word.
    ///
    /// The original merges round by round: it finds the earliest merge that any two neighbours allow
    /// and merges all of its places from the left. So does this, with the places in a heap; what a
    /// round makes takes part from the next round on.
    pub(super) fn merge(&self, word: &str, tokens: &mut Vec<u32>) {
        let mut chain = Chain::new(word.bytes().map(|byte| self.byte(byte)));
        if let Some(last) = chain.tokens.last_mut() {
            *last += BYTES;
        }
        let mut open: BinaryHeap<Reverse<(u32, usize)>> = (0..chain.tokens.len())
            .filter_map(|place| self.candidate(&chain, place))
            .collect();
        let mut made = Vec::new();
        while let Some(Reverse((merged, place))) = open.pop() {
            // A place whose tokens have changed since is no longer one.
            if self.candidate(&chain, place) == Some(Reverse((merged, place))) {
                chain.join(place, merged);
                made.extend([chain.before(place), Some(place)].into_iter().flatten());
            }
            if open.peek().is_none_or(|Reverse((next, _))| *next != merged) {
                open.extend(
                    made.drain(..)
                        .filter_map(|place| self.candidate(&chain, place)),
                );
            }
        }
        tokens.extend(chain.rest());
    }

    fn byte(&self, byte: u8) -> u32 {
        self.of_byte
            .get(usize::from(byte))
            .copied()
            .unwrap_or_default()
    }

    /// What the tokens at a place and after it make.
    fn candidate(&self, chain: &Chain, place: usize) -> Option<Reverse<(u32, usize)>> {
        let merged = self.of_pair.get(&chain.pair(place)?)?;
        Some(Reverse((*merged, place)))
    }
}

/// A word's tokens, joined in place: a joined token stands where its left part stood.
struct Chain {
    tokens: Vec<u32>,
    /// Place after each place; the length where there is none.
    after: Vec<usize>,
    /// Place before each place; the length where there is none.
    before: Vec<usize>,
    gone: Vec<bool>,
}

impl Chain {
    fn new(tokens: impl Iterator<Item = u32>) -> Self {
        let tokens: Vec<u32> = tokens.collect();
        let length = tokens.len();
        Self {
            tokens,
            after: (1..=length).collect(),
            before: (0..length)
                .map(|place| place.checked_sub(1).unwrap_or(length))
                .collect(),
            gone: vec![false; length],
        }
    }

    fn after(&self, place: usize) -> Option<usize> {
        let after = *self.after.get(place)?;
        (after < self.tokens.len()).then_some(after)
    }

    fn before(&self, place: usize) -> Option<usize> {
        let before = *self.before.get(place)?;
        (before < self.tokens.len()).then_some(before)
    }

    fn pair(&self, place: usize) -> Option<(u32, u32)> {
        if *self.gone.get(place)? {
            return None;
        }
        let right = self.tokens.get(self.after(place)?)?;
        Some((*self.tokens.get(place)?, *right))
    }

    fn join(&mut self, place: usize, merged: u32) {
        let Some(right) = self.after(place) else {
            return;
        };
        let beyond = self.after(right);
        if let Some(gone) = self.gone.get_mut(right) {
            *gone = true;
        }
        if let Some(token) = self.tokens.get_mut(place) {
            *token = merged;
        }
        if let Some(after) = self.after.get_mut(place) {
            *after = beyond.unwrap_or(self.tokens.len());
        }
        if let Some(before) = beyond.and_then(|beyond| self.before.get_mut(beyond)) {
            *before = place;
        }
    }

    fn rest(&self) -> impl Iterator<Item = u32> {
        self.tokens
            .iter()
            .zip(&self.gone)
            .filter(|(_, gone)| !**gone)
            .map(|(token, _)| *token)
    }
}

/// CLIP's alphabet: the printable bytes of Latin-1 as themselves, then the others from U+0100 on.
fn alphabet() -> Vec<(u8, char)> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let shown = (0..=255)
        .filter(printable)
        .map(|byte| (byte, char::from(byte)));
    let hidden = (0..=255).filter(|byte| !printable(byte));
    shown.chain(hidden.zip('\u{100}'..)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BYTES, Merges};

    fn merges() -> &'static Merges {
        static MERGES: std::sync::LazyLock<Merges> = std::sync::LazyLock::new(|| {
            Merges::parse(include_str!("../../vocabularies/clip_merges.txt")).unwrap()
        });
        &MERGES
    }

    /// The original's rounds as they are written down: all places of the earliest merge at once.
    fn by_rounds(word: &str) -> Vec<u32> {
        let mut tokens: Vec<u32> = word.bytes().map(|byte| merges().byte(byte)).collect();
        if let Some(last) = tokens.last_mut() {
            *last += BYTES;
        }
        let made = |pair: &[u32]| merges().of_pair.get(&(pair[0], pair[1])).copied();
        while let Some(next) = tokens.windows(2).filter_map(made).min() {
            let mut joined = Vec::new();
            let mut rest = tokens.as_slice();
            while let [first, others @ ..] = rest {
                if rest.len() > 1 && made(&rest[..2]) == Some(next) {
                    joined.push(next);
                    rest = &rest[2..];
                } else {
                    joined.push(*first);
                    rest = others;
                }
            }
            tokens = joined;
        }
        tokens
    }

    #[test]
    fn a_damaged_vocabulary_is_refused() {
        for text in [
            "",
            "i n\n",
            "i n\ni n\n",
            "zz top\n",
            "in\n",
            "i \u{2603}\n",
        ] {
            assert!(Merges::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_heap_merges_as_the_rounds_do(word in "[a-e]{0,40}|[a-z]{0,30}|\\PC{0,12}|(!|\\?|a){0,40}") {
            let mut tokens = Vec::new();
            merges().merge(&word, &mut tokens);
            prop_assert_eq!(tokens, by_rounds(&word));
        }
    }
}
