use std::{fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use adit_primitives::{Clock, SystemClock};
use adit_wallet::Keypair;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    body::SynapseBody,
    head::SynapseHead,
    schema::SynapseSchema,
    typed::Synapse,
    verify::{DendriteLimits, DendriteVerifier, VerifiedDendrite},
};

mod pipeline;
mod reply;
mod serve;
mod turn;

/// Bounds of an [`Axon`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxonLimits {
    /// What is believed of callers' nonces.
    pub dendrite: DendriteLimits,
    /// Largest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// Most bytes of a request's headers.
    pub max_header_bytes: usize,
    /// How long a request's headers, and then its body, may take to come.
    pub read_timeout: Duration,
    /// Most connections at once; more wait to be accepted.
    pub max_connections: usize,
    /// Most requests worked on at once (Python: `max_workers`).
    pub max_workers: usize,
    /// Most requests that wait for a worker; more are answered 503.
    pub max_waiting: usize,
    /// How long open connections may take to finish after the stop.
    pub drain_timeout: Duration,
}

impl Default for AxonLimits {
    /// 16 MiB bodies, 64 KiB headers, 30 s to read, 1,024 connections, 64 workers, 1,024 waiting,
    /// 10 s to drain.
    fn default() -> Self {
        Self {
            dendrite: DendriteLimits::default(),
            max_body_bytes: 16 << 20,
            max_header_bytes: 64 << 10,
            read_timeout: Duration::from_secs(30),
            max_connections: 1024,
            max_workers: 64,
            max_waiting: 1024,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// A verified request for a service.
#[derive(Debug, Clone, PartialEq)]
pub struct SynapseCall {
    /// Who asks, by verified headers.
    pub caller: VerifiedDendrite,
    /// What is asked. Its `dendrite` and `axon` were overwritten from verified headers: what the
    /// body said of them is gone.
    pub body: SynapseBody,
}

/// What a service answers.
#[derive(Debug)]
pub enum SynapseReply {
    /// The synapse, its fields filled in.
    Whole(Box<SynapseBody>),
    /// Raw chunks, sent as they come (`text/event-stream`). The stream ends when the sender is
    /// dropped.
    Stream(mpsc::Receiver<Bytes>),
}

/// Why a service did not answer; logged, and not told to the caller.
pub type ForwardError = Box<dyn std::error::Error + Send + Sync>;

type ForwardFuture = Pin<Box<dyn Future<Output = Result<SynapseReply, ForwardError>> + Send>>;
type Forward = Arc<dyn Fn(SynapseCall) -> ForwardFuture + Send + Sync>;
type Blacklist = Arc<dyn Fn(&SynapseHead, SocketAddr) -> Result<(), String> + Send + Sync>;
type Priority = Arc<dyn Fn(&VerifiedDendrite, &str) -> f64 + Send + Sync>;

struct Route {
    schema: SynapseSchema,
    forward: Forward,
}

/// Serves synapses to dendrites of the Python SDK (up to version 10) and to [`super::Dendrite`].
///
/// Every request to every synapse passes the same checks in this order, whatever was attached when:
/// path, headers, blacklist, signature and nonce, its turn by priority, body and body hash. Only
/// then is the service called.
///
/// ```
/// use adit_protocol::synapse::{
///     Axon, Dendrite, DendriteTarget, FieldType, PyValue, Synapse, SynapseSchema,
/// };
/// use adit_wallet::Keypair;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Echo {
///     prompt: String,
///     output: Option<String>,
/// }
///
/// impl Synapse for Echo {
///     fn schema() -> SynapseSchema {
///         SynapseSchema::new("Echo")
///             .required("prompt", FieldType::Str)
///             .optional("output", FieldType::optional(FieldType::Str), PyValue::None)
///             .hashes(["prompt"])
///     }
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let (alice, bob) = (Keypair::from_uri("//Alice")?, Keypair::from_uri("//Bob")?);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let target = DendriteTarget::new(listener.local_addr()?, bob.hotkey());
/// let axon = Axon::new(bob).attach(|caller, mut echo: Echo| async move {
///     echo.output = Some(format!("{} for {}", echo.prompt, caller.hotkey));
///     Ok(echo)
/// });
/// tokio::spawn(axon.serve(listener, std::future::pending()));
///
/// let caller = alice.hotkey();
/// let echo = Echo { prompt: "hi".into(), output: None };
/// let answer = Dendrite::new(alice).call(&target, &echo).await?;
/// assert_eq!(answer.output, Some(format!("hi for {caller}")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Axon {
    keypair: Keypair,
    clock: Arc<dyn Clock>,
    limits: AxonLimits,
    routes: Vec<Route>,
    blacklist: Option<Blacklist>,
    priority: Option<Priority>,
}

impl Axon {
    /// An axon that signs as `keypair` and serves the synapse every axon has, `Synapse`, which
    /// answers as it was asked.
    pub fn new(keypair: Keypair) -> Self {
        let axon = Self {
            keypair,
            clock: Arc::new(SystemClock),
            limits: AxonLimits::default(),
            routes: Vec::new(),
            blacklist: None,
            priority: None,
        };
        axon.attach_schema(SynapseSchema::new("Synapse"), |call| async move {
            Ok(SynapseReply::Whole(Box::new(call.body)))
        })
    }

    /// Other bounds than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: AxonLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Serves a synapse by an async function.
    #[must_use]
    pub fn attach<S, F, T>(self, service: F) -> Self
    where
        S: Synapse,
        F: Fn(VerifiedDendrite, S) -> T + Send + Sync + 'static,
        T: Future<Output = Result<S, ForwardError>> + Send + 'static,
    {
        let service = Arc::new(service);
        self.attach_schema(S::schema(), move |call| {
            let service = service.clone();
            async move {
                let asked = S::from_body(&call.body)?;
                let answer = service(call.caller, asked).await?;
                Ok(SynapseReply::Whole(Box::new(answer.to_body()?)))
            }
        })
    }

    /// Serves a synapse that has no Rust type, or streams its answer. A synapse of the same name
    /// attached before is replaced.
    #[must_use]
    pub fn attach_schema<F, T>(mut self, schema: SynapseSchema, service: F) -> Self
    where
        F: Fn(SynapseCall) -> T + Send + Sync + 'static,
        T: Future<Output = Result<SynapseReply, ForwardError>> + Send + 'static,
    {
        let route = Route {
            schema,
            forward: Arc::new(move |call| Box::pin(service(call))),
        };
        let known = self.routes.iter_mut();
        let known = known
            .into_iter()
            .find(|known| known.schema.name() == route.schema.name());
        match known {
            Some(known) => *known = route,
            None => self.routes.push(route),
        }
        self
    }

    /// Refuses callers, with a reason they are told, before anything is verified: what the function
    /// is given are claims, so it may turn callers away and must not let anyone in on them. It is
    /// called for each request, so it must be quick.
    #[must_use]
    pub fn blacklist(
        mut self,
        refuse: impl Fn(&SynapseHead, SocketAddr) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.blacklist = Some(Arc::new(refuse));
        self
    }

    /// Gives verified callers of a synapse their priority; the highest goes first when all workers
    /// are busy. It is called for each request, so it must be quick.
    #[must_use]
    pub fn priority(
        mut self,
        of: impl Fn(&VerifiedDendrite, &str) -> f64 + Send + Sync + 'static,
    ) -> Self {
        self.priority = Some(Arc::new(of));
        self
    }

    /// Serves until `shutdown` completes, then lets requests finish within the drain timeout.
    ///
    /// # Errors
    /// [`crate::Error::Listen`] when the socket has no address.
    pub async fn serve(
        self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> crate::Result<()> {
        let address = listener.local_addr().map_err(crate::Error::Listen)?;
        let verifier = DendriteVerifier::new(self.keypair.hotkey(), self.limits.dendrite);
        let turns = turn::Turns::new(self.limits.max_workers, self.limits.max_waiting);
        let uuid = super::random_uuid(&mut rand::rng());
        let pipeline = Arc::new(pipeline::Pipeline {
            axon: self,
            address,
            verifier,
            turns,
            uuid,
        });
        serve::serve(pipeline, listener, shutdown).await;
        Ok(())
    }
}

impl fmt::Debug for Axon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .routes
            .iter()
            .map(|route| route.schema.name())
            .collect();
        f.debug_struct("Axon")
            .field("hotkey", &self.keypair.hotkey())
            .field("limits", &self.limits)
            .field("synapses", &names)
            .finish_non_exhaustive()
    }
}
