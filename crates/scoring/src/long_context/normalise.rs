//! Answers as they are compared: without case, punctuation and articles.

use crate::characters::{is_space, is_word};

/// An English answer as the question-answering metrics compare it: in lower case, without ASCII
/// punctuation, without the articles `a`, `an` and `the`, words apart by one space (SQuAD's
/// normalisation, as LongBench applies it).
///
/// Punctuation goes first, so that `the-the` becomes the word `thethe`. Lower case is Unicode's, word
/// boundaries and white space are those of Python. Linear in the length.
///
/// ```
/// use adit_scoring::long_context::normalise::normalise_answer;
///
/// assert_eq!(normalise_answer("The  cat's the-the, an A!"), "cats thethe");
/// ```
pub fn normalise_answer(text: &str) -> String {
    with_tokens(text, |tokens| {
        let mut joined = String::with_capacity(text.len());
        for token in tokens {
            if !joined.is_empty() {
                joined.push(' ');
            }
            // Tokens are cut from text at whole characters.
            joined.push_str(&String::from_utf8_lossy(token));
        }
        joined
    })
}

/// A Chinese answer as the question-answering metrics compare it: in lower case, without white
/// space, ASCII punctuation and the Chinese punctuation that LongBench lists.
///
/// The list has `》` but not `《`, and neither `·` nor `．`. Linear in the length.
///
/// ```
/// use adit_scoring::long_context::normalise::normalise_chinese_answer;
///
/// assert_eq!(normalise_chinese_answer("《红楼梦》， ABC。"), "《红楼梦abc");
/// ```
pub fn normalise_chinese_answer(text: &str) -> String {
    let mut normalised = text.to_lowercase();
    normalised.retain(|character| {
        !character.is_ascii_punctuation()
            && !is_chinese_punctuation(character)
            && !is_space(character)
    });
    normalised
}

fn is_chinese_punctuation(character: char) -> bool {
    !character.is_ascii()
        && matches!(
            character,
            '！' | '？'
                | '｡'
                | '。'
                | '＂'
                | '＃'
                | '＄'
                | '％'
                | '＆'
                | '＇'
                | '（'
                | '）'
                | '＊'
                | '＋'
                | '，'
                | '－'
                | '／'
                | '：'
                | '；'
                | '＜'
                | '＝'
                | '＞'
                | '＠'
                | '［'
                | '＼'
                | '］'
                | '＾'
                | '＿'
                | '｀'
                | '｛'
                | '｜'
                | '｝'
                | '～'
                | '｟'
                | '｠'
                | '｢'
                | '｣'
                | '､'
                | '、'
                | '〃'
                | '》'
                | '「'
                | '」'
                | '『'
                | '』'
                | '【'
                | '】'
                | '〔'
                | '〕'
                | '〖'
                | '〗'
                | '〘'
                | '〙'
                | '〚'
                | '〛'
                | '〜'
                | '〝'
                | '〞'
                | '〟'
                | '〰'
                | '〾'
                | '〿'
                | '–'
                | '—'
                | '‘'
                | '’'
                | '‛'
                | '“'
                | '”'
                | '„'
                | '‟'
                | '…'
                | '‧'
                | '﹏'
        )
}

/// Longest text, in bytes, that is normalised on the stack.
const SHORT: usize = 448;

/// The tokens of a normalised English answer.
#[derive(Clone)]
pub(super) struct Tokens<'buffer> {
    /// Tokens with spaces between, before and after; any other white space is gone.
    rest: &'buffer [u8],
}

impl Tokens<'_> {
    /// Bytes of the tokens and the spaces.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }
}

impl<'buffer> Iterator for Tokens<'buffer> {
    type Item = &'buffer [u8];

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (token, after) = self.rest.split_at_checked(token_length(self.rest))?;
            self.rest = after.get(1..).unwrap_or_default();
            let is_article = token.len() <= 3 && matches!(token, b"a" | b"an" | b"the");
            if !token.is_empty() && !is_article {
                return Some(token);
            }
        }
        None
    }
}

/// Bytes before the first space, looked for in eight at once.
fn token_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    let (eights, last) = text.as_chunks::<8>();
    for (place, eight) in eights.iter().enumerate() {
        let bytes = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b' '));
        // The highest bit of each byte that is zero now; of the first one for certain.
        let spaces = bytes.wrapping_sub(ONES) & !bytes & (ONES << 7);
        if spaces != 0 {
            return place * 8 + spaces.trailing_zeros() as usize / 8;
        }
    }
    let space = last.iter().position(|byte| *byte == b' ');
    eights.len() * 8 + space.unwrap_or(last.len())
}

/// Normalises an answer and hands its tokens on.
pub(super) fn with_tokens<T>(text: &str, work: impl FnOnce(Tokens<'_>) -> T) -> T {
    if text.len() <= SHORT {
        let mut buffer = [0; SHORT + STEP];
        if let Some(kept) = normalise_ascii(text.as_bytes(), &mut buffer) {
            return work(Tokens { rest: kept });
        }
    } else if text.is_ascii() {
        let mut buffer = vec![0; text.len() + STEP];
        if let Some(kept) = normalise_ascii(text.as_bytes(), &mut buffer) {
            return work(Tokens { rest: kept });
        }
    }
    work(Tokens {
        rest: normalise_unicode(text).as_bytes(),
    })
}

const DROPPED: u8 = 0;
/// For what only the slow way can treat; its bit is in no byte to keep.
const OTHER: u8 = 0x80;

/// What becomes of a byte: [`DROPPED`], [`OTHER`], or the byte to keep, which is a space for all white
/// space.
const BYTES: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'\t'..=b'\r' | 0x1c..=b' ' => b' ',
            _ if byte.is_ascii_punctuation() => DROPPED,
            _ if byte.is_ascii_alphanumeric() => byte.to_ascii_lowercase(),
            _ => OTHER,
        };
        byte += 1;
    }
    table
};

/// Bytes between two looks at whether there is room.
const STEP: usize = 64;

/// Writes what is kept of a text into a buffer that is longer by [`STEP`]; nothing where the text has
/// other characters than ASCII letters, digits, punctuation and white space.
///
/// No step waits for a guess about what the byte is: each is written, and then the place moves or
/// does not.
fn normalise_ascii<'buffer>(text: &[u8], buffer: &'buffer mut [u8]) -> Option<&'buffer [u8]> {
    let (mut length, mut seen) = (0_usize, 0_u8);
    for part in text.chunks(STEP) {
        let place: &mut [u8; STEP] = buffer.get_mut(length..)?.first_chunk_mut()?;
        let mut written = 0_usize;
        for byte in part {
            let kept = BYTES[usize::from(*byte)];
            seen |= kept;
            place[written % STEP] = kept;
            written += usize::from(kept != DROPPED);
        }
        length += written;
    }
    let kept = buffer.get(..length)?;
    (seen & OTHER == 0).then_some(kept)
}

/// The same for any text. An article is a whole run of word characters, wherever white space is.
fn normalise_unicode(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut run = 0;
    let close = |kept: &mut String, run: usize| {
        if matches!(kept.get(run..), Some("a" | "an" | "the")) {
            kept.truncate(run);
            kept.push(' ');
        }
    };
    for character in text.to_lowercase().chars() {
        if character.is_ascii_punctuation() {
            continue;
        }
        if is_word(character) {
            kept.push(character);
            continue;
        }
        close(&mut kept, run);
        kept.push(if is_space(character) { ' ' } else { character });
        run = kept.len();
    }
    close(&mut kept, run);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_on_ascii() {
        for text in [
            "",
            " ",
            "The",
            "a an the",
            "The cat; a dog's, an_underscore\tthe\x1cTHE end.",
            "the-the A.B.C. 3.14 !!",
            "x  y",
        ] {
            let slow = normalise_unicode(text);
            let words: Vec<&str> = slow.split(' ').filter(|word| !word.is_empty()).collect();
            assert_eq!(normalise_answer(text), words.join(" "), "{text:?}");
        }
    }

    #[test]
    fn articles_are_whole_runs_of_word_characters() {
        assert_eq!(
            normalise_answer("x€the€y the₂ a\u{307}b"),
            "x€ €y the₂ \u{307}b"
        );
        assert_eq!(normalise_answer("a\0b theatre"), "\0b theatre");
        assert_eq!(normalise_answer("İSTANBUL ΟΔΟΣ"), "i\u{307}stanbul οδος");
    }

    #[test]
    fn long_texts_are_as_short_ones() {
        for length in 0..20 {
            let word = "x".repeat(length);
            assert_eq!(token_length(word.as_bytes()), length);
            assert_eq!(token_length(format!("{word} y !").as_bytes()), length);
        }
        let text = "The quick, brown fox. ".repeat(100);
        assert_eq!(normalise_answer(&text), ["quick brown fox"; 100].join(" "));
        let text = "The quick é fox. ".repeat(100);
        assert_eq!(normalise_answer(&text), ["quick é fox"; 100].join(" "));
    }
}
