use super::{ClipTokenizer, framed};

/// Separators of chunks, from the coarsest.
const SEPARATORS: [char; 6] = ['\n', '.', '!', '?', ',', ' '];

impl ClipTokenizer {
    /// Most tokens of a text in one chunk; one less than fit, as in the field.
    pub const CHUNK: usize = 74;
    /// Most bytes of a text that [`ClipTokenizer::chunks`] reads, cut at a character's boundary.
    pub const LONGEST_TEXT: usize = 32 << 10;

    /// The sequences of a text of any length. Its embedding is the mean of theirs.
    ///
    /// A text of at most [`ClipTokenizer::CHUNK`] tokens is one sequence. A longer one is cut at the
    /// coarsest separator (line end, `.`, `!`, `?`, `,`, blank), and the pieces are joined again, from
    /// the left, as long as they fit; a piece that does not fit alone is cut at the next separator, and
    /// one without separators into equal groups of tokens. Separators between chunks are lost. So far
    /// this is the wrapper in the field, to the id.
    ///
    /// Three of its defects are not here. It cuts a piece without separators into too few groups, of
    /// up to 147 tokens, which then lose their end ([`ClipTokenizer::sequence`]) and embed as a
    /// constant; ours hold at most 74. It reads 1,022 tokens of such a piece; ours all of it. It fails
    /// on empty text, and on text of separators alone; ours is the sequence of nothing.
    ///
    /// Only the first [`ClipTokenizer::LONGEST_TEXT`] bytes are read, so that time is bounded.
    pub fn chunks(&self, text: &str) -> Vec<[u32; Self::CONTEXT]> {
        let read = text.floor_char_boundary(Self::LONGEST_TEXT);
        let mut chunks = Vec::new();
        self.split(
            text.get(..read).unwrap_or_default(),
            &SEPARATORS,
            &mut chunks,
        );
        if chunks.is_empty() {
            chunks.push(framed(&[]));
        }
        chunks
    }

    fn split(&self, text: &str, separators: &[char], chunks: &mut Vec<[u32; Self::CONTEXT]>) {
        let tokens = self.encode(text);
        if tokens.len() <= Self::CHUNK {
            chunks.push(framed(&tokens));
            return;
        }
        match separators.split_first() {
            Some((separator, finer)) => {
                for piece in self.joined(text, *separator) {
                    self.split(&piece, finer, chunks);
                }
            }
            None => {
                let groups = tokens.len().div_ceil(Self::CHUNK);
                let (size, larger) = (tokens.len() / groups, tokens.len() % groups);
                let mut rest = tokens.as_slice();
                for group in 0..groups {
                    let (part, others) = rest.split_at(size + usize::from(group < larger));
                    chunks.push(framed(&part_alone(self, part)));
                    rest = others;
                }
            }
        }
    }

    /// The pieces between separators, joined from the left while they fit; empty ones dropped.
    fn joined(&self, text: &str, separator: char) -> Vec<String> {
        let mut segments = Vec::new();
        let mut current = String::new();
        for piece in text.split(separator) {
            let mut candidate = current.clone();
            if !candidate.is_empty() {
                candidate.push(separator);
            }
            candidate.push_str(piece);
            if self.encode(&candidate).len() <= Self::CHUNK {
                current = candidate;
            } else {
                segments.push(std::mem::replace(&mut current, piece.to_owned()));
            }
        }
        segments.push(current);
        segments.retain(|segment| !segment.is_empty());
        segments
    }
}

/// The tokens that a group has as a text of its own: its last token then ends a word. They are kept as
/// they are where that would make them more than fit.
fn part_alone(tokenizer: &ClipTokenizer, part: &[u32]) -> Vec<u32> {
    let alone = tokenizer
        .decode(part)
        .map(|text| tokenizer.encode(&text))
        .unwrap_or_default();
    if alone.is_empty() || alone.len() > ClipTokenizer::CONTEXT - 2 {
        return part.to_vec();
    }
    alone
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ClipTokenizer;

    fn tokenizer() -> &'static ClipTokenizer {
        static TOKENIZER: std::sync::LazyLock<ClipTokenizer> =
            std::sync::LazyLock::new(|| ClipTokenizer::new().unwrap());
        &TOKENIZER
    }

    #[test]
    fn every_chunk_of_a_word_without_separators_keeps_its_end() {
        let word: String = ('a'..='j').cycle().take(2_000).collect();
        let chunks = tokenizer().chunks(&word);
        assert!(chunks.len() > 5);
        for chunk in &chunks {
            assert!(chunk.contains(&ClipTokenizer::END));
        }
    }

    #[test]
    fn nothing_is_one_empty_sequence() {
        for text in ["", "\n\n", "  "] {
            let chunks = tokenizer().chunks(text);
            assert_eq!(chunks.len(), 1, "{text:?}");
            assert_eq!(chunks[0][..3], [49_406, 49_407, 0]);
        }
    }

    #[test]
    fn one_megabyte_is_its_beginning() {
        let text = "ü ".repeat(1 << 19);
        let beginning = &text[..text.floor_char_boundary(ClipTokenizer::LONGEST_TEXT)];
        assert_eq!(tokenizer().chunks(&text), tokenizer().chunks(beginning));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn every_chunk_has_its_end(text in "([a-zé]{1,9}[ .,!?\n]{0,2}){0,120}") {
            for chunk in tokenizer().chunks(&text) {
                prop_assert_eq!(chunk[0], ClipTokenizer::START);
                prop_assert!(chunk.contains(&ClipTokenizer::END));
            }
        }
    }
}
