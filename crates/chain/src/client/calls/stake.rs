use adit_primitives::{Coldkey, Hotkey, NetUid, Rao};

use super::{ChainCall, ChainValue, subtensor};

/// Turns TAO into alpha behind a hotkey at whatever price; signed by the coldkey, as are all calls
/// of this file.
pub fn add_stake(netuid: NetUid, hotkey: Hotkey, tao: Rao) -> ChainCall {
    subtensor(
        "SubtensorModule.add_stake",
        [
            ("hotkey", hotkey.into()),
            ("netuid", netuid.into()),
            ("amount_staked", tao.into()),
        ],
    )
}

/// Turns alpha behind a hotkey into TAO at whatever price.
pub fn remove_stake(netuid: NetUid, hotkey: Hotkey, alpha: Rao) -> ChainCall {
    subtensor(
        "SubtensorModule.remove_stake",
        [
            ("hotkey", hotkey.into()),
            ("netuid", netuid.into()),
            ("amount_unstaked", alpha.into()),
        ],
    )
}

/// As [`add_stake`], but for at most `limit` rao of TAO for one alpha; with `allow_partial` as much
/// of it as that price allows, else all or nothing.
pub fn add_stake_limit(
    netuid: NetUid,
    hotkey: Hotkey,
    tao: Rao,
    limit: Rao,
    allow_partial: bool,
) -> ChainCall {
    subtensor(
        "SubtensorModule.add_stake_limit",
        [
            ("hotkey", hotkey.into()),
            ("netuid", netuid.into()),
            ("amount_staked", tao.into()),
            ("limit_price", limit.into()),
            ("allow_partial", allow_partial.into()),
        ],
    )
}

/// As [`remove_stake`], but for at least `limit` rao of TAO for one alpha; with `allow_partial` as
/// much of it as that price allows, else all or nothing.
pub fn remove_stake_limit(
    netuid: NetUid,
    hotkey: Hotkey,
    alpha: Rao,
    limit: Rao,
    allow_partial: bool,
) -> ChainCall {
    subtensor(
        "SubtensorModule.remove_stake_limit",
        [
            ("hotkey", hotkey.into()),
            ("netuid", netuid.into()),
            ("amount_unstaked", alpha.into()),
            ("limit_price", limit.into()),
            ("allow_partial", allow_partial.into()),
        ],
    )
}

/// Turns all alpha behind a hotkey on a subnet into TAO, for at least `limit` if there is one.
pub fn remove_stake_full_limit(netuid: NetUid, hotkey: Hotkey, limit: Option<Rao>) -> ChainCall {
    subtensor(
        "SubtensorModule.remove_stake_full_limit",
        [
            ("hotkey", hotkey.into()),
            ("netuid", netuid.into()),
            ("limit_price", ChainValue::option(limit.map(Into::into))),
        ],
    )
}

/// Turns all alpha behind a hotkey, on every subnet, into TAO.
pub fn unstake_all(hotkey: Hotkey) -> ChainCall {
    subtensor("SubtensorModule.unstake_all", [("hotkey", hotkey.into())])
}

/// Turns all alpha behind a hotkey, on every subnet but root, into stake on root.
pub fn unstake_all_alpha(hotkey: Hotkey) -> ChainCall {
    subtensor(
        "SubtensorModule.unstake_all_alpha",
        [("hotkey", hotkey.into())],
    )
}

/// Moves stake from one hotkey and subnet to others.
pub fn move_stake(from: (Hotkey, NetUid), to: (Hotkey, NetUid), alpha: Rao) -> ChainCall {
    subtensor(
        "SubtensorModule.move_stake",
        [
            ("origin_hotkey", from.0.into()),
            ("destination_hotkey", to.0.into()),
            ("origin_netuid", from.1.into()),
            ("destination_netuid", to.1.into()),
            ("alpha_amount", alpha.into()),
        ],
    )
}

/// Gives stake behind a hotkey to another coldkey.
pub fn transfer_stake(
    to: Coldkey,
    hotkey: Hotkey,
    from_netuid: NetUid,
    to_netuid: NetUid,
    alpha: Rao,
) -> ChainCall {
    subtensor(
        "SubtensorModule.transfer_stake",
        [
            ("destination_coldkey", to.into()),
            ("hotkey", hotkey.into()),
            ("origin_netuid", from_netuid.into()),
            ("destination_netuid", to_netuid.into()),
            ("alpha_amount", alpha.into()),
        ],
    )
}

/// Moves stake behind a hotkey from one subnet to another at whatever price.
pub fn swap_stake(hotkey: Hotkey, from: NetUid, to: NetUid, alpha: Rao) -> ChainCall {
    subtensor(
        "SubtensorModule.swap_stake",
        [
            ("hotkey", hotkey.into()),
            ("origin_netuid", from.into()),
            ("destination_netuid", to.into()),
            ("alpha_amount", alpha.into()),
        ],
    )
}

/// As [`swap_stake`], as long as the price of the one in the other is at least `limit`.
pub fn swap_stake_limit(
    hotkey: Hotkey,
    from: NetUid,
    to: NetUid,
    alpha: Rao,
    limit: Rao,
    allow_partial: bool,
) -> ChainCall {
    subtensor(
        "SubtensorModule.swap_stake_limit",
        [
            ("hotkey", hotkey.into()),
            ("origin_netuid", from.into()),
            ("destination_netuid", to.into()),
            ("alpha_amount", alpha.into()),
            ("limit_price", limit.into()),
            ("allow_partial", allow_partial.into()),
        ],
    )
}
