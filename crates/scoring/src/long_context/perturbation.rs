//! Small changes to a task that must not change its answer.

use crate::characters::words;

/// What counts as an occurrence of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordMatch {
    /// Its letters anywhere, as in the field, where "this" becomes "thwas".
    Substring,
    /// Only the whole word.
    WholeWord,
}

/// What is replaced by what, in the order in which it is tried.
const SUBSTITUTES: [(&str, &str); 7] = [
    ("What", "Which"),
    ("How", "In what way"),
    ("Where", "At what location"),
    ("When", "At what time"),
    ("the", "a"),
    ("is", "was"),
    ("are", "were"),
];

/// The text with the first occurrence of the first word it contains of a fixed list replaced: What by
/// Which, How by In what way, Where by At what location, When by At what time, the by a, is by was,
/// are by were. The text itself when it contains none.
///
/// ```
/// use adit_scoring::long_context::perturbation::{WordMatch, paraphrase};
///
/// assert_eq!(paraphrase("this is it", WordMatch::Substring), "thwas is it");
/// assert_eq!(paraphrase("this is it", WordMatch::WholeWord), "this was it");
/// ```
pub fn paraphrase(text: &str, words: WordMatch) -> String {
    for (word, substitute) in SUBSTITUTES {
        let found = text.match_indices(word).find(|(start, _)| match words {
            WordMatch::Substring => true,
            WordMatch::WholeWord => stands_alone(text, *start, word.len()),
        });
        if let Some((start, _)) = found {
            let mut changed = String::with_capacity(text.len() + substitute.len());
            let (before, after) = text.split_at(start);
            changed.push_str(before);
            changed.push_str(substitute);
            changed.push_str(after.get(word.len()..).unwrap_or_default());
            return changed;
        }
    }
    text.to_owned()
}

fn stands_alone(text: &str, start: usize, length: usize) -> bool {
    let before = text
        .get(..start)
        .and_then(|before| before.chars().next_back());
    let after = text
        .get(start + length..)
        .and_then(|after| after.chars().next());
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// The text with two neighbouring sentences in its middle exchanged. Sentences are what `". "`
/// separates; with fewer than four of them the text stays as it is.
pub fn reorder_sentences(text: &str) -> String {
    let mut sentences: Vec<&str> = text.split(". ").collect();
    let middle = sentences.len() / 2;
    if sentences.len() > 3 && middle + 1 < sentences.len() {
        sentences.swap(middle, middle + 1);
    }
    sentences.join(". ")
}

/// The text with one more space at a random place, if it has more than ten words.
pub fn add_space(text: &str, rng: &mut impl rand::Rng) -> String {
    if words(text).take(11).count() <= 10 {
        return text.to_owned();
    }
    let place = rng.random_range(0..text.chars().count());
    let mut changed = String::with_capacity(text.len() + 1);
    for (index, character) in text.chars().enumerate() {
        if index == place {
            changed.push(' ');
        }
        changed.push(character);
    }
    changed
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn whole_words_are_whole() {
        let changed = |text: &str| paraphrase(text, WordMatch::WholeWord);
        assert_eq!(changed("other theatre"), "other theatre");
        assert_eq!(changed("bathe the"), "bathe a");
        assert_eq!(changed("“is”"), "“was”");
        assert_eq!(changed(""), "");
    }

    #[test]
    fn only_long_texts_get_a_space() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        assert_eq!(add_space("too short", &mut rng), "too short");
        let long = "wörd ".repeat(11);
        assert_eq!(add_space(&long, &mut rng).len(), long.len() + 1);
    }
}
