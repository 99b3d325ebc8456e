//! A dendrite that calls an axon of the Python SDK (up to version 10), or of `echo_axon`.
//!
//! `cargo run -p adit-protocol --features synapse --example echo_dendrite -- 127.0.0.1:9101
//! SS58-OF-THE-AXON //Alice` asks `Echo` and the stream `Words`, and ends with an error when an
//! answer is not the expected one. `scripts/interop/axon` lets it call a Python axon.

use std::{env, error::Error};

use adit_protocol::synapse::{
    Dendrite, DendriteTarget, FieldType, PyValue, SynapseSchema, read_json, write_json,
};
use adit_wallet::Keypair;

/// Values whose printed form in Python is not their JSON: the axon hashes what it reads anew.
const META: &str = r#"{"z": [1, 1.0, 1e22, 1e-7, -0.0, null, true], "quotes": ["it's", "a \"b\"", "both ' and \""], "odd": "\u200b\u00a0é🌍\n\\", "big": 1180591620717411303424, "empty": [[], {}, ""]}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let address = arguments
        .next()
        .ok_or("the axon's ADDRESS:PORT is missing")?;
    let hotkey = arguments
        .next()
        .ok_or("the axon's SS58 address is missing")?;
    let uri = arguments.next().unwrap_or_else(|| "//Alice".into());
    let caller = Keypair::from_uri(&uri)?;
    let own = caller.hotkey();
    let dendrite = Dendrite::new(caller);
    let target = DendriteTarget::new(address.parse()?, hotkey.parse()?);

    let maybe = FieldType::optional;
    let echo = SynapseSchema::new("Echo")
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
            maybe(FieldType::dict(FieldType::Any)),
            PyValue::None,
        )
        .optional("output", maybe(FieldType::Str), PyValue::None)
        .hashes(["prompt", "n", "temperature", "tags", "meta"]);
    for temperature in ["0.7", "1", "1e16", "0.00001"] {
        let asked = format!(
            r#"{{"prompt": "héllo ", "n": 2, "temperature": {temperature}, "tags": ["a", "b'c"], "meta": {META}}}"#
        );
        let asked = echo.read(&read_json(asked.as_bytes())?)?;
        let answer = dendrite
            .exchange(&target, &echo, asked.clone())
            .await
            .into_success()?;
        let output = answer.field("output").and_then(PyValue::as_str);
        let expected = format!("HÉLLO HÉLLO  for {own}");
        if output != Some(&expected) || answer.field("meta") != asked.field("meta") {
            return Err(
                format!("{}: expected {expected:?}", write_json(&answer.to_object())).into(),
            );
        }
    }

    let words = SynapseSchema::new("Words")
        .required("text", FieldType::Str)
        .optional("heard", FieldType::Str, "")
        .hashes(["text"])
        .streams();
    let asked = words.read(&read_json(r#"{"text": "one two thrée"}"#.as_bytes())?)?;
    let stream = dendrite.stream(&target, &words, asked).await;
    let mut stream = stream.map_err(|answer| format!("no stream: {:?}", answer.status_message))?;
    let mut heard = Vec::new();
    while let Some(chunk) = stream.next().await {
        heard.extend_from_slice(&chunk?);
    }
    if heard != "one two thrée".as_bytes() {
        return Err(format!("the stream said {:?}", String::from_utf8_lossy(&heard)).into());
    }

    // Signed for another axon: refused.
    let other = DendriteTarget::new(target.address, own);
    let asked = echo.read(&read_json(br#"{"prompt": "hi"}"#)?)?;
    let answer = dendrite.exchange(&other, &echo, asked).await;
    if answer.status_code != Some(401) {
        return Err(format!(
            "a request for another was answered {:?}",
            answer.status_code
        )
        .into());
    }
    Ok(())
}
