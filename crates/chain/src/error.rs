use std::{borrow::Cow, path::PathBuf, time::Duration};

use adit_primitives::{Block, BlockHash, MechId, NetUid, Rao, Uid, WeightVector};

/// An error of a library that is not part of this crate's interface.
pub type ForeignError = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong between a neuron and a chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No endpoint was given.
    #[error("no chain endpoint is configured")]
    NoEndpoint,
    /// The text is not a WebSocket URL.
    #[error("{endpoint:?} is not a ws:// or wss:// URL")]
    Endpoint {
        /// The offending text.
        endpoint: String,
    },
    /// An endpoint cannot be reached. Retryable.
    #[error("cannot connect to {endpoint}")]
    Connect {
        /// The endpoint tried last.
        endpoint: String,
        /// What the transport said.
        #[source]
        source: ForeignError,
    },
    /// The connection broke during a request. Retryable.
    #[error("lost the connection during {during}")]
    ConnectionLost {
        /// What was going on.
        during: &'static str,
        /// What the transport said.
        #[source]
        source: ForeignError,
    },
    /// The node did not answer in time. Retryable.
    #[error("no answer to {during} within {after:?}")]
    Timeout {
        /// What was going on.
        during: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// The node answers, but makes no new blocks. Retryable.
    #[error("{endpoint} has shown no new block for {since:?}")]
    Stalled {
        /// The endpoint.
        endpoint: String,
        /// How long it has stood still.
        since: Duration,
    },
    /// The endpoint asks to be asked less often (HTTP 429 or its like). Retryable; the endpoint is
    /// left alone for a while first.
    #[error("{endpoint} asks for fewer requests")]
    RateLimited {
        /// The endpoint.
        endpoint: String,
    },
    /// The node has thrown away the state of the block asked about, as nodes do after some hundred
    /// blocks, and no archive endpoint could be asked instead.
    #[error("{endpoint} no longer has the state of that block; an archive endpoint would")]
    StateDiscarded {
        /// The endpoint.
        endpoint: String,
    },
    /// The node's metadata cannot be used. Nothing can be read or sent on that runtime.
    #[error("metadata of runtime {spec_version} {fault}")]
    Metadata {
        /// The runtime's spec version.
        spec_version: u32,
        /// What is wrong with it.
        fault: MetadataFault,
    },
    /// A storage item has another type on this runtime than we read it as.
    #[error("{pallet}.{item} changed its type: {reason}")]
    TypeChanged {
        /// The pallet.
        pallet: String,
        /// The storage item.
        item: String,
        /// What does not fit.
        reason: String,
    },
    /// The node behind the endpoint belongs to another chain.
    #[error("{endpoint} is on the chain with genesis {found}, not {expected}")]
    ForeignGenesis {
        /// The endpoint.
        endpoint: String,
        /// Genesis of our chain.
        expected: BlockHash,
        /// Genesis found.
        found: BlockHash,
    },
    /// The node answered a request with an error.
    #[error("{method} was answered with error {code}: {message}")]
    Rpc {
        /// The method called.
        method: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// The runtime has no such pallet, storage item, call or constant.
    #[error("this runtime has no {pallet}.{item}")]
    NotInRuntime {
        /// The pallet.
        pallet: &'static str,
        /// What was looked for in it.
        item: &'static str,
    },
    /// Bytes from the node do not have the shape we expect.
    #[error("cannot read {what}: {reason}")]
    Decode {
        /// What was being read.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A transaction could not be put together from the runtime's metadata.
    #[error("cannot build {call}")]
    Build {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// Why.
        #[source]
        source: ForeignError,
    },
    /// The runtime has no such call.
    #[error("this runtime has no call {call}")]
    NoSuchCall {
        /// Pallet and call.
        call: Cow<'static, str>,
    },
    /// A call needs an argument that was not given.
    #[error("{call} lacks the argument {argument}")]
    MissingArgument {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// The argument, by the runtime's name for it.
        argument: String,
    },
    /// A call was given an argument that it does not take.
    #[error("{call} has no argument {argument}")]
    UnknownArgument {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// The argument's name.
        argument: String,
    },
    /// There is no such subnet.
    #[error("there is no subnet {netuid}")]
    NoSuchSubnet {
        /// The number asked for.
        netuid: NetUid,
    },
    /// The chain has no block of that number yet.
    #[error("there is no block {block} yet")]
    NoSuchBlock {
        /// The number asked for.
        block: Block,
    },
    /// Writing needs a key, and the client has none.
    #[error("this client has no signer")]
    NoSigner,
    /// The node's transaction pool did not take a transaction.
    #[error("{call} was refused by the transaction pool with {code}: {message}")]
    Pool {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// JSON-RPC error code (1010 invalid, 1012 banned, 1014 priority too low, …).
        code: i64,
        /// The node's words, with a custom code replaced by its name.
        message: String,
    },
    /// A transaction is in a block and failed there.
    #[error("{call} failed on chain with {pallet}.{error}")]
    Refused {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// Pallet that failed, by name from the block's metadata.
        pallet: String,
        /// Its error, by name from the block's metadata.
        error: String,
    },
    /// A transaction left and its fate could not be learnt while it could still be included.
    #[error("{call}: transaction {extrinsic} left, its fate is not known: {reason}")]
    Undetermined {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// Hash of the transaction.
        extrinsic: BlockHash,
        /// Why it is not known.
        reason: String,
    },
    /// A transaction was never included and cannot be any more. Retryable.
    #[error("{call}: transaction {extrinsic} was not included before it expired")]
    Expired {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// Hash of the transaction.
        extrinsic: BlockHash,
    },
    /// The chain reported success, but its storage says something else.
    #[error("weights of uid {uid} on subnet {netuid} were taken, but {found:?} was read back")]
    ReadBack {
        /// The subnet.
        netuid: NetUid,
        /// Our place in it.
        uid: Uid,
        /// What storage holds.
        found: WeightVector,
    },
    /// A place in a subnet costs more than allowed. Nothing was sent.
    #[error("registering on subnet {netuid} costs {price}, more than the limit of {limit}")]
    PriceAboveLimit {
        /// The subnet.
        netuid: NetUid,
        /// What it costs now.
        price: Rao,
        /// What it may cost.
        limit: Rao,
    },
    /// A certificate that the chain would leave out without a word. Nothing was sent.
    #[error(
        "a certificate of {bytes} bytes: the chain takes an algorithm and a key of 1 to 64 bytes"
    )]
    Certificate {
        /// Its size.
        bytes: usize,
    },
    /// A commitment that the chain cannot hold. Nothing was sent.
    #[error("a commitment the chain cannot hold: {reason}")]
    Commitment {
        /// What is too much.
        reason: String,
    },
    /// The chain reported success, but its storage or its events say something else.
    #[error("{call} was taken, but {what} was read back as {found}")]
    NotAsSent {
        /// Pallet and call.
        call: Cow<'static, str>,
        /// What was read.
        what: &'static str,
        /// What is there.
        found: String,
    },
    /// The chain reported that an axon was taken, but its storage says something else.
    #[error("the axon on subnet {netuid} was taken, but another one was read back")]
    AxonReadBack {
        /// The subnet.
        netuid: NetUid,
    },
    /// The chain does not take weights, as the chain's implementation found by itself.
    #[error(transparent)]
    WeightsRefused(crate::WeightsRefusal),
    /// The chain took a commit, but its storage does not hold it.
    #[error("the commit in block {block} on subnet {netuid} was taken, but is not stored")]
    CommitReadBack {
        /// The subnet.
        netuid: NetUid,
        /// The block that holds the transaction.
        block: Block,
    },
    /// What was saved about pending commits cannot be read. It was moved and is kept.
    #[error("cannot read the pending commits in {path}: {reason}; kept as {kept_as}")]
    CommitState {
        /// Where it was.
        path: PathBuf,
        /// Where it is now.
        kept_as: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of pending commits cannot be used.
    #[error("cannot {doing} the pending commits in {path}")]
    CommitFile {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What was saved about pending commits is another mechanism's.
    #[error("the pending commits are not those of mechanism {mechid} of subnet {netuid}")]
    ForeignCommitState {
        /// The subnet asked for.
        netuid: NetUid,
        /// The mechanism asked for.
        mechid: MechId,
    },
    /// A public chain names another beacon than drand's quicknet. Nothing is sealed for it.
    #[error("the chain names a beacon that is not drand's quicknet")]
    ForeignBeacon,
    /// A commit is longer than the 5,000 bytes that the chain takes.
    #[error("a sealed commit of {bytes} bytes is longer than the chain takes")]
    CommitTooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// A beacon's public key is no point of its group.
    #[error("the beacon's public key is no point of its group")]
    BeaconKey,
    /// A round's signature is no point of its group.
    #[error("the signature of a round is no point of its group")]
    RoundSignature,
    /// Bytes are not a sealed message.
    #[error("this is no sealed message: {reason}")]
    SealedFormat {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A signature does not open a sealed message: it belongs to another round or beacon, or the
    /// message was changed.
    #[error("this signature does not open the sealed message")]
    WrongRound,
    /// No epoch can be predicted.
    #[error(transparent)]
    Schedule(#[from] adit_yuma::Error),
    /// Plain data from the chain breaks its own rules.
    #[error(transparent)]
    Primitives(#[from] adit_primitives::Error),
    /// A failure that a test wrote into its script.
    #[error("scripted failure: {reason}")]
    Scripted {
        /// What the script says.
        reason: String,
        /// What [`Error::is_retryable`] answers.
        retryable: bool,
    },
}

impl Error {
    /// Whether the same request can succeed later without anything else changing.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::ConnectionLost { .. }
            | Self::Timeout { .. }
            | Self::Stalled { .. }
            | Self::RateLimited { .. }
            | Self::Expired { .. } => true,
            Self::Scripted { retryable, .. } => *retryable,
            _ => false,
        }
    }
}

/// Why metadata cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataFault {
    /// It does not begin as metadata does.
    NotMetadata,
    /// It ends too early.
    Truncated,
    /// Only versions newer than 16 are offered.
    TooNew {
        /// The lowest version offered.
        version: u32,
    },
    /// The version is older than 14, which does not describe its own types.
    TooOld {
        /// The version offered.
        version: u32,
    },
    /// It contradicts itself.
    Unreadable {
        /// What was found.
        reason: String,
    },
}

impl std::fmt::Display for MetadataFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotMetadata => f.write_str("is no metadata"),
            Self::Truncated => f.write_str("ends too early"),
            Self::TooNew { version } => write!(f, "is of version {version}, newer than 16"),
            Self::TooOld { version } => write!(f, "is of version {version}, older than 14"),
            Self::Unreadable { reason } => write!(f, "cannot be read: {reason}"),
        }
    }
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
