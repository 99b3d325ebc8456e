use std::{net::SocketAddr, path::PathBuf, time::Duration};

use adit_primitives::{AccountId, NetUid, Rao};

use crate::{Error, Result};

/// What a local chain starts from.
///
/// Everything but `listen`, `block_time`, `finality_lag`, `database` and `faults` goes into the genesis
/// state, so chains with different networks or funds have different genesis hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevnetConfig {
    /// Address of the JSON-RPC server, for WebSocket and HTTP alike; port 0 takes a free port.
    pub listen: SocketAddr,
    /// Time between blocks; at least a millisecond.
    pub block_time: Duration,
    /// Blocks by which finality follows the head; 0 makes every block final at once.
    pub finality_lag: u32,
    /// The file the chain is kept in; `None` keeps it in memory. Created when missing; otherwise
    /// the chain goes on where it stopped, and must have the same genesis.
    pub database: Option<PathBuf>,
    /// Whether the `devnet_…` methods are there, by which tests steer the chain and make things go
    /// wrong; false.
    pub faults: bool,
    /// Accounts with free TAO at genesis.
    pub funded: Vec<(AccountId, Rao)>,
    /// Subnets that exist from genesis; the root network (netuid 0) always does.
    pub subnets: Vec<SubnetConfig>,
    /// Least stake for setting weights.
    pub stake_threshold: Rao,
    /// Seconds between two rounds of the chain's beacon, by which sealed weights open; 0 for no
    /// beacon. Round 1 is published with the first block.
    pub drand_period: u32,
    /// What the beacon's key is made from.
    pub drand_seed: [u8; 32],
    /// Whether `serve_axon` takes 127.0.0.1 and ::1. The live chain refuses both; a localnet on
    /// one machine has nothing else to announce.
    pub allow_loopback_axons: bool,
}

impl Default for DevnetConfig {
    /// Blocks every 250 ms on port 9944 of loopback, in memory, subnet 1, the well-known
    /// development accounts funded as on the reference local chain.
    fn default() -> Self {
        let rich = Rao(1_000_000_000_000_000);
        let poor = Rao(2_000_000_000_000);
        let funded = [
            (ALICE, rich),
            (BOB, rich),
            (CHARLIE, rich),
            (DAVE, poor),
            (EVE, poor),
            (FERDIE, poor),
        ];
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9944)),
            block_time: Duration::from_millis(250),
            finality_lag: 0,
            database: None,
            faults: false,
            funded: funded
                .map(|(key, amount)| (AccountId::new(key), amount))
                .to_vec(),
            subnets: vec![SubnetConfig::new(NetUid(1))],
            stake_threshold: Rao(0),
            drand_period: 0,
            drand_seed: [0x61; 32],
            allow_loopback_axons: true,
        }
    }
}

impl DevnetConfig {
    /// Checks what the chain could not start from.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a block time below a millisecond, the root network or one subnet
    /// twice among `subnets`, a tempo of 0, no room for neurons or validators, or a number of
    /// mechanisms or a reveal period out of bounds.
    pub fn validate(&self) -> Result<()> {
        let refuse = |what| Err(Error::Invalid { what });
        if self.block_time < Duration::from_millis(1) {
            return refuse("block time below 1 ms");
        }
        for (index, subnet) in self.subnets.iter().enumerate() {
            if subnet.netuid.0 == 0 {
                return refuse("netuid 0 is the root network");
            }
            let mut before = self.subnets.iter().take(index);
            if before.any(|other| other.netuid == subnet.netuid) {
                return refuse("a netuid is named twice");
            }
            if subnet.tempo == 0 {
                return refuse("tempo 0");
            }
            if subnet.max_uids == 0 || subnet.max_validators == 0 {
                return refuse("a subnet without room");
            }
            if subnet.neurons > subnet.max_uids {
                return refuse("more neurons than the subnet has room for");
            }
            if !(1..=8).contains(&subnet.mechanisms) {
                return refuse("a subnet has 1 to 8 mechanisms");
            }
            if !(1..=100).contains(&subnet.reveal_period) {
                return refuse("a reveal period has 1 to 100 epochs");
            }
        }
        Ok(())
    }
}

/// One subnet's hyperparameters at genesis. Defaults suit 250 ms blocks; the live chain's, where
/// they differ, are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubnetConfig {
    /// The subnet, not 0.
    pub netuid: NetUid,
    /// Blocks between epochs; 20 (live: 360).
    pub tempo: u16,
    /// Blocks between two `set_weights` of one validator; 5 (live: 100).
    pub weights_rate_limit: u64,
    /// Blocks between two `serve_axon` of one hotkey; 5 (live: 50).
    pub serving_rate_limit: u64,
    /// Least version key of weights; 0 takes all.
    pub weights_version: u64,
    /// Fewest weights in a row, never more than there are neurons; 1 (live: 1024).
    pub min_allowed_weights: u16,
    /// Largest share of one weight, in 1/65535; 65535 is no limit.
    pub max_weights_limit: u16,
    /// Neurons with a validator permit; 128.
    pub max_validators: u16,
    /// Neurons; 256.
    pub max_uids: u16,
    /// Blocks for which a new neuron is spared from pruning; 4096.
    pub immunity_period: u16,
    /// Registrations in one block; 64 (live: 1).
    pub max_registrations_per_block: u16,
    /// Price of the first registration; 0.1 TAO. It rises by 26 % with each and decays.
    pub burn: Rao,
    /// Registrations the subnet aims for in 100 blocks; three times as many are taken, then the
    /// pool refuses further ones; 1000 (live: 2).
    pub target_registrations: u16,
    /// Whether weights must be committed and revealed, and `set_weights` is refused; false (live:
    /// true).
    pub commit_reveal_enabled: bool,
    /// Epochs between a commit and its reveal; 1, as live.
    pub reveal_period: u64,
    /// Mechanisms, each with weights of its own; 1, as live.
    pub mechanisms: u8,
    /// Neurons that are registered from genesis, at most `max_uids`; 0. Uid `i` has the hotkey
    /// `//hotkey{i}` and the coldkey `//coldkey{i / 8}`; the first quarter are validators with stake
    /// and weights, the others announce an axon.
    pub neurons: u16,
}

impl SubnetConfig {
    /// The default hyperparameters under `netuid`.
    pub fn new(netuid: NetUid) -> Self {
        Self {
            netuid,
            tempo: 20,
            weights_rate_limit: 5,
            serving_rate_limit: 5,
            weights_version: 0,
            min_allowed_weights: 1,
            max_weights_limit: u16::MAX,
            max_validators: 128,
            max_uids: 256,
            immunity_period: 4096,
            max_registrations_per_block: 64,
            burn: Rao(100_000_000),
            target_registrations: 1000,
            commit_reveal_enabled: false,
            reveal_period: 1,
            mechanisms: 1,
            neurons: 0,
        }
    }
}
/// `//Alice` (sr25519) of the well-known development phrase.
pub(crate) const ALICE: [u8; 32] = [
    0xd4, 0x35, 0x93, 0xc7, 0x15, 0xfd, 0xd3, 0x1c, 0x61, 0x14, 0x1a, 0xbd, 0x04, 0xa9, 0x9f, 0xd6,
    0x82, 0x2c, 0x85, 0x58, 0x85, 0x4c, 0xcd, 0xe3, 0x9a, 0x56, 0x84, 0xe7, 0xa5, 0x6d, 0xa2, 0x7d,
];
/// `//Bob` (sr25519) of the well-known development phrase.
const BOB: [u8; 32] = [
    0x8e, 0xaf, 0x04, 0x15, 0x16, 0x87, 0x73, 0x63, 0x26, 0xc9, 0xfe, 0xa1, 0x7e, 0x25, 0xfc, 0x52,
    0x87, 0x61, 0x36, 0x93, 0xc9, 0x12, 0x90, 0x9c, 0xb2, 0x26, 0xaa, 0x47, 0x94, 0xf2, 0x6a, 0x48,
];
/// `//Charlie` (sr25519) of the well-known development phrase.
const CHARLIE: [u8; 32] = [
    0x90, 0xb5, 0xab, 0x20, 0x5c, 0x69, 0x74, 0xc9, 0xea, 0x84, 0x1b, 0xe6, 0x88, 0x86, 0x46, 0x33,
    0xdc, 0x9c, 0xa8, 0xa3, 0x57, 0x84, 0x3e, 0xea, 0xcf, 0x23, 0x14, 0x64, 0x99, 0x65, 0xfe, 0x22,
];
/// `//Dave` (sr25519) of the well-known development phrase.
const DAVE: [u8; 32] = [
    0x30, 0x67, 0x21, 0x21, 0x1d, 0x54, 0x04, 0xbd, 0x9d, 0xa8, 0x8e, 0x02, 0x04, 0x36, 0x0a, 0x1a,
    0x9a, 0xb8, 0xb8, 0x7c, 0x66, 0xc1, 0xbc, 0x2f, 0xcd, 0xd3, 0x7f, 0x3c, 0x22, 0x22, 0xcc, 0x20,
];
/// `//Eve` (sr25519) of the well-known development phrase.
const EVE: [u8; 32] = [
    0xe6, 0x59, 0xa7, 0xa1, 0x62, 0x8c, 0xdd, 0x93, 0xfe, 0xbc, 0x04, 0xa4, 0xe0, 0x64, 0x6e, 0xa2,
    0x0e, 0x9f, 0x5f, 0x0c, 0xe0, 0x97, 0xd9, 0xa0, 0x52, 0x90, 0xd4, 0xa9, 0xe0, 0x54, 0xdf, 0x4e,
];
/// `//Ferdie` (sr25519) of the well-known development phrase.
const FERDIE: [u8; 32] = [
    0x1c, 0xbd, 0x2d, 0x43, 0x53, 0x0a, 0x44, 0x70, 0x5a, 0xd0, 0x88, 0xaf, 0x31, 0x3e, 0x18, 0xf8,
    0x0b, 0x53, 0xef, 0x16, 0xb3, 0x61, 0x77, 0xcd, 0x4b, 0x77, 0xb8, 0x46, 0xf2, 0xa5, 0xf0, 0x7c,
];
