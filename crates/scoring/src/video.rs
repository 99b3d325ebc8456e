//! The video mechanism: clips for a topic.
//!
//! Two policies. [`VideoPolicy::original`] states the formulas and constants of the system in the
//! field; [`original`] holds its functions one by one, equal to the digit. [`VideoPolicy::hardened`]
//! is the default and closes its holes. [`judge`] turns stored [`AnswerEvidence`] into an
//! [`AnswerVerdict`] and reads nothing else, so that a stored score can be recomputed at any time.
//!
//! # What `hardened` does differently, and the hole each difference closes
//!
//! Numbers refer to the list of known holes of the field's system.
//!
//! | difference | original | hardened | hole |
//! |---|---|---|---|
//! | `verify-every-answer` | 1 answer in 10 has one clip fetched, the others have one description re-embedded | [`verification_plan`] samples clips of *every* answer to fetch and re-embed | 1 |
//! | `one-lie-costs-all` | one matching clip vouches for eight; a mismatch costs one blow softened by an average | one clip that does not match refuses every clip: score 0 | 1 |
//! | `unreachable-never-vouches` | a clip that cannot be fetched falls back to checking its description | it is retried, the answer stays [`Standing::Pending`]; after the last attempt the clip is refused; clips that were not sampled count only when *every* sampled clip matched | 2 |
//! | `no-null-reward` | any exception leaves the score as it was, which a miner can trigger | [`judge`] is total: what is malformed scores 0 ([`AnswerRefusal::NotFinite`], [`AnswerRefusal::CrashesVerification`]) and touches nobody else | 3 |
//! | `aligned-by-place` | novelty lists fall out of step when a near-duplicate is dropped | every measure belongs to its clip's place | 4, 5 |
//! | `first-copy-survives` | the last of several near-duplicates within an answer is kept | the first is kept, and the comparison includes clips that other miners had accepted in this task | 4 |
//! | `empty-index-is-novel` | an empty index reports novelty 0, so nothing is ever accepted | novelty 1 | 8.3 |
//! | `own-embedding-of-text` | relevance and stuffing use the miner's own vectors | relevance is measured on the validator's own embedding of the description; the miner's text vector must agree with it | 6 |
//! | `one-space-relevance` | cosines across modalities of one joint model | only a cosine within one text space counts | 6 |
//! | `checked-interval` | start and end are never compared with the source | beyond the source, empty, too short, too long and overlapping intervals are refused | 7 |
//! | `no-square` | the text cosine is squared: opposites earn as much as matches | linear between two bounds, 0 below the first | 8 |
//! | `words-not-model` | a classifier guesses at stuffing | distinct-word and commonest-word shares, and only words beyond the topic's own add detail | 6 |
//! | `coverage-counts` | relevance is summed over clips and can pass 1 | the mean over *clips wanted* of scores in 0 to 1 | 8 |
//! | `own-failure-is-ours` | a failing service of the validator changes nobody's score, or zeroes everybody | the answer stays [`Standing::Pending`]: neither charged nor paid | 3, 14 |
//! | `no-negative-score` | −5 for a lie, which then sits in a normalisation it was not meant for | 0 to 1 always | 12 |

mod description;
mod evidence;
mod hardened;
mod judge;
mod number;
pub mod original;
mod plan;
mod policy;
mod verdict;

pub use description::{DescriptionMeasure, measure_description};
pub use evidence::{
    AnswerEvidence, ClipDefect, ClipEvidence, JointCosines, PairCosine, SoundComparison,
    Verification,
};
pub use judge::judge;
pub use plan::verification_plan;
pub use policy::{HardenedRules, VideoPolicy};
pub use verdict::{AnswerRefusal, AnswerVerdict, ClipRefusal, ClipVerdict, Standing};
