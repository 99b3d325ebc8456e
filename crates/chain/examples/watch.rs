//! Tells what happens on a subnet, block by block, and who comes, goes or moves: `cargo run -p
//! adit-chain --features client --example watch -- wss://entrypoint-finney.opentensor.ai:443 1`.
//! A third argument ends it after so many blocks.

use std::io::Write as _;

use adit_chain::client::{
    Client, ClientOptions, EventNotice, Following, MetagraphCache, MetagraphCacheOptions,
};
use adit_primitives::NetUid;
use futures::StreamExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().unwrap_or("ws://127.0.0.1:9944".to_owned());
    let netuid = NetUid(arguments.next().unwrap_or("1".to_owned()).parse()?);
    let most = arguments
        .next()
        .map_or(Ok(usize::MAX), |most| most.parse())?;

    let client = Client::connect(&[endpoint], ClientOptions::default()).await?;
    let cache = MetagraphCache::start(client.clone(), netuid, MetagraphCacheOptions::default());
    let mut updates = cache.updates();
    let neurons = cache.ready().await.metagraph.neurons().len();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{neurons} neurons on subnet {netuid}")?;

    let mut events = client.events(Following::Best, None);
    let mut blocks = 0;
    while blocks < most {
        tokio::select! {
            notice = events.next() => match notice {
                Some(Ok(EventNotice::Block(block))) => {
                    blocks += 1;
                    writeln!(out, "block {}: {} events", block.head.number, block.events.len())?;
                }
                Some(Ok(other)) => writeln!(out, "{other:?}")?,
                Some(Err(error)) if error.is_retryable() => writeln!(out, "interrupted: {error}")?,
                Some(Err(error)) => return Err(error.into()),
                None => break,
            },
            Ok(update) = updates.recv() => {
                for change in &update.changes {
                    writeln!(out, "block {}: {change:?}", update.metagraph.block)?;
                }
            }
        }
    }
    Ok(())
}
