use std::collections::HashSet;

use adit_primitives::Rao;
use serde::{Deserialize, Serialize};

/// RAO in one TAO.
const RAO_PER_TAO: f64 = 1e9;

/// An extrinsic of a block, as far as payments are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockExtrinsic {
    /// Its hash, as the node gives it.
    pub hash: String,
    /// SS58 address of the signer; none for inherents.
    pub signer: Option<String>,
    /// The pallet called, such as `Balances`.
    pub pallet: String,
    /// The call, such as `transfer_keep_alive`.
    pub call: String,
    /// SS58 address of the recipient, where the call has one.
    pub recipient: Option<String>,
    /// The amount, where the call has one.
    pub amount: Option<Rao>,
    /// Whether its events say that it succeeded; none where they were not read.
    pub succeeded: Option<bool>,
}

/// A payment seen on the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Hash of the extrinsic.
    pub extrinsic: String,
    /// SS58 address of the payer.
    pub from: String,
    /// SS58 address of the payee.
    pub to: String,
    /// The amount.
    pub amount: Rao,
    /// Number of the block.
    pub block: u64,
    /// Whether its events say that it succeeded; none where they were not read.
    pub succeeded: Option<bool>,
    /// Whether the block is final.
    pub is_final: bool,
}

/// What counts as the payment of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRules {
    /// Decimals of a TAO to which amounts must be equal; 9 is exact.
    pub decimals: u8,
    /// Whether the extrinsic must have succeeded. Without it a failed transfer pays.
    pub must_have_succeeded: bool,
    /// Whether the block must be final.
    pub must_be_final: bool,
    /// Whether the block must not be older than the purchase. Without it any old transfer of the same
    /// amount to the same person pays.
    pub must_be_recent: bool,
}

impl PaymentRules {
    /// The rules of the system in the field.
    pub const fn original() -> Self {
        Self {
            decimals: 5,
            must_have_succeeded: false,
            must_be_final: false,
            must_be_recent: false,
        }
    }

    /// The default; [`super`] lists the holes it closes.
    pub const fn hardened() -> Self {
        Self {
            decimals: 9,
            must_have_succeeded: true,
            must_be_final: true,
            must_be_recent: true,
        }
    }
}

/// The transfers of a block from or to a wallet, in block order: `Balances.transfer`,
/// `transfer_allow_death` and `transfer_keep_alive`, signed and complete.
pub fn transfers_of(
    wallet: &str,
    block: u64,
    is_final: bool,
    extrinsics: &[BlockExtrinsic],
) -> Vec<Transfer> {
    let calls = ["transfer", "transfer_allow_death", "transfer_keep_alive"];
    let transfer = |extrinsic: &BlockExtrinsic| {
        let known = extrinsic.pallet == "Balances" && calls.contains(&&*extrinsic.call);
        let from = extrinsic.signer.as_ref().filter(|_| known)?;
        let to = extrinsic.recipient.as_ref()?;
        (from == wallet || to == wallet).then_some(())?;
        Some(Transfer {
            extrinsic: extrinsic.hash.clone(),
            from: from.clone(),
            to: to.clone(),
            amount: extrinsic.amount?,
            block,
            succeeded: extrinsic.succeeded,
            is_final,
        })
    };
    extrinsics.iter().filter_map(transfer).collect()
}

/// Whether two amounts are the same to so many decimals of a TAO. Below nine decimals both are
/// rounded as the original's language does: the decimal nearest to the binary value, ties to even.
pub fn same_amount(left: Rao, right: Rao, decimals: u8) -> bool {
    if decimals >= 9 {
        return left == right;
    }
    let rounded = |amount: Rao| format!("{:.*}", decimals.into(), amount.0 as f64 / RAO_PER_TAO);
    rounded(left) == rounded(right)
}

/// The first transfer that pays a purchase: from the payer to the payee, of the price, not used for
/// another purchase, and as the rules demand.
///
/// Transfers are looked at in the order given (the original's is the reverse of the block's).
/// `asked_at` is the block at which the miner asked to buy.
pub fn find_payment<'transfer>(
    rules: &PaymentRules,
    transfers: &'transfer [Transfer],
    from: &str,
    to: &str,
    price: Rao,
    asked_at: u64,
    used: &HashSet<String>,
) -> Option<&'transfer Transfer> {
    transfers.iter().find(|transfer| {
        transfer.from == from
            && transfer.to == to
            && same_amount(transfer.amount, price, rules.decimals)
            && !used.contains(&transfer.extrinsic)
            && (!rules.must_have_succeeded || transfer.succeeded == Some(true))
            && (!rules.must_be_final || transfer.is_final)
            && (!rules.must_be_recent || transfer.block >= asked_at)
    })
}
