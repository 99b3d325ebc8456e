//! Registers a hotkey on a devnet, stakes behind it, takes some back and says what each step did:
//! `cargo run -p adit-devnet-bin` in one terminal, then `cargo run -p adit-chain --features client
//! --example stake` in another.

use std::io::Write as _;

use adit_chain::{
    Chain as _,
    client::{Client, ClientOptions, calls},
};
use adit_primitives::{NetUid, Rao};
use adit_wallet::Keypair;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args()
        .nth(1)
        .unwrap_or("ws://127.0.0.1:9944".to_owned());
    let netuid = NetUid(1);
    let mut out = std::io::stdout().lock();

    let client = Client::connect(&[endpoint], ClientOptions::default()).await?;
    // A development account; yours comes from `adit_wallet::Wallet`.
    let coldkey = Keypair::from_uri("//Alice")?;
    let block = client.head().await?;
    let hotkey = Keypair::from_uri(&format!("//example/{block}"))?.hotkey();

    let price = client.burn_price(netuid).await?;
    let limit = Rao(price.0.saturating_add(price.0 / 10));
    let place = client
        .register_within(netuid, hotkey, limit, &coldkey)
        .await?;
    writeln!(out, "uid {} for {price} at most {limit}", place.uid)?;

    let amount = Rao::from_tao(2);
    let call = calls::add_stake(netuid, hotkey, amount);
    let fee = client.estimate_fee(&call, coldkey.account()).await?;
    let trial = client.dry_run(&call, &coldkey).await?;
    writeln!(
        out,
        "staking {amount} costs {}; on trial: {trial:?}",
        fee.fee
    )?;

    let staked = client.add_stake(netuid, hotkey, amount, &coldkey).await?;
    for change in &staked.changes {
        writeln!(
            out,
            "block {}: {} gave {} rao of alpha",
            staked.receipt.block, change.tao, change.alpha.0
        )?;
    }
    let back = client
        .remove_stake(netuid, hotkey, Rao::from_tao(1), &coldkey)
        .await?;
    for change in &back.changes {
        writeln!(
            out,
            "block {}: {} rao of alpha gave {}",
            back.receipt.block, change.alpha.0, change.tao
        )?;
    }
    Ok(())
}
