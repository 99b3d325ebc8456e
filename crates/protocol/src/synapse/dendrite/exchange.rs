use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinHandle, time::Instant};

use super::{
    super::{
        body::SynapseBody, head::SynapseHead, json::read_json, schema::SynapseSchema,
        value::PyValue,
    },
    Composed, Dendrite, DendriteAnswer, DendriteFault, DendriteStream, DendriteTarget,
};

/// A connection's driver, which ends with the answer.
#[derive(Debug)]
pub(super) struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn exchange(
    dendrite: &Dendrite,
    target: &DendriteTarget,
    schema: &SynapseSchema,
    composed: Composed,
) -> DendriteAnswer {
    let asked = composed.body.clone();
    let seconds = dendrite.options.timeout.as_secs_f64();
    let whole = async {
        let (response, _driver) = send(dendrite, target, schema, composed).await?;
        let (parts, body) = response.into_parts();
        let bytes = read_body(body, dendrite.options.max_answer_bytes).await?;
        Ok((parts, bytes))
    };
    let (parts, bytes) = match tokio::time::timeout(dendrite.options.timeout, whole).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(fault)) => return DendriteAnswer::failed(asked, fault),
        Err(_) => return DendriteAnswer::failed(asked, DendriteFault::Timeout { seconds }),
    };
    understand(schema, parts.status.as_u16(), &parts.headers, &bytes, asked)
}

pub(super) async fn stream(
    dendrite: &Dendrite,
    target: &DendriteTarget,
    schema: &SynapseSchema,
    composed: Composed,
) -> Result<DendriteStream, Box<DendriteAnswer>> {
    let asked = composed.body.clone();
    let failed = |fault| Box::new(DendriteAnswer::failed(asked.clone(), fault));
    let options = dendrite.options;
    let deadline = Instant::now() + options.timeout;
    let late = || DendriteFault::Timeout {
        seconds: options.timeout.as_secs_f64(),
    };
    let sending = send(dendrite, target, schema, composed);
    let sent = tokio::time::timeout_at(deadline, sending).await;
    let (response, driver) = sent.map_err(|_| failed(late()))?.map_err(failed)?;
    let (parts, body) = response.into_parts();
    if parts.status.as_u16() != 200 {
        let reading = read_body(body, options.max_answer_bytes);
        let read = tokio::time::timeout_at(deadline, reading).await;
        let bytes = read.map_err(|_| failed(late()))?.map_err(failed)?;
        let status = parts.status.as_u16();
        return Err(Box::new(understand(
            schema,
            status,
            &parts.headers,
            &bytes,
            asked,
        )));
    }
    let head = read_head(&parts.headers).map_err(failed)?;
    Ok(DendriteStream::new(
        body,
        driver,
        options.max_answer_bytes,
        deadline,
        options.timeout,
        head.axon,
    ))
}

/// Connects and sends; the answer's headers have come when this returns.
async fn send(
    dendrite: &Dendrite,
    target: &DendriteTarget,
    schema: &SynapseSchema,
    composed: Composed,
) -> Result<(Response<Incoming>, Driver), DendriteFault> {
    let request = request_of(target, schema, composed)?;
    let address = reachable(target.address, dendrite.options.external_ip);
    let stream = TcpStream::connect(address).await.map_err(|error| {
        tracing::debug!(%address, %error, "no connection");
        DendriteFault::Unavailable {
            at: format!(
                "{}:{}/{}",
                target.address.ip(),
                target.address.port(),
                schema.name()
            ),
        }
    })?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(dendrite.options.max_header_bytes.max(8 << 10))
        .handshake(TokioIo::new(stream))
        .await
        .map_err(told)?;
    let driver = Driver(tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }));
    let response = sender.send_request(request).await.map_err(told)?;
    Ok((response, driver))
}

fn request_of(
    target: &DendriteTarget,
    schema: &SynapseSchema,
    composed: Composed,
) -> Result<Request<Full<Bytes>>, DendriteFault> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(format!("/{}", schema.name()))
        // An IPv6 address stands in brackets here.
        .header(header::HOST, target.address.to_string())
        .header(header::CONTENT_TYPE, "application/json");
    for (name, text) in &composed.headers {
        request = request.header(name, text);
    }
    request
        .body(Full::from(composed.json))
        .map_err(|error| DendriteFault::Http {
            reason: error.to_string(),
        })
}

/// Loopback where the target is this machine.
fn reachable(target: SocketAddr, external_ip: Option<IpAddr>) -> SocketAddr {
    if Some(target.ip()) != external_ip {
        return target;
    }
    let ip = match target.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, target.port())
}

fn told(error: hyper::Error) -> DendriteFault {
    let reason = error.to_string();
    if error.is_parse() {
        DendriteFault::Http { reason }
    } else {
        DendriteFault::Disconnected { reason }
    }
}

async fn read_body(body: Incoming, limit: usize) -> Result<Bytes, DendriteFault> {
    let collected = Limited::new(body, limit).collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| DendriteFault::Payload {
            reason: if error.is::<LengthLimitError>() {
                format!("more than {limit} bytes")
            } else {
                error.to_string()
            },
        })
}

fn read_head(headers: &HeaderMap) -> Result<SynapseHead, DendriteFault> {
    let pairs = headers.iter().filter_map(|(name, value)| {
        let text = std::str::from_utf8(value.as_bytes()).ok()?;
        Some((name.as_str(), text))
    });
    SynapseHead::parse("Synapse", pairs).map_err(|error| unreadable(&error))
}

/// Makes of a whole HTTP answer what a Python dendrite makes of it.
fn understand(
    schema: &SynapseSchema,
    status: u16,
    headers: &HeaderMap,
    bytes: &[u8],
    asked: SynapseBody,
) -> DendriteAnswer {
    match read_answer(schema, status, headers, bytes, &asked) {
        Ok(answer) => answer,
        Err(fault) => DendriteAnswer::failed(asked, fault),
    }
}

fn read_answer(
    schema: &SynapseSchema,
    status: u16,
    headers: &HeaderMap,
    bytes: &[u8],
    asked: &SynapseBody,
) -> Result<DendriteAnswer, DendriteFault> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    if essence != "application/json" && !essence.ends_with("+json") {
        return Err(DendriteFault::Unreadable {
            reason: format!(
                "{status}, message='Attempt to decode JSON with unexpected mimetype: {essence}'"
            ),
        });
    }
    // Python's client takes an empty body for `null`.
    let json = if bytes.trim_ascii().is_empty() {
        PyValue::None
    } else {
        read_json(bytes).map_err(|error| unreadable(&error))?
    };
    let told = json.get("message").unwrap_or(&PyValue::None);
    let told_well = matches!(told, PyValue::None | PyValue::Str(_));
    if status != 200 && !(told_well && matches!(json, PyValue::Dict(_))) {
        // The status came all the same.
        let reason = "an error without an object that tells it".to_owned();
        return Ok(DendriteAnswer {
            axon_status: Some(status.into()),
            ..DendriteAnswer::failed(asked.clone(), DendriteFault::Unreadable { reason })
        });
    }
    let head = read_head(headers)?;
    let (body, mut axon_status, mut message, mut process_time);
    if status == 200 {
        let mut read = schema.read(&json).map_err(|error| unreadable(&error))?;
        (axon_status, message, process_time) = (
            read.axon.status_code,
            read.axon.status_message.clone(),
            read.axon.process_time,
        );
        // Who asked whom is ours to know: nothing in an answer can change it.
        read.dendrite = asked.dendrite.clone();
        read.axon = asked.axon.clone();
        body = read;
    } else {
        axon_status = Some(status.into());
        message = told.as_str().map(str::to_owned);
        process_time = None;
        body = asked.clone();
    }
    axon_status = head.axon.status_code.or(axon_status);
    message = head.axon.status_message.or(message);
    process_time = head.axon.process_time.or(process_time);
    Ok(DendriteAnswer {
        status_code: axon_status,
        status_message: message,
        axon_status,
        axon_process_time: process_time,
        body,
        fault: None,
    })
}

fn unreadable(error: &dyn std::error::Error) -> DendriteFault {
    DendriteFault::Unreadable {
        reason: error.to_string(),
    }
}
