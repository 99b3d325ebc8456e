//! Judging tags of conversation windows: windows, tags, likeness, penalties, ranks, profiles, the Boring Index.
//!
//! A validator tags a whole conversation itself, cuts it into windows ([`conversation_windows`]) and
//! sends windows to miners, who answer with tags. Tags are cleaned ([`clean_tags`]), checked
//! ([`checked_tags`]) and embedded by the validator, then judged ([`evaluate`]) by their likeness to
//! the ground truth ([`TagReference`]). Scores are averaged over rounds ([`update_tag_averages`]) and
//! become weights ([`ranked_weights`]).
//!
//! # What `hardened` does differently, and the hole each difference closes
//!
//! Numbers refer to the list of known holes of the field's system (ReadyAI, SN33).
//!
//! | difference | original | hardened | hole |
//! |---|---|---|---|
//! | `one-form-for-both-sides` | tags with capitals, hyphens or other scripts can never match the ground truth | both sides in one form ([`TagForm::Unicode`]) | 5 |
//! | `no-lost-character` | a reply without "malformed" loses its last character | it is read whole | 6 |
//! | `twins-merge` | white-space twins and paraphrases count as different tags | all white space is one space; tags of nearly the same direction are one | 7, 8 |
//! | `coverage-counts` | a few tags at the centre of the ground truth are best | 0.4 of the score is how much of the ground truth the tags reach | 8 |
//! | `matching-is-not-punished` | the best scores are sought among tags that the ground truth lacks, and fewer than 3 of those cost 5 to 15 % | sought among all; only sharing nothing costs | 8 |
//! | `distinct-minimum` | repeats count towards the fewest tags | different tags count | 8 |
//! | `poison-stays-local` | a zero or NaN vector spoils the whole answer | it counts 0 itself | 9 |
//! | `held-to-range` | negative scores are possible | 0 to 1 | 9 |
//! | `failed-embedding-is-left-out` | one failed embedding of the ground truth loses the round | it is left out | 2 |
//! | `averages-grow` | a batch with a new uid is dropped whole | the uid begins at 0; what does not fit is an error | 10 |
//! | `nothing-for-nothing` | without any average everybody scores the same | nobody scores | 11 |
//! | `magnitude-counts` | weights follow rank alone, at most 3 to 1, 90 % burnt | in proportion to the cubed averages, nothing burnt | 12 |
//! | `short-conversations-count` | 10 lines or fewer are dropped after they were paid for | they are one window | – |
//! | `short-words-count` | tags need 3 characters | 2, a common length of words in Chinese and Japanese | 5 |

mod averages;
pub mod boring;
mod evaluate;
pub mod legacy;
mod likeness;
mod policy;
pub mod profile;
mod rank_weights;
mod statistics;
mod tag;
mod tag_check;
mod tag_set;
mod window;

pub use averages::{TagAverages, update_tag_averages};
pub use evaluate::{TagReference, TagVector, TagVerdict, evaluate, evaluate_all};
pub use likeness::{TagCentre, TagComponent, semantic_neighbourhood, tag_similarity};
pub use policy::{
    ConversationPolicy, RankWeightRules, TagAverageRules, TagPenaltyRules, TagRules, TagScoreRules,
    TaggingTask, UnusableVector, WeightShape, WindowRules,
};
pub use rank_weights::{cubic_rank_weight, ranked_weights};
pub use statistics::{TagStatistics, adjusted_score, penalised_score, tag_statistics};
pub use tag::{TagComparison, TagForm, clean_tags, compare_tags, normalise_tag, split_tags};
pub use tag_check::{checked_tags, sample_tags, tags_to_check};
pub use window::{Windows, conversation_windows, lines_kept};
