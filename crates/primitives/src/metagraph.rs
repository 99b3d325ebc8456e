use serde::{Deserialize, Serialize};

use crate::{AxonInfo, Block, BlockHash, Coldkey, Error, Hotkey, NetUid, Rao, Result, Uid};

/// One neuron as the chain shows it. The `u16` shares are in units of 1/65535.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neuron {
    /// Its place in the subnet.
    pub uid: Uid,
    /// The key it signs with.
    pub hotkey: Hotkey,
    /// The key that owns it.
    pub coldkey: Coldkey,
    /// Where it listens, when it says so.
    pub axon: Option<AxonInfo>,
    /// Stake behind it in this subnet.
    pub stake: Rao,
    /// Whether it may set weights on others.
    pub validator_permit: bool,
    /// Whether it set weights recently enough to count.
    pub active: bool,
    /// Share of the miners' side of the emission, 1/65535.
    pub incentive: u16,
    /// Share of the validators' side of the emission, 1/65535.
    pub dividends: u16,
    /// Stake-weighted median of the weights given to it, 1/65535.
    pub consensus: u16,
    /// How far its weights agree with consensus (vtrust), 1/65535.
    pub validator_trust: u16,
    /// Emission at the last epoch.
    pub emission: Rao,
    /// Block of its last weights.
    pub last_update: Block,
    /// Block of its registration.
    pub registered_at: Block,
}

impl Neuron {
    /// Whether it announces an address others can call.
    pub fn is_serving(&self) -> bool {
        self.axon.is_some_and(|axon| axon.is_serving())
    }
}

/// The hyperparameters that decide what a validator may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetParameters {
    /// Blocks between epochs.
    pub tempo: u16,
    /// Fewest weights in one vector.
    pub min_allowed_weights: u16,
    /// Largest share one weight may have of the sum, 1/65535.
    pub max_weights_limit: u16,
    /// Blocks between two weight vectors of one validator.
    pub weights_rate_limit: u64,
    /// Lowest version key accepted; 0 accepts all.
    pub weights_version: u64,
    /// Whether weights must be committed first and revealed later.
    pub commit_reveal: bool,
}

/// All neurons of one subnet at one block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metagraph {
    /// The subnet.
    pub netuid: NetUid,
    /// The block this is a picture of.
    pub block: Block,
    /// Its hash.
    pub block_hash: BlockHash,
    /// The subnet's hyperparameters at that block.
    pub parameters: SubnetParameters,
    neurons: Vec<Neuron>,
}

impl Metagraph {
    /// Puts a snapshot together.
    ///
    /// # Errors
    /// [`Error::MetagraphOrder`] unless neuron `i` has uid `i`.
    pub fn new(
        netuid: NetUid,
        block: Block,
        block_hash: BlockHash,
        parameters: SubnetParameters,
        neurons: Vec<Neuron>,
    ) -> Result<Self> {
        for (place, neuron) in neurons.iter().enumerate() {
            if usize::from(neuron.uid.0) != place {
                let expected = Uid(u16::try_from(place).unwrap_or(u16::MAX));
                return Err(Error::MetagraphOrder {
                    netuid,
                    expected,
                    found: neuron.uid,
                });
            }
        }
        Ok(Self {
            netuid,
            block,
            block_hash,
            parameters,
            neurons,
        })
    }

    /// The neurons in uid order.
    pub fn neurons(&self) -> &[Neuron] {
        &self.neurons
    }

    /// The neuron at a uid.
    pub fn neuron(&self, uid: Uid) -> Option<&Neuron> {
        self.neurons.get(usize::from(uid.0))
    }

    /// The neuron that holds a hotkey.
    pub fn by_hotkey(&self, hotkey: &Hotkey) -> Option<&Neuron> {
        self.neurons.iter().find(|neuron| neuron.hotkey == *hotkey)
    }
}
