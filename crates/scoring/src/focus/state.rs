use serde::{Deserialize, Serialize};

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordingState {
    /// It is being made.
    InProgress,
    /// It is being scored.
    Processing,
    /// A person has to look at it.
    PendingHumanReview,
    /// It is scored, and its maker may offer it.
    Ready,
    /// It is refused.
    Rejected,
    /// It is offered for sale.
    Submitted,
    /// A miner has asked to buy it and its payment is awaited.
    PurchasePending,
    /// It is paid.
    Purchased,
}

impl RecordingState {
    /// The state's name for people outside: what a purchase does is not shown before it is paid.
    pub const fn public_name(self) -> &'static str {
        match self {
            Self::InProgress | Self::Processing => "PROCESSING",
            Self::PendingHumanReview => "PENDING_HUMAN_REVIEW",
            Self::Ready => "READY",
            Self::Rejected => "REJECTED",
            Self::Submitted | Self::PurchasePending => "SUBMITTED",
            Self::Purchased => "REWARDED",
        }
    }

    /// Whether a recording may go from this state to the next.
    pub const fn may_become(self, next: Self) -> bool {
        use RecordingState::{
            InProgress, PendingHumanReview, Processing, PurchasePending, Purchased, Ready,
            Rejected, Submitted,
        };
        matches!(
            (self, next),
            (InProgress, Processing)
                | (Processing, Ready | Rejected | PendingHumanReview)
                | (PendingHumanReview, Submitted | Rejected)
                | (Ready, Submitted)
                | (Submitted, PurchasePending)
                | (PurchasePending, Purchased | Submitted)
        )
    }
}

/// For whom a recording was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordingKind {
    /// A task of the person's own.
    User,
    /// A task whose score is multiplied.
    Boosted,
    /// A task of the marketplace.
    Marketplace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bought_recording_stays_bought() {
        let all = [
            RecordingState::InProgress,
            RecordingState::Processing,
            RecordingState::PendingHumanReview,
            RecordingState::Ready,
            RecordingState::Rejected,
            RecordingState::Submitted,
            RecordingState::PurchasePending,
            RecordingState::Purchased,
        ];
        for next in all {
            assert!(!RecordingState::Purchased.may_become(next));
            assert!(!RecordingState::Rejected.may_become(next));
            assert!(!next.may_become(next), "{next:?}");
        }
        assert!(RecordingState::PurchasePending.may_become(RecordingState::Submitted));
        assert!(!RecordingState::Submitted.may_become(RecordingState::Purchased));
    }
}
