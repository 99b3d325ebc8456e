//! Sends any call and tells every way it can end: `cargo run -p adit-chain --features client
//! --example submit -- ws://127.0.0.1:9944`, against a devnet.

use std::io::Write as _;

use adit_chain::client::{ChainCall, ChainValue, Client, ClientOptions, SubmissionOutcome};
use adit_primitives::Rao;
use adit_wallet::Keypair;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args()
        .nth(1)
        .unwrap_or("ws://127.0.0.1:9944".to_owned());
    let mut out = std::io::stdout().lock();
    let client = Client::connect(&[endpoint], ClientOptions::default()).await?;
    let (alice, bob) = (Keypair::from_uri("//Alice")?, Keypair::from_uri("//Bob")?);

    // Names and arguments are those of the runtime's metadata; a wrong one is an error that names it.
    let call = ChainCall::new(
        "Balances.transfer_keep_alive",
        [
            ("dest", ChainValue::address(bob.account())),
            ("value", Rao(1_000).into()),
        ],
    );
    match client.submit(&call, &alice).await? {
        SubmissionOutcome::Rejected(refusal) => writeln!(out, "the pool refused it: {refusal}")?,
        SubmissionOutcome::Dropped { reason, .. } => writeln!(out, "not included: {reason}")?,
        SubmissionOutcome::Unknown {
            expires, reason, ..
        } => {
            writeln!(out, "not known until block {expires}: {reason}")?;
        }
        outcome => {
            let Some(report) = outcome.report() else {
                return Ok(());
            };
            match &report.failure {
                Some(failure) => {
                    writeln!(out, "failed at block {}: {failure}", report.receipt.block)?
                }
                None => writeln!(out, "done at block {}", report.receipt.block)?,
            }
            for event in &report.events {
                writeln!(out, "  {}.{}", event.pallet, event.name)?;
            }
        }
    }
    Ok(())
}
