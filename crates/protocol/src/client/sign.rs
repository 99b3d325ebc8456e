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
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use crate::{
    auth::{
        AnswerRefused, AuthLimits, HEADER_ANSWER_SIGNATURE, NonceSource, PayloadHash,
        RequestSigner, verify_answer,
    },
    buffer::{BufferError, Buffered, buffer},
    server::grpc_status,
    status::{self, UnsignedStatus},
};

/// Signs every request for one receiver and believes only answers that receiver signed.
///
/// For unary calls: request and answer are held whole. The error is a [`Status`]; where an answer
/// is refused, [`crate::status::answer_refused`] tells why. An error status without a signature is
/// passed on as an error, marked by [`crate::status::is_unsigned`].
#[derive(Clone)]
pub struct SignLayer {
    keypair: Arc<Keypair>,
    own: Arc<str>,
    receiver: Hotkey,
    receiver_text: Arc<str>,
    clock: Arc<dyn Clock>,
    nonces: Arc<NonceSource>,
    timeout: Duration,
    max_message_bytes: usize,
}

impl SignLayer {
    /// Signs with `keypair` for `receiver`. A call may take 60 s and an answer 16 MiB.
    pub fn new(keypair: Arc<Keypair>, receiver: Hotkey) -> Self {
        Self {
            own: keypair.hotkey().to_string().into(),
            keypair,
            receiver,
            receiver_text: receiver.to_string().into(),
            clock: Arc::new(SystemClock),
            nonces: Arc::default(),
            timeout: Duration::from_secs(60),
            max_message_bytes: AuthLimits::default().max_message_bytes,
        }
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where nonces come from; layers that sign with one key should share a source.
    #[must_use]
    pub fn nonces(mut self, nonces: Arc<NonceSource>) -> Self {
        self.nonces = nonces;
        self
    }

    /// How long a call may take, until its answer is here whole. A shorter time set on the request
    /// counts.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Largest answer, in bytes.
    #[must_use]
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// The hotkey that must answer.
    pub fn receiver(&self) -> Hotkey {
        self.receiver
    }

    /// Largest answer, in bytes.
    pub(super) fn limit(&self) -> usize {
        self.max_message_bytes
    }

    async fn sign(&self, request: Request<Body>) -> Result<(Request<Body>, PayloadHash), Status> {
        let (mut parts, body) = request.into_parts();
        // What we say ourselves needs no bound here; the receiver has its own.
        let body = match buffer(body, usize::MAX).await {
            Ok((body, _)) => body,
            Err(BufferError::TooLarge) => return Err(Status::resource_exhausted("too large")),
            Err(BufferError::Broken(status)) => return Err(status),
        };
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let nonce = self.nonces.next(self.clock.unix_nanos());
        let signed = RequestSigner::new(&self.keypair, &self.own, Some(&self.receiver_text)).sign(
            parts.method.as_str(),
            target,
            &body,
            nonce,
        );
        for (name, value) in signed.headers {
            parts.headers.insert(name, value);
        }
        let body = Body::new(Buffered::new(body, None));
        Ok((Request::from_parts(parts, body), signed.payload_hash))
    }

    async fn verify(
        &self,
        request: PayloadHash,
        response: Response<Body>,
    ) -> Result<Response<Body>, Status> {
        let (parts, body) = response.into_parts();
        let limit = self.max_message_bytes;
        let (body, trailers) = match buffer(body, limit).await {
            Ok(whole) => whole,
            Err(BufferError::TooLarge) => {
                return Err(self.refuse(AnswerRefused::TooLarge { limit }));
            }
            Err(BufferError::Broken(status)) => return Err(status),
        };
        let code_headers = trailers.as_ref().unwrap_or(&parts.headers);
        let code = grpc_status(code_headers);
        if !parts.headers.contains_key(HEADER_ANSWER_SIGNATURE) {
            return Err(self.unsigned(parts.status, code_headers, code));
        }
        // Without a status there is nothing a signature could stand for.
        let code = code.ok_or_else(|| {
            let problem = "the answer has no status";
            self.refuse(AnswerRefused::Malformed { problem })
        })?;
        verify_answer(&parts.headers, &body, code, request, &self.receiver)
            .map_err(|refused| self.refuse(refused))?;
        let body = Body::new(Buffered::new(body, trailers));
        Ok(Response::from_parts(parts, body))
    }

    /// The error that an answer without a signature is: never its contents.
    fn unsigned(&self, http: StatusCode, headers: &HeaderMap, code: Option<i32>) -> Status {
        let mut status = match code {
            Some(0) => return self.refuse(AnswerRefused::Unsigned),
            Some(_) => Status::from_header_map(headers)
                .unwrap_or_else(|| Status::unknown("an unsigned error")),
            None if http == StatusCode::OK => return self.refuse(AnswerRefused::Unsigned),
            None => Status::unavailable(format!("HTTP status {}", http.as_u16())),
        };
        status.set_source(Arc::new(UnsignedStatus));
        status
    }

    fn refuse(&self, refused: AnswerRefused) -> Status {
        tracing::info!(
            reason = refused.reason(),
            asked = %self.receiver,
            "answer refused"
        );
        status::of_answer_refused(refused)
    }
}

impl fmt::Debug for SignLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignLayer")
            .field("own", &self.own)
            .field("receiver", &self.receiver)
            .field("timeout", &self.timeout)
            .field("max_message_bytes", &self.max_message_bytes)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for SignLayer {
    type Service = Signed<S>;

    fn layer(&self, inner: S) -> Signed<S> {
        Signed {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// A service behind a [`SignLayer`]; generated clients take it in place of a channel.
#[derive(Debug, Clone)]
pub struct Signed<S> {
    inner: S,
    layer: Arc<SignLayer>,
}

impl<S> Signed<S> {
    /// The layer.
    pub fn layer(&self) -> &SignLayer {
        &self.layer
    }
}

impl<S> Service<Request<Body>> for Signed<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        let ready = self.inner.poll_ready(cx);
        ready.map_err(|error| Status::from_error(error.into()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone takes the place of the one that is ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        let asked = requested_timeout(request.headers());
        let timeout = asked.map_or(layer.timeout, |asked| asked.min(layer.timeout));
        Box::pin(async move {
            let call = async {
                let (request, payload) = layer.sign(request).await?;
                let response = inner.call(request).await;
                let response = response.map_err(|error| Status::from_error(error.into()))?;
                layer.verify(payload, response).await
            };
            let late = || Status::new(Code::DeadlineExceeded, "no answer in time");
            let start = Instant::now();
            match tokio::time::timeout(timeout, call).await {
                // Tonic's own timers, here and in the server, report the same time as cancelled.
                Ok(Err(status))
                    if status.code() == Code::Cancelled && start.elapsed() >= timeout =>
                {
                    Err(late())
                }
                Ok(result) => result,
                Err(_) => Err(late()),
            }
        })
    }
}

/// The time set with [`tonic::Request::set_timeout`]: at most 8 digits and a unit.
fn requested_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u32 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    let unit = match unit {
        "H" => Duration::from_secs(3600),
        "M" => Duration::from_secs(60),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    Some(unit * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_own_timeout_is_read() {
        let read = |text: &str| {
            let mut request = tonic::Request::new(());
            let metadata = request.metadata_mut();
            metadata.insert("grpc-timeout", text.parse().unwrap());
            requested_timeout(&metadata.clone().into_headers())
        };
        assert_eq!(read("15S"), Some(Duration::from_secs(15)));
        assert_eq!(read("1500000u"), Some(Duration::from_millis(1500)));
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        for text in ["", "S", "1", "1s", "123456789S", "-1S", "1é"] {
            if text.is_ascii() {
                assert_eq!(read(text), None, "{text}");
            }
        }
        assert_eq!(requested_timeout(&HeaderMap::new()), None);
    }
}
