//! Answers as they are compared: without case, punctuation and articles.

use super::characters::{is_space, is_word};

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
        for token in tokens.iter() {
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

/// Longest text, in bytes, whose tokens are held on the stack.
const SHORT: usize = 192;

/// The tokens of a normalised English answer.
pub(super) struct Tokens<'buffer> {
    text: &'buffer [u8],
    /// Where each token ends; a token of no bytes is none.
    ends: &'buffer [usize],
}

impl<'buffer> Tokens<'buffer> {
    /// At least as many as there are tokens.
    pub(super) fn bound(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'buffer [u8]> {
        let text = self.text;
        let mut start = 0;
        self.ends.iter().filter_map(move |end| {
            let token = text.get(start..*end).unwrap_or_default();
            start = *end;
            let is_article = token.len() <= 3 && matches!(token, b"a" | b"an" | b"the");
            (!token.is_empty() && !is_article).then_some(token)
        })
    }
}

/// Normalises an answer and hands its tokens on, from the stack where they fit.
pub(super) fn with_tokens<T>(text: &str, work: impl FnOnce(Tokens<'_>) -> T) -> T {
    if text.len() <= SHORT {
        let (mut bytes, mut ends) = ([0; SHORT], [0; SHORT + 1]);
        if let Some((length, count)) = normalise_ascii(text.as_bytes(), &mut bytes, &mut ends) {
            return work(Tokens {
                text: bytes.get(..length).unwrap_or_default(),
                ends: ends.get(..count).unwrap_or_default(),
            });
        }
    } else if text.is_ascii() {
        let (mut bytes, mut ends) = (vec![0; text.len()], vec![0; text.len() + 1]);
        if let Some((length, count)) = normalise_ascii(text.as_bytes(), &mut bytes, &mut ends) {
            return work(Tokens {
                text: bytes.get(..length).unwrap_or_default(),
                ends: ends.get(..count).unwrap_or_default(),
            });
        }
    }
    let (text, ends) = normalise_unicode(text);
    work(Tokens {
        text: text.as_bytes(),
        ends: &ends,
    })
}

const DROPPED: u8 = 0;
const SPACE: u8 = 1;
const OTHER: u8 = 2;

/// What becomes of a byte: [`DROPPED`], [`SPACE`], [`OTHER`] for what only the slow way can treat,
/// or the byte to keep.
const BYTES: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'\t'..=b'\r' | 0x1c..=b' ' => SPACE,
            _ if byte.is_ascii_punctuation() => DROPPED,
            _ if byte.is_ascii_alphanumeric() => byte.to_ascii_lowercase(),
            _ => OTHER,
        };
        byte += 1;
    }
    table
};

/// Writes the kept bytes and the ends of tokens; how many of each, or nothing where the text has
/// other characters than ASCII letters, digits, punctuation and white space. No step waits for a
/// guess about what the byte is: everything is written, and then the place moves or does not.
fn normalise_ascii(text: &[u8], bytes: &mut [u8], ends: &mut [usize]) -> Option<(usize, usize)> {
    let (mut length, mut count, mut other) = (0, 0, false);
    for byte in text {
        let kept = BYTES[usize::from(*byte)];
        other |= kept == OTHER;
        *bytes.get_mut(length)? = kept;
        *ends.get_mut(count)? = length;
        length += usize::from(kept > SPACE);
        count += usize::from(kept == SPACE);
    }
    *ends.get_mut(count)? = length;
    (!other).then_some((length, count + 1))
}

/// The same for any text. An article is a whole run of word characters, wherever white space is.
fn normalise_unicode(text: &str) -> (String, Vec<usize>) {
    let mut kept = String::with_capacity(text.len());
    let mut ends = Vec::new();
    let mut run = 0;
    let close = |kept: &mut String, ends: &mut Vec<usize>, run: usize| {
        if matches!(kept.get(run..), Some("a" | "an" | "the")) {
            kept.truncate(run);
            ends.push(run);
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
        close(&mut kept, &mut ends, run);
        if is_space(character) {
            ends.push(kept.len());
        } else {
            kept.push(character);
        }
        run = kept.len();
    }
    close(&mut kept, &mut ends, run);
    ends.push(kept.len());
    (kept, ends)
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
            let joined = |text: &str, ends: &[usize]| {
                let bytes = text.as_bytes();
                let tokens = Tokens { text: bytes, ends };
                let tokens = tokens
                    .iter()
                    .map(|token| String::from_utf8_lossy(token).into_owned());
                tokens.collect::<Vec<_>>().join(" ")
            };
            let (slow, ends) = normalise_unicode(text);
            assert_eq!(normalise_answer(text), joined(&slow, &ends), "{text:?}");
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
        let text = "The quick, brown fox. ".repeat(100);
        assert_eq!(normalise_answer(&text), ["quick brown fox"; 100].join(" "));
        let text = "The quick é fox. ".repeat(100);
        assert_eq!(normalise_answer(&text), ["quick é fox"; 100].join(" "));
    }
}
