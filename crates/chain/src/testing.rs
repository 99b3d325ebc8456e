//! A chain without a node, for tests of code that is written against [`Chain`].

mod commit_reveal;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use adit_primitives::{
    AxonInfo, Block, BlockHash, Hotkey, MechId, Metagraph, NetUid, Neuron, Rao, Uid, WeightVector,
};
use futures::{StreamExt as _, channel::mpsc};

use crate::{
    BlockHead, BlockStream, Chain, Error, Result, Served, WeightsCall, WeightsReceipt,
    WeightsRefusal, WeightsStanding,
};
use commit_reveal::CommitReveal;

/// A chain that lives in memory and does only what a test tells it to.
///
/// It keeps the chain's rules about weights (permit, rate limit, version key, count, largest
/// share), about commits and their epochs, scales weights as the chain does and stands still until
/// [`FakeChain::advance`]. A transaction counts at the present head. Blocks are 12 seconds apart, and
/// the beacon is always there unless [`FakeChain::hold_beacon`]. Handles made with
/// [`FakeChain::signed_by`] share one chain.
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
    /// [`Chain::weights_standing`].
    WeightsStanding,
    /// [`Chain::send_weights`].
    SendWeights,
    /// [`Chain::weights_on_chain`].
    WeightsOnChain,
}

/// Weights that a [`FakeChain`] took from a transaction: set, or revealed by their committer.
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
    rows: BTreeMap<(NetUid, MechId, Uid), WeightVector>,
    commit_reveal: CommitReveal,
    mechanisms: u8,
    sent: Vec<WeightsCall>,
    lose_next_answer: bool,
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

    fn standing(&self, netuid: NetUid, mechid: MechId, hotkey: Hotkey) -> Option<WeightsStanding> {
        let metagraph = self.metagraphs.get(&netuid)?;
        let neuron = metagraph.by_hotkey(&hotkey);
        let row = neuron.and_then(|neuron| self.rows.get(&(netuid, mechid, neuron.uid)));
        let tempo = metagraph.parameters.tempo;
        Some(WeightsStanding {
            netuid,
            mechid,
            block: self.head,
            block_hash: block_hash(self.head),
            parameters: metagraph.parameters,
            mechanisms: self.mechanisms,
            neurons: metagraph.neurons().len(),
            hotkey,
            uid: neuron.map(|neuron| neuron.uid),
            registered_at: neuron.map_or(Block(0), |neuron| neuron.registered_at),
            validator_permit: neuron.is_some_and(|neuron| neuron.validator_permit),
            is_owner: false,
            last_update: neuron.map_or(Block(0), |neuron| neuron.last_update),
            stake: neuron.map(|neuron| neuron.stake),
            stake_threshold: self.stake_threshold,
            row: row.cloned().unwrap_or_default(),
            commit_reveal: self
                .commit_reveal
                .standing(netuid, mechid, hotkey, tempo, self.head),
        })
    }

    fn take(&mut self, netuid: NetUid, hotkey: Hotkey, weights: &WeightVector, version_key: u64) {
        self.taken.push(TakenWeights {
            netuid,
            hotkey,
            block: self.head,
            weights: weights.clone(),
            version_key,
        });
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
            commit_reveal: CommitReveal::default(),
            mechanisms: 1,
            sent: Vec::new(),
            lose_next_answer: false,
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
            let stepped = state.step();
            debug_assert!(stepped.is_ok(), "{stepped:?}");
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

    /// Epochs between commit and reveal; 1 at first.
    pub fn set_reveal_period(&self, epochs: u64) {
        self.state().commit_reveal.reveal_period = epochs;
    }

    /// Mechanisms of every subnet; 1 at first.
    pub fn set_mechanisms(&self, mechanisms: u8) {
        self.state().mechanisms = mechanisms;
    }

    /// Takes hashed commits only, as a runtime without a beacon.
    pub fn forget_timelocks(&self) {
        self.state().commit_reveal.takes_timelocked = false;
    }

    /// Begins no epoch in the next blocks, as a chain that has too many at once.
    pub fn defer_epochs(&self, blocks: u64) {
        self.state().commit_reveal.deferred = blocks;
    }

    /// Makes this the newest round of the beacon that is stored, whatever the time; `None` follows
    /// the time again.
    pub fn hold_beacon(&self, last_round: Option<u64>) {
        self.state().commit_reveal.beacon_held_at = last_round;
    }

    /// Does what the next transaction about weights asks for, and loses the answer.
    pub fn lose_next_answer(&self) {
        self.state().lose_next_answer = true;
    }

    /// The newest round of the beacon that is stored.
    pub fn last_stored_round(&self) -> u64 {
        let state = self.state();
        state.commit_reveal.last_stored_round(state.head)
    }

    /// All transactions about weights that got into a block, oldest first.
    pub fn sent_weights(&self) -> Vec<WeightsCall> {
        self.state().sent.clone()
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

    async fn weights_standing(
        &self,
        netuid: NetUid,
        mechid: MechId,
        _at: Option<BlockHead>,
    ) -> Result<Option<WeightsStanding>> {
        let mut state = self.state();
        state.fail(ChainRequest::WeightsStanding)?;
        Ok(state.standing(netuid, mechid, self.signer))
    }

    async fn send_weights(
        &self,
        netuid: NetUid,
        mechid: MechId,
        call: &WeightsCall,
    ) -> Result<WeightsReceipt> {
        let mut state = self.state();
        state.fail(ChainRequest::SendWeights)?;
        if let Some(refusal) = state.refusals.pop_front() {
            return Err(Error::WeightsRefused(refusal));
        }
        state.execute(netuid, mechid, self.signer, call)?;
        state.sent.push(call.clone());
        let extrinsic = extrinsic_hash(state.sent.len());
        if std::mem::take(&mut state.lose_next_answer) {
            return Err(Error::Undetermined {
                call: "SubtensorModule".into(),
                extrinsic: BlockHash(extrinsic),
                reason: "the script lost the answer".into(),
            });
        }
        Ok(WeightsReceipt {
            head: block_head(state.head),
            extrinsic,
        })
    }

    async fn weights_on_chain(&self, netuid: NetUid, uid: Uid) -> Result<WeightVector> {
        let mut state = self.state();
        state.fail(ChainRequest::WeightsOnChain)?;
        Ok(state
            .rows
            .get(&(netuid, MechId(0), uid))
            .cloned()
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
