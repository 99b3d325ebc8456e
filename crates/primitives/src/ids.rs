use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// A neuron's place in its subnet.
    Uid(u16)
}
id! {
    /// A subnet.
    NetUid(u16)
}
id! {
    /// One of a subnet's incentive mechanisms; weights of mechanism `m` live under
    /// `m · 4096 + netuid`.
    MechId(u8)
}
id! {
    /// A block number.
    Block(u64)
}

impl Block {
    /// Blocks from `earlier` to this one, 0 when `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl MechId {
    /// The index under which the chain keeps this mechanism's weights, bonds and last updates.
    ///
    /// ```
    /// # use adit_primitives::*;
    /// assert_eq!(MechId(1).storage_index(NetUid(24)), 4120);
    /// ```
    pub const fn storage_index(self, netuid: NetUid) -> u16 {
        (self.0 as u16).wrapping_mul(4096).wrapping_add(netuid.0)
    }
}

/// The hash of a block.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockHash(pub [u8; 32]);

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
