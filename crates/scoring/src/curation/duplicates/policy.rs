use serde::{Deserialize, Serialize};

use crate::{Result, rules::within};

/// Which of several like clips is kept: the one that comes first in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepOrder {
    /// Farthest from the centre of its cluster first: NeMo's `hard`.
    OutliersFirst,
    /// Nearest to the centre first: NeMo's `easy`.
    CentreFirst,
}

/// What a vector is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparedWith {
    /// Every vector before it, also those that are dropped.
    Everything,
    /// Those before it that are kept.
    Kept,
}

/// What a duplicate is and which of several is kept.
///
/// # What `hardened` does differently, and the hole each difference closes
///
/// | constant | original | hardened | hole |
/// |---|---|---|---|
/// | `compared_with` | everything before, so that a chain of slightly different clips is dropped whole but for its first | only what is kept: what is dropped is like something that stays | chains are not resolved (3.15) |
/// | `equal_is_duplicate` | a score of exactly `1 − ε` is kept by one stage and removed by the next | it is a duplicate, once | kept/removed boundary mismatch (10.1, 12) |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicatePolicy {
    /// Name and version.
    pub name: String,
    /// Above a cosine of `1 − epsilon` a vector is a duplicate.
    pub epsilon: f32,
    /// Whether one of exactly `1 − epsilon` is.
    pub equal_is_duplicate: bool,
    /// Which of several is kept.
    pub keep: KeepOrder,
    /// What a vector is compared with.
    pub compared_with: ComparedWith,
    /// The least score: −1 keeps negative cosines, 0 does not.
    pub score_least: f32,
}

impl DuplicatePolicy {
    /// cosmos-curate's, as its deduplication counts what is kept.
    pub fn original() -> Self {
        Self {
            name: "curation/duplicates/original-1".to_owned(),
            epsilon: 0.01,
            equal_is_duplicate: false,
            keep: KeepOrder::OutliersFirst,
            compared_with: ComparedWith::Everything,
            score_least: -1.0,
        }
    }

    /// NeMo-Curator's.
    pub fn original_nemo() -> Self {
        Self {
            name: "curation/duplicates/original-nemo-1".to_owned(),
            equal_is_duplicate: true,
            score_least: 0.0,
            ..Self::original()
        }
    }

    /// The default.
    pub fn hardened() -> Self {
        Self {
            name: "curation/duplicates/hardened-1".to_owned(),
            equal_is_duplicate: true,
            compared_with: ComparedWith::Kept,
            ..Self::original()
        }
    }

    /// Whether a vector of this score is dropped.
    pub fn drops(&self, score: f32) -> bool {
        let bound = 1.0 - self.epsilon;
        score > bound || (self.equal_is_duplicate && score == bound)
    }

    /// Checks that every constant is in its range.
    ///
    /// # Errors
    /// [`crate::Error::Constant`] names the first that is not.
    pub fn validate(&self) -> Result<()> {
        within("epsilon", f64::from(self.epsilon), 0.0, 1.0)?;
        within("the least score", f64::from(self.score_least), -1.0, 0.0)?;
        Ok(())
    }

    /// The name of the table in which the field sums up a run with this ε:
    /// `dedup_summary_0.01.csv`, with six significant digits.
    pub fn summary_name(epsilon: f64) -> String {
        format!("dedup_summary_{}.csv", six_digits(epsilon))
    }
}

impl Default for DuplicatePolicy {
    fn default() -> Self {
        Self::hardened()
    }
}

/// Six significant digits without trailing zeros, as C's `%g` writes them.
fn six_digits(number: f64) -> String {
    if !number.is_finite() {
        return super::super::clip_id::shortest_decimal(number);
    }
    let scientific = format!("{number:.5e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        return trimmed(&format!("{number:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        let pairs = [
            (0.0, "0"),
            (0.123_456_789, "0.123457"),
            (1e-5, "1e-05"),
            (1e-4, "0.0001"),
            (0.000_099_999_96, "0.0001"),
            (100.0, "100"),
            (999_999.9, "1e+06"),
            (1_234_567.0, "1.23457e+06"),
            (f64::INFINITY, "inf"),
        ];
        for (number, text) in pairs {
            assert_eq!(six_digits(number), text);
        }
    }
}
