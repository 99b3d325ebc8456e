//! Tasks that ask how a sequence goes on.

/// A sequence that a context contains the beginning of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SequencePattern {
    /// 1, 1, 2, 3, 5, 8 and so on.
    Fibonacci,
    /// 2, 3, 5, 7, 11 and so on.
    Prime,
    /// `ALPHA`, `BETA`, `ALPHA` and so on.
    Alternating,
}

impl SequencePattern {
    /// Entries that the context of a task of the field shows.
    pub const SHOWN: usize = 12;
    /// Entries that a miner must add.
    pub const ASKED: usize = 3;

    /// The pattern of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "fibonacci" => Some(Self::Fibonacci),
            "prime" => Some(Self::Prime),
            "alternating" => Some(Self::Alternating),
            _ => None,
        }
    }

    /// The [`SequencePattern::ASKED`] entries after the [`SequencePattern::SHOWN`] first.
    ///
    /// ```
    /// use adit_scoring::long_context::pattern::SequencePattern;
    ///
    /// assert_eq!(SequencePattern::Fibonacci.continuation(), ["233", "377", "610"]);
    /// ```
    pub fn continuation(self) -> Vec<String> {
        let numbers = |entries: &mut dyn Iterator<Item = u32>| {
            let asked = entries.skip(Self::SHOWN).take(Self::ASKED);
            asked.map(|entry| entry.to_string()).collect()
        };
        match self {
            Self::Fibonacci => numbers(
                &mut std::iter::successors(Some((1, 1)), |(a, b)| Some((*b, a + b)))
                    .map(|(entry, _)| entry),
            ),
            Self::Prime => numbers(
                &mut (2..).filter(|number| (2..*number).all(|divisor| number % divisor != 0)),
            ),
            Self::Alternating => ["ALPHA", "BETA"]
                .iter()
                .cycle()
                .skip(Self::SHOWN)
                .take(Self::ASKED)
                .map(|entry| (*entry).to_owned())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on() {
        assert_eq!(SequencePattern::Prime.continuation(), ["41", "43", "47"]);
        assert_eq!(
            SequencePattern::Alternating.continuation(),
            ["ALPHA", "BETA", "ALPHA"]
        );
        assert_eq!(SequencePattern::named("even"), None);
    }
}
