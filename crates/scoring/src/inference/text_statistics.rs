use super::words::{is_decimal, is_space};

/// A content word has more letters than this.
const SHORT_WORD: usize = 3;
/// A long word has more letters than this.
const ORDINARY_WORD: usize = 8;
/// Letters of the longest filler word.
const LONGEST_FILLER: usize = 14;

/// What one pass over a text counts, and the three measures of form made of it.
///
/// Words stand between spaces; pieces between runs of `.`, `!` and `?`.
///
/// ```
/// use adit_scoring::inference::TextStatistics;
///
/// let text = TextStatistics::of("Mount Fuji is 3,776 m high; Mont Blanc reaches 4,806 m.");
/// assert_eq!((text.words, text.content_words, text.capitalised), (11, 8, 3));
/// assert!(text.has_digit && text.has_clause_mark);
/// assert_eq!(text.heuristic_coherence(), 0.8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextStatistics {
    /// Words.
    pub words: usize,
    /// Words of more than three letters that are no filler.
    pub content_words: usize,
    /// Words of more than eight letters.
    pub long_words: usize,
    /// Pieces that have a word.
    pub pieces: usize,
    /// Words of all pieces; a stop within a word parts it.
    pub piece_words: usize,
    /// Words with a capital, first words of pieces not counted.
    pub capitalised: usize,
    /// A decimal digit of any script occurs.
    pub has_digit: bool,
    /// A colon or semicolon occurs.
    pub has_clause_mark: bool,
}

impl TextStatistics {
    /// Counts. One pass, without allocation.
    pub fn of(text: &str) -> Self {
        let mut found = Self::default();
        let mut word = Word::default();
        let mut in_piece_word = false;
        let mut words_of_piece = 0_usize;
        for (place, character) in text.char_indices() {
            if is_space(character) {
                found.end_word(text, &mut word, place);
                in_piece_word = false;
                continue;
            }
            word.extend(place, character);
            if matches!(character, '.' | '!' | '?') {
                found.end_piece(&mut words_of_piece);
                in_piece_word = false;
                continue;
            }
            if !in_piece_word {
                in_piece_word = true;
                if words_of_piece > 0 && character.is_uppercase() {
                    found.capitalised += 1;
                }
                words_of_piece += 1;
            }
            match character {
                ';' | ':' => found.has_clause_mark = true,
                digit if !found.has_digit && is_decimal(digit) => found.has_digit = true,
                _ => {}
            }
        }
        found.end_word(text, &mut word, text.len());
        found.end_piece(&mut words_of_piece);
        found
    }

    fn end_piece(&mut self, words: &mut usize) {
        self.pieces += usize::from(*words > 0);
        self.piece_words += std::mem::take(words);
    }

    fn end_word(&mut self, text: &str, word: &mut Word, end: usize) {
        let Word {
            start,
            letters,
            ascii,
        } = std::mem::take(word);
        if letters == 0 {
            return;
        }
        self.words += 1;
        self.long_words += usize::from(letters > ORDINARY_WORD);
        let content = if ascii {
            letters > SHORT_WORD
                && !text
                    .as_bytes()
                    .get(start..end)
                    .is_some_and(|word| is_filler(word.iter().copied()))
        } else {
            let word = text.get(start..end).unwrap_or_default();
            is_content(word)
        };
        self.content_words += usize::from(content);
    }

    /// Share of words that carry content, 0 to 1: [`TextStatistics::content_words`] of all words; 0
    /// for no words.
    pub fn density(&self) -> f64 {
        ratio(self.content_words, self.words)
    }

    /// How definite a text is, 0 to 1: 0.3 for a digit, 0.1 per capitalised word up to 0.3, twice the
    /// share of long words up to 0.2, 0.2 for a colon or semicolon.
    pub fn specificity(&self) -> f64 {
        let mut specificity: f64 = 0.0;
        if self.has_digit {
            specificity += 0.3;
        }
        specificity += (self.capitalised as f64 * 0.1).min(0.3);
        specificity += (ratio(self.long_words, self.words) * 2.0).min(0.2);
        if self.has_clause_mark {
            specificity += 0.2;
        }
        specificity.min(1.0)
    }

    /// Coherence guessed from the lengths of pieces, 0 to 1, where no embeddings tell: 0 without a
    /// piece, else 0.5, 0.3 more for 5 to 30 words a piece on average or 0.2 less below 3, and 0.2 more
    /// for several pieces.
    pub fn heuristic_coherence(&self) -> f64 {
        if self.pieces == 0 {
            return 0.0;
        }
        let mut coherence: f64 = 0.5;
        let words = ratio(self.piece_words, self.pieces);
        if (5.0..=30.0).contains(&words) {
            coherence += 0.3;
        } else if words < 3.0 {
            coherence -= 0.2;
        }
        if self.pieces > 1 {
            coherence += 0.2;
        }
        coherence.clamp(0.0, 1.0)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// A word being read.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    letters: usize,
    ascii: bool,
}

impl Default for Word {
    fn default() -> Self {
        Self {
            start: 0,
            letters: 0,
            ascii: true,
        }
    }
}

impl Word {
    fn extend(&mut self, place: usize, character: char) {
        if self.letters == 0 {
            self.start = place;
        }
        self.letters += 1;
        self.ascii &= character.is_ascii();
    }
}

/// For words beyond ASCII, whose lower case can have another length.
fn is_content(word: &str) -> bool {
    let lower = || word.chars().flat_map(char::to_lowercase);
    if lower().take(SHORT_WORD + 1).count() <= SHORT_WORD {
        return false;
    }
    // The Kelvin sign's lower case is a plain k.
    let plain = lower()
        .take(LONGEST_FILLER + 1)
        .all(|letter| letter.is_ascii());
    !(plain && is_filler(lower().map(|letter| u8::try_from(letter).unwrap_or_default())))
}

/// Filler words of more than [`SHORT_WORD`] letters, in any case; shorter ones never count.
fn is_filler(word: impl Iterator<Item = u8>) -> bool {
    let mut lower = [0_u8; LONGEST_FILLER];
    let mut length = 0;
    for letter in word {
        let Some(slot) = lower.get_mut(length) else {
            return false;
        };
        *slot = letter.to_ascii_lowercase();
        length += 1;
    }
    matches!(
        lower.get(..length).unwrap_or_default(),
        b"with"
            | b"from"
            | b"about"
            | b"into"
            | b"through"
            | b"during"
            | b"were"
            | b"been"
            | b"being"
            | b"have"
            | b"does"
            | b"will"
            | b"would"
            | b"could"
            | b"should"
            | b"might"
            | b"this"
            | b"that"
            | b"these"
            | b"those"
            | b"very"
            | b"more"
            | b"some"
            | b"each"
            | b"every"
            | b"both"
            | b"many"
            | b"much"
            | b"such"
            | b"only"
            | b"other"
            | b"than"
            | b"then"
            | b"them"
            | b"there"
            | b"various"
            | b"important"
            | b"significant"
            | b"relevant"
            | b"considerations"
            | b"aspects"
            | b"factors"
            | b"elements"
            | b"components"
            | b"matters"
            | b"issues"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_part_pieces_within_words() {
        let found = TextStatistics::of("a.B c!? .D e");
        assert_eq!((found.words, found.pieces, found.piece_words), (4, 3, 5));
        assert_eq!(found.capitalised, 0);
        assert_eq!(TextStatistics::of("x Y.Z W").capitalised, 2);
    }

    #[test]
    fn lower_case_decides_length() {
        // İ becomes two characters, so that three letters count as four.
        assert_eq!(TextStatistics::of("İab").content_words, 1);
        assert_eq!(TextStatistics::of("Éab Éabc").content_words, 1);
        assert_eq!(TextStatistics::of("THIS ThIs Thiss").content_words, 1);
        assert_eq!(
            TextStatistics::of("considerations considerationsx").content_words,
            1
        );
    }

    #[test]
    fn an_empty_text_has_nothing() {
        let found = TextStatistics::of(" \n");
        assert_eq!(found, TextStatistics::default());
        assert_eq!(
            found.density() + found.specificity() + found.heuristic_coherence(),
            0.0
        );
    }
}
