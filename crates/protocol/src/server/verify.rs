use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use adit_primitives::{Clock, Hotkey, SystemClock};
use adit_wallet::Keypair;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::CONTENT_LENGTH};
use tokio::sync::Semaphore;
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use crate::{
    auth::{
        AuthLimits, AuthRefusal, Authorise, BodyHash, Claim, NonceStore, NonceStoreLimits,
        RefusalObserver, VerifiedCaller, sign_answer,
    },
    buffer::{BufferError, Buffered, buffer},
    status,
};

/// Services that anyone may call.
const OPEN: [&str; 2] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
];

/// Verifies every request and signs every answer; for unary calls.
///
/// A request is checked in this order, cheapest first: room for another request, headers,
/// receiver, freshness, size while it is read, signature, authorisation, replay. What fails is
/// answered with the status of [`crate::status::refusal`], logged and told to the observer; what
/// passes carries a [`VerifiedCaller`] in its extensions. Health and reflection are open to anyone
/// and not signed.
///
/// Request and answer are held whole, so a stream of messages is bounded by the limit too and is
/// delivered at its end.
#[derive(Clone)]
pub struct VerifyLayer {
    keypair: Arc<Keypair>,
    own: Hotkey,
    own_text: Arc<str>,
    authorise: Arc<dyn Authorise>,
    observer: Option<Arc<dyn RefusalObserver>>,
    clock: Arc<dyn Clock>,
    limits: AuthLimits,
    nonces: Arc<NonceStore>,
    in_flight: Arc<Semaphore>,
    open: Vec<String>,
}

impl VerifyLayer {
    /// Verifies for the hotkey of `keypair` and asks `authorise` who may call, with default limits
    /// and the machine's clock. At most 128 requests are held at a time.
    pub fn new(keypair: Arc<Keypair>, authorise: impl Authorise + 'static) -> Self {
        let own = keypair.hotkey();
        Self {
            own,
            own_text: own.to_string().into(),
            keypair,
            authorise: Arc::new(authorise),
            observer: None,
            clock: Arc::new(SystemClock),
            limits: AuthLimits::default(),
            nonces: Arc::new(NonceStore::new(NonceStoreLimits::default())),
            in_flight: Arc::new(Semaphore::new(128)),
            open: OPEN.map(Into::into).into(),
        }
    }

    /// Freshness, size and receiver rules.
    #[must_use]
    pub fn limits(mut self, limits: AuthLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Where nonces are remembered; layers that serve one hotkey should share a store.
    #[must_use]
    pub fn nonces(mut self, nonces: Arc<NonceStore>) -> Self {
        self.nonces = nonces;
        self
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told of refusals.
    #[must_use]
    pub fn observer(mut self, observer: impl RefusalObserver + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Most requests held at a time, over all connections; what comes on top is refused at once.
    #[must_use]
    pub fn max_requests_in_flight(mut self, requests: usize) -> Self {
        self.in_flight = Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS)));
        self
    }

    /// Lets anyone call paths with this prefix, for instance `/my.package.Public/`.
    #[must_use]
    pub fn open_to_anyone(mut self, prefix: impl Into<String>) -> Self {
        self.open.push(prefix.into());
        self
    }

    fn is_open(&self, path: &str) -> bool {
        self.open.iter().any(|prefix| path.starts_with(prefix))
    }

    /// Everything before the service: returns the request, held whole, and its sender.
    async fn verify(
        &self,
        request: Request<Body>,
        claimed: &mut Option<Hotkey>,
    ) -> Result<(Request<Body>, VerifiedCaller), AuthRefusal> {
        let (mut parts, body) = request.into_parts();
        let claim = Claim::from_headers(&parts.headers)?;
        *claimed = Some(claim.hotkey);
        claim.check_receiver(&self.own, self.limits.require_receiver)?;
        claim.check_freshness(self.clock.unix_nanos(), &self.limits)?;
        let body = self.read(&parts.headers, body).await?;
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let caller = claim.check_signature(parts.method.as_str(), target, BodyHash::of(&body))?;
        self.authorise.authorise(&caller.hotkey)?;
        let now = self.clock.unix_nanos();
        self.nonces.insert(&caller.hotkey, caller.nonce, now)?;
        parts.extensions.insert(caller);
        let body = Body::new(Buffered::new(body, None));
        Ok((Request::from_parts(parts, body), caller))
    }

    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, AuthRefusal> {
        let limit = self.limits.max_message_bytes;
        let stated = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if stated.is_some_and(|length| length > limit) {
            return Err(AuthRefusal::TooLarge { limit });
        }
        // A body that takes longer than a nonce lives only holds memory.
        let patience = self.limits.max_age + self.limits.skew + Duration::from_secs(1);
        match tokio::time::timeout(patience, buffer(body, limit)).await {
            Ok(Ok((body, _))) => Ok(body),
            Ok(Err(BufferError::TooLarge)) => Err(AuthRefusal::TooLarge { limit }),
            Ok(Err(BufferError::Broken(_))) | Err(_) => Err(AuthRefusal::Unreadable),
        }
    }

    fn refuse(
        &self,
        refusal: &AuthRefusal,
        claimed: Option<&Hotkey>,
        path: &str,
    ) -> Response<Body> {
        let path: String = path.chars().take(120).collect();
        tracing::info!(
            reason = refusal.reason(),
            claimed = claimed.map(tracing::field::display),
            path,
            "request refused"
        );
        if let Some(observer) = &self.observer {
            observer.refused(refusal, claimed, &path);
        }
        status::refusal(refusal).into_http()
    }

    /// Holds the service's answer and signs it.
    async fn sign(&self, caller: &VerifiedCaller, response: Response<Body>) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        let (body, trailers) = match buffer(body, self.limits.max_message_bytes).await {
            Ok(whole) => whole,
            Err(BufferError::TooLarge) => {
                tracing::warn!(request = %caller.payload_hash, "our answer exceeds the limit");
                return self.sign_status(
                    caller,
                    Status::resource_exhausted("the answer is too large"),
                );
            }
            Err(BufferError::Broken(status)) => return self.sign_status(caller, status),
        };
        let status = trailers
            .as_ref()
            .map_or(&parts.headers, |trailers| trailers);
        if let Some(status) = grpc_status(status) {
            self.sign_headers(caller, &body, status, &mut parts.headers);
        }
        Response::from_parts(parts, Body::new(Buffered::new(body, trailers)))
    }

    fn sign_status(&self, caller: &VerifiedCaller, status: Status) -> Response<Body> {
        let code = i32::from(status.code());
        let mut response = status.into_http();
        self.sign_headers(caller, &[], code, response.headers_mut());
        response
    }

    fn sign_headers(
        &self,
        caller: &VerifiedCaller,
        body: &[u8],
        grpc_status: i32,
        headers: &mut HeaderMap,
    ) {
        headers.extend(sign_answer(
            &self.keypair,
            &self.own_text,
            caller.payload_hash,
            body,
            grpc_status,
        ));
    }
}

/// The status code among trailers, or among the headers of a response without a body.
pub(crate) fn grpc_status(headers: &HeaderMap) -> Option<i32> {
    headers
        .get(Status::GRPC_STATUS)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

impl fmt::Debug for VerifyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer")
            .field("own", &self.own)
            .field("limits", &self.limits)
            .field("nonces", &self.nonces)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = VerifyService<S>;

    fn layer(&self, inner: S) -> VerifyService<S> {
        VerifyService {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// A service behind a [`VerifyLayer`].
#[derive(Debug, Clone)]
pub struct VerifyService<S> {
    inner: S,
    layer: Arc<VerifyLayer>,
}

impl<S> Service<Request<Body>> for VerifyService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone takes the place of the one that is ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        if self.layer.is_open(request.uri().path()) {
            return Box::pin(inner.call(request));
        }
        let layer = self.layer.clone();
        Box::pin(async move {
            let path = request.uri().clone();
            let Ok(_room) = layer.in_flight.try_acquire() else {
                return Ok(layer.refuse(&AuthRefusal::Overloaded, None, path.path()));
            };
            let mut claimed = None;
            match layer.verify(request, &mut claimed).await {
                Ok((request, caller)) => {
                    let response = inner.call(request).await?;
                    Ok(layer.sign(&caller, response).await)
                }
                Err(refusal) => Ok(layer.refuse(&refusal, claimed.as_ref(), path.path())),
            }
        })
    }
}
