//! Likeness of words, by term frequency and inverse document frequency.

mod stop_words;

use std::collections::{HashMap, hash_map::Entry};

use stop_words::is_stop_word;

use super::{SimilarityMatrix, words::is_word};
use crate::{Error, Result};

/// Terms that are kept: the most frequent ones.
const MOST_TERMS: usize = 5_000;
/// Shorter words are no terms.
const LEAST_LETTERS: usize = 2;

/// How alike the wording of each two texts is, 0 to 1 up to rounding: the cosine of their TF-IDF
/// vectors, as scikit-learn's `TfidfVectorizer` makes them for at most 5,000 terms, English stop words,
/// and terms of one or two words.
///
/// Words are runs of two letters, digits and underscores or more in lower case, less the stop words;
/// terms are the words, and each two that then follow each other. A term counts
/// `occurrences · (ln((1 + texts) / (1 + texts with it)) + 1)`. Of more than 5,000 terms the most
/// frequent in all texts stay, and of equally frequent ones the first in the order of their characters;
/// scikit-learn leaves that order to the machine. A text without a term is like nothing, itself
/// included.
///
/// Sorts the terms and then takes Σ (texts with a term)² / 2 steps, at most 2,500 n² for n texts.
///
/// ```
/// use adit_scoring::inference::lexical_similarity;
///
/// let matrix = lexical_similarity(&["Red apples fall", "red APPLES fall!", "blue sky"])?;
/// assert!((matrix.get(0, 1).unwrap() - 1.0).abs() < 1e-12);
/// assert_eq!(matrix.get(0, 2), Some(0.0));
/// assert!(lexical_similarity(&["the", "of"]).is_err());
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] when no text has a term.
pub fn lexical_similarity<S: AsRef<str>>(texts: &[S]) -> Result<SimilarityMatrix> {
    let mut rows = vec![vec![0.0; texts.len()]; texts.len()];
    let (occurrences, _) = occurrences(texts);
    let terms = frequent_terms(&occurrences);
    if terms.is_empty() {
        return Err(Error::Empty {
            what: "the vocabulary",
        });
    }
    let weigh = |term: &[Occurrence]| rarity(texts.len(), term.len());
    let mut squares = vec![0.0_f64; texts.len()];
    for term in &terms {
        let weight = weigh(term);
        for found in *term {
            if let Some(square) = squares.get_mut(found.text) {
                *square += (f64::from(found.count) * weight).powi(2);
            }
        }
    }
    let lengths: Vec<f64> = squares.into_iter().map(f64::sqrt).collect();
    let mut shares: Vec<(usize, f64)> = Vec::new();
    for term in terms {
        let weight = weigh(term);
        shares.clear();
        shares.extend(term.iter().filter_map(|found| {
            let length = lengths.get(found.text)?;
            Some((found.text, f64::from(found.count) * weight / length))
        }));
        for (place, (text, share)) in shares.iter().enumerate() {
            let Some(row) = rows.get_mut(*text) else {
                continue;
            };
            for (other, other_share) in shares.get(place..).unwrap_or_default() {
                if let Some(slot) = row.get_mut(*other) {
                    *slot += share * other_share;
                }
            }
        }
    }
    mirror(&mut rows);
    SimilarityMatrix::from_rows(&rows)
}

/// `ln((1 + texts) / (1 + texts with the term)) + 1`.
fn rarity(texts: usize, with_it: usize) -> f64 {
    ((1.0 + texts as f64) / (1.0 + with_it as f64)).ln() + 1.0
}

/// The terms of the first text that weigh most among all texts, in lower case, at most so many: of
/// equal ones the last in the order of their characters.
pub(super) fn heaviest_terms(texts: &[&str], most: usize) -> Vec<String> {
    let (occurrences, words) = occurrences(texts);
    let mut heaviest: Vec<(f64, u64)> = frequent_terms(&occurrences)
        .into_iter()
        .filter_map(|term| {
            let first = term.first().filter(|found| found.text == 0)?;
            let weight = f64::from(first.count) * rarity(texts.len(), term.len());
            Some((weight, first.key))
        })
        .collect();
    heaviest.sort_by(|left, right| right.0.total_cmp(&left.0).then(right.1.cmp(&left.1)));
    heaviest.truncate(most);
    let word = |place: u64| words.get(usize::try_from(place).ok()?).map(|word| &**word);
    let term = |(_, key): &(f64, u64)| {
        let first = word(key >> 32)?;
        // The lower half is one more than the second word's place.
        let second = (key & u64::from(u32::MAX)).checked_sub(1).and_then(word);
        Some(second.map_or_else(|| first.to_owned(), |second| format!("{first} {second}")))
    };
    heaviest.iter().filter_map(term).collect()
}

/// Copies what is above the diagonal to below it.
fn mirror(rows: &mut [Vec<f64>]) {
    for place in 0..rows.len() {
        let (above, below) = rows.split_at_mut(place + 1);
        let Some(row) = above.last() else { continue };
        for (later, value) in below.iter_mut().zip(row.iter().skip(place + 1)) {
            if let Some(slot) = later.get_mut(place) {
                *slot = *value;
            }
        }
    }
}

/// A term of a text. The key has the number of the first word in its upper half and one more than
/// that of the second in its lower; as words are numbered in order, keys are in the order of the
/// terms' characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Occurrence {
    key: u64,
    text: usize,
    count: u32,
}

/// All terms of all texts, sorted by key, then by text; and the words, in order.
fn occurrences<S: AsRef<str>>(texts: &[S]) -> (Vec<Occurrence>, Vec<Box<str>>) {
    let mut vocabulary: HashMap<Box<str>, Option<u32>> = HashMap::new();
    let texts: Vec<Vec<u32>> = texts
        .iter()
        .map(|text| word_numbers(&text.as_ref().to_lowercase(), &mut vocabulary))
        .collect();
    let (places, words) = alphabetical(vocabulary);
    let place = |number: &u32| places.get(*number as usize).copied().unwrap_or_default();
    let mut found = Vec::new();
    let mut keys: Vec<u64> = Vec::new();
    for (text, numbers) in texts.iter().enumerate() {
        keys.clear();
        keys.extend(numbers.iter().map(|word| place(word) << 32));
        let pairs = numbers.iter().zip(numbers.iter().skip(1));
        keys.extend(pairs.map(|(first, second)| (place(first) << 32) | (place(second) + 1)));
        keys.sort_unstable();
        for same in keys.chunk_by(u64::eq) {
            let count = u32::try_from(same.len()).unwrap_or(u32::MAX);
            found.extend(same.first().map(|key| Occurrence {
                key: *key,
                text,
                count,
            }));
        }
    }
    found.sort_unstable();
    (found, words)
}

/// The words of a lower-case text that are terms, by the number each has in the vocabulary, where new
/// ones are added and stop words have no number.
fn word_numbers(text: &str, vocabulary: &mut HashMap<Box<str>, Option<u32>>) -> Vec<u32> {
    let mut numbers = Vec::new();
    for word in text.split(|character| !is_word(character)) {
        if word.chars().take(LEAST_LETTERS).count() < LEAST_LETTERS {
            continue;
        }
        let number = match vocabulary.get(word) {
            Some(number) => *number,
            None => {
                let next = u32::try_from(vocabulary.len()).ok();
                let number = if is_stop_word(word) { None } else { next };
                if let Entry::Vacant(slot) = vocabulary.entry(word.into()) {
                    slot.insert(number);
                }
                number
            }
        };
        numbers.extend(number);
    }
    numbers
}

/// For each number of the vocabulary its word's place in the order of characters, and the words in it.
fn alphabetical(vocabulary: HashMap<Box<str>, Option<u32>>) -> (Vec<u64>, Vec<Box<str>>) {
    let mut places = vec![0; vocabulary.len()];
    let mut words: Vec<(Box<str>, u32)> = vocabulary
        .into_iter()
        .filter_map(|(word, number)| number.map(|number| (word, number)))
        .collect();
    words.sort_unstable();
    for (place, (_, number)) in (0_u64..).zip(&words) {
        if let Some(slot) = places.get_mut(*number as usize) {
            *slot = place;
        }
    }
    (places, words.into_iter().map(|(word, _)| word).collect())
}

/// The occurrences of each term that stays, term by term.
fn frequent_terms(occurrences: &[Occurrence]) -> Vec<&[Occurrence]> {
    let mut terms: Vec<&[Occurrence]> = occurrences
        .chunk_by(|left, right| left.key == right.key)
        .collect();
    if terms.len() > MOST_TERMS {
        let frequency =
            |term: &[Occurrence]| -> u64 { term.iter().map(|found| u64::from(found.count)).sum() };
        // Stable, so that of equally frequent terms the first stay.
        terms.sort_by_cached_key(|term| std::cmp::Reverse(frequency(term)));
        terms.truncate(MOST_TERMS);
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_go_before_pairs_are_made() {
        let matrix = lexical_similarity(&["apple of tree", "apple tree"]).unwrap();
        assert!((matrix.get(0, 1).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_heaviest_terms_are_rare_in_other_texts() {
        let found = heaviest_terms(&["Red apples? Red", "red sky", "red"], 3);
        assert_eq!(found, ["red", "red apples", "apples red"]);
        assert!(heaviest_terms(&["the"], 3).is_empty());
    }

    #[test]
    fn a_text_without_terms_is_like_nothing() {
        let matrix = lexical_similarity(&["x", "apple", ""]).unwrap();
        assert_eq!(matrix.row(0), [0.0; 3]);
        assert_eq!(matrix.row(1), [0.0, 1.0, 0.0]);
        assert!(lexical_similarity::<&str>(&[]).is_err());
    }

    #[test]
    fn of_too_many_terms_the_rarest_go() {
        let words: Vec<String> = (0..6_000).map(|number| format!("w{number:04}")).collect();
        let long = words.join(" ");
        // The first word is frequent; nearly all others occur once.
        let matrix = lexical_similarity(&[long.as_str(), "w5999 w5999", "w0000 w0000"]).unwrap();
        assert!(matrix.get(0, 1).unwrap() > 0.0);
        assert!(matrix.get(0, 2).unwrap() > 0.0);
        let pair = lexical_similarity(&[long.as_str(), "w5998"]).unwrap();
        assert!(pair.get(0, 1).unwrap() > 0.0, "it occurs twice");
    }
}
