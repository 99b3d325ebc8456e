//! Cutting a conversation into overlapping windows of lines.

use std::{iter::FusedIterator, ops::Range};

use super::WindowRules;

/// Windows of a list, as ranges of its places, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    start: Option<usize>,
    size: usize,
    step: usize,
    lines: usize,
}

impl Windows {
    /// No window at all.
    pub const NONE: Self = Self {
        start: None,
        size: 0,
        step: 0,
        lines: 0,
    };

    /// Windows of `size` places over a list of `lines`, each sharing `overlap` places with the one
    /// before; the last ends with the list and may be shorter. A list no longer than `size` is one
    /// window, also an empty list. Windows that cannot advance (`overlap ≥ size`) are one window of
    /// everything, and none of an empty list.
    ///
    /// ```
    /// use adit_scoring::conversation::Windows;
    ///
    /// let windows: Vec<_> = Windows::new(11, 10, 2).collect();
    /// assert_eq!(windows, [0..10, 8..11]);
    /// assert_eq!(Windows::new(300, 10, 2).len(), 38);
    /// assert_eq!(Windows::new(11, 2, 2).collect::<Vec<_>>(), [0..11]);
    /// ```
    pub const fn new(lines: usize, size: usize, overlap: usize) -> Self {
        if overlap < size {
            Self {
                start: Some(0),
                size,
                step: size - overlap,
                lines,
            }
        } else if lines == 0 {
            Self::NONE
        } else {
            Self {
                start: Some(0),
                size: lines,
                step: 1,
                lines,
            }
        }
    }
}

impl Iterator for Windows {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.start?;
        let end = start.saturating_add(self.size);
        self.start = (end < self.lines).then(|| start.saturating_add(self.step));
        Some(start..end.min(self.lines))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.start.map_or(0, |start| {
            let beyond = self.lines.saturating_sub(start.saturating_add(self.size));
            beyond.div_ceil(self.step.max(1)) + 1
        });
        (left, Some(left))
    }
}

impl ExactSizeIterator for Windows {}
impl FusedIterator for Windows {}

/// How many of `lines` lines are kept: the first [`WindowRules::lines_most`], all when that is 0.
pub const fn lines_kept(rules: &WindowRules, lines: usize) -> usize {
    if rules.lines_most > 0 && rules.lines_most < lines {
        rules.lines_most
    } else {
        lines
    }
}

/// The windows in which a conversation of `lines` lines is given to miners, over its kept lines
/// ([`lines_kept`]).
///
/// Too few windows ([`WindowRules::windows_least`]) are cut again by the fallback, and what is then
/// no more than the task's own `minimum` (none or a negative one: [`WindowRules::minimum`]) is no
/// windows at all, which means that the conversation is not used. `hardened` drops a conversation
/// only when it has fewer windows than the minimum.
///
/// ```
/// use adit_scoring::conversation::{ConversationPolicy, conversation_windows};
///
/// let original = ConversationPolicy::original();
/// assert_eq!(conversation_windows(&original.windows, 10, None).len(), 0);
/// let hardened = ConversationPolicy::hardened();
/// let windows: Vec<_> = conversation_windows(&hardened.windows, 10, None).collect();
/// assert_eq!(windows, [0..10]);
/// ```
pub fn conversation_windows(rules: &WindowRules, lines: usize, minimum: Option<i64>) -> Windows {
    let kept = lines_kept(rules, lines);
    let mut windows = Windows::new(kept, rules.size, rules.overlap);
    if windows.len() < rules.windows_least {
        windows = Windows::new(kept, rules.fallback_size, rules.fallback_overlap);
    }
    let minimum = minimum
        .and_then(|minimum| usize::try_from(minimum).ok())
        .unwrap_or(rules.minimum);
    let enough = if rules.more_than_minimum {
        windows.len() > minimum
    } else {
        windows.len() >= minimum && kept > 0
    };
    if enough { windows } else { Windows::NONE }
}

#[cfg(test)]
mod tests {
    use std::iter::once;

    use super::*;
    use crate::conversation::ConversationPolicy;

    #[test]
    fn an_empty_list_is_one_empty_window_unless_windows_cannot_advance() {
        assert!(Windows::new(0, 10, 2).eq(once(0..0)));
        assert_eq!(Windows::new(0, 2, 2).count(), 0);
        assert!(Windows::new(20, 2, 5).eq(once(0..20)));
    }

    #[test]
    fn the_original_uses_no_conversation_of_ten_lines_or_fewer() {
        let rules = ConversationPolicy::original().windows;
        assert!((0..=10).all(|lines| conversation_windows(&rules, lines, None).len() == 0));
        assert!((11..400).all(|lines| conversation_windows(&rules, lines, None).len() >= 2));
        assert_eq!(conversation_windows(&rules, 10, Some(0)).len(), 1);
        assert_eq!(conversation_windows(&rules, 1_000, Some(37)).len(), 38);
        assert_eq!(conversation_windows(&rules, 1_000, Some(38)).len(), 0);
        assert_eq!(lines_kept(&rules, 1_000), 300);
    }

    #[test]
    fn hardened_uses_every_conversation_that_has_lines() {
        let rules = ConversationPolicy::hardened().windows;
        assert!((1..400).all(|lines| conversation_windows(&rules, lines, None).len() >= 1));
        assert_eq!(conversation_windows(&rules, 0, None).len(), 0);
        assert_eq!(conversation_windows(&rules, 0, Some(0)).len(), 0);
    }
}
