//! ROUGE, as the package `rouge` 1.0.1 computes it, which LongBench uses.
//!
//! A text is cut into sentences at every `.`; pieces of no characters are dropped, a piece of white
//! space alone is the one empty word. Words are apart by white space; case counts, endings count.

use serde::{Deserialize, Serialize};

use super::{subsequence::Sequence, vocabulary::Vocabulary};
use crate::characters::words;
use crate::{Error, Result};

/// Recall, precision and their F1, each 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RougeScore {
    /// Shared units over those of the reference.
    #[serde(rename = "r")]
    pub recall: f64,
    /// Shared units over those of the prediction.
    #[serde(rename = "p")]
    pub precision: f64,
    /// `2PR / (P + R + 1e-8)`; 0.999999995 for equal texts.
    #[serde(rename = "f")]
    pub f1: f64,
}

impl RougeScore {
    fn new(shared: usize, prediction: usize, reference: usize) -> Self {
        let share = |of: usize| {
            if of == 0 {
                0.0
            } else {
                shared as f64 / of as f64
            }
        };
        let (precision, recall) = (share(prediction), share(reference));
        Self {
            recall,
            precision,
            f1: 2.0 * ((precision * recall) / (precision + recall + 1e-8)),
        }
    }
}

/// The three scores of a pair of texts, or their means over several pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RougeScores {
    /// Over different words.
    #[serde(rename = "rouge-1")]
    pub rouge_1: RougeScore,
    /// Over different pairs of neighbouring words, across sentences too.
    #[serde(rename = "rouge-2")]
    pub rouge_2: RougeScore,
    /// Over the words of common subsequences of sentences: [`rouge_l`].
    #[serde(rename = "rouge-l")]
    pub rouge_l: RougeScore,
}

impl RougeScores {
    /// The scores of a pair (`Rouge().get_scores(prediction, reference)`).
    ///
    /// # Errors
    /// [`Error::Empty`] when a text has no sentence, that is, no character but `.`.
    ///
    /// ```
    /// use adit_scoring::long_context::rouge::RougeScores;
    ///
    /// let scores = RougeScores::of("the cat sat", "the cat lay down")?;
    /// assert_eq!(scores.rouge_1.recall, 0.5);
    /// assert_eq!(scores.rouge_2.precision, 0.5);
    /// assert!(RougeScores::of("...", "the cat").is_err());
    /// # Ok::<(), adit_scoring::Error>(())
    /// ```
    pub fn of(prediction: &str, reference: &str) -> Result<Self> {
        let mut vocabulary = Vocabulary::with_capacity((prediction.len() + reference.len()) / 8);
        let prediction = Numbered::new(prediction, "the prediction", &mut vocabulary)?;
        let reference = Numbered::new(reference, "the reference", &mut vocabulary)?;
        let size = vocabulary.len();
        let singles = |text: &Numbered| text.words.iter().map(|word| u64::from(*word)).collect();
        let pairs = |text: &Numbered| {
            let neighbours = text.words.iter().zip(text.words.iter().skip(1));
            neighbours
                .map(|(first, second)| u64::from(*first) << 32 | u64::from(*second))
                .collect()
        };
        Ok(Self {
            rouge_1: over_sets(singles(&prediction), singles(&reference)),
            rouge_2: over_sets(pairs(&prediction), pairs(&reference)),
            rouge_l: union_of_subsequences(&prediction, &reference, size),
        })
    }

    /// The means over pairs of prediction and reference
    /// (`Rouge().get_scores(predictions, references, avg=True)`).
    ///
    /// # Errors
    /// [`Error::Empty`] when there is no pair, or a text has no sentence.
    pub fn mean<'text>(pairs: impl IntoIterator<Item = (&'text str, &'text str)>) -> Result<Self> {
        let mut sums = [0.0; 9];
        let mut count = 0_u32;
        for (prediction, reference) in pairs {
            let scores = Self::of(prediction, reference)?;
            for (sum, number) in sums.iter_mut().zip(scores.numbers()) {
                *sum += number;
            }
            count = count.saturating_add(1);
        }
        if count == 0 {
            return Err(Error::Empty { what: "the pairs" });
        }
        let [r1, p1, f1, r2, p2, f2, rl, pl, fl] = sums.map(|sum| sum / f64::from(count));
        let score = |recall, precision, f1| RougeScore {
            recall,
            precision,
            f1,
        };
        Ok(Self {
            rouge_1: score(r1, p1, f1),
            rouge_2: score(r2, p2, f2),
            rouge_l: score(rl, pl, fl),
        })
    }

    fn numbers(&self) -> [f64; 9] {
        let [one, two, l] = [self.rouge_1, self.rouge_2, self.rouge_l];
        [
            one.recall,
            one.precision,
            one.f1,
            two.recall,
            two.precision,
            two.f1,
            l.recall,
            l.precision,
            l.f1,
        ]
    }
}

/// ROUGE-L of a pair of texts (the summary level of the package).
///
/// For every sentence of the reference and every sentence of the prediction, one longest common
/// subsequence is found, by going back through the table from both ends: matching words are taken,
/// else the reference is shortened only where shortening the prediction would lose a word. The
/// shared units are the different words of all these subsequences together; precision and recall are
/// over the different words of each text.
///
/// The package goes back by recursion and fails on sentences of some thousand words, which LongBench
/// counts as 0; this does not. For texts of `n` and `m` words it takes time in `n · m / 64`, and in
/// `n · m` where sentences are short, and memory in `n + m`.
///
/// # Errors
/// [`Error::Empty`] when a text has no sentence, that is, no character but `.`.
///
/// ```
/// use adit_scoring::long_context::rouge::rouge_l;
///
/// let score = rouge_l("a b x c. e d", "a b c. d e f")?;
/// assert_eq!((score.precision, score.recall), (4.0 / 6.0, 4.0 / 6.0));
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn rouge_l(prediction: &str, reference: &str) -> Result<RougeScore> {
    let mut vocabulary = Vocabulary::with_capacity((prediction.len() + reference.len()) / 8);
    let prediction = Numbered::new(prediction, "the prediction", &mut vocabulary)?;
    let reference = Numbered::new(reference, "the reference", &mut vocabulary)?;
    Ok(union_of_subsequences(
        &prediction,
        &reference,
        vocabulary.len(),
    ))
}

/// ROUGE-L over each text as one sequence of words, in which a repeated word counts every time and
/// order counts across sentences (Lin, "ROUGE: a package for automatic evaluation of summaries",
/// 2004, sentence level); F1 as in [`RougeScore`].
///
/// # Errors
/// [`Error::Empty`] when a text has no sentence, that is, no character but `.`.
///
/// ```
/// use adit_scoring::long_context::rouge::{rouge_l, rouge_l_of_sequences};
///
/// // The package sees the same set of words; as sequences the texts share little.
/// let (prediction, reference) = ("d. c. b. a. a. a", "a b c d");
/// assert_eq!(rouge_l(prediction, reference)?.precision, 1.0);
/// assert_eq!(rouge_l_of_sequences(prediction, reference)?.precision, 1.0 / 6.0);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn rouge_l_of_sequences(prediction: &str, reference: &str) -> Result<RougeScore> {
    let mut vocabulary = Vocabulary::with_capacity((prediction.len() + reference.len()) / 8);
    let prediction = Numbered::new(prediction, "the prediction", &mut vocabulary)?;
    let reference = Numbered::new(reference, "the reference", &mut vocabulary)?;
    let mut sequence = Sequence::over(vocabulary.len());
    sequence.set(&prediction.words);
    let shared = sequence.common(&reference.words);
    Ok(RougeScore::new(
        shared,
        prediction.words.len(),
        reference.words.len(),
    ))
}

/// A text as numbers of words, sentence after sentence.
struct Numbered {
    words: Vec<u32>,
    ends: Vec<usize>,
}

impl Numbered {
    fn new<'text>(
        text: &'text str,
        what: &'static str,
        vocabulary: &mut Vocabulary<'text>,
    ) -> Result<Self> {
        let mut numbered = Self {
            words: Vec::with_capacity(text.len() / 8),
            ends: Vec::new(),
        };
        for sentence in text.split('.').filter(|sentence| !sentence.is_empty()) {
            let before = numbered.words.len();
            for word in words(sentence) {
                numbered.words.push(vocabulary.number(word.as_bytes()));
            }
            if numbered.words.len() == before {
                numbered.words.push(vocabulary.number(b""));
            }
            numbered.ends.push(numbered.words.len());
        }
        if numbered.ends.is_empty() {
            return Err(Error::Empty { what });
        }
        Ok(numbered)
    }

    fn sentences(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let sentence = self.words.get(start..*end).unwrap_or_default();
            start = *end;
            sentence
        })
    }
}

fn over_sets(mut prediction: Vec<u64>, mut reference: Vec<u64>) -> RougeScore {
    for units in [&mut prediction, &mut reference] {
        units.sort_unstable();
        units.dedup();
    }
    let shared = prediction
        .iter()
        .filter(|unit| reference.binary_search(unit).is_ok())
        .count();
    RougeScore::new(shared, prediction.len(), reference.len())
}

fn union_of_subsequences(prediction: &Numbered, reference: &Numbered, size: usize) -> RougeScore {
    let mut shared = Marks::new(size);
    let mut sequence = Sequence::over(size);
    let mut in_prediction = Marks::new(size);
    for word in &prediction.words {
        in_prediction.add(*word);
    }
    // A sentence whose words are all marked, or occur on its side only, can add nothing.
    let mut open: Vec<&[u32]> = reference.sentences().collect();
    let mut known = usize::MAX;
    for sentence in prediction.sentences() {
        if known != shared.count {
            known = shared.count;
            open.retain(|other| {
                let mut words = other.iter();
                words.any(|word| in_prediction.has(*word) && !shared.has(*word))
            });
        }
        sequence.set(sentence);
        for other in &open {
            sequence.mark_common(other, &mut |word| shared.add(word));
        }
    }
    let mut in_reference = Marks::new(size);
    for word in &reference.words {
        in_reference.add(*word);
    }
    RougeScore::new(shared.count, in_prediction.count, in_reference.count)
}

/// A set of numbered words.
struct Marks {
    marked: Vec<bool>,
    count: usize,
}

impl Marks {
    fn new(size: usize) -> Self {
        Self {
            marked: vec![false; size],
            count: 0,
        }
    }

    fn add(&mut self, word: u32) {
        if let Some(marked) = self.marked.get_mut(word as usize) {
            self.count += usize::from(!*marked);
            *marked = true;
        }
    }

    fn has(&self, word: u32) -> bool {
        self.marked.get(word as usize).copied().unwrap_or(false)
    }
}
