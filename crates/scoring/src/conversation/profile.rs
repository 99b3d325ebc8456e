//! Who takes part in a conversation, as far as the conversation itself says.
//!
//! A profile holds what a participant said of themselves and how much they spoke. Age, ethnicity and
//! the like are not there on purpose, and other fields of a text form are dropped when it is read:
//! they would be guesses about people.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{TagForm, normalise_tag};
use crate::{
    Error, Result,
    rules::{all_within, within},
};

/// What a conversation says of a participant. Read from text, absent lists are empty and unknown
/// fields are dropped.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ParticipantProfile {
    /// The participant's label in the conversation.
    pub participant: String,
    /// Subjects they care about.
    pub interests: Vec<String>,
    /// What they do in their free time.
    pub hobbies: Vec<String>,
    /// What they like better than something else.
    pub preferences: Vec<String>,
    /// Their part of all words spoken, 0 to 1.
    pub speaking_share: Option<f64>,
}

/// How profiles are compared, with a name and a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfilePolicy {
    /// For logs and stored verdicts.
    pub name: String,
    /// Counts up when a constant changes.
    pub version: u32,
    /// What agreement on interests counts.
    pub interests: f64,
    /// What agreement on hobbies counts.
    pub hobbies: f64,
    /// What agreement on preferences counts.
    pub preferences: f64,
    /// What agreement on the speaking share counts.
    pub speaking_share: f64,
    /// The one form in which entries and labels are compared.
    pub form: TagForm,
    /// Most entries of a list, and most profiles of a conversation.
    pub entries_most: usize,
    /// Most bytes of an entry or a label.
    pub entry_bytes_most: usize,
}

impl Default for ProfilePolicy {
    fn default() -> Self {
        Self {
            name: "conversation-profile/agreement-1".into(),
            version: 1,
            interests: 0.4,
            hobbies: 0.25,
            preferences: 0.25,
            speaking_share: 0.1,
            form: TagForm::Unicode,
            entries_most: 64,
            entry_bytes_most: 256,
        }
    }
}

impl ProfilePolicy {
    /// Checks every constant.
    ///
    /// # Errors
    /// [`Error::Constant`]: weights lie in 0 to 1 and sum to 1, entries in 1 to 4,096, bytes in 1 to
    /// 65,536.
    pub fn validate(&self) -> Result<()> {
        let sum = self.interests + self.hobbies + self.preferences + self.speaking_share;
        let constants = [
            ("interests", self.interests, 0.0, 1.0),
            ("hobbies", self.hobbies, 0.0, 1.0),
            ("preferences", self.preferences, 0.0, 1.0),
            ("speaking_share", self.speaking_share, 0.0, 1.0),
            ("the sum of the weights", sum, 1.0 - 1e-9, 1.0 + 1e-9),
            ("entries_most", self.entries_most as f64, 1.0, 4_096.0),
            (
                "entry_bytes_most",
                self.entry_bytes_most as f64,
                1.0,
                65_536.0,
            ),
        ];
        all_within(constants)
    }
}

/// How far two profiles agree, 0 to 1; nothing for what neither states.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProfileAgreement {
    /// On interests.
    pub interests: Option<f64>,
    /// On hobbies.
    pub hobbies: Option<f64>,
    /// On preferences.
    pub preferences: Option<f64>,
    /// On the speaking share.
    pub speaking_share: Option<f64>,
    /// The weighted mean of these; 0 when neither profile states anything.
    pub score: f64,
}

/// Compares two profiles of the same participant, whichever comes first.
///
/// Lists agree by `2 · |A ∩ B| / (|A| + |B|)` (Dice) over entries in their one form, each once: padding
/// a list lowers it. Shares agree by `1 − |a − b|`. A list or share that only one states agrees by 0;
/// one that neither states is left out, and the other weights are scaled to sum to 1.
///
/// ```
/// use adit_scoring::conversation::profile::{
///     ParticipantProfile, ProfilePolicy, profile_agreement,
/// };
///
/// let profile = |interests: &[&str]| ParticipantProfile {
///     interests: interests.iter().map(|entry| (*entry).to_owned()).collect(),
///     ..ParticipantProfile::default()
/// };
/// let policy = ProfilePolicy::default();
/// let left = profile(&["Jazz", "open source"]);
/// let agreement = profile_agreement(&policy, &left, &profile(&["jazz", "chess"]))?;
/// assert_eq!((agreement.interests, agreement.score), (Some(0.5), 0.5));
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooMany`] for a list or an entry that is too long, [`Error::Constant`] for the policy or
/// for a share outside 0 to 1.
pub fn profile_agreement(
    policy: &ProfilePolicy,
    left: &ParticipantProfile,
    right: &ParticipantProfile,
) -> Result<ProfileAgreement> {
    policy.validate()?;
    agreement(policy, left, right)
}

/// Compares the profiles of two descriptions of a conversation: profiles are matched by label in its
/// one form, and the score is the sum of the matched ones' agreement over the number of labels that
/// either names. Symmetric, 0 to 1. Of two profiles with the same label in one description only the
/// first is compared, and each further one counts as a label more. 0 when there are no profiles.
///
/// # Errors
/// As [`profile_agreement`], and [`Error::TooMany`] for profiles.
pub fn profiles_agreement(
    policy: &ProfilePolicy,
    left: &[ParticipantProfile],
    right: &[ParticipantProfile],
) -> Result<f64> {
    policy.validate()?;
    let (left, left_twice) = by_label(policy, left)?;
    let (right, right_twice) = by_label(policy, right)?;
    let mut sum = 0.0;
    let mut labels = right.len() + left_twice + right_twice;
    for (label, profile) in &left {
        match right.get(label) {
            Some(other) => sum += agreement(policy, profile, other)?.score,
            None => labels += 1,
        }
    }
    Ok(if labels == 0 {
        0.0
    } else {
        sum / labels as f64
    })
}

/// Each speaker's part of all words, by speaker; words stand between white space. Everybody has 0
/// when nobody says a word.
///
/// ```
/// use adit_scoring::conversation::profile::speaking_shares;
///
/// let shares = speaking_shares(&[("b", "yes"), ("a", "we met at noon"), ("b", "did you")]);
/// assert_eq!(shares, [("a", 4.0 / 7.0), ("b", 3.0 / 7.0)]);
/// ```
pub fn speaking_shares<S: Ord + Copy, L: AsRef<str>>(lines: &[(S, L)]) -> Vec<(S, f64)> {
    let mut words: BTreeMap<S, usize> = BTreeMap::new();
    for (speaker, line) in lines {
        *words.entry(*speaker).or_default() += line.as_ref().split_whitespace().count();
    }
    let sum = words.values().sum::<usize>().max(1) as f64;
    let shares = words.into_iter();
    shares
        .map(|(speaker, words)| (speaker, words as f64 / sum))
        .collect()
}

fn agreement(
    policy: &ProfilePolicy,
    left: &ParticipantProfile,
    right: &ParticipantProfile,
) -> Result<ProfileAgreement> {
    let mut agreement = ProfileAgreement {
        interests: dice(policy, &left.interests, &right.interests)?,
        hobbies: dice(policy, &left.hobbies, &right.hobbies)?,
        preferences: dice(policy, &left.preferences, &right.preferences)?,
        speaking_share: nearness(left.speaking_share, right.speaking_share)?,
        score: 0.0,
    };
    let parts = [
        (agreement.interests, policy.interests),
        (agreement.hobbies, policy.hobbies),
        (agreement.preferences, policy.preferences),
        (agreement.speaking_share, policy.speaking_share),
    ];
    let (mut sum, mut weights) = (0.0, 0.0);
    for (part, weight) in parts {
        if let Some(part) = part {
            sum += weight * part;
            weights += weight;
        }
    }
    if weights > 0.0 {
        agreement.score = (sum / weights).clamp(0.0, 1.0);
    }
    Ok(agreement)
}

fn dice(policy: &ProfilePolicy, left: &[String], right: &[String]) -> Result<Option<f64>> {
    let (left, right) = (entries(policy, left)?, entries(policy, right)?);
    let sizes = left.len() + right.len();
    if sizes == 0 {
        return Ok(None);
    }
    let common = left.intersection(&right).count();
    Ok(Some(2.0 * common as f64 / sizes as f64))
}

fn entries(policy: &ProfilePolicy, list: &[String]) -> Result<BTreeSet<String>> {
    bounded("entries of a list", list.len(), policy.entries_most)?;
    let forms = list.iter().map(|entry| form(policy, entry));
    let forms: BTreeSet<String> = forms.collect::<Result<_>>()?;
    Ok(forms.into_iter().filter(|form| !form.is_empty()).collect())
}

fn form(policy: &ProfilePolicy, text: &str) -> Result<String> {
    bounded("bytes of an entry", text.len(), policy.entry_bytes_most)?;
    Ok(normalise_tag(policy.form, text).trim().to_owned())
}

fn nearness(left: Option<f64>, right: Option<f64>) -> Result<Option<f64>> {
    for share in [left, right].into_iter().flatten() {
        within("a speaking share", share, 0.0, 1.0)?;
    }
    Ok(match (left, right) {
        (Some(left), Some(right)) => Some(1.0 - (left - right).abs()),
        (None, None) => None,
        _ => Some(0.0),
    })
}

type ByLabel<'a> = BTreeMap<String, &'a ParticipantProfile>;

/// The first profile of each label, and how many others there are.
fn by_label<'a>(
    policy: &ProfilePolicy,
    profiles: &'a [ParticipantProfile],
) -> Result<(ByLabel<'a>, usize)> {
    bounded("profiles", profiles.len(), policy.entries_most)?;
    let mut labels = ByLabel::new();
    for profile in profiles {
        labels
            .entry(form(policy, &profile.participant)?)
            .or_insert(profile);
    }
    let others = profiles.len() - labels.len();
    Ok((labels, others))
}

fn bounded(what: &'static str, found: usize, most: usize) -> Result<()> {
    if found > most {
        return Err(Error::TooMany { what, most, found });
    }
    Ok(())
}
