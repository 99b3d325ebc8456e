use serde::{Deserialize, Serialize};

use super::TagForm;
use crate::{Result, rules::within};

/// Every constant by which tags of conversations are judged and paid, with a name and a version.
///
/// [`ConversationPolicy::original`] is the system in the field; [`ConversationPolicy::hardened`], the
/// default, closes its holes ([`super`] lists how). The text form (JSON or TOML) states every
/// constant; unknown names are errors.
///
/// ```
/// use adit_scoring::conversation::ConversationPolicy;
///
/// let policy = ConversationPolicy::hardened();
/// let text = serde_json::to_string(&policy)?;
/// assert_eq!(serde_json::from_str::<ConversationPolicy>(&text)?, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationPolicy {
    /// For logs and stored verdicts.
    pub name: String,
    /// Counts up when a constant changes.
    pub version: u32,
    /// How conversations are cut.
    pub windows: WindowRules,
    /// How tags are cleaned.
    pub tags: TagRules,
    /// How an answer's tags are scored.
    pub scores: TagScoreRules,
    /// What lowers a score.
    pub penalties: TagPenaltyRules,
    /// How scores are averaged over rounds.
    pub averages: TagAverageRules,
    /// How averaged scores become weights.
    pub weights: RankWeightRules,
}

/// How a conversation is cut into windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowRules {
    /// Lines kept of a conversation, from its start; 0 keeps all.
    pub lines_most: usize,
    /// Lines of a window.
    pub size: usize,
    /// Lines that neighbouring windows share.
    pub overlap: usize,
    /// With fewer windows than this, the fallback cuts.
    pub windows_least: usize,
    /// Lines of a window of the fallback.
    pub fallback_size: usize,
    /// Lines that neighbouring windows of the fallback share. Not less than the size means one window.
    pub fallback_overlap: usize,
    /// Minimum of windows where a task states none.
    pub minimum: usize,
    /// Whether there must be more windows than the minimum.
    pub more_than_minimum: bool,
}

/// How tags are cleaned and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagRules {
    /// The one form of a tag.
    pub form: TagForm,
    /// Fewest characters of a clean tag.
    pub length_least: usize,
    /// Most characters of a clean tag.
    pub length_most: usize,
    /// From so many clean tags on, so many are chosen at random.
    pub sample_most: usize,
    /// Characters of a tag in the question to a language model.
    pub asked_length_most: usize,
    /// Whether a reply that names no malformed tags loses its last character.
    pub unmarked_reply_loses_last: bool,
    /// Whether a checked tag may be spelled in any way, instead of in its one form only; line ends
    /// then separate tags in a reply.
    pub any_spelling: bool,
}

/// How an answer's tags are scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagScoreRules {
    /// Whether tags are brought to their one form ([`TagForm`]) before they are compared.
    pub normalised: bool,
    /// Vectors of the ground truth that make the neighbourhood; none means all.
    pub neighbourhood_most: Option<usize>,
    /// Whether unusable vectors of the ground truth are left out and the others scaled to length 1.
    pub unit_neighbourhood: bool,
    /// Different tags of an answer that are scored.
    pub scored_most: usize,
    /// What a vector without a direction does.
    pub unusable: UnusableVector,
    /// From this cosine on two tags are one; none compares letters only.
    pub near_duplicate: Option<f64>,
    /// Whether the best scores are sought among all tags, instead of among those that the ground
    /// truth lacks.
    pub top_of_all: bool,
    /// How many best scores are averaged, zeros filling up.
    pub top: usize,
    /// Weight of the mean of the best scores.
    pub top_weight: f64,
    /// Weight of the median.
    pub median_weight: f64,
    /// Weight of the mean.
    pub mean_weight: f64,
    /// Weight of the largest score.
    pub max_weight: f64,
    /// Share of coverage in the adjusted score, 0 to 1; the weighted statistics have the rest.
    pub coverage_share: f64,
    /// Whether scores are held to 0 to 1.
    pub clipped: bool,
    /// Fewest tags for conversations and web pages.
    pub tags_least: usize,
    /// Fewest tags for surveys and named entities.
    pub tags_least_short: usize,
    /// Whether the fewest are counted among different tags.
    pub least_counts_distinct: bool,
}

/// What a cosine with a vector that has no direction, being zero or not finite, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnusableVector {
    /// NaN, which spoils every statistic it enters: the field's lists.
    Poisons,
    /// 0 for a zero vector, else NaN: the field's arrays.
    PoisonsUnlessZero,
    /// 0.
    CountsZero,
}

/// What an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaggingTask {
    /// A window of a conversation.
    Conversation,
    /// A web page.
    Webpage,
    /// A survey's answer.
    Survey,
    /// Names in a document, which go without penalties.
    NamedEntities,
}

/// Factors that lower a score, each 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagPenaltyRules {
    /// Factor when no tag is shared with the ground truth.
    pub none_shared: f64,
    /// Below this, the largest score is low.
    pub low_max_below: f64,
    /// Factor when the largest score is low.
    pub low_max: f64,
    /// Below so many different tags they are few.
    pub few_tags_below: usize,
    /// Factor when tags are few.
    pub few_tags: f64,
    /// Factor by how many tags the ground truth lacks: the first for none, and so on; more than
    /// listed cost nothing.
    pub few_unique: Vec<f64>,
}

/// How scores are averaged over rounds, and made steeper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagAverageRules {
    /// Share of the newest score.
    pub alpha: f64,
    /// What `alpha` is multiplied with where the newest score is 0.
    pub zero_alpha_factor: f64,
    /// Power of the averages' shares.
    pub power: f64,
    /// Whether a round that does not fit (a missing uid, unequal lengths, a reward that is not
    /// finite) is refused, instead of changing nothing or spreading.
    pub strict: bool,
    /// Whether uids beyond the averages start new ones at 0.
    pub grows: bool,
    /// Whether everybody scores the same when nobody has anything, instead of nothing.
    pub idle_is_uniform: bool,
}

/// How averaged scores become weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankWeightRules {
    /// By what weights are given.
    pub shape: WeightShape,
    /// Weight of the middle of the last place, where ranks count.
    pub low: f64,
    /// What the first place can have on top, where ranks count.
    pub spread: f64,
    /// Share that goes to the uid that burns, 0 to 1.
    pub burn_rate: f64,
}

/// By what weights are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightShape {
    /// By rank alone, on a cubic curve; equal scores are ranked at random.
    RankCubic,
    /// In proportion to the scores.
    Proportional,
}

impl ConversationPolicy {
    /// The system in the field.
    pub fn original() -> Self {
        Self {
            name: "conversation/original".to_owned(),
            version: 1,
            windows: WindowRules {
                lines_most: 300,
                size: 10,
                overlap: 2,
                windows_least: 2,
                fallback_size: 2,
                fallback_overlap: 2,
                minimum: 1,
                more_than_minimum: true,
            },
            tags: TagRules {
                form: TagForm::AsciiWords,
                length_least: 3,
                length_most: 64,
                sample_most: 20,
                asked_length_most: 50,
                unmarked_reply_loses_last: true,
                any_spelling: false,
            },
            scores: TagScoreRules {
                normalised: false,
                neighbourhood_most: None,
                unit_neighbourhood: false,
                scored_most: 21,
                unusable: UnusableVector::Poisons,
                near_duplicate: None,
                top_of_all: false,
                top: 3,
                top_weight: 0.55,
                median_weight: 0.10,
                mean_weight: 0.25,
                max_weight: 0.10,
                coverage_share: 0.0,
                clipped: false,
                tags_least: 3,
                tags_least_short: 1,
                least_counts_distinct: false,
            },
            penalties: TagPenaltyRules {
                none_shared: 0.9,
                low_max_below: 0.2,
                low_max: 0.5,
                few_tags_below: 2,
                few_tags: 0.2,
                few_unique: vec![0.85, 0.9, 0.95],
            },
            averages: TagAverageRules {
                alpha: 0.1,
                zero_alpha_factor: 0.5,
                power: 3.0,
                strict: false,
                grows: false,
                idle_is_uniform: true,
            },
            weights: RankWeightRules {
                shape: WeightShape::RankCubic,
                low: 0.001,
                spread: 0.002,
                burn_rate: 0.9,
            },
        }
    }

    /// The default policy.
    pub fn hardened() -> Self {
        let original = Self::original();
        Self {
            name: "conversation/hardened".to_owned(),
            version: 1,
            windows: WindowRules {
                more_than_minimum: false,
                ..original.windows
            },
            tags: TagRules {
                form: TagForm::Unicode,
                length_least: 2,
                unmarked_reply_loses_last: false,
                any_spelling: true,
                ..original.tags
            },
            scores: TagScoreRules {
                normalised: true,
                unit_neighbourhood: true,
                scored_most: 20,
                unusable: UnusableVector::CountsZero,
                near_duplicate: Some(0.95),
                top_of_all: true,
                coverage_share: 0.4,
                clipped: true,
                least_counts_distinct: true,
                ..original.scores
            },
            penalties: TagPenaltyRules {
                few_unique: Vec::new(),
                ..original.penalties
            },
            averages: TagAverageRules {
                strict: true,
                grows: true,
                idle_is_uniform: false,
                ..original.averages
            },
            weights: RankWeightRules {
                shape: WeightShape::Proportional,
                burn_rate: 0.0,
                ..original.weights
            },
        }
    }

    /// Checks that every constant is finite and in its range.
    ///
    /// # Errors
    /// [`Error::Constant`](crate::Error::Constant) names the first that is not.
    pub fn validate(&self) -> Result<()> {
        let (scores, penalties) = (&self.scores, &self.penalties);
        let shares = [
            ("coverage_share", scores.coverage_share),
            ("none_shared", penalties.none_shared),
            ("low_max", penalties.low_max),
            ("few_tags", penalties.few_tags),
            ("alpha", self.averages.alpha),
            ("zero_alpha_factor", self.averages.zero_alpha_factor),
            ("burn_rate", self.weights.burn_rate),
        ];
        let few_unique = penalties.few_unique.iter();
        for (name, value) in shares
            .into_iter()
            .chain(few_unique.map(|factor| ("few_unique", *factor)))
        {
            within(name, value, 0.0, 1.0)?;
        }
        let weights = [
            ("top_weight", scores.top_weight),
            ("median_weight", scores.median_weight),
            ("mean_weight", scores.mean_weight),
            ("max_weight", scores.max_weight),
            ("power", self.averages.power),
            ("low", self.weights.low),
            ("spread", self.weights.spread),
        ];
        for (name, value) in weights {
            within(name, value, 0.0, 1e6)?;
        }
        within("low_max_below", penalties.low_max_below, -1.0, 1.0)?;
        within(
            "near_duplicate",
            scores.near_duplicate.unwrap_or(1.0),
            -1.0,
            1.0,
        )?;
        within("top", scores.top as f64, 1.0, 1e6)?;
        within("size", self.windows.size as f64, 1.0, 1e9)?;
        Ok(())
    }
}

impl Default for ConversationPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}

impl TagScoreRules {
    /// Fewest tags of an answer for the task.
    pub const fn tags_least(&self, task: TaggingTask) -> usize {
        match task {
            TaggingTask::Conversation | TaggingTask::Webpage => self.tags_least,
            TaggingTask::Survey | TaggingTask::NamedEntities => self.tags_least_short,
        }
    }
}

impl TaggingTask {
    /// Whether penalties lower scores of this task.
    pub const fn is_penalised(self) -> bool {
        !matches!(self, Self::NamedEntities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn constants_out_of_range_are_named() {
        let mut policy = ConversationPolicy::hardened();
        policy.scores.coverage_share = f64::NAN;
        assert!(matches!(
            policy.validate(),
            Err(Error::Constant {
                name: "coverage_share",
                ..
            })
        ));
        let mut policy = ConversationPolicy::original();
        policy.penalties.few_unique.push(1.5);
        assert!(matches!(
            policy.validate(),
            Err(Error::Constant {
                name: "few_unique",
                ..
            })
        ));
    }
}
