use super::words::{has_words, is_space, trim};

/// Fewer words are no sentence.
const LEAST_WORDS: usize = 3;

/// The sentences of a text in order: it is cut at spaces that follow `.`, `!` or `?`, and pieces of
/// fewer than three words are left out. Linear in the text.
///
/// ```
/// use adit_scoring::inference::sentences;
///
/// let text = "1. Water boils at 100 °C. Why? Because pressure is low.\nHigher up it is less";
/// assert_eq!(
///     sentences(text),
///     ["Water boils at 100 °C.", "Because pressure is low.", "Higher up it is less"]
/// );
/// ```
pub fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut rest = trim(text);
    while !rest.is_empty() {
        let (sentence, later) = cut(rest);
        if has_words(sentence, LEAST_WORDS) {
            sentences.push(sentence);
        }
        rest = later;
    }
    sentences
}

/// The first sentence of a text, and what follows behind the spaces.
fn cut(text: &str) -> (&str, &str) {
    for (place, _) in text.match_indices(['.', '!', '?']) {
        let (sentence, rest) = text.split_at_checked(place + 1).unwrap_or((text, ""));
        let later = rest.trim_start_matches(is_space);
        if later.len() < rest.len() {
            return (sentence, later);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_only_at_spaces_behind_stops() {
        assert_eq!(sentences(" a b c"), ["a b c"]);
        assert_eq!(sentences("a b c.d e f"), ["a b c.d e f"]);
        assert_eq!(sentences("a b c. \u{1f}\u{a0}d e f"), ["a b c.", "d e f"]);
        assert_eq!(sentences("e.g. this. And That! Or Other? Yes"), [""; 0]);
        assert_eq!(sentences("one two three?!  "), ["one two three?!"]);
        assert_eq!(sentences(""), [""; 0]);
    }
}
