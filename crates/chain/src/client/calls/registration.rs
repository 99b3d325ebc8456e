use adit_primitives::{Hotkey, NetUid, Rao};

use super::{ChainCall, ChainValue, subtensor};

/// Buys a place in a subnet at whatever it costs; signed by the coldkey.
pub fn burned_register(netuid: NetUid, hotkey: Hotkey) -> ChainCall {
    subtensor(
        "SubtensorModule.burned_register",
        [("netuid", netuid.into()), ("hotkey", hotkey.into())],
    )
}

/// Buys a place in a subnet for at most a price; signed by the coldkey. Runtimes from 425 on.
pub fn register_limit(netuid: NetUid, hotkey: Hotkey, limit: Rao) -> ChainCall {
    subtensor(
        "SubtensorModule.register_limit",
        [
            ("netuid", netuid.into()),
            ("hotkey", hotkey.into()),
            ("limit_price", limit.into()),
        ],
    )
}

/// Takes a place on the root network, from the neuron with the least stake if need be; signed by
/// the coldkey.
pub fn root_register(hotkey: Hotkey) -> ChainCall {
    subtensor("SubtensorModule.root_register", [("hotkey", hotkey.into())])
}

/// Moves everything of one hotkey to a new one, on one subnet or on all; signed by the coldkey.
pub fn swap_hotkey(old: Hotkey, new: Hotkey, netuid: Option<NetUid>) -> ChainCall {
    subtensor(
        "SubtensorModule.swap_hotkey",
        [
            ("hotkey", old.into()),
            ("new_hotkey", new.into()),
            ("netuid", ChainValue::option(netuid.map(Into::into))),
        ],
    )
}
