use adit_primitives::{Hotkey, NetUid};

use super::{ChainCall, ChainValue, subtensor};

/// Shares a hotkey's stake on a subnet with up to five others, each with a proportion of
/// 2⁶⁴ − 1; signed by the owner's coldkey. In force after a cooldown.
pub fn set_children(netuid: NetUid, hotkey: Hotkey, children: &[(u64, Hotkey)]) -> ChainCall {
    let child =
        |(share, child): &(u64, Hotkey)| ChainValue::List(vec![(*share).into(), (*child).into()]);
    subtensor(
        "SubtensorModule.set_children",
        [
            ("hotkey", hotkey.into()),
            ("netuid", netuid.into()),
            (
                "children",
                ChainValue::List(children.iter().map(child).collect()),
            ),
        ],
    )
}

/// Sets what a child keeps of its parents' dividends, in 1/65535; signed by the coldkey.
pub fn set_childkey_take(netuid: NetUid, hotkey: Hotkey, take: u16) -> ChainCall {
    subtensor(
        "SubtensorModule.set_childkey_take",
        [
            ("hotkey", hotkey.into()),
            ("netuid", netuid.into()),
            ("take", take.into()),
        ],
    )
}

/// Raises what a delegate keeps of its nominators' dividends, in 1/65535; rate limited. Signed by
/// the coldkey.
pub fn increase_take(hotkey: Hotkey, take: u16) -> ChainCall {
    subtensor(
        "SubtensorModule.increase_take",
        [("hotkey", hotkey.into()), ("take", take.into())],
    )
}

/// Lowers what a delegate keeps of its nominators' dividends, in 1/65535; signed by the coldkey.
pub fn decrease_take(hotkey: Hotkey, take: u16) -> ChainCall {
    subtensor(
        "SubtensorModule.decrease_take",
        [("hotkey", hotkey.into()), ("take", take.into())],
    )
}
