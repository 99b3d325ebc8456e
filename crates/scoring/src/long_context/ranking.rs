//! Ranks of speed submissions, and the shares of a round that they earn.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::multiplier::MultiplierTable;
use crate::{Error, Result};

/// Shares of ranks 1 to 4 in the field; later ranks earn nothing.
pub const FIELD_SHARES: [f64; 4] = [0.60, 0.25, 0.10, 0.05];

/// A submission to a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpeedSubmission<Miner> {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub miner: Miner,
    /// Speed that the miner claims, in tokens per second.
    pub claimed: f64,
    /// Speed that the validator measured; none while it has not.
    pub measured: Option<f64>,
    /// Context length that it was made for, in tokens.
    pub context_tokens: u64,
    /// When it was committed to: any clock that only grows.
    pub created_at: i64,
    /// Whether its commitment was revealed.
    pub revealed: bool,
    /// Whether its logits match the reference; none while they were not compared.
    pub verified: Option<bool>,
}

/// What a round's submissions must exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SpeedBaseline {
    /// Tokens per second.
    pub speed: f64,
    /// Context length, in tokens.
    pub context_tokens: u64,
}

/// A submission's place in its round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedSubmission<Miner> {
    /// 1 for the best.
    pub rank: usize,
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub miner: Miner,
    /// Its row in the table of multipliers.
    pub league: String,
    /// That row's multiplier.
    pub multiplier: f64,
    /// Speed times multiplier.
    pub weighted_speed: f64,
    /// What it earns of the round, 0 to 1.
    pub share: f64,
}

/// Ranks by *claimed* speed, as the field does: unrevealed submissions and those whose logits failed
/// are left out (those never compared are not), as are those whose claimed speed times the multiplier
/// of their length does not exceed the baseline's. Largest first; ties by time, then by number. Each
/// submission is its own entry, so that one miner can take every paid rank, and the shares of ranks
/// that nobody takes are lost.
///
/// # Errors
/// [`Error::NotFinite`] for a claim or a baseline, [`Error::Empty`] for a table without rows.
pub fn rank_claims<Miner: Clone>(
    leagues: &MultiplierTable,
    submissions: &[SpeedSubmission<Miner>],
    baseline: Option<SpeedBaseline>,
) -> Result<Vec<RankedSubmission<Miner>>> {
    let counts = |submission: &&SpeedSubmission<Miner>| {
        submission.revealed && submission.verified != Some(false)
    };
    let claims = submissions.iter().filter(counts);
    let speeds = claims.map(|submission| (submission, submission.claimed));
    let mut entries = weigh(leagues, speeds, baseline)?;
    sort(&mut entries);
    let shares = FIELD_SHARES.iter().copied().chain(std::iter::repeat(0.0));
    Ok(place(entries, shares))
}

/// Ranks by *measured* speed, and closes the holes of [`rank_claims`]:
///
/// - what was not revealed, not measured or not verified is left out (claims and missing checks never
///   count);
/// - a measurement that is not finite or not above 0 leaves out that submission and nobody else;
/// - each miner has one entry, its best;
/// - the shares of the ranks that are taken sum to 1. `shares` are the relative shares of ranks 1 and
///   on, such as [`FIELD_SHARES`].
///
/// # Errors
/// [`Error::NotFinite`] for a baseline or a share, [`Error::Negative`] for a share, [`Error::Empty`]
/// for a table without rows.
pub fn rank_measured<Miner: Clone + Ord>(
    leagues: &MultiplierTable,
    submissions: &[SpeedSubmission<Miner>],
    baseline: Option<SpeedBaseline>,
    shares: &[f64],
) -> Result<Vec<RankedSubmission<Miner>>> {
    for share in shares {
        if !share.is_finite() {
            return Err(Error::NotFinite { what: "a share" });
        }
        if *share < 0.0 {
            return Err(Error::Negative { what: "a share" });
        }
    }
    let speeds = submissions.iter().filter_map(|submission| {
        let speed = submission.measured?;
        let counts = submission.revealed && submission.verified == Some(true);
        // A speed beyond any machine's would overflow when weighed.
        (counts && speed > 0.0 && speed < 1e300).then_some((submission, speed))
    });
    let mut entries = weigh(leagues, speeds, baseline)?;
    sort(&mut entries);
    let mut seen = BTreeSet::new();
    entries.retain(|entry| seen.insert(&entry.submission.miner));
    let taken: f64 = shares.iter().take(entries.len()).sum();
    let shares = shares
        .iter()
        .map(|share| if taken > 0.0 { share / taken } else { 0.0 });
    Ok(place(entries, shares.chain(std::iter::repeat(0.0))))
}

struct Entry<'round, Miner> {
    submission: &'round SpeedSubmission<Miner>,
    league: &'round str,
    multiplier: f64,
    weighted: f64,
}

fn weigh<'round, Miner>(
    leagues: &'round MultiplierTable,
    speeds: impl Iterator<Item = (&'round SpeedSubmission<Miner>, f64)>,
    baseline: Option<SpeedBaseline>,
) -> Result<Vec<Entry<'round, Miner>>> {
    let league = |tokens| {
        leagues.reached(tokens).ok_or(Error::Empty {
            what: "the table of multipliers",
        })
    };
    let finite = |weighted: f64| {
        if weighted.is_finite() {
            Ok(weighted)
        } else {
            Err(Error::NotFinite { what: "a speed" })
        }
    };
    let floor = match baseline {
        None => None,
        Some(baseline) => {
            let multiplier = league(baseline.context_tokens)?.multiplier;
            Some(finite(baseline.speed * multiplier)?)
        }
    };
    let mut entries = Vec::new();
    for (submission, speed) in speeds {
        let row = league(submission.context_tokens)?;
        let weighted = finite(speed * row.multiplier)?;
        if floor.is_none_or(|floor| weighted > floor) {
            entries.push(Entry {
                submission,
                league: &row.name,
                multiplier: row.multiplier,
                weighted,
            });
        }
    }
    Ok(entries)
}

fn sort<Miner>(entries: &mut [Entry<'_, Miner>]) {
    entries.sort_by(|a, b| {
        let by_time = |entry: &Entry<'_, Miner>| (entry.submission.created_at, entry.submission.id);
        // Negative and positive zero are the same speed.
        let (left, right) = (a.weighted + 0.0, b.weighted + 0.0);
        let by_speed = right.total_cmp(&left);
        by_speed.then_with(|| by_time(a).cmp(&by_time(b)))
    });
}

fn place<Miner: Clone>(
    entries: Vec<Entry<'_, Miner>>,
    shares: impl Iterator<Item = f64>,
) -> Vec<RankedSubmission<Miner>> {
    let placed = |(index, (entry, share)): (usize, (Entry<'_, Miner>, f64))| RankedSubmission {
        rank: index + 1,
        id: entry.submission.id,
        miner: entry.submission.miner.clone(),
        league: entry.league.to_owned(),
        multiplier: entry.multiplier,
        weighted_speed: entry.weighted,
        share,
    };
    entries
        .into_iter()
        .zip(shares)
        .enumerate()
        .map(placed)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(id: u64, miner: &'static str, claimed: f64) -> SpeedSubmission<&'static str> {
        SpeedSubmission {
            id,
            miner,
            claimed,
            measured: Some(claimed / 10.0),
            context_tokens: 300_000,
            created_at: 0,
            revealed: true,
            verified: Some(true),
        }
    }

    #[test]
    fn only_what_was_measured_and_verified_is_ranked_once_per_miner() {
        let leagues = MultiplierTable::leagues();
        let mut liar = submission(1, "liar", 1e9);
        liar.measured = Some(f64::NAN);
        let mut hidden = submission(2, "hidden", 1e9);
        hidden.revealed = false;
        let mut unchecked = submission(3, "unchecked", 1e9);
        unchecked.verified = None;
        let twice = [submission(4, "a", 50.0), submission(5, "a", 40.0)];
        let round: Vec<_> = [liar, hidden, unchecked, submission(6, "b", 30.0)]
            .into_iter()
            .chain(twice)
            .collect();
        let ranked = rank_measured(&leagues, &round, None, &FIELD_SHARES).unwrap();
        let places: Vec<_> = ranked.iter().map(|entry| (entry.id, entry.miner)).collect();
        assert_eq!(places, [(4, "a"), (6, "b")]);
        let paid: f64 = ranked.iter().map(|entry| entry.share).sum();
        assert!((paid - 1.0).abs() < 1e-12);
        // The field pays the liars.
        let claimed = rank_claims(&leagues, &round, None).unwrap();
        assert_eq!(claimed[0].miner, "liar");
    }

    #[test]
    fn ties_go_to_the_earlier() {
        let leagues = MultiplierTable::leagues();
        let mut late = submission(1, "late", 10.0);
        late.created_at = 7;
        let round = [late, submission(9, "c", 10.0), submission(8, "b", 10.0)];
        let ranked = rank_claims(&leagues, &round, None).unwrap();
        let ids: Vec<u64> = ranked.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [8, 9, 1]);
        let baseline = SpeedBaseline {
            speed: 10.0,
            context_tokens: 300_000,
        };
        assert!(
            rank_claims(&leagues, &round, Some(baseline))
                .unwrap()
                .is_empty()
        );
    }
}
