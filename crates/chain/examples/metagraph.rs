//! Prints a subnet's metagraph: `cargo run -p adit-chain --features client --example metagraph --
//! wss://entrypoint-finney.opentensor.ai:443 1`.

use std::io::Write as _;

use adit_chain::{
    Chain as _,
    client::{Client, ClientOptions},
};
use adit_primitives::NetUid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().unwrap_or("ws://127.0.0.1:9944".to_owned());
    let netuid = NetUid(arguments.next().unwrap_or("1".to_owned()).parse()?);

    let client = Client::connect(&[endpoint], ClientOptions::default()).await?;
    let metagraph = client.metagraph(netuid).await?;

    let mut out = std::io::stdout().lock();
    writeln!(out, "subnet {netuid} at block {}", metagraph.block)?;
    writeln!(
        out,
        "{:>5} {:48} {:>22} {:>9} {:>9}  axon",
        "uid", "hotkey", "stake", "incentive", "dividends"
    )?;
    for neuron in metagraph.neurons() {
        let axon = neuron.axon.filter(|axon| axon.is_serving());
        writeln!(
            out,
            "{:>5} {:48} {:>22} {:>9} {:>9}  {}",
            neuron.uid,
            neuron.hotkey,
            neuron.stake.to_string(),
            neuron.incentive,
            neuron.dividends,
            axon.map_or("-".to_owned(), |axon| axon.socket().to_string()),
        )?;
    }
    Ok(())
}
