use std::{net::SocketAddr, time::Duration};

use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    super::{
        body::{DEFAULT_TIMEOUT, SynapseBody},
        head::SynapseHead,
        json::{read_json, write_json},
        random_uuid,
        refusal::SynapseRefusal,
        signing::{ALLOWED_DELTA_NANOS, SPOKEN_VERSION},
        terminal::TerminalInfo,
        value::PyValue,
        verify::{DendriteVerifier, VerifiedDendrite},
    },
    Axon, ForwardError, Route, SynapseCall, SynapseReply,
    reply::{self, ReplyBody},
    turn::{Turn, Turns},
};

/// What every request passes through.
pub(super) struct Pipeline {
    pub(super) axon: Axon,
    pub(super) address: SocketAddr,
    pub(super) verifier: DendriteVerifier,
    pub(super) turns: Turns,
    pub(super) uuid: String,
}

impl Pipeline {
    /// Answers a request, in every case.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<ReplyBody> {
        let started = self.axon.clock.unix_nanos();
        // Filled in as soon as the headers make sense, so that a refusal can carry them.
        let mut head = None;
        match self.handle(request, peer, started, &mut head).await {
            Ok(response) => response,
            Err(refusal) => self.refuse(&refusal, head, peer, started),
        }
    }

    async fn handle(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        started: u64,
        kept: &mut Option<SynapseHead>,
    ) -> Result<Response<ReplyBody>, SynapseRefusal> {
        let (parts, body) = request.into_parts();
        let mut path = parts.uri.path().split('/').skip(1);
        let name = path.next().unwrap_or_default();
        let route = self.route(name)?;
        let head = kept.insert(read_head(route, &parts.headers)?);
        if let Some(blacklist) = &self.axon.blacklist {
            blacklist(head, peer).map_err(|reason| SynapseRefusal::Blacklisted { reason })?;
        }
        let now = self.axon.clock.unix_nanos();
        let caller = self.verifier.verify(head, peer, now)?;
        let patience = self.patience(head.timeout);
        let turn = self.turn(&caller, name, patience).await?;
        if path.next().is_some() {
            return Err(SynapseRefusal::PathGoesOn);
        }
        if !matches!(parts.method, Method::GET | Method::POST) {
            return Err(SynapseRefusal::Method);
        }
        let mut body = self.body(route, &parts.headers, body, &caller).await?;
        body.dendrite = TerminalInfo {
            ip: Some(peer.ip().to_string()),
            port: Some(peer.port().into()),
            version: caller.version,
            nonce: Some(caller.nonce),
            uuid: caller.uuid.clone(),
            hotkey: Some(caller.hotkey.to_string()),
            signature: head.dendrite.signature.clone(),
            ..Default::default()
        };
        body.axon = self.own(head);
        let (dendrite, axon) = (body.dendrite.clone(), body.axon.clone());
        let stream_body = route.schema.is_streaming().then(|| body.clone());
        let reply = forward(route, SynapseCall { caller, body }, patience).await?;
        let process_time = seconds_since(started, self.axon.clock.unix_nanos());
        let finish = |mut body: SynapseBody| -> Result<_, SynapseRefusal> {
            body.dendrite = dendrite;
            body.axon = TerminalInfo {
                status_code: Some(200),
                status_message: Some("Success".into()),
                process_time: Some(process_time),
                ..axon
            };
            let hash = route.schema.body_hash(&body);
            let head = SynapseHead::of(
                &route.schema,
                &body,
                Some(hash.map_err(SynapseRefusal::Malformed)?),
            );
            Ok((head.map_err(SynapseRefusal::Malformed)?, body))
        };
        match (reply, stream_body) {
            (SynapseReply::Whole(body), _) => {
                let (head, body) = finish(*body)?;
                let json = ReplyBody::whole(body.to_json());
                Ok(reply::with_head(200, &head, "application/json", json))
            }
            (SynapseReply::Stream(chunks), Some(asked)) => {
                let (head, _) = finish(asked)?;
                let chunks = ReplyBody::chunks(chunks, held(turn, patience));
                Ok(reply::with_head(200, &head, "text/event-stream", chunks))
            }
            (SynapseReply::Stream(_), None) => Err(SynapseRefusal::Forward(
                "the service streams a synapse that is not declared as a stream".into(),
            )),
        }
    }

    fn route(&self, name: &str) -> Result<&Route, SynapseRefusal> {
        let routes = &self.axon.routes;
        let found = routes.iter().find(|route| route.schema.name() == name);
        found.ok_or_else(|| SynapseRefusal::UnknownSynapse {
            name: name.chars().take(64).collect(),
            known: routes
                .iter()
                .map(|route| route.schema.name().to_owned())
                .collect(),
        })
    }

    /// How long a caller's request may wait, and then be worked on: its timeout and the usual
    /// delta, within our limit.
    fn patience(&self, timeout: Option<f64>) -> Duration {
        let most = self.axon.limits.dendrite.max_timeout;
        let timeout = timeout.filter(|timeout| timeout.is_finite() && *timeout > 0.0);
        Duration::try_from_secs_f64(timeout.unwrap_or(DEFAULT_TIMEOUT))
            .unwrap_or(most)
            .saturating_add(Duration::from_nanos(ALLOWED_DELTA_NANOS))
            .min(most)
    }

    async fn turn(
        &self,
        caller: &VerifiedDendrite,
        name: &str,
        patience: Duration,
    ) -> Result<Turn, SynapseRefusal> {
        let priority = self.axon.priority.as_ref();
        let priority = priority.map_or(0.0, |priority| priority(caller, name));
        match tokio::time::timeout(patience, self.turns.take(priority)).await {
            Ok(Some(turn)) => Ok(turn),
            Ok(None) => Err(SynapseRefusal::Busy),
            Err(_) => Err(out_of(patience)),
        }
    }

    /// Reads the body within bounds, and checks that it is the one that was signed.
    async fn body(
        &self,
        route: &Route,
        headers: &HeaderMap,
        body: Incoming,
        caller: &VerifiedDendrite,
    ) -> Result<SynapseBody, SynapseRefusal> {
        let limit = self.axon.limits.max_body_bytes;
        let reading = Limited::new(body, limit).collect();
        let read = tokio::time::timeout(self.axon.limits.read_timeout, reading).await;
        let bytes = match read {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Err(SynapseRefusal::TooLarge { limit });
            }
            Ok(Err(_)) | Err(_) => return Err(SynapseRefusal::Unreadable),
        };
        if bytes.is_empty() {
            return Err(SynapseRefusal::Empty);
        }
        if !is_json(headers) {
            return Err(SynapseRefusal::ContentType);
        }
        let value = read_json(&bytes).map_err(SynapseRefusal::Json)?;
        let read = route.schema.read(&value);
        let body = read.map_err(SynapseRefusal::Malformed)?;
        let found = route.schema.body_hash(&body);
        let found = found.map_err(SynapseRefusal::Malformed)?;
        match &caller.body_hash {
            Some(signed) if *signed == found => Ok(body),
            signed => Err(SynapseRefusal::HashMismatch {
                found,
                signed: signed.clone().unwrap_or_else(|| "missing".into()),
            }),
        }
    }

    /// Our end, as the answer names it: the address that the caller wrote, and our own hotkey.
    fn own(&self, head: &SynapseHead) -> TerminalInfo {
        let address = self.address;
        TerminalInfo {
            ip: Some(
                head.axon
                    .ip
                    .clone()
                    .unwrap_or_else(|| address.ip().to_string()),
            ),
            port: head.axon.port.or(Some(address.port().into())),
            hotkey: Some(self.axon.keypair.hotkey().to_string()),
            ..Default::default()
        }
    }

    fn refuse(
        &self,
        refusal: &SynapseRefusal,
        head: Option<SynapseHead>,
        peer: SocketAddr,
        started: u64,
    ) -> Response<ReplyBody> {
        let status = refusal.status();
        tracing::debug!(%peer, status, reason = refusal.reason(), "a request was refused");
        if matches!(
            refusal,
            SynapseRefusal::PathGoesOn | SynapseRefusal::Method | SynapseRefusal::Json(_)
        ) {
            return reply::without_head(refusal);
        }
        let message = if status == 500 {
            let id = random_uuid(&mut rand::rng());
            tracing::warn!(%peer, id, cause = %refusal, "a request failed");
            format!("Internal Server Error #{id}")
        } else {
            refusal.to_string()
        };
        let now = self.axon.clock.unix_nanos();
        let mut head = match head {
            Some(mut head) => {
                let own = self.own(&head);
                let hotkey = own.hotkey.as_deref().unwrap_or_default();
                let caller = head.dendrite.hotkey.as_deref().unwrap_or("None");
                let signed = format!("{now}.{caller}.{hotkey}.{}", self.uuid);
                let signature = self.axon.keypair.sign(signed.as_bytes());
                head.axon = TerminalInfo {
                    version: Some(SPOKEN_VERSION),
                    nonce: Some(now),
                    uuid: Some(self.uuid.clone()),
                    signature: Some(signature.to_string()),
                    ..own
                };
                head.dendrite.ip = Some(peer.ip().to_string());
                head.dendrite.port = Some(peer.port().into());
                head
            }
            None => SynapseHead {
                timeout: Some(DEFAULT_TIMEOUT),
                ..SynapseHead::empty("Synapse")
            },
        };
        head.axon.status_code = Some(status.into());
        head.axon.status_message = Some(message.clone());
        head.axon.process_time = Some(seconds_since(started, now));
        let body = PyValue::Dict(vec![("message".into(), message.into())]);
        let body = ReplyBody::whole(write_json(&body));
        reply::with_head(status, &head, "application/json", body)
    }
}

fn read_head(route: &Route, headers: &HeaderMap) -> Result<SynapseHead, SynapseRefusal> {
    let pairs = headers.iter().filter_map(|(name, value)| {
        let text = std::str::from_utf8(value.as_bytes()).ok()?;
        Some((name.as_str(), text))
    });
    let head = SynapseHead::parse(route.schema.name(), pairs);
    let head = head.map_err(SynapseRefusal::Malformed)?;
    head.check_inputs(&route.schema)
        .map_err(SynapseRefusal::Malformed)?;
    Ok(head)
}

/// `application/json` or `application/…+json`, with parameters or not.
fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind.strip_prefix("application/")
        .is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

/// Calls the service in a task of its own, so that a panic in it is an answer like any other; the
/// task ends with the request.
async fn forward(
    route: &Route,
    call: SynapseCall,
    patience: Duration,
) -> Result<SynapseReply, SynapseRefusal> {
    struct Ends<T>(JoinHandle<T>);
    impl<T> Drop for Ends<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let service = route.forward.clone();
    let mut task = Ends(tokio::spawn(async move { service(call).await }));
    match tokio::time::timeout(patience, &mut task.0).await {
        Ok(Ok(Ok(reply))) => Ok(reply),
        Ok(Ok(Err(error))) => Err(SynapseRefusal::Forward(error)),
        Ok(Err(panicked)) => Err(SynapseRefusal::Forward(ForwardError::from(panicked))),
        Err(_) => Err(out_of(patience)),
    }
}

/// Keeps a turn until what is returned is dropped, and at most for the caller's patience: one who
/// reads a stream slowly shall not keep others waiting.
fn held(turn: Turn, patience: Duration) -> oneshot::Receiver<()> {
    let (mut reading, read) = oneshot::channel();
    tokio::spawn(async move {
        // Both ends mean the same: the turn is over.
        let _ = tokio::time::timeout(patience, reading.closed()).await;
        drop(turn);
    });
    read
}

fn out_of(patience: Duration) -> SynapseRefusal {
    SynapseRefusal::Timeout {
        seconds: patience.as_secs_f64(),
    }
}

fn seconds_since(started: u64, now: u64) -> f64 {
    now.saturating_sub(started) as f64 / 1e9
}
