//! Whether an answer names its class, and no other.

/// How [`classification_score`] treats classes whose names are part of the right one's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverlappingClasses {
    /// LongBench removes them from the list while it goes through it, and so never looks at the one
    /// after each removed. A right answer then shares its point with a class that it names only as
    /// part of the right name.
    SkippedAfterRemoval,
    /// All are removed.
    Removed,
}

/// One over the number of classes that a prediction names, where the right class is among them;
/// else 0 (LongBench's `classification_score`).
///
/// A class is named when its name is part of the prediction, by characters. Names that are a proper
/// part of the right name do not count, as far as `overlapping` finds them. Time is linear in the
/// prediction for each class.
///
/// ```
/// use adit_scoring::long_context::classification::{OverlappingClasses, classification_score};
///
/// let classes = ["Sport", "Sport news", "Politics"];
/// let score = |answer| {
///     classification_score(answer, "Sport news", &classes, OverlappingClasses::SkippedAfterRemoval)
/// };
/// assert_eq!(score("Sport news"), 1.0);
/// assert_eq!(score("Sport news or Politics"), 0.5);
/// assert_eq!(score("Sport"), 0.0);
/// ```
pub fn classification_score<T: AsRef<str>>(
    prediction: &str,
    reference: &str,
    classes: &[T],
    overlapping: OverlappingClasses,
) -> f64 {
    let classes = classes.iter().map(AsRef::as_ref);
    let mut named: Vec<&str> = classes.filter(|class| prediction.contains(class)).collect();
    let is_part = |class: &str| class != reference && reference.contains(class);
    match overlapping {
        OverlappingClasses::Removed => named.retain(|class| !is_part(class)),
        OverlappingClasses::SkippedAfterRemoval => {
            let mut place = 0;
            while let Some(class) = named.get(place).copied() {
                if is_part(class)
                    && let Some(first) = named.iter().position(|other| *other == class)
                {
                    // The list closes up, and the place moves on all the same.
                    named.remove(first);
                }
                place += 1;
            }
        }
    }
    if named.contains(&reference) {
        1.0 / named.len() as f64
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_after_a_removed_one_is_skipped() {
        let classes = ["Eco", "Econ", "Economy"];
        let score = |overlapping| classification_score("Economy", "Economy", &classes, overlapping);
        assert_eq!(score(OverlappingClasses::SkippedAfterRemoval), 0.5);
        assert_eq!(score(OverlappingClasses::Removed), 1.0);
    }

    #[test]
    fn removing_takes_the_first_of_equal_names() {
        let classes = ["b", "a", "ab", "a"];
        let score = |overlapping| classification_score("ab", "ab", &classes, overlapping);
        assert_eq!(score(OverlappingClasses::SkippedAfterRemoval), 0.5);
        assert_eq!(score(OverlappingClasses::Removed), 1.0);
        assert_eq!(
            classification_score("x", "x", &[] as &[&str], OverlappingClasses::Removed),
            0.0
        );
    }
}
