//! Axon and dendrite over loopback: who is believed, what is bounded, and where ours is stricter
//! than the Python SDK. Names say which wish (`spec/chain.md` §8.3) or pain (§9) a test is for.

use std::net::SocketAddr;

use adit_primitives::ManualClock;
use adit_protocol::synapse::{read_json, signed_message};
use adit_wallet::Keypair;

use crate::recorder::{self, RawAnswer};

mod believed;
mod bounded;
mod called;

/// When the clocks of these tests start, in nanoseconds since the Unix epoch.
const START: u64 = 1_800_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn key(uri: &str) -> Keypair {
    Keypair::from_uri(uri).unwrap()
}

/// The recorder's axon as `//Bob`.
async fn bob() -> (SocketAddr, ManualClock) {
    let clock = ManualClock::at_nanos(START);
    let axon = recorder::axon(key("//Bob"), &clock).limits(recorder::small_limits());
    (recorder::serve(axon).await.0, clock)
}

/// A request of `//Alice` to `//Bob`, written by hand so that it can be wrong.
#[derive(Clone)]
struct Request {
    line: String,
    nonce: u64,
    uuid: String,
    timeout: String,
    version: Option<i64>,
    signed_for: String,
    signature: Option<String>,
    extra: String,
    body: String,
}

impl Request {
    fn to(name: &str, body: &str) -> Self {
        Self {
            line: format!("POST /{name} HTTP/1.1"),
            nonce: START,
            uuid: "lane".into(),
            timeout: "12.0".into(),
            version: Some(10_005_000),
            signed_for: key("//Bob").hotkey().to_string(),
            signature: None,
            extra: String::new(),
            body: body.into(),
        }
    }

    fn name(&self) -> &str {
        let path = self.line.split(' ').nth(1).unwrap();
        path.split('/').nth(1).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        let alice = key("//Alice");
        let own = alice.hotkey().to_string();
        let schema = recorder::schema(self.name());
        let read = read_json(self.body.as_bytes()).ok();
        let read = read.and_then(|value| schema.read(&value).ok());
        let hash = read.map_or("none".into(), |body| schema.body_hash(&body).unwrap());
        let message = signed_message(
            Some(self.nonce),
            Some(&own),
            Some(&self.signed_for),
            Some(&self.uuid),
            Some(&hash),
        );
        let signature = self
            .signature
            .clone()
            .unwrap_or_else(|| alice.sign(message.as_bytes()).to_string());
        let version = self
            .version
            .map(|version| format!("bt_header_dendrite_version: {version}\r\n"));
        format!(
            "{}\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nname: {}\r\ntimeout: {}\r\n{}\
             bt_header_dendrite_nonce: {}\r\nbt_header_dendrite_uuid: {}\r\n\
             bt_header_dendrite_hotkey: {own}\r\nbt_header_dendrite_signature: {signature}\r\n\
             computed_body_hash: {hash}\r\nbt_header_input_obj_prompt: IiI=\r\n{}\r\n{}",
            self.line,
            self.body.len(),
            self.name(),
            self.timeout,
            version.unwrap_or_default(),
            self.nonce,
            self.uuid,
            self.extra,
            self.body,
        )
        .into_bytes()
    }

    async fn send(&self, address: SocketAddr) -> RawAnswer {
        recorder::raw(address, &self.bytes()).await
    }
}

/// The message of a refusal.
fn message(answer: &RawAnswer) -> String {
    let json = answer.json();
    json.get("message").unwrap().as_str().unwrap().to_owned()
}
