use crate::ClipConstraints;

/// Cuts a video of `duration_ms` at its shot boundaries into windows a validator accepts: at least
/// the shortest length, at most the longest, no window across a boundary unless a shot alone is
/// too short.
///
/// Windows are in time order and never overlap. A video shorter than the shortest clip has none.
pub(crate) fn windows(
    duration_ms: u64,
    boundaries_ms: &[u64],
    constraints: &ClipConstraints,
) -> Vec<(u64, u64)> {
    let (shortest, longest) = (
        constraints.min_duration_ms.max(1),
        constraints.max_duration_ms,
    );
    if longest < shortest || duration_ms < shortest {
        return Vec::new();
    }
    let mut cuts: Vec<u64> = boundaries_ms
        .iter()
        .copied()
        .filter(|cut| *cut > 0 && *cut < duration_ms)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.push(duration_ms);
    let mut found = Vec::new();
    let mut start = 0;
    for cut in cuts {
        if cut - start < shortest {
            // Too short alone: it joins the next shot.
            continue;
        }
        // Equal parts no longer than allowed; halves of what is barely too long may be too short,
        // then the tail is left out.
        let parts = (cut - start).div_ceil(longest);
        let length = (cut - start) / parts;
        if length < shortest {
            let mut at = start;
            while at + shortest <= cut {
                found.push((at, at + shortest));
                at += shortest;
            }
        } else {
            found.extend(
                (0..parts).map(|part| (start + part * length, start + (part + 1) * length)),
            );
        }
        start = cut;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn constraints(min_duration_ms: u64, max_duration_ms: u64) -> ClipConstraints {
        ClipConstraints {
            min_duration_ms,
            max_duration_ms,
            ..ClipConstraints::default()
        }
    }

    #[test]
    fn shots_become_windows() {
        let found = windows(10_000, &[4_000, 4_500], &constraints(1_000, 3_000));
        assert_eq!(
            found,
            [(0, 2_000), (2_000, 4_000), (4_000, 7_000), (7_000, 10_000)]
        );
        assert!(windows(900, &[], &constraints(1_000, 3_000)).is_empty());
        assert!(windows(9_000, &[], &constraints(5, 3)).is_empty());
    }

    proptest! {
        #[test]
        fn every_window_is_acceptable(
            duration in 0_u64..400_000,
            mut cuts in prop::collection::vec(0_u64..500_000, 0..20),
            shortest in 1_u64..20_000,
            more in 0_u64..60_000,
        ) {
            cuts.reverse();
            let wanted = constraints(shortest, shortest + more);
            let found = windows(duration, &cuts, &wanted);
            let mut last_end = 0;
            for (start, end) in found {
                prop_assert!(start >= last_end && end <= duration);
                prop_assert!((wanted.min_duration_ms..=wanted.max_duration_ms).contains(&(end - start)));
                last_end = end;
            }
        }
    }
}
