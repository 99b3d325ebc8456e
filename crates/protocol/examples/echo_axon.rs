//! An axon that dendrites of the Python SDK (up to version 10) can call.
//!
//! `cargo run -p adit-protocol --features synapse --example echo_axon -- 127.0.0.1:9101 //Bob`
//! serves two synapses, `Echo` and the stream `Words`, as the development key `//Bob` until Ctrl-C;
//! everyone may call. `scripts/interop/axon` talks to it from Python.

use std::{env, error::Error, time::Duration};

use adit_protocol::synapse::{Axon, FieldType, PyValue, SynapseCall, SynapseReply, SynapseSchema};
use adit_wallet::Keypair;
use bytes::Bytes;
use tokio::{net::TcpListener, sync::mpsc};

fn echo() -> SynapseSchema {
    let maybe = FieldType::optional;
    SynapseSchema::new("Echo")
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
        .hashes(["prompt", "n", "temperature", "tags", "meta"])
}

fn words() -> SynapseSchema {
    SynapseSchema::new("Words")
        .required("text", FieldType::Str)
        .optional("heard", FieldType::Str, "")
        .hashes(["text"])
        .streams()
}

fn text(call: &SynapseCall, field: &str) -> String {
    let text = call.body.field(field).and_then(PyValue::as_str);
    text.unwrap_or_default().to_owned()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9101".into());
    let uri = arguments.next().unwrap_or_else(|| "//Bob".into());
    let axon = Axon::new(Keypair::from_uri(&uri)?)
        .attach_schema(echo(), |mut call| async move {
            let n = call.body.field("n").and_then(PyValue::as_i64).unwrap_or(1);
            let shout = text(&call, "prompt").to_uppercase();
            let shout = shout.repeat(n.clamp(0, 100).try_into()?);
            // The caller is who signed, whatever the body says.
            call.body
                .set("output", format!("{shout} for {}", call.caller.hotkey));
            Ok(SynapseReply::Whole(Box::new(call.body)))
        })
        .attach_schema(words(), |call| async move {
            let text = text(&call, "text");
            let (sender, chunks) = mpsc::channel(4);
            tokio::spawn(async move {
                for word in text.split_inclusive(' ') {
                    if sender.send(Bytes::from(word.to_owned())).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
            Ok(SynapseReply::Stream(chunks))
        });
    let listener = TcpListener::bind(address).await?;
    axon.serve(listener, async {
        // Without a way to hear Ctrl-C the process is stopped by its signal.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
    .await?;
    Ok(())
}
