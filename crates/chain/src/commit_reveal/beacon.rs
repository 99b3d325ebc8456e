use std::time::Duration;

use adit_primitives::Block;

/// Blocks that a round is later than the reveal block it was predicted for, so that the chain is
/// sure to have begun the epoch when the round comes.
pub const SAFETY_BLOCKS: u64 = 3;

/// A beacon that publishes a signature for every round, at fixed times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Beacon {
    /// Compressed point of G2.
    pub public_key: [u8; 96],
    /// When round 1 was published, seconds since the Unix epoch.
    pub genesis: u64,
    /// Time between two rounds.
    pub period: Duration,
}

impl std::fmt::Debug for Beacon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = self
            .public_key
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"));
        f.debug_struct("Beacon")
            .field("public_key", &format_args!("{}…", key.collect::<String>()))
            .field("genesis", &self.genesis)
            .field("period", &self.period)
            .finish()
    }
}

impl Beacon {
    /// drand's quicknet (chain hash `52db9ba7…4e971`), by which finney and the test chain reveal.
    pub const QUICKNET: Self = Self {
        public_key: QUICKNET_KEY,
        genesis: 1_692_803_367,
        period: Duration::from_secs(3),
    };

    /// The round of a time: `⌊(time − genesis) / period⌋`, at least 1.
    ///
    /// The field counts like this everywhere, which is one less than drand's own numbers: the round
    /// is published by `time`, not after it.
    pub fn round_at(&self, since_unix: Duration) -> u64 {
        let since = since_unix.saturating_sub(Duration::from_secs(self.genesis));
        let round = since.as_nanos() / self.period.as_nanos().max(1);
        u64::try_from(round).unwrap_or(u64::MAX).max(1)
    }

    /// The round to seal for so that the chain can open it in the epoch that begins at
    /// `reveal_block`: the round of the time of [`SAFETY_BLOCKS`] blocks later.
    ///
    /// `head` is the newest block and `now` the time, since the Unix epoch, that belongs to it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use adit_chain::commit_reveal::Beacon;
    /// use adit_primitives::Block;
    ///
    /// let now = Duration::from_secs(1_795_258_226);
    /// let slot = Duration::from_secs(12);
    /// let round = Beacon::QUICKNET.round_for_block(Block(150), Block(120), now, slot);
    /// // 33 blocks of 12 seconds are 132 rounds from now.
    /// assert_eq!(round, Beacon::QUICKNET.round_at(now) + 132);
    /// ```
    pub fn round_for_block(
        &self,
        reveal_block: Block,
        head: Block,
        now: Duration,
        block_time: Duration,
    ) -> u64 {
        let target = Block(reveal_block.0.saturating_add(SAFETY_BLOCKS));
        let wait = block_time
            .as_nanos()
            .saturating_mul(target.since(head).into());
        let seconds = u64::try_from(wait / 1_000_000_000).unwrap_or(u64::MAX);
        let rest = u32::try_from(wait % 1_000_000_000).unwrap_or(0);
        self.round_at(now.saturating_add(Duration::new(seconds, rest)))
    }
}

/// `83cf0f28…ece45a`, from drand's published chain information of quicknet.
const QUICKNET_KEY: [u8; 96] = [
    0x83, 0xcf, 0x0f, 0x28, 0x96, 0xad, 0xee, 0x7e, 0xb8, 0xb5, 0xf0, 0x1f, 0xca, 0xd3, 0x91, 0x22,
    0x12, 0xc4, 0x37, 0xe0, 0x07, 0x3e, 0x91, 0x1f, 0xb9, 0x00, 0x22, 0xd3, 0xe7, 0x60, 0x18, 0x3c,
    0x8c, 0x4b, 0x45, 0x0b, 0x6a, 0x0a, 0x6c, 0x3a, 0xc6, 0xa5, 0x77, 0x6a, 0x2d, 0x10, 0x64, 0x51,
    0x0d, 0x1f, 0xec, 0x75, 0x8c, 0x92, 0x1c, 0xc2, 0x2b, 0x0e, 0x17, 0xe6, 0x3a, 0xaf, 0x4b, 0xcb,
    0x5e, 0xd6, 0x63, 0x04, 0xde, 0x9c, 0xf8, 0x09, 0xbd, 0x27, 0x4c, 0xa7, 0x3b, 0xab, 0x4a, 0xf5,
    0xa6, 0xe9, 0xc7, 0x6a, 0x4b, 0xc0, 0x9e, 0x76, 0xea, 0xe8, 0x99, 0x1e, 0xf5, 0xec, 0xe4, 0x5a,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_beyond_counting() {
        let beacon = Beacon::QUICKNET;
        assert_eq!(beacon.round_at(Duration::ZERO), 1);
        assert_eq!(beacon.round_at(Duration::from_secs(1_692_803_367)), 1);
        assert_eq!(beacon.round_at(Duration::from_secs(1_692_803_373)), 2);
        let (end, long) = (Block(u64::MAX), Duration::MAX);
        assert!(beacon.round_for_block(end, Block(0), long, long) > 1 << 60);
        let instant = Beacon {
            period: Duration::ZERO,
            ..beacon
        };
        assert!(instant.round_at(Duration::from_secs(2_000_000_000)) > 1);
        // A reveal block that has passed is for now.
        let now = Duration::from_secs(1_700_000_000);
        assert_eq!(
            beacon.round_for_block(Block(1), Block(9), now, Duration::from_secs(12)),
            beacon.round_at(now)
        );
    }
}
