use std::collections::BTreeSet;

/// CLIP's marks of start and end of a text, and the token that pads.
const START: u32 = 49_406;
const END: u32 = 49_407;
const PADDING: u32 = 0;

/// The separators of chunks, from the coarsest.
const SEPARATORS: [&str; 6] = ["\n", ".", "!", "?", ",", " "];

/// A text's tokens as the original hands them to its model: start, text, end, cut to the context and
/// padded to it with zeros. The cut comes after the end is appended, so that a text of `context − 1`
/// or more tokens loses its end (and with it the place that the model reads).
pub fn framed_tokens(text_tokens: &[u32], context: usize) -> Vec<u32> {
    let mut framed = Vec::with_capacity(context);
    framed.push(START);
    framed.extend_from_slice(text_tokens);
    framed.push(END);
    framed.resize(context, PADDING);
    framed
}

/// The tokens of a text as the original counts them: those of the framed text that are not padding
/// (nor the token 0, which `!` has inside a word), less the first and the last. Beyond the context
/// the last is a token of the text.
fn counted_tokens(text_tokens: &[u32], context: usize) -> Vec<u32> {
    let framed = framed_tokens(text_tokens, context);
    let kept: Vec<u32> = framed
        .into_iter()
        .filter(|token| *token != PADDING)
        .collect();
    let inner = kept.get(1..kept.len().saturating_sub(1));
    inner.unwrap_or_default().to_vec()
}

/// How many different tokens a description has, for [`super::length_multiplier`]. The original's
/// context is 1,024.
pub fn distinct_tokens(text_tokens: &[u32], context: usize) -> u32 {
    let distinct: BTreeSet<u32> = counted_tokens(text_tokens, context).into_iter().collect();
    u32::try_from(distinct.len()).unwrap_or(u32::MAX)
}

/// Splits a text into chunks of at most `most` tokens, as the original does before it embeds a long
/// text (`most` 74, context 1,024) or looks for stuffing (60, 10,000).
///
/// A text that fits stays whole. Else it is cut at the coarsest separator (line end, `.`, `!`, `?`,
/// `,`, blank) and the pieces are joined again, from the left, as long as they fit; separators between
/// chunks are lost. A piece that does not fit alone is cut at the next separator, and one without
/// separators into `⌊tokens / most⌋` nearly equal groups of tokens, so that a group may have almost
/// twice as many as allowed. Tokens beyond the context are lost then. Empty pieces are dropped.
///
/// `encode` gives a text's tokens without marks, `decode` the text of tokens. Each joined piece is
/// encoded anew, so that the cost grows with the text's length times the limit.
pub fn split_by_tokens(
    text: &str,
    most: usize,
    context: usize,
    encode: &impl Fn(&str) -> Vec<u32>,
    decode: &impl Fn(&[u32]) -> String,
) -> Vec<String> {
    let splitter = Splitter {
        most,
        context,
        encode,
        decode,
    };
    let mut chunks = Vec::new();
    splitter.split(text, &SEPARATORS, &mut chunks);
    chunks
}

struct Splitter<'a, E, D> {
    most: usize,
    context: usize,
    encode: &'a E,
    decode: &'a D,
}

impl<E: Fn(&str) -> Vec<u32>, D: Fn(&[u32]) -> String> Splitter<'_, E, D> {
    fn tokens(&self, text: &str) -> Vec<u32> {
        counted_tokens(&(self.encode)(text), self.context)
    }

    fn fits(&self, text: &str) -> bool {
        self.tokens(text).len() <= self.most
    }

    fn split(&self, text: &str, separators: &[&str], chunks: &mut Vec<String>) {
        if self.fits(text) {
            chunks.push(text.to_owned());
            return;
        }
        let Some((separator, finer)) = separators.split_first() else {
            self.split_tokens(text, chunks);
            return;
        };
        for segment in self.joined(text, separator) {
            self.split(&segment, finer, chunks);
        }
    }

    /// The pieces between separators, joined from the left while they fit.
    fn joined(&self, text: &str, separator: &str) -> Vec<String> {
        let mut segments = Vec::new();
        let mut current = String::new();
        for piece in text.split(separator) {
            let between = if current.is_empty() { "" } else { separator };
            let candidate = format!("{current}{between}{piece}");
            if self.fits(&candidate) {
                current = candidate;
            } else {
                let segment = std::mem::replace(&mut current, piece.to_owned());
                segments.extend(Some(segment).filter(|segment| !segment.is_empty()));
            }
        }
        segments.extend(Some(current).filter(|segment| !segment.is_empty()));
        segments
    }

    fn split_tokens(&self, text: &str, chunks: &mut Vec<String>) {
        let tokens = self.tokens(text);
        let groups = (tokens.len() / self.most.max(1)).max(1);
        let (size, larger) = (tokens.len() / groups, tokens.len() % groups);
        let mut rest = tokens.as_slice();
        for group in 0..groups {
            let (tokens, others) =
                rest.split_at((size + usize::from(group < larger)).min(rest.len()));
            chunks.push((self.decode)(tokens));
            rest = others;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One token per character.
    fn letters(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    fn text_of(tokens: &[u32]) -> String {
        tokens
            .iter()
            .filter_map(|token| char::from_u32(*token))
            .collect()
    }

    fn split(text: &str, most: usize) -> Vec<String> {
        split_by_tokens(text, most, 1_024, &letters, &text_of)
    }

    #[test]
    fn splits_at_the_coarsest_separator_that_helps() {
        assert_eq!(split("ab.cd", 5), ["ab.cd"]);
        assert_eq!(split("ab.cd.ef", 5), ["ab.cd", "ef"]);
        assert_eq!(split("ab\ncd.ef", 5), ["ab", "cd.ef"]);
        assert_eq!(split("abcdefgh", 3), ["abcd", "efgh"]);
        assert_eq!(split("abcdefghi", 2), ["abc", "de", "fg", "hi"]);
        assert!(split("...", 2).is_empty());
        assert_eq!(split("", 2), [""]);
        assert_eq!(split("ab", 0).len(), 2);
    }

    #[test]
    fn a_long_text_loses_its_end() {
        assert_eq!(framed_tokens(&[5, 6], 5), [START, 5, 6, END, 0]);
        assert_eq!(framed_tokens(&[5, 6, 7], 4), [START, 5, 6, 7]);
        assert_eq!(framed_tokens(&[5], 0), []);
        assert_eq!(distinct_tokens(&[5, 6, 5, 0], 10), 2);
        // Beyond the context, the last token of the text is taken for the end.
        assert_eq!(distinct_tokens(&[5, 6, 7], 4), 2);
        assert_eq!(distinct_tokens(&[], 1), 0);
    }
}
