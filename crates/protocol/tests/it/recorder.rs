//! The axon that the golden vectors were recorded with, and raw HTTP to talk to it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use adit_primitives::ManualClock;
use adit_protocol::synapse::{
    Axon, AxonLimits, FieldType, PyValue, SynapseCall, SynapseHead, SynapseReply, SynapseSchema,
};
use adit_wallet::Keypair;
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// The recorder's synapses, by name.
pub(crate) fn schema(name: &str) -> SynapseSchema {
    let schema = SynapseSchema::new(name);
    let text = || FieldType::optional(FieldType::Str);
    match name {
        "Echo" => schema
            .required("prompt", FieldType::Str)
            .optional("n", FieldType::Int, 1_i64)
            .optional("temperature", FieldType::Float, 0.7)
            .optional(
                "tags",
                FieldType::list(FieldType::Str),
                PyValue::List(Vec::new()),
            )
            .optional(
                "meta",
                FieldType::optional(FieldType::dict(FieldType::Any)),
                PyValue::None,
            )
            .optional("output", text(), PyValue::None)
            .hashes(["prompt", "n", "tags"]),
        "NoHash" => schema.optional("x", FieldType::Int, 0_i64).optional(
            "y",
            FieldType::optional(FieldType::Int),
            PyValue::None,
        ),
        "Boom" | "Black" => schema.optional("x", FieldType::Int, 0_i64),
        "Strm" => schema
            .optional("prompt", FieldType::Str, "")
            .optional("completion", text(), "")
            .hashes(["prompt"])
            .streams(),
        "Synapse" => schema,
        _ => panic!("unknown synapse {name}"),
    }
}

/// The recorder's axon, not yet serving.
pub(crate) fn axon(keypair: Keypair, clock: &ManualClock) -> Axon {
    Axon::new(keypair)
        .clock(Arc::new(clock.clone()))
        .blacklist(|head: &SynapseHead, _| match head.name.as_str() {
            "Black" => Err("not welcome".into()),
            _ => Ok(()),
        })
        .attach_schema(schema("Echo"), |mut call: SynapseCall| async move {
            let prompt = call.body.field("prompt").and_then(PyValue::as_str);
            let times = call.body.field("n").and_then(PyValue::as_i64);
            let shout = prompt.unwrap().to_uppercase();
            let output = shout.repeat(times.unwrap().try_into()?);
            call.body.set("output", output);
            Ok(SynapseReply::Whole(Box::new(call.body)))
        })
        .attach_schema(schema("NoHash"), |mut call: SynapseCall| async move {
            let x = call.body.field("x").and_then(PyValue::as_i64);
            let x = x.ok_or("beyond what this service counts")?;
            call.body.set("y", x + 1);
            Ok(SynapseReply::Whole(Box::new(call.body)))
        })
        .attach_schema(schema("Boom"), |_| async move { Err("boom".into()) })
        .attach_schema(schema("Black"), |call: SynapseCall| async move {
            Ok(SynapseReply::Whole(Box::new(call.body)))
        })
        .attach_schema(schema("Strm"), |_| async move {
            let (sender, chunks) = mpsc::channel(4);
            tokio::spawn(async move {
                for chunk in ["Hel", "lo ", "wor", "ld"] {
                    if sender
                        .send(Bytes::from_static(chunk.as_bytes()))
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
            });
            Ok(SynapseReply::Stream(chunks))
        })
}

/// Serves an axon on a loopback socket until the task is aborted.
pub(crate) async fn serve(axon: Axon) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        axon.serve(listener, std::future::pending()).await.unwrap();
    });
    (address, task)
}

/// Small bounds, so that tests reach them.
pub(crate) fn small_limits() -> AxonLimits {
    AxonLimits {
        max_body_bytes: 4096,
        read_timeout: Duration::from_millis(300),
        ..Default::default()
    }
}

/// The development key of an address.
pub(crate) fn key_of(address: &str) -> Keypair {
    [
        "//Alice",
        "//Bob",
        "//Charlie",
        "//Dave",
        "//Eve",
        "//Ferdie",
    ]
    .into_iter()
    .map(|uri| Keypair::from_uri(uri).unwrap())
    .find(|keypair| keypair.hotkey().to_string() == address)
    .unwrap_or_else(|| panic!("{address} is no development key"))
}

/// An HTTP answer, read by hand.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: i64,
    /// Names as they were sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl RawAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str())
    }

    /// The body's value; `None` of an empty body.
    pub(crate) fn json(&self) -> PyValue {
        if self.body.is_empty() {
            return PyValue::None;
        }
        adit_protocol::synapse::read_json(&self.body).unwrap()
    }
}

/// Sends bytes and reads the answer until the other side closes.
pub(crate) async fn raw(address: SocketAddr, request: &[u8]) -> RawAnswer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .unwrap()
        .unwrap();
    let (head, body) = split(&answer).unwrap();
    let (first, headers) = head.split_first().unwrap();
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> = headers.iter().map(|line| pair(line)).collect();
    let chunked = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    let body = if chunked {
        unchunked(body)
    } else {
        body.to_vec()
    };
    RawAnswer {
        status,
        headers,
        body,
    }
}

/// The lines before the blank one, and what follows; `None` while the blank line has not come.
pub(crate) fn split(bytes: &[u8]) -> Option<(Vec<&str>, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    Some((head.split("\r\n").collect(), &bytes[end + 4..]))
}

pub(crate) fn pair(line: &str) -> (String, String) {
    let (name, text) = line.split_once(':').unwrap();
    (name.to_owned(), text.trim().to_owned())
}

pub(crate) fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        out.extend_from_slice(&rest[line + 2..][..size]);
        rest = &rest[line + 2 + size + 2..];
    }
    out
}

/// Answers one connection with given bytes and closes it; gives back what was sent.
pub(crate) async fn answer_once(answer: Vec<u8>) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            request.extend_from_slice(&buffer[..count]);
            let whole = split(&request).is_some_and(|(head, body)| {
                let length = head.iter().map(|line| line.to_ascii_lowercase());
                let length = length
                    .filter_map(|line| line.strip_prefix("content-length:").map(str::to_owned))
                    .next();
                let length = length.map_or(0, |length| length.trim().parse().unwrap());
                body.len() >= length
            });
            if whole || count == 0 {
                break;
            }
        }
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
        request
    });
    (address, task)
}
