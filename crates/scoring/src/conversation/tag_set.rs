//! Sets of tags, small as a rule.

use std::{borrow::Cow, collections::HashSet};

/// Above so many tags, a hash table takes over.
const FEW: usize = 64;

/// Different tags. A few are told apart by fingerprints in a row, which is faster than hashing each
/// with a key; where an adversary makes fingerprints collide, the texts are compared, at most
/// [`FEW`] times.
#[derive(Debug, Clone, Default)]
pub(super) struct TagSet<'a> {
    prints: Vec<u64>,
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> TagSet<'a> {
    pub(super) fn clear(&mut self) {
        self.prints.clear();
        self.few.clear();
        self.many.clear();
    }

    pub(super) fn contains(&self, tag: &str) -> bool {
        self.among_few(tag, fingerprint(tag)) || (!self.many.is_empty() && self.many.contains(tag))
    }

    /// Whether the tag is new.
    pub(super) fn insert(&mut self, tag: Cow<'a, str>) -> bool {
        let print = fingerprint(&tag);
        if self.among_few(&tag, print) {
            return false;
        }
        if self.few.len() >= FEW {
            return self.many.insert(tag);
        }
        self.prints.push(print);
        self.few.push(tag);
        true
    }

    fn among_few(&self, tag: &str, print: u64) -> bool {
        let mut known = self.prints.iter().zip(&self.few);
        known.any(|(known_print, known)| *known_print == print && known == tag)
    }
}

/// Sets of the same tags are equal, in whatever order they came.
impl PartialEq for TagSet<'_> {
    fn eq(&self, other: &Self) -> bool {
        let all = |one: &Self, other: &Self| {
            let mut tags = one.few.iter().chain(&one.many);
            tags.all(|tag| other.contains(tag))
        };
        self.few.len() + self.many.len() == other.few.len() + other.many.len() && all(self, other)
    }
}

/// A number by which most different tags differ: from the first and last eight bytes and the length.
fn fingerprint(tag: &str) -> u64 {
    let bytes = tag.as_bytes();
    let word = |bytes: Option<&[u8; 8]>| bytes.copied().map(u64::from_le_bytes);
    let (head, tail) = match (word(bytes.first_chunk()), word(bytes.last_chunk())) {
        (Some(head), Some(tail)) => (head, tail),
        _ => {
            let short = bytes.iter();
            (short.fold(0, |sum, byte| (sum << 8) | u64::from(*byte)), 0)
        }
    };
    head.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ tail.rotate_left(29)
        ^ (bytes.len() as u64).rotate_left(56)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_each_tag_once_however_many_there_are() {
        let names: Vec<String> = (0..300).map(|number| format!("tag {number}")).collect();
        let mut set = TagSet::default();
        for _ in 0..2 {
            for name in &names {
                let known = set.contains(name);
                assert_eq!(set.insert(Cow::Borrowed(name)), !known);
            }
        }
        assert!(names.iter().all(|name| set.contains(name)) && !set.contains("tag"));
        let mut turned = TagSet::default();
        for name in names.iter().rev() {
            assert!(turned.insert(Cow::Borrowed(name)));
        }
        assert_eq!(set, turned);
        turned.clear();
        assert!(set != turned && !turned.contains("tag 1"));
    }

    #[test]
    fn tags_of_one_fingerprint_are_still_told_apart() {
        let (left, right) = ("the same a end here", "the same b end here");
        assert_eq!(fingerprint(left), fingerprint(right));
        let mut set = TagSet::default();
        assert!(set.insert(left.into()) && set.insert(right.into()) && !set.insert(left.into()));
        assert!(set.insert("".into()) && set.contains("") && !set.contains("t"));
    }
}
