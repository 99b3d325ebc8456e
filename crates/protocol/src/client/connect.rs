use std::{net::SocketAddr, sync::Arc, time::Duration};

use adit_primitives::{Clock, Hotkey, SystemClock};
use adit_wallet::Keypair;
use http::Uri;
use tonic::transport::{Channel, Endpoint};
use tower::Layer as _;

use super::{SignLayer, Signed};
use crate::{
    Error, Result,
    auth::{AuthLimits, NonceSource},
    v1::{
        dataset_client::DatasetClient, neuron_client::NeuronClient,
        video_miner_client::VideoMinerClient,
    },
};

/// A channel to one neuron: requests are signed, answers verified. Cheap to clone.
pub type SignedChannel = Signed<Channel>;

/// How a channel behaves.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// How long making the connection may take.
    pub connect_timeout: Duration,
    /// How long a call may take, until its answer is here whole.
    pub request_timeout: Duration,
    /// Largest answer, in bytes.
    pub max_message_bytes: usize,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where nonces come from. Clones of the options share it; give all channels that sign with
    /// one key clones of the same options.
    pub nonces: Arc<NonceSource>,
}

impl Default for ConnectOptions {
    /// 5 s to connect, 60 s a call, 16 MiB, the machine's clock, a nonce source of its own.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(60),
            max_message_bytes: AuthLimits::default().max_message_bytes,
            clock: Arc::new(SystemClock),
            nonces: Arc::default(),
        }
    }
}

/// What names a server: a socket address (then over plain TCP), or a URI such as
/// `http://127.0.0.1:9000`.
pub trait IntoUri {
    /// The URI as text.
    fn into_uri(self) -> String;
}

impl IntoUri for SocketAddr {
    fn into_uri(self) -> String {
        format!("http://{self}")
    }
}

impl IntoUri for Uri {
    fn into_uri(self) -> String {
        self.to_string()
    }
}

impl IntoUri for &str {
    fn into_uri(self) -> String {
        self.to_owned()
    }
}

impl IntoUri for String {
    fn into_uri(self) -> String {
        self
    }
}

/// Connects to the neuron at `address`, which must answer as `receiver`.
///
/// # Errors
/// [`Error::Endpoint`] or [`Error::Connect`].
pub async fn connect(
    address: impl IntoUri,
    own: Arc<Keypair>,
    receiver: Hotkey,
    options: ConnectOptions,
) -> Result<SignedChannel> {
    let uri = address.into_uri();
    let channel = endpoint(&uri, &options)?
        .connect()
        .await
        .map_err(|source| Error::Connect { uri, source })?;
    Ok(signed(channel, own, receiver, options))
}

/// Like [`connect`], but connects with the first call and again whenever the connection is lost.
/// Calls fail with `UNAVAILABLE` while there is none. Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Endpoint`].
pub fn connect_lazy(
    address: impl IntoUri,
    own: Arc<Keypair>,
    receiver: Hotkey,
    options: ConnectOptions,
) -> Result<SignedChannel> {
    let uri = address.into_uri();
    let channel = endpoint(&uri, &options)?.connect_lazy();
    Ok(signed(channel, own, receiver, options))
}

fn endpoint(uri: &str, options: &ConnectOptions) -> Result<Endpoint> {
    let endpoint = Endpoint::from_shared(uri.to_owned()).map_err(|source| Error::Endpoint {
        uri: uri.to_owned(),
        source,
    })?;
    Ok(endpoint
        .connect_timeout(options.connect_timeout)
        .tcp_nodelay(true)
        .http2_max_header_list_size(16 << 10)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10)))
}

fn signed(
    channel: Channel,
    own: Arc<Keypair>,
    receiver: Hotkey,
    options: ConnectOptions,
) -> SignedChannel {
    SignLayer::new(own, receiver)
        .clock(options.clock)
        .nonces(options.nonces)
        .timeout(options.request_timeout)
        .max_message_bytes(options.max_message_bytes)
        .layer(channel)
}

impl Signed<Channel> {
    /// A client of `VideoMiner` that takes answers up to the channel's limit.
    pub fn video_miner(&self) -> VideoMinerClient<SignedChannel> {
        VideoMinerClient::new(self.clone()).max_decoding_message_size(self.layer().limit())
    }

    /// A client of `Dataset` that takes answers up to the channel's limit.
    pub fn dataset(&self) -> DatasetClient<SignedChannel> {
        DatasetClient::new(self.clone()).max_decoding_message_size(self.layer().limit())
    }

    /// A client of `Neuron` that takes answers up to the channel's limit.
    pub fn neuron(&self) -> NeuronClient<SignedChannel> {
        NeuronClient::new(self.clone()).max_decoding_message_size(self.layer().limit())
    }
}
