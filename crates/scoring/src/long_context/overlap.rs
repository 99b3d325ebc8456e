//! How many words an answer shares with a reference.

use std::{collections::HashMap, hash::Hash};

use super::{
    normalise::{Tokens, with_tokens},
    vocabulary::Vocabulary,
};

/// F1 of two lists of tokens, 0 to 1: with `c` the size of their common multiset, precision
/// `P = c / |prediction|`, recall `R = c / |reference|` and `F1 = 2PR / (P + R)`; 0 where nothing is
/// common, as when a list is empty (LongBench's `f1_score`).
///
/// ```
/// use adit_scoring::long_context::overlap::token_f1;
///
/// assert_eq!(token_f1(&["a", "b", "b"], &["b", "c", "b"]), 2.0 / 3.0);
/// ```
pub fn token_f1<T: Eq + Hash>(prediction: &[T], reference: &[T]) -> f64 {
    let mut left: HashMap<&T, usize> = HashMap::with_capacity(reference.len());
    for token in reference {
        *left.entry(token).or_default() += 1;
    }
    let mut common = 0;
    for token in prediction {
        if let Some(count) = left.get_mut(token)
            && let Some(fewer) = count.checked_sub(1)
        {
            *count = fewer;
            common += 1;
        }
    }
    f1(common, prediction.len(), reference.len())
}

/// F1 of the words of two English answers, 0 to 1: [`token_f1`] after
/// [`normalise_answer`](super::normalise::normalise_answer) (LongBench's `qa_f1_score`). Linear in
/// the lengths; no memory is allocated for short answers.
///
/// ```
/// use adit_scoring::long_context::overlap::answer_f1;
///
/// assert_eq!(answer_f1("In the year 1969.", "1969"), 0.5);
/// ```
pub fn answer_f1(prediction: &str, reference: &str) -> f64 {
    with_tokens(prediction, |prediction| {
        with_tokens(reference, |reference| {
            overlap_of_few(&prediction, &reference)
                .unwrap_or_else(|| overlap_of_many(prediction, reference))
        })
    })
}

/// Whether two English answers are the same after
/// [`normalise_answer`](super::normalise::normalise_answer): 1 or 0.
///
/// The original systems name this metric and define it nowhere; this is SQuAD's definition.
///
/// ```
/// use adit_scoring::long_context::overlap::exact_match;
///
/// assert_eq!(exact_match("The Beatles!", "beatles"), 1.0);
/// ```
pub fn exact_match(prediction: &str, reference: &str) -> f64 {
    let same = with_tokens(prediction, |prediction| {
        with_tokens(reference, |reference| prediction.eq(reference))
    });
    f64::from(u8::from(same))
}

/// F1 of so many common tokens.
pub(super) fn f1(common: usize, prediction: usize, reference: usize) -> f64 {
    if common == 0 {
        return 0.0;
    }
    let precision = common as f64 / prediction as f64;
    let recall = common as f64 / reference as f64;
    (2.0 * precision * recall) / (precision + recall)
}

/// Up to so many tokens, comparing each with each is faster than a table.
const FEW: usize = 32;

/// Bytes that hold about as many.
const FEW_BYTES: usize = 16 * FEW;

/// Nothing where there are more.
fn overlap_of_few(prediction: &Tokens<'_>, reference: &Tokens<'_>) -> Option<f64> {
    if prediction.len() > FEW_BYTES || reference.len() > FEW_BYTES {
        return None;
    }
    let mut left = [[].as_slice(); FEW];
    let mut count = 0;
    for token in reference.clone() {
        *left.get_mut(count)? = token;
        count += 1;
    }
    let (mut common, mut predicted) = (0, 0);
    let mut open = count;
    for token in prediction.clone() {
        predicted += 1;
        let held = left.get(..open)?;
        if let Some(found) = held.iter().position(|held| *held == token) {
            // A token of the reference answers for one of the prediction only.
            open -= 1;
            left.swap(found, open);
            common += 1;
        }
    }
    Some(f1(common, predicted, count))
}

fn overlap_of_many(prediction: Tokens<'_>, reference: Tokens<'_>) -> f64 {
    let mut vocabulary = Vocabulary::with_capacity(reference.len() / 8);
    let mut left: Vec<u32> = Vec::with_capacity(reference.len() / 8);
    let mut count = 0;
    for token in reference {
        count += 1;
        match left.get_mut(vocabulary.number(token) as usize) {
            Some(left) => *left += 1,
            None => left.push(1),
        }
    }
    let (mut common, mut predicted) = (0, 0);
    for token in prediction {
        predicted += 1;
        let left = vocabulary
            .known(token)
            .and_then(|number| left.get_mut(number as usize));
        if let Some(left) = left
            && let Some(fewer) = left.checked_sub(1)
        {
            *left = fewer;
            common += 1;
        }
    }
    f1(common, predicted, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_tokens_are_counted_alike() {
        let words = [
            "one",
            "two",
            "the",
            "two",
            "internationalisation",
            "three",
            "a",
        ];
        let text = |start: usize, count: usize| {
            let words = words.iter().cycle().skip(start).take(count).copied();
            words.collect::<Vec<_>>().join(" ")
        };
        for (start, count, other) in [(0, 5, 7), (3, 20, 12), (1, 31, 2), (2, 9, 0), (4, 200, 31)] {
            let (prediction, reference) = (text(start, count), text(0, other));
            let normal = |text: &str| -> Vec<String> {
                let text = super::super::normalise::normalise_answer(text);
                text.split_whitespace().map(str::to_owned).collect()
            };
            let expected = token_f1(&normal(&prediction), &normal(&reference));
            assert_eq!(answer_f1(&prediction, &reference), expected);
            let by_table = with_tokens(&prediction, |prediction| {
                with_tokens(&reference, |reference| {
                    overlap_of_many(prediction, reference)
                })
            });
            assert_eq!(by_table, expected);
        }
    }

    #[test]
    fn nothing_in_common_is_nothing() {
        assert_eq!(answer_f1("", ""), 0.0);
        assert_eq!(answer_f1("the", "a"), 0.0);
        assert_eq!(token_f1::<u8>(&[], &[]), 0.0);
        assert_eq!(exact_match("the", "a"), 1.0);
        assert_eq!(exact_match("cat", "cats"), 0.0);
    }
}
