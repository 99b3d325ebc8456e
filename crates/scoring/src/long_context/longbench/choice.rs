use serde::{Deserialize, Serialize};

use super::totals::decimal;
use crate::{Error, Result};

/// An option of a multiple-choice question (LongBench v2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Choice {
    /// The first.
    A,
    /// The second.
    B,
    /// The third.
    C,
    /// The fourth.
    D,
}

/// The option that an answer names (LongBench v2): after leaving out every `*`, that of the first
/// `The correct answer is (X)`, else of the first `The correct answer is X`; nothing where neither is
/// there.
///
/// ```
/// use adit_scoring::long_context::longbench::{Choice, extract_choice};
///
/// assert_eq!(extract_choice("So **The correct answer is (B)**."), Some(Choice::B));
/// assert_eq!(extract_choice("The correct answer is Carl"), Some(Choice::C));
/// assert_eq!(extract_choice("It is B."), None);
/// ```
pub fn extract_choice(answer: &str) -> Option<Choice> {
    const LEAD: &str = "The correct answer is ";
    let answer = answer.replace('*', "");
    let after = || {
        answer
            .match_indices(LEAD)
            .filter_map(|(at, _)| answer.get(at + LEAD.len()..))
    };
    let bracketed = after().find_map(|rest| {
        let mut characters = rest.strip_prefix('(')?.chars();
        let choice = option(characters.next()?)?;
        (characters.next() == Some(')')).then_some(choice)
    });
    bracketed.or_else(|| after().find_map(|rest| option(rest.chars().next()?)))
}

fn option(letter: char) -> Option<Choice> {
    match letter {
        'A' => Some(Choice::A),
        'B' => Some(Choice::B),
        'C' => Some(Choice::C),
        'D' => Some(Choice::D),
        _ => None,
    }
}

/// What became of a multiple-choice question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceResult {
    /// The option named, if any.
    pub named: Option<Choice>,
    /// The right option.
    pub right: Choice,
    /// Whether the question counts as hard.
    pub hard: bool,
    /// Words of the context.
    pub length: LongBenchLength,
}

/// Length classes of LongBench v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongBenchLength {
    /// Up to 32,000 words.
    Short,
    /// Up to 128,000 words.
    Medium,
    /// More.
    Long,
}

/// Shares of right answers, 0 to 100 with one decimal; nothing of no questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ChoiceAccuracy {
    /// Of all questions.
    pub overall: Option<f64>,
    /// Of those that are not hard.
    pub easy: Option<f64>,
    /// Of the hard ones.
    pub hard: Option<f64>,
    /// With short contexts.
    pub short: Option<f64>,
    /// With contexts between.
    pub medium: Option<f64>,
    /// With long contexts.
    pub long: Option<f64>,
}

impl ChoiceAccuracy {
    /// Adds the results up. An answer that names no option counts as `unnamed`: LongBench takes 0,
    /// or 0.25 as if it had guessed.
    ///
    /// # Errors
    /// [`Error::NotFinite`] or [`Error::Negative`] for `unnamed`.
    ///
    /// ```
    /// use adit_scoring::long_context::longbench::{
    ///     Choice, ChoiceAccuracy, ChoiceResult, LongBenchLength,
    /// };
    ///
    /// let result = |named, hard| ChoiceResult {
    ///     named,
    ///     right: Choice::A,
    ///     hard,
    ///     length: LongBenchLength::Short,
    /// };
    /// let results = [result(Some(Choice::A), true), result(None, false), result(None, true)];
    /// let accuracy = ChoiceAccuracy::of(&results, 0.25)?;
    /// assert_eq!((accuracy.overall, accuracy.easy), (Some(50.0), Some(25.0)));
    /// assert_eq!((accuracy.hard, accuracy.long), (Some(62.5), None));
    /// # Ok::<(), adit_scoring::Error>(())
    /// ```
    pub fn of(results: &[ChoiceResult], unnamed: f64) -> Result<Self> {
        let what = "the score of an answer that names no option";
        if !unnamed.is_finite() {
            return Err(Error::NotFinite { what });
        }
        if unnamed < 0.0 {
            return Err(Error::Negative { what });
        }
        let share = |belongs: &dyn Fn(&ChoiceResult) -> bool| {
            let (mut sum, mut count) = (0.0, 0_usize);
            for result in results.iter().filter(|result| belongs(result)) {
                count += 1;
                sum += match result.named {
                    None => unnamed,
                    Some(named) => f64::from(u8::from(named == result.right)),
                };
            }
            (count > 0).then(|| decimal(100.0 * sum / count as f64, 1))
        };
        let long = |length| move |result: &ChoiceResult| result.length == length;
        Ok(Self {
            overall: share(&|_| true),
            easy: share(&|result| !result.hard),
            hard: share(&|result| result.hard),
            short: share(&long(LongBenchLength::Short)),
            medium: share(&long(LongBenchLength::Medium)),
            long: share(&long(LongBenchLength::Long)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_come_first_wherever_they_are() {
        let text = "The correct answer is A. No: The correct answer is (*D*).";
        assert_eq!(extract_choice(text), Some(Choice::D));
        assert_eq!(
            extract_choice("The correct answer is (E) The correct answer is B"),
            Some(Choice::B)
        );
        assert_eq!(extract_choice("The correct answer is (A"), None);
        assert_eq!(extract_choice("the correct answer is (A)"), None);
        assert_eq!(extract_choice(""), None);
    }

    #[test]
    fn what_naming_nothing_counts_must_be_a_number() {
        assert!(ChoiceAccuracy::of(&[], f64::NAN).is_err());
        assert!(ChoiceAccuracy::of(&[], -0.1).is_err());
        assert_eq!(
            ChoiceAccuracy::of(&[], 0.0).unwrap(),
            ChoiceAccuracy::default()
        );
    }
}
