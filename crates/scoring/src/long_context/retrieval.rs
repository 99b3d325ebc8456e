//! Numbers that an answer must name: how many passages there are, or which one it is.

use crate::characters::is_decimal;
use crate::{Error, Result};

/// The share of the numbers of a prediction that are the given one, 0 to 1; 0 where it names none
/// (LongBench's `count_score`).
///
/// A number is a run of decimal digits of any script, and is compared as text: `007` is not `7`.
///
/// ```
/// use adit_scoring::long_context::retrieval::count_share;
///
/// assert_eq!(count_share("There are 7, not 8.", "7"), 0.5);
/// ```
pub fn count_share(prediction: &str, count: &str) -> f64 {
    let (mut right, mut all) = (0_usize, 0_usize);
    for number in numbers(prediction) {
        all += 1;
        right += usize::from(number == count);
    }
    if all == 0 {
        0.0
    } else {
        right as f64 / all as f64
    }
}

/// The share of the numbers of a prediction that are the passage's of the reference, 0 to 1: the
/// first number that follows `Paragraph ` there (LongBench's `retrieval_score`).
///
/// # Errors
/// [`Error::Empty`] when the reference names no passage. (LongBench fails there; the copy of the
/// subnet in the field gives 0.)
///
/// ```
/// use adit_scoring::long_context::retrieval::retrieval_share;
///
/// assert_eq!(retrieval_share("Paragraph 12 or 13", "Paragraph 12")?, 0.5);
/// assert!(retrieval_share("12", "the twelfth").is_err());
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn retrieval_share(prediction: &str, reference: &str) -> Result<f64> {
    share_of_passage(prediction, reference, "Paragraph ")
}

/// [`retrieval_share`] where passages are called `段落` (LongBench's `retrieval_zh_score`).
///
/// # Errors
/// [`Error::Empty`] when the reference names no passage.
pub fn chinese_retrieval_share(prediction: &str, reference: &str) -> Result<f64> {
    share_of_passage(prediction, reference, "段落")
}

fn share_of_passage(prediction: &str, reference: &str, name: &str) -> Result<f64> {
    let mut named = reference.match_indices(name);
    let passage = named.find_map(|(at, name)| {
        let after = reference.get(at + name.len()..)?;
        let end = after.find(|c| !is_decimal(c)).unwrap_or(after.len());
        after.get(..end).filter(|number| !number.is_empty())
    });
    let passage = passage.ok_or(Error::Empty {
        what: "the passage number of the reference",
    })?;
    Ok(count_share(prediction, passage))
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_decimal(character))
        .filter(|number| !number.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_runs_of_digits_compared_as_text() {
        assert_eq!(count_share("-1.5 and 1e5", "5"), 0.5);
        assert_eq!(count_share("007", "7"), 0.0);
        assert_eq!(count_share("１２ 12", "12"), 0.5);
        assert_eq!(count_share("none", "7"), 0.0);
    }

    #[test]
    fn the_first_numbered_passage_counts() {
        let share = |prediction, reference| retrieval_share(prediction, reference).unwrap();
        assert_eq!(
            share("1 2 3 4", "Paragraph x Paragraph 4 Paragraph 1"),
            0.25
        );
        assert_eq!(share("９", "Paragraph ９"), 1.0);
        assert_eq!(
            chinese_retrieval_share("段落7", "答案是段落7。").unwrap(),
            1.0
        );
        assert!(retrieval_share("3", "paragraph 3").is_err());
        assert!(chinese_retrieval_share("段落3", "第3段").is_err());
    }
}
