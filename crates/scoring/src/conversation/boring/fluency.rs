use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Longest text in brackets that is looked through for a mark, in bytes.
const LONGEST_MARK: usize = 48;

/// How defects of speech are found in text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FluencyRules {
    /// Words that say nothing, in lower case.
    pub fillers: Vec<String>,
    /// Words that, in brackets, say that something was not understood, in lower case.
    pub marks: Vec<String>,
    /// What a share of defects is multiplied with, at least 1: with 10, one defect in ten tokens
    /// leaves nothing.
    pub severity: f64,
}

impl Default for FluencyRules {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            fillers: words(&[
                "ah", "eh", "er", "erm", "hm", "hmm", "mhm", "mm", "mmm", "uh", "uhm", "um", "umm",
            ]),
            marks: words(&[
                "crosstalk",
                "inaudible",
                "indiscernible",
                "noise",
                "silence",
                "unclear",
                "unintelligible",
            ]),
            severity: 10.0,
        }
    }
}

impl FluencyRules {
    /// Checks the constant.
    ///
    /// # Errors
    /// [`Error::Constant`] unless the severity lies in 1 to 1,000.
    pub fn validate(&self) -> Result<()> {
        if (1.0..=1e3).contains(&self.severity) {
            return Ok(());
        }
        Err(Error::Constant {
            name: "severity",
            value: self.severity,
            least: 1.0,
            most: 1e3,
        })
    }
}

/// `1 − min(1, severity · defects / tokens)` over all lines; 0 without a token. Tokens stand between
/// white space. Defects are fillers, brackets with a mark in them (one token each), a word right
/// after itself in the same line, and tokens without a letter or a digit. `O(text)`.
///
/// ```
/// use adit_scoring::conversation::boring::{FluencyRules, fluency};
///
/// let rules = FluencyRules::default();
/// assert_eq!(fluency(&["we met in the park last year and walked home"], &rules), 1.0);
/// let hesitant = "um we met in the the park [inaudible audio] last year and then walked all the way \
///                 back to our own home that night under a clear and starry sky together you and me";
/// assert!((fluency(&[hesitant], &rules) - (1.0 - 10.0 * 3.0 / 33.0)).abs() < 1e-12);
/// ```
pub fn fluency<S: AsRef<str>>(lines: &[S], rules: &FluencyRules) -> f64 {
    let (mut tokens, mut defects) = (0_usize, 0_usize);
    for line in lines {
        let mut rest = line.as_ref();
        let mut before = String::new();
        while let Some((token, after)) = next_token(rest, rules) {
            rest = after;
            tokens += 1;
            let Token::Word(word) = token else {
                defects += 1;
                before.clear();
                continue;
            };
            let word = bare(word);
            let defect = word.is_empty() || word == before || rules.fillers.contains(&word);
            defects += usize::from(defect);
            before = word;
        }
    }
    if tokens == 0 {
        return 0.0;
    }
    1.0 - (rules.severity * defects as f64 / tokens as f64).min(1.0)
}

/// Fluency by the token log-probabilities of a language model: `exp(mean)`, one over the perplexity.
///
/// # Errors
/// [`Error::Empty`], [`Error::NotFinite`], and [`Error::Constant`] for one above 0, which is no
/// probability.
pub fn fluency_from_log_probabilities(log_probabilities: &[f64]) -> Result<f64> {
    if log_probabilities.is_empty() {
        return Err(Error::Empty {
            what: "the list of log-probabilities",
        });
    }
    let mut mean = 0.0;
    for value in log_probabilities {
        if !value.is_finite() {
            return Err(Error::NotFinite {
                what: "a log-probability",
            });
        }
        if *value > 0.0 {
            return Err(Error::Constant {
                name: "a log-probability",
                value: *value,
                least: f64::MIN,
                most: 0.0,
            });
        }
        mean += value / log_probabilities.len() as f64;
    }
    Ok(mean.exp())
}

/// Fluency by a language model's mark of the transcript, 1 to 10: `(mark − 1) / 9`.
///
/// # Errors
/// [`Error::Constant`] for another mark.
pub fn fluency_from_quality(mark: f64) -> Result<f64> {
    if (1.0..=10.0).contains(&mark) {
        return Ok((mark - 1.0) / 9.0);
    }
    Err(Error::Constant {
        name: "the mark",
        value: mark,
        least: 1.0,
        most: 10.0,
    })
}

enum Token<'a> {
    Word(&'a str),
    Mark,
}

fn next_token<'a>(text: &'a str, rules: &FluencyRules) -> Option<(Token<'a>, &'a str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    if let Some(after) = bracketed_mark(text, first, rules) {
        return Some((Token::Mark, after));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    Some((Token::Word(word), after))
}

/// What follows a bracket that begins the text and holds a mark.
fn bracketed_mark<'a>(text: &'a str, first: char, rules: &FluencyRules) -> Option<&'a str> {
    let close = match first {
        '[' => ']',
        '(' => ')',
        '<' => '>',
        '{' => '}',
        _ => return None,
    };
    let end = text
        .char_indices()
        .take_while(|(place, _)| *place <= LONGEST_MARK)
        .find(|(_, character)| *character == close)?
        .0;
    let inner = text.get(1..end)?;
    let marked = inner
        .split(|character: char| !character.is_alphanumeric())
        .any(|word| rules.marks.iter().any(|mark| *mark == word.to_lowercase()));
    marked.then(|| text.get(end + 1..)).flatten()
}

/// A word in lower case without what surrounds it.
fn bare(word: &str) -> String {
    word.trim_matches(|character: char| !character.is_alphanumeric())
        .to_lowercase()
}
