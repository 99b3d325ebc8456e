use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use adit_primitives::{Clock, Hotkey, SystemClock};
use adit_wallet::Keypair;
use rand::{SeedableRng as _, rngs::StdRng};

use super::{
    body::SynapseBody,
    fault::SynapseError,
    head::SynapseHead,
    schema::SynapseSchema,
    signing::{SPOKEN_VERSION, random_uuid, signed_message},
    terminal::TerminalInfo,
    typed::Synapse,
};
use crate::auth::NonceSource;

mod answer;
mod exchange;
mod stream;

pub use answer::{DendriteAnswer, DendriteFault};
pub use stream::DendriteStream;

/// Bounds of a [`Dendrite`], and what it says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DendriteOptions {
    /// How long a whole exchange may take; the axon is told.
    pub timeout: Duration,
    /// Largest body of an answer, in bytes.
    pub max_answer_bytes: usize,
    /// Most bytes of an answer's headers; 8 KiB at least.
    pub max_header_bytes: usize,
    /// The address under which others see this machine. A target of that address is called by
    /// loopback, which works behind routers that do not turn packets around.
    pub external_ip: Option<IpAddr>,
}

impl Default for DendriteOptions {
    /// 12 s, 16 MiB, 64 KiB, no address.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(12),
            max_answer_bytes: 16 << 20,
            max_header_bytes: 64 << 10,
            external_ip: None,
        }
    }
}

/// An axon to call, as the chain names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DendriteTarget {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whom the request is signed for.
    pub hotkey: Hotkey,
}

impl DendriteTarget {
    /// A target.
    pub fn new(address: SocketAddr, hotkey: Hotkey) -> Self {
        Self { address, hotkey }
    }
}

/// A request, signed and written out.
#[derive(Debug, Clone)]
pub(super) struct Composed {
    /// What was asked, with both ends filled in.
    pub(super) body: SynapseBody,
    pub(super) headers: Vec<(String, String)>,
    pub(super) json: String,
}

/// Calls axons of the Python SDK (up to version 10) and [`super::Axon`].
///
/// This protocol's answers carry no signature: who can stand between, or at the address, can answer
/// as it likes. What an answer says of either end is therefore not taken over: an answer belongs to
/// the target that was called.
///
/// Requests under way at the same time use different uuids, because axons refuse a nonce that was
/// overtaken on its uuid; a uuid is used again when its request is done.
pub struct Dendrite {
    keypair: Keypair,
    clock: Arc<dyn Clock>,
    options: DendriteOptions,
    nonces: NonceSource,
    lanes: Mutex<Lanes>,
}

struct Lanes {
    rng: StdRng,
    free: Vec<String>,
}

impl Dendrite {
    /// A caller that signs as `keypair`.
    pub fn new(keypair: Keypair) -> Self {
        Self {
            keypair,
            clock: Arc::new(SystemClock),
            options: DendriteOptions::default(),
            nonces: NonceSource::new(),
            lanes: Mutex::new(Lanes {
                rng: StdRng::from_os_rng(),
                free: Vec::new(),
            }),
        }
    }

    /// Other bounds than the default ones.
    #[must_use]
    pub fn options(mut self, options: DendriteOptions) -> Self {
        self.options = options;
        self
    }

    /// Another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where uuids come from, instead of the operating system.
    #[must_use]
    pub fn rng(mut self, rng: StdRng) -> Self {
        self.lanes = Mutex::new(Lanes {
            rng,
            free: Vec::new(),
        });
        self
    }

    /// Asks a target and returns its answer as the type that was asked with.
    ///
    /// # Errors
    /// [`DendriteFault`] for every outcome but success.
    pub async fn call<S: Synapse>(
        &self,
        target: &DendriteTarget,
        synapse: &S,
    ) -> Result<S, DendriteFault> {
        let body = synapse.to_body().map_err(DendriteFault::Unsendable)?;
        let answer = self.exchange(target, &S::schema(), body).await;
        let body = answer.into_success()?;
        S::from_body(&body).map_err(DendriteFault::Fields)
    }

    /// Asks a target with a synapse that has no Rust type, and tells what came of it: status and
    /// message are those that a Python dendrite would show.
    pub async fn exchange(
        &self,
        target: &DendriteTarget,
        schema: &SynapseSchema,
        body: SynapseBody,
    ) -> DendriteAnswer {
        let lane = self.lane();
        let asked = body.clone();
        let composed = match self.compose(target, schema, body, lane.uuid()) {
            Ok(composed) => composed,
            Err(error) => return DendriteAnswer::failed(asked, DendriteFault::Unsendable(error)),
        };
        exchange::exchange(self, target, schema, composed).await
    }

    /// Asks a target for a stream of raw chunks.
    ///
    /// # Errors
    /// The answer, where it is none: it never came, or does not have status 200.
    pub async fn stream(
        &self,
        target: &DendriteTarget,
        schema: &SynapseSchema,
        body: SynapseBody,
    ) -> Result<DendriteStream, Box<DendriteAnswer>> {
        let lane = self.lane();
        let asked = body.clone();
        let composed = self.compose(target, schema, body, lane.uuid());
        let composed = composed.map_err(|error| {
            let fault = DendriteFault::Unsendable(error);
            Box::new(DendriteAnswer::failed(asked, fault))
        })?;
        exchange::stream(self, target, schema, composed).await
    }

    /// Fills both ends in, signs and writes out.
    fn compose(
        &self,
        target: &DendriteTarget,
        schema: &SynapseSchema,
        mut body: SynapseBody,
        uuid: &str,
    ) -> Result<Composed, SynapseError> {
        body.timeout = Some(self.options.timeout.as_secs_f64());
        let hash = schema.body_hash(&body)?;
        let nonce = self.nonces.next(self.clock.unix_nanos());
        let (own, other) = (self.keypair.hotkey().to_string(), target.hotkey.to_string());
        let message = signed_message(
            Some(nonce),
            Some(&own),
            Some(&other),
            Some(uuid),
            Some(&hash),
        );
        body.dendrite = TerminalInfo {
            ip: Some(
                self.options
                    .external_ip
                    .unwrap_or(IpAddr::from([0; 4]))
                    .to_string(),
            ),
            version: Some(SPOKEN_VERSION),
            nonce: Some(nonce),
            uuid: Some(uuid.to_owned()),
            hotkey: Some(own),
            signature: Some(self.keypair.sign(message.as_bytes()).to_string()),
            ..Default::default()
        };
        body.axon = TerminalInfo {
            ip: Some(target.address.ip().to_string()),
            port: Some(target.address.port().into()),
            hotkey: Some(other),
            ..Default::default()
        };
        let json = body.to_json();
        let mut headers = SynapseHead::of(schema, &body, Some(hash))?.to_pairs();
        let size: usize = headers
            .iter()
            .map(|(name, text)| name.len() + text.len())
            .sum();
        headers.push(("header_size".into(), size.to_string()));
        headers.push(("total_size".into(), (size + json.len()).to_string()));
        Ok(Composed {
            body,
            headers,
            json,
        })
    }

    fn lane(&self) -> Lane<'_> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let free = lanes.free.pop();
        Lane {
            uuid: free.unwrap_or_else(|| random_uuid(&mut lanes.rng)),
            of: &self.lanes,
        }
    }
}

/// A uuid that no other request under way uses; free again when dropped.
struct Lane<'d> {
    uuid: String,
    of: &'d Mutex<Lanes>,
}

impl Lane<'_> {
    fn uuid(&self) -> &str {
        &self.uuid
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut lanes = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.free.push(std::mem::take(&mut self.uuid));
    }
}

impl fmt::Debug for Dendrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dendrite")
            .field("hotkey", &self.keypair.hotkey())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
