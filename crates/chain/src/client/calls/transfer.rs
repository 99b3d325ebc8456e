use adit_primitives::{AccountId, Rao};

use super::{ChainCall, ChainValue};

/// Moves TAO to another account; refused when the sender's account would fall below the existential
/// deposit (500 rao) and vanish.
pub fn transfer_keep_alive(to: AccountId, amount: Rao) -> ChainCall {
    let arguments = [("dest", ChainValue::address(to)), ("value", amount.into())];
    ChainCall::new("Balances.transfer_keep_alive", arguments)
}

/// Moves TAO to another account; the sender's vanishes, with what is left, when it falls below the
/// existential deposit.
pub fn transfer_allow_death(to: AccountId, amount: Rao) -> ChainCall {
    let arguments = [("dest", ChainValue::address(to)), ("value", amount.into())];
    ChainCall::new("Balances.transfer_allow_death", arguments)
}

/// Moves all free TAO to another account, but for the existential deposit with `keep_alive`.
pub fn transfer_all(to: AccountId, keep_alive: bool) -> ChainCall {
    let arguments = [
        ("dest", ChainValue::address(to)),
        ("keep_alive", keep_alive.into()),
    ];
    ChainCall::new("Balances.transfer_all", arguments)
}
