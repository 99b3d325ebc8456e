//! Judging task recordings of the Focus marketplace: their score, states, purchases and the emission
//! that they may take.
//!
//! People record how they do a task; recordings are scored, listed and bought by miners, and a miner's
//! weight is its share of what was spent. The formulas are those of the video system in the field
//! (OMEGA Labs, version 2.0.0). [`FocusPolicy::original`] keeps its rules, [`FocusPolicy::hardened`]
//! closes their holes:
//!
//! | rule | original | hardened | the hole |
//! |---|---|---|---|
//! | `max_final_score` | none | 1 | a boost lifts a score above every other without bound |
//! | `missing_duration` | counts as 0.12 s, too short | [`Error::Unavailable`](crate::Error) | our own lost row rejects a person's work |
//! | `missing_legitimacy` | passes | [`Error::Unavailable`](crate::Error) | whoever makes the check fail passes it |
//! | `check_marketplace` | no | yes | marketplace recordings skip uniqueness and legitimacy |
//! | [`PaymentRules`] | any transfer equal to 5 decimals, whether it succeeded or not | succeeded, final, not older than the purchase, exact | failed, old or foreign transfers pay for a purchase |
//!
//! ```
//! use adit_scoring::focus::{FocusPolicy, RecordingEvidence, RecordingState, score_recording};
//!
//! let policy = FocusPolicy::hardened();
//! let evidence = RecordingEvidence {
//!     duration_ms: Some(300_000),
//!     completion: 0.8,
//!     legitimate: Some(true),
//!     video_uniqueness: 0.4,
//!     boost: 2.5,
//!     marketplace: false,
//! };
//! let score = score_recording(&policy, &evidence)?.expect("nothing speaks against it");
//! assert_eq!((score.completion, score.final_score), (0.8, 1.0));
//! assert_eq!(policy.state_of(&Ok(score), false), RecordingState::Ready);
//! # Ok::<(), adit_scoring::Error>(())
//! ```

mod budget;
mod market;
mod novelty;
mod payment;
mod score;
mod share;
mod state;

pub use budget::{EmissionBudget, EmissionRates, purchase_cap_reached};
pub use market::{MarketRules, PurchaseFailures, listing, may_list_user_recordings};
pub use novelty::{AlignedNovelty, aligned_novelty, novelty_from_nearest, uniqueness_from_nearest};
pub use payment::{
    BlockExtrinsic, PaymentRules, Transfer, find_payment, same_amount, transfers_of,
};
pub use score::{
    FocusPolicy, MissingDuration, MissingLegitimacy, RecordingEvidence, RecordingRefusal,
    RecordingScore, score_recording, task_overview,
};
pub use share::{PurchaseShare, purchase_shares};
pub use state::{RecordingKind, RecordingState};
