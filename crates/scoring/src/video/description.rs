use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// What is counted of a description; all that judging needs of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptionMeasure {
    /// Bytes of UTF-8.
    pub bytes: u32,
    /// Words.
    pub words: u32,
    /// Different words.
    pub distinct_words: u32,
    /// How often the commonest word occurs.
    pub commonest_word: u32,
    /// Different words that the topic does not already have.
    pub words_beyond_topic: u32,
}

/// Counts the words of a description.
///
/// A word is a run of letters and digits, in lower case; a character of a script that writes
/// without spaces (Chinese, Japanese, Thai and their neighbours) is a word by itself. Linear in the
/// length of both texts; callers bound that length first.
///
/// ```
/// use adit_scoring::video::measure_description;
///
/// let measure = measure_description("A bike, a bike, a red BIKE", "bike");
/// assert_eq!((measure.words, measure.distinct_words), (7, 3));
/// assert_eq!((measure.commonest_word, measure.words_beyond_topic), (3, 2));
/// ```
pub fn measure_description(description: &str, topic: &str) -> DescriptionMeasure {
    let topic: HashSet<String> = words(topic).into_iter().collect();
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut total = 0_u32;
    for word in words(description) {
        total = total.saturating_add(1);
        let count = counts.entry(word).or_default();
        *count = count.saturating_add(1);
    }
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    DescriptionMeasure {
        bytes: count(description.len()),
        words: total,
        distinct_words: count(counts.len()),
        commonest_word: counts.values().copied().max().unwrap_or(0),
        words_beyond_topic: count(counts.keys().filter(|word| !topic.contains(*word)).count()),
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        let alone = written_without_spaces(character);
        if (alone || !character.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if alone {
            words.push(character.to_string());
        } else if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn written_without_spaces(character: char) -> bool {
    matches!(
        character as u32,
        0x0E00..=0x0EFF // Thai, Lao
            | 0x1000..=0x109F // Burmese
            | 0x1780..=0x17FF // Khmer
            | 0x3040..=0x30FF // kana
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF // Han
            | 0xF900..=0xFAFF
            | 0x2_0000..=0x3_FFFF
    ) && character.is_alphanumeric()
}
