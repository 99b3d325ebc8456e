//! What longer contexts are worth: tables of multipliers by length.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, rules::within};

/// One row of a [`MultiplierTable`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextMultiplier {
    /// Its name, such as `124k`.
    pub name: String,
    /// Its length in tokens.
    pub tokens: u64,
    /// What an answer over such a context is multiplied by; above 0.
    pub multiplier: f64,
}

/// Multipliers by context length, ascending in length.
///
/// ```
/// use adit_scoring::long_context::multiplier::MultiplierTable;
///
/// let leagues = MultiplierTable::leagues();
/// assert_eq!(leagues.reached(350_000).unwrap().name, "300k");
/// assert_eq!(leagues.enclosing(350_000).unwrap().name, "400k");
/// assert_eq!(MultiplierTable::documented().named("1.5M").unwrap().multiplier, 1.8);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MultiplierTable {
    rows: Vec<ContextMultiplier>,
}

impl MultiplierTable {
    /// A table of one's own.
    ///
    /// # Errors
    /// See [`MultiplierTable::validate`].
    pub fn new(rows: Vec<ContextMultiplier>) -> Result<Self> {
        let table = Self { rows };
        table.validate()?;
        Ok(table)
    }

    /// The table of the subnet's documents: 32k 1.0, 124k 1.2, 512k 1.5, 1.5m 1.8, 2m 2.0. The
    /// system in the field does not contain it.
    pub fn documented() -> Self {
        Self::of(&[
            ("32k", 32_000, 1.0),
            ("124k", 124_000, 1.2),
            ("512k", 512_000, 1.5),
            ("1.5m", 1_500_000, 1.8),
            ("2m", 2_000_000, 2.0),
        ])
    }

    /// The ten leagues of the system in the field: 100k 0.5, then a quarter more for each 100,000
    /// tokens up to 900k 2.5, and 1M 3.0.
    pub fn leagues() -> Self {
        Self::of(&[
            ("100k", 100_000, 0.5),
            ("200k", 200_000, 0.75),
            ("300k", 300_000, 1.0),
            ("400k", 400_000, 1.25),
            ("500k", 500_000, 1.5),
            ("600k", 600_000, 1.75),
            ("700k", 700_000, 2.0),
            ("800k", 800_000, 2.25),
            ("900k", 900_000, 2.5),
            ("1M", 1_000_000, 3.0),
        ])
    }

    fn of(rows: &[(&str, u64, f64)]) -> Self {
        let row = |(name, tokens, multiplier): &(&str, u64, f64)| ContextMultiplier {
            name: (*name).to_owned(),
            tokens: *tokens,
            multiplier: *multiplier,
        };
        Self {
            rows: rows.iter().map(row).collect(),
        }
    }

    /// The rows, ascending in length.
    pub fn rows(&self) -> &[ContextMultiplier] {
        &self.rows
    }

    /// Checks that there is a row, that lengths ascend, and that multipliers are finite and above 0.
    ///
    /// # Errors
    /// [`Error::Empty`], or [`Error::Constant`] naming the first number at fault.
    pub fn validate(&self) -> Result<()> {
        if self.rows.is_empty() {
            return Err(Error::Empty {
                what: "the table of multipliers",
            });
        }
        let mut below = None;
        for row in &self.rows {
            if below.is_some_and(|below| row.tokens <= below) {
                return Err(Error::Constant {
                    name: "tokens of a multiplier",
                    value: row.tokens as f64,
                    least: below.unwrap_or_default() as f64 + 1.0,
                    most: u64::MAX as f64,
                });
            }
            below = Some(row.tokens);
            within("multiplier", row.multiplier, f64::MIN_POSITIVE, 1e6)?;
        }
        Ok(())
    }

    /// The row of that name; case does not count.
    pub fn named(&self, name: &str) -> Option<&ContextMultiplier> {
        let same = |row: &&ContextMultiplier| row.name.eq_ignore_ascii_case(name);
        self.rows.iter().find(same)
    }

    /// The longest row that a context of so many tokens reaches; the first row for anything shorter.
    /// None for an empty table.
    pub fn reached(&self, tokens: u64) -> Option<&ContextMultiplier> {
        let reached = self.rows.partition_point(|row| row.tokens <= tokens);
        self.rows.get(reached.saturating_sub(1))
    }

    /// The shortest row that holds so many tokens; the last row for anything longer. None for an
    /// empty table.
    pub fn enclosing(&self, tokens: u64) -> Option<&ContextMultiplier> {
        let shorter = self.rows.partition_point(|row| row.tokens < tokens);
        self.rows.get(shorter).or(self.rows.last())
    }

    /// The largest multiplier; 1 for an empty table.
    pub fn largest(&self) -> f64 {
        let multipliers = self.rows.iter().map(|row| row.multiplier);
        multipliers.reduce(f64::max).unwrap_or(1.0)
    }
}

/// `min(accuracy · multiplier, 1)`: the reward of the subnet's documents for one answer.
///
/// It saturates: over 2 million tokens an answer that is half right earns as much as one that is
/// wholly right. [`length_weighted`] does not.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn bucket_reward(accuracy: f64, multiplier: f64) -> Result<f64> {
    check(accuracy, multiplier)?;
    Ok((accuracy * multiplier).min(1.0))
}

/// `accuracy · multiplier / largest`: what an answer earns of what the longest context could, so that
/// both accuracy and length always count. In 0 to 1 for an accuracy in 0 to 1 and a multiplier up to
/// `largest`.
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::Constant`] unless `largest` is above 0.
pub fn length_weighted(accuracy: f64, multiplier: f64, largest: f64) -> Result<f64> {
    check(accuracy, multiplier)?;
    if !(largest > 0.0 && largest.is_finite()) {
        return Err(Error::Constant {
            name: "largest multiplier",
            value: largest,
            least: f64::MIN_POSITIVE,
            most: f64::MAX,
        });
    }
    Ok(accuracy * (multiplier / largest))
}

fn check(accuracy: f64, multiplier: f64) -> Result<()> {
    if !accuracy.is_finite() {
        return Err(Error::NotFinite {
            what: "the accuracy",
        });
    }
    if !multiplier.is_finite() {
        return Err(Error::NotFinite {
            what: "the multiplier",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_their_promises() {
        for table in [MultiplierTable::documented(), MultiplierTable::leagues()] {
            table.validate().unwrap();
            assert_eq!(table.reached(0), table.rows().first());
            assert_eq!(table.enclosing(u64::MAX), table.rows().last());
            for row in table.rows() {
                assert_eq!(table.reached(row.tokens), Some(row));
                assert_eq!(table.enclosing(row.tokens), Some(row));
            }
        }
        assert_eq!(MultiplierTable::leagues().largest(), 3.0);
    }

    #[test]
    fn refuses_a_table_that_is_none() {
        let row = |tokens, multiplier| ContextMultiplier {
            name: String::new(),
            tokens,
            multiplier,
        };
        assert!(MultiplierTable::new(Vec::new()).is_err());
        assert!(MultiplierTable::new(vec![row(2, 1.0), row(2, 1.0)]).is_err());
        assert!(MultiplierTable::new(vec![row(2, f64::NAN)]).is_err());
        assert!(MultiplierTable::new(vec![row(2, 0.0)]).is_err());
    }

    #[test]
    fn the_documented_reward_saturates_and_ours_does_not() {
        assert_eq!(
            bucket_reward(0.5, 2.0).unwrap(),
            bucket_reward(1.0, 2.0).unwrap()
        );
        assert_eq!(length_weighted(0.5, 2.0, 2.0).unwrap(), 0.5);
        assert_eq!(length_weighted(1.0, 1.0, 2.0).unwrap(), 0.5);
        assert!(bucket_reward(f64::NAN, 1.0).is_err());
        assert!(length_weighted(1.0, 1.0, 0.0).is_err());
    }
}
