use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, average::update_average};

/// What a validator stored of one round.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmissionRecord<'a> {
    /// How long ago, in seconds.
    pub age_seconds: f64,
    /// The emission of each miner in it, by hotkey, or by uid as older records name them.
    pub emissions: Vec<(&'a str, f64)>,
}

/// Which hotkey held which uid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UidRecord<'a> {
    /// The miner's key.
    pub hotkey: &'a str,
    /// Its uid.
    pub uid: u64,
    /// How long ago this was last seen, in seconds.
    pub age_seconds: f64,
}

/// How emissions of many rounds become a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmissionAveragePolicy {
    /// Name and version.
    pub name: String,
    /// Older rounds do not count; in seconds.
    pub window_seconds: f64,
    /// The weight of each new emission, 0 to 1.
    pub alpha: f64,
    /// What a miner's average is before its first round; none means its first emission.
    pub start: Option<f64>,
}

impl EmissionAveragePolicy {
    /// The rules of the system in the field: 24 hours, 0.3, starting at the first emission.
    pub fn original() -> Self {
        Self {
            name: "inference-average/original-1".into(),
            window_seconds: 86_400.0,
            alpha: 0.3,
            start: None,
        }
    }

    /// Averages start at 0: in the original the first emission in the window counts in full, so that
    /// one lucky round, after which a miner falls silent, is its score for a day.
    pub fn hardened() -> Self {
        Self {
            name: "inference-average/hardened-1".into(),
            start: Some(0.0),
            ..Self::original()
        }
    }
}

/// Exponential moving averages of the emissions of each miner over the rounds in the window, oldest
/// first: `alpha · x + (1 − alpha) · average`. A round without an entry of a miner leaves its average
/// as it is. An emission that is not finite is passed over. Miners in the order of their first entry.
///
/// A name of digits only is a uid; it stands for the hotkey that was last seen with it, where one was.
///
/// # Errors
/// [`Error::NotFinite`] for an age, the window or the start; [`Error::Constant`] for `alpha`.
pub fn average_emissions(
    policy: &EmissionAveragePolicy,
    records: &[EmissionRecord<'_>],
    uids: &[UidRecord<'_>],
) -> Result<Vec<(String, f64)>> {
    finite(records.iter().map(|record| record.age_seconds), "an age")?;
    finite(uids.iter().map(|record| record.age_seconds), "an age")?;
    finite([policy.window_seconds].into_iter(), "the window")?;
    finite(policy.start.into_iter(), "the start of an average")?;
    // So that a bad constant is an error even where there is nothing to average.
    update_average(0.0, 0.0, policy.alpha)?;

    let mut holders: BTreeMap<u64, UidRecord<'_>> = BTreeMap::new();
    for record in uids {
        let holder = holders.entry(record.uid).or_insert(*record);
        if record.age_seconds < holder.age_seconds {
            *holder = *record;
        }
    }
    let mut inside: Vec<&EmissionRecord<'_>> = records
        .iter()
        .filter(|record| record.age_seconds <= policy.window_seconds)
        .collect();
    inside.sort_by(|left, right| right.age_seconds.total_cmp(&left.age_seconds));

    let mut averages: Vec<(String, f64)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, emission) in inside.iter().flat_map(|record| &record.emissions) {
        if !emission.is_finite() {
            continue;
        }
        let hotkey = uid(name)
            .and_then(|uid| holders.get(&uid))
            .map_or(*name, |holder| holder.hotkey);
        let place = *places.entry(hotkey).or_insert(averages.len());
        if let Some((_, average)) = averages.get_mut(place) {
            *average = update_average(*average, *emission, policy.alpha)?;
        } else {
            let first = match policy.start {
                Some(start) => update_average(start, *emission, policy.alpha)?,
                None => *emission,
            };
            averages.push((hotkey.to_owned(), first));
        }
    }
    Ok(averages)
}

fn finite(mut numbers: impl Iterator<Item = f64>, what: &'static str) -> Result<()> {
    if numbers.all(f64::is_finite) {
        Ok(())
    } else {
        Err(Error::NotFinite { what })
    }
}

fn uid(name: &str) -> Option<u64> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(age_seconds: f64, emissions: &[(&'static str, f64)]) -> EmissionRecord<'static> {
        EmissionRecord {
            age_seconds,
            emissions: emissions.to_vec(),
        }
    }

    #[test]
    fn starts_where_the_policy_says() {
        let records = [
            record(10.0, &[("5a", 0.5), ("5b", f64::NAN)]),
            record(20.0, &[("7", 1.0)]),
            record(1e9, &[("5c", 9.0)]),
        ];
        let uids = [
            UidRecord {
                hotkey: "old",
                uid: 7,
                age_seconds: 9.0,
            },
            UidRecord {
                hotkey: "5a",
                uid: 7,
                age_seconds: 8.0,
            },
        ];
        let original = EmissionAveragePolicy::original();
        let found = average_emissions(&original, &records, &uids).unwrap();
        assert_eq!(found, [("5a".to_owned(), 0.3 * 0.5 + 0.7 * 1.0)]);
        let hardened = EmissionAveragePolicy::hardened();
        let found = average_emissions(&hardened, &records, &[]).unwrap();
        assert_eq!(found, [("7".to_owned(), 0.3), ("5a".to_owned(), 0.15)]);
    }

    #[test]
    fn both_names_of_a_miner_count_in_the_order_given() {
        let uids = [UidRecord {
            hotkey: "5a",
            uid: 7,
            age_seconds: 9.0,
        }];
        let average = |emissions: &[(&'static str, f64)]| {
            let records = [record(10.0, emissions)];
            average_emissions(&EmissionAveragePolicy::original(), &records, &uids).unwrap()
        };
        assert_eq!(
            average(&[("5a", 1.0), ("7", 0.0)]),
            [("5a".to_owned(), 0.7)]
        );
        assert_eq!(
            average(&[("7", 0.0), ("5a", 1.0)]),
            [("5a".to_owned(), 0.3)]
        );
    }

    #[test]
    fn refuses_poison() {
        let original = EmissionAveragePolicy::original();
        assert!(average_emissions(&original, &[record(f64::NAN, &[])], &[]).is_err());
        let wrong = EmissionAveragePolicy {
            alpha: 1.5,
            ..original
        };
        assert!(average_emissions(&wrong, &[], &[]).is_err());
    }
}
