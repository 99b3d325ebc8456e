//! A chain without a node, for tests of code that is written against [`Chain`].

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use adit_primitives::{
    AxonInfo, Block, BlockHash, Hotkey, Metagraph, NetUid, Neuron, Rao, Uid, WeightVector,
};
use futures::{StreamExt as _, channel::mpsc};

use crate::{
    BlockHead, BlockStream, Chain, Error, Result, Served, WeightsOutcome, WeightsRefusal,
    preflight::{Standing, upscale},
};

/// A chain that lives in memory and does only what a test tells it to.
///
/// It keeps the chain's rules about weights (permit, rate limit, version key, count, largest
/// share), scales them as the chain does and stands still until [`FakeChain::advance`]. Handles made
/// with [`FakeChain::signed_by`] share one chain.
///
/// ```
/// # use adit_primitives::*;
/// use adit_chain::{Chain as _, testing::FakeChain};
///
/// # futures::executor::block_on(async {
/// # let parameters = SubnetParameters { tempo: 10, min_allowed_weights: 0, max_weights_limit: u16::MAX,
/// #     weights_rate_limit: 0, weights_version: 0, commit_reveal: false };
/// let empty = Metagraph::new(NetUid(1), Block(7), BlockHash::default(), parameters, vec![])?;
/// let chain = FakeChain::new(empty, Hotkey::new([1; 32]));
/// chain.advance(3);
/// assert_eq!(chain.head().await?, Block(10));
/// # Ok::<(), adit_chain::Error>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct FakeChain {
    signer: Hotkey,
    state: Arc<Mutex<State>>,
}

/// A request of the [`Chain`] seam that a script can make fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainRequest {
    /// [`Chain::metagraph`].
    Metagraph,
    /// [`Chain::head`].
    Head,
    /// [`Chain::blocks`].
    Blocks,
    /// [`Chain::serve_axon`].
    ServeAxon,
    /// [`Chain::set_weights`].
    SetWeights,
    /// [`Chain::weights_on_chain`].
    WeightsOnChain,
}

/// Weights that a [`FakeChain`] took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenWeights {
    /// The subnet.
    pub netuid: NetUid,
    /// Who set them.
    pub hotkey: Hotkey,
    /// When.
    pub block: Block,
    /// As they were sent.
    pub weights: WeightVector,
    /// The version key they came with.
    pub version_key: u64,
}

#[derive(Debug)]
struct State {
    head: Block,
    metagraphs: BTreeMap<NetUid, Metagraph>,
    stake_threshold: Rao,
    taken: Vec<TakenWeights>,
    rows: BTreeMap<(NetUid, Uid), WeightVector>,
    served: Vec<(NetUid, Hotkey, AxonInfo)>,
    failures: BTreeMap<ChainRequest, VecDeque<Error>>,
    refusals: VecDeque<WeightsRefusal>,
    followers: Vec<mpsc::UnboundedSender<Result<BlockHead>>>,
}

impl State {
    fn fail(&mut self, request: ChainRequest) -> Result<()> {
        let scripted = self
            .failures
            .get_mut(&request)
            .and_then(VecDeque::pop_front);
        scripted.map_or(Ok(()), Err)
    }

    fn subnet(&self, netuid: NetUid) -> Result<&Metagraph> {
        let found = self.metagraphs.get(&netuid);
        found.ok_or(Error::NoSuchSubnet { netuid })
    }

    fn change(&mut self, netuid: NetUid, uid: Uid, with: impl Fn(&mut Neuron)) -> Result<()> {
        let old = self.subnet(netuid)?;
        let mut neurons = old.neurons().to_vec();
        if let Some(neuron) = neurons.get_mut(usize::from(uid.0)) {
            with(neuron);
        }
        let new = Metagraph::new(netuid, old.block, old.block_hash, old.parameters, neurons)?;
        self.metagraphs.insert(netuid, new);
        Ok(())
    }

    fn standing(&self, netuid: NetUid, hotkey: Hotkey) -> Option<Standing> {
        let metagraph = self.metagraphs.get(&netuid)?;
        let neuron = metagraph.by_hotkey(&hotkey);
        Some(Standing {
            netuid,
            block: self.head,
            parameters: metagraph.parameters,
            neurons: metagraph.neurons().len(),
            hotkey,
            uid: neuron.map(|neuron| neuron.uid),
            validator_permit: neuron.is_some_and(|neuron| neuron.validator_permit),
            is_owner: false,
            last_update: neuron.map_or(Block(0), |neuron| neuron.last_update),
            stake: neuron.map(|neuron| neuron.stake),
            stake_threshold: self.stake_threshold,
        })
    }
}

impl FakeChain {
    /// A chain with one subnet, standing at the metagraph's block; `signer` is who writes.
    pub fn new(metagraph: Metagraph, signer: Hotkey) -> Self {
        let state = State {
            head: metagraph.block,
            metagraphs: BTreeMap::from([(metagraph.netuid, metagraph)]),
            stake_threshold: Rao(0),
            taken: Vec::new(),
            rows: BTreeMap::new(),
            served: Vec::new(),
            failures: BTreeMap::new(),
            refusals: VecDeque::new(),
            followers: Vec::new(),
        };
        Self {
            signer,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The same chain, written to by somebody else.
    #[must_use]
    pub fn signed_by(&self, signer: Hotkey) -> Self {
        Self {
            signer,
            state: Arc::clone(&self.state),
        }
    }

    /// Adds a subnet or replaces one.
    pub fn set_metagraph(&self, metagraph: Metagraph) {
        let mut state = self.state();
        state.metagraphs.insert(metagraph.netuid, metagraph);
    }

    /// Least stake with which weights are taken; 0 at first.
    pub fn set_stake_threshold(&self, threshold: Rao) {
        self.state().stake_threshold = threshold;
    }

    /// Makes that many blocks, one after the other.
    pub fn advance(&self, blocks: u64) {
        let mut state = self.state();
        for _ in 0..blocks {
            state.head = Block(state.head.0 + 1);
            let head = block_head(state.head);
            state
                .followers
                .retain(|follower| follower.unbounded_send(Ok(head)).is_ok());
        }
    }

    /// Makes the next request of this kind fail; several failures queue.
    pub fn fail_next(&self, request: ChainRequest, error: Error) {
        self.state()
            .failures
            .entry(request)
            .or_default()
            .push_back(error);
    }

    /// Makes the next weights be refused with this reason; several refusals queue.
    pub fn refuse_next(&self, refusal: WeightsRefusal) {
        self.state().refusals.push_back(refusal);
    }

    /// Puts an error into every open block stream.
    pub fn interrupt_blocks(&self, error: impl Fn() -> Error) {
        self.state()
            .followers
            .retain(|follower| follower.unbounded_send(Err(error())).is_ok());
    }

    /// Ends every open block stream.
    pub fn end_blocks(&self) {
        self.state().followers.clear();
    }

    /// All weights taken so far, oldest first.
    pub fn taken_weights(&self) -> Vec<TakenWeights> {
        self.state().taken.clone()
    }

    /// All axons announced so far, oldest first; repetitions are skipped as on the real client.
    pub fn served_axons(&self) -> Vec<(NetUid, Hotkey, AxonInfo)> {
        self.state().served.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn block_head(number: Block) -> BlockHead {
    BlockHead {
        number,
        hash: block_hash(number),
    }
}

fn block_hash(number: Block) -> BlockHash {
    let mut hash = [0xfa; 32];
    hash[..8].copy_from_slice(&number.0.to_le_bytes());
    BlockHash(hash)
}

fn extrinsic_hash(nth: usize) -> [u8; 32] {
    let mut hash = [0xee; 32];
    hash[..8].copy_from_slice(&(nth as u64).to_le_bytes());
    hash
}

impl Chain for FakeChain {
    async fn metagraph(&self, netuid: NetUid) -> Result<Metagraph> {
        let mut state = self.state();
        state.fail(ChainRequest::Metagraph)?;
        let mut seen = state.subnet(netuid)?.clone();
        (seen.block, seen.block_hash) = (state.head, block_hash(state.head));
        Ok(seen)
    }

    async fn head(&self) -> Result<Block> {
        let mut state = self.state();
        state.fail(ChainRequest::Head)?;
        Ok(state.head)
    }

    async fn blocks(&self) -> Result<BlockStream> {
        let mut state = self.state();
        state.fail(ChainRequest::Blocks)?;
        let (follower, blocks) = mpsc::unbounded();
        let first = futures::stream::once(futures::future::ready(Ok(block_head(state.head))));
        state.followers.push(follower);
        Ok(first.chain(blocks).boxed())
    }

    async fn serve_axon(&self, netuid: NetUid, axon: &AxonInfo) -> Result<Served> {
        let mut state = self.state();
        state.fail(ChainRequest::ServeAxon)?;
        let Some(neuron) = state.subnet(netuid)?.by_hotkey(&self.signer) else {
            return Err(Error::Refused {
                call: "SubtensorModule.serve_axon".into(),
                pallet: "SubtensorModule".into(),
                error: "HotKeyNotRegisteredInNetwork".into(),
            });
        };
        let (uid, block) = (neuron.uid, state.head);
        let axon = AxonInfo { block, ..*axon };
        let so = |old: AxonInfo| AxonInfo { block, ..old } == axon;
        if neuron.axon.is_some_and(so) {
            return Ok(Served::AlreadySo);
        }
        state.change(netuid, uid, |neuron| neuron.axon = Some(axon))?;
        state.served.push((netuid, self.signer, axon));
        Ok(Served::OnChain {
            block,
            block_hash: block_hash(block),
            extrinsic: extrinsic_hash(state.served.len()),
        })
    }

    async fn set_weights(
        &self,
        netuid: NetUid,
        weights: &WeightVector,
        version_key: u64,
    ) -> Result<WeightsOutcome> {
        let mut state = self.state();
        state.fail(ChainRequest::SetWeights)?;
        if let Some(refusal) = state.refusals.pop_front() {
            return Ok(WeightsOutcome::Refused(refusal));
        }
        let Some(standing) = state.standing(netuid, self.signer) else {
            return Ok(WeightsOutcome::Refused(WeightsRefusal::NoSuchSubnet {
                netuid,
            }));
        };
        if let Some(refusal) = standing.refusal(weights, version_key) {
            return Ok(WeightsOutcome::Refused(refusal));
        }
        let block = state.head;
        let stored = WeightVector::new(upscale(weights))?;
        if let Some(uid) = standing.uid {
            state.rows.insert((netuid, uid), stored.clone());
            state.change(netuid, uid, |neuron| neuron.last_update = block)?;
        }
        state.taken.push(TakenWeights {
            netuid,
            hotkey: self.signer,
            block,
            weights: weights.clone(),
            version_key,
        });
        Ok(WeightsOutcome::OnChain {
            block,
            block_hash: block_hash(block),
            extrinsic: extrinsic_hash(state.taken.len()),
            weights: stored,
        })
    }

    async fn weights_on_chain(&self, netuid: NetUid, uid: Uid) -> Result<WeightVector> {
        let mut state = self.state();
        state.fail(ChainRequest::WeightsOnChain)?;
        Ok(state.rows.get(&(netuid, uid)).cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
