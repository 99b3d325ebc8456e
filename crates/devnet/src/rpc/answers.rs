//! Answers of runtime calls, kept while many clients ask the same of one block: what a call answers
//! follows from the block, its name and its arguments.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::runtime::Hash;

/// Answers kept at most, and their bytes.
const MOST: usize = 256;
const MOST_BYTES: usize = 32 << 20;

type Key = (Hash, String, Vec<u8>);

#[derive(Default)]
pub(crate) struct Answers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    answers: HashMap<Key, Arc<str>>,
    bytes: usize,
}

impl Answers {
    pub(super) fn get(&self, key: &Key) -> Option<Arc<str>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers.get(key).cloned()
    }

    pub(super) fn keep(&self, key: Key, answer: &Arc<str>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.answers.len() >= MOST || kept.bytes.saturating_add(answer.len()) > MOST_BYTES {
            *kept = Kept::default();
        }
        if answer.len() <= MOST_BYTES && kept.answers.insert(key, Arc::clone(answer)).is_none() {
            kept.bytes = kept.bytes.saturating_add(answer.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answers, Hash, MOST};

    #[test]
    fn answers_are_kept_by_everything_they_follow_from_and_not_without_end() {
        let answers = Answers::default();
        let key = |block: u8, name: &str| (Hash::repeat_byte(block), name.to_owned(), vec![1]);
        answers.keep(key(1, "a"), &"0x01".into());
        assert_eq!(answers.get(&key(1, "a")).as_deref(), Some("0x01"));
        assert_eq!(answers.get(&key(2, "a")), None);
        assert_eq!(answers.get(&key(1, "b")), None);
        for number in 0..=MOST {
            answers.keep((Hash::zero(), number.to_string(), Vec::new()), &"0x".into());
        }
        assert_eq!(answers.get(&key(1, "a")), None);
    }
}
