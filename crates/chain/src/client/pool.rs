use std::fmt;

/// Why a node's transaction pool does not take a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRefusal {
    /// The JSON-RPC error code (1010 invalid, 1012 banned, 1014 priority too low, …).
    pub code: i64,
    /// What it stands for.
    pub reason: PoolReason,
    /// The node's words, with the name of a custom code put in.
    pub message: String,
}

/// What a pool's refusal means, told from its code and from the standard texts of Substrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoolReason {
    /// 1001: the bytes are no transaction of this runtime.
    BadFormat,
    /// 1002: the node cannot verify it now.
    Verification,
    /// 1010, "Transaction call is not expected".
    UnexpectedCall,
    /// 1010, "Inability to pay some fees": the balance is too low.
    CannotPay,
    /// 1010, "Transaction will be valid in the future".
    Future,
    /// 1010, "Transaction is outdated": the nonce is used up, or the era has ended.
    Outdated,
    /// 1010, "Transaction has a bad signature": another key, another chain, or a runtime upgrade
    /// since it was signed.
    BadSignature,
    /// 1010, "Transaction has an ancient birth block": the era has ended.
    AncientBirthBlock,
    /// 1010, "Transaction would exhaust the block limits".
    ExhaustsResources,
    /// 1010, "Invalid signing address" and what else is wrong with the sender.
    BadSigner,
    /// 1010 with a code of Subtensor's own.
    Custom(SubtensorCode),
    /// 1010 with other words.
    Invalid,
    /// 1011: the node cannot tell whether it is valid.
    Unknown,
    /// 1012: these very bytes were thrown out lately and are not taken for a while.
    Banned,
    /// 1013: the pool has these very bytes already.
    AlreadyImported,
    /// 1014: another transaction with this account and nonce is in the pool.
    PriorityTooLow,
    /// 1015: it depends on itself.
    Cycle,
    /// 1016: the pool is full.
    PoolFull,
    /// 1017 or 1018: the node would neither keep nor pass it on.
    NotKept,
    /// Any other code.
    Other,
}

/// A code of Subtensor's own, `Custom error: n` in a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubtensorCode(pub u8);

impl SubtensorCode {
    /// Its name (runtime 425), `None` for a code that came later.
    pub fn name(self) -> Option<&'static str> {
        match self.0 {
            255 => Some("BadRequest"),
            code => NAMES.get(usize::from(code)).copied(),
        }
    }
}

impl fmt::Display for SubtensorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Custom({})", self.0),
        }
    }
}

const NAMES: [&str; 28] = [
    "ColdkeyInSwapSchedule",
    "StakeAmountTooLow",
    "BalanceTooLow",
    "SubnetNotExists",
    "HotkeyAccountDoesntExist",
    "NotEnoughStakeToWithdraw",
    "RateLimitExceeded",
    "InsufficientLiquidity",
    "SlippageTooHigh",
    "TransferDisallowed",
    "HotKeyNotRegisteredInNetwork",
    "InvalidIpAddress",
    "ServingRateLimitExceeded",
    "InvalidPort",
    "ZeroMaxAmount",
    "InvalidRevealRound",
    "CommitNotFound",
    "CommitBlockNotInRevealRange",
    "InputLengthsUnequal",
    "UidNotFound",
    "EvmKeyAssociateRateLimitExceeded",
    "ColdkeySwapDisputed",
    "InvalidRealAccount",
    "FailedShieldedTxParsing",
    "InvalidShieldedTxPubKeyHash",
    "NonAssociatedColdKey",
    "DelegateTakeTooLow",
    "DelegateTakeTooHigh",
];

/// The variants of `InvalidTransaction` in their SCALE order, `Custom` (7) left out.
const INVALID: [(&str, PoolReason); 11] = [
    (
        "Transaction call is not expected",
        PoolReason::UnexpectedCall,
    ),
    ("Inability to pay some fees", PoolReason::CannotPay),
    (
        "Transaction will be valid in the future",
        PoolReason::Future,
    ),
    ("Transaction is outdated", PoolReason::Outdated),
    ("Transaction has a bad signature", PoolReason::BadSignature),
    (
        "Transaction has an ancient birth block",
        PoolReason::AncientBirthBlock,
    ),
    (
        "Transaction would exhaust the block limits",
        PoolReason::ExhaustsResources,
    ),
    ("Invalid signing address", PoolReason::BadSigner),
    (
        "The implicit data was unable to be calculated",
        PoolReason::Invalid,
    ),
    (
        "The transaction extension did not authorize any origin",
        PoolReason::BadSigner,
    ),
    ("dispatch is mandatory", PoolReason::Invalid),
];

impl PoolReason {
    /// A short name for logs and metrics; a code of Subtensor's own gives its name.
    pub fn name(self) -> String {
        match self {
            Self::Custom(code) => code.to_string(),
            other => format!("{other:?}"),
        }
    }

    /// From a byte of `InvalidTransaction` in SCALE; `custom` is the byte after it.
    pub(super) fn from_invalid(variant: u8, custom: Option<u8>) -> Self {
        match variant {
            0 => Self::UnexpectedCall,
            1 => Self::CannotPay,
            2 => Self::Future,
            3 => Self::Outdated,
            4 => Self::BadSignature,
            5 => Self::AncientBirthBlock,
            6 => Self::ExhaustsResources,
            7 => custom.map_or(Self::Invalid, |code| Self::Custom(SubtensorCode(code))),
            10 | 12 => Self::BadSigner,
            _ => Self::Invalid,
        }
    }
}

impl PoolRefusal {
    /// Reads what a node answered.
    pub fn read(code: i64, message: &str) -> Self {
        Self {
            code,
            reason: reason(code, message),
            message: name_pool_message(message),
        }
    }

    /// Whether signing anew with a fresh nonce and era can help: the transaction was refused for
    /// when it came, not for what it says.
    pub fn is_stale(&self) -> bool {
        matches!(
            self.reason,
            PoolReason::Outdated | PoolReason::AncientBirthBlock | PoolReason::PriorityTooLow
        )
    }
}

impl fmt::Display for PoolRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {}",
            self.reason.name(),
            self.code,
            self.message
        )
    }
}

fn reason(code: i64, message: &str) -> PoolReason {
    match code {
        1001 => PoolReason::BadFormat,
        1002 => PoolReason::Verification,
        1010 => match custom_code(message) {
            Some(code) => PoolReason::Custom(code),
            None => INVALID
                .iter()
                .find(|(text, _)| message.contains(text))
                .map_or(PoolReason::Invalid, |(_, reason)| *reason),
        },
        1011 => PoolReason::Unknown,
        1012 => PoolReason::Banned,
        1013 => PoolReason::AlreadyImported,
        1014 => PoolReason::PriorityTooLow,
        1015 => PoolReason::Cycle,
        1016 => PoolReason::PoolFull,
        1017 | 1018 => PoolReason::NotKept,
        _ => PoolReason::Other,
    }
}

const MARK: &str = "Custom error: ";

fn custom_code(message: &str) -> Option<SubtensorCode> {
    let (_, after) = message.split_once(MARK)?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().map(SubtensorCode)
}

/// The pool's words with the name of a custom code put in.
pub(super) fn name_pool_message(message: &str) -> String {
    let name = custom_code(message).and_then(|code| Some((code.0, code.name()?)));
    match (name, message.split_once(MARK)) {
        (Some((code, name)), Some((before, _))) => format!("{before}{MARK}{code} ({name})"),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_codes_get_their_names() {
        let named = name_pool_message("Invalid Transaction: Custom error: 12");
        assert_eq!(
            named,
            "Invalid Transaction: Custom error: 12 (ServingRateLimitExceeded)"
        );
        assert!(name_pool_message("Custom error: 255").ends_with("(BadRequest)"));
        for plain in [
            "Transaction is outdated",
            "Custom error: 99",
            "Custom error: x",
            "Custom error: 1000",
        ] {
            assert_eq!(name_pool_message(plain), plain);
        }
        let refusal = PoolRefusal::read(1010, "Invalid Transaction: Custom error: 15");
        assert_eq!(refusal.reason, PoolReason::Custom(SubtensorCode(15)));
        assert_eq!(refusal.reason.name(), "InvalidRevealRound");
        assert_eq!(SubtensorCode(27).to_string(), "DelegateTakeTooHigh");
        assert_eq!(SubtensorCode(28).to_string(), "Custom(28)");
    }

    #[test]
    fn codes_and_texts_of_a_pool_are_told_apart() {
        let cases = [
            (
                1010,
                "Invalid Transaction: Transaction is outdated",
                PoolReason::Outdated,
            ),
            (
                1010,
                "Invalid Transaction: Transaction has a bad signature",
                PoolReason::BadSignature,
            ),
            (
                1010,
                "Inability to pay some fees (e.g. account balance too low)",
                PoolReason::CannotPay,
            ),
            (
                1010,
                "Transaction has an ancient birth block",
                PoolReason::AncientBirthBlock,
            ),
            (1010, "something new", PoolReason::Invalid),
            (1011, "Unknown Transaction Validity", PoolReason::Unknown),
            (
                1012,
                "Transaction is temporarily banned",
                PoolReason::Banned,
            ),
            (
                1013,
                "Transaction Already Imported",
                PoolReason::AlreadyImported,
            ),
            (
                1014,
                "Priority is too low: (1 vs 1)",
                PoolReason::PriorityTooLow,
            ),
            (1016, "Immediately Dropped", PoolReason::PoolFull),
            (-32_603, "Internal error", PoolReason::Other),
        ];
        for (code, text, expected) in cases {
            assert_eq!(PoolRefusal::read(code, text).reason, expected, "{text}");
        }
        assert!(PoolRefusal::read(1014, "").is_stale());
        assert!(!PoolRefusal::read(1012, "").is_stale());
    }
}
