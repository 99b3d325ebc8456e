use adit_wallet::{Keypair, Wallet};

use crate::{Error, Result, config::WalletConfig};

/// Opens the configured hotkey, encrypted or not, away from the async threads: deriving a key
/// from a password takes a second and half a gibibyte of memory. Warns of secret files that other
/// users may read.
///
/// # Errors
/// [`Error::Config`] for several sources of the password, [`Error::Wallet`] for what is wrong with
/// the wallet, the password or its source.
pub async fn open_hotkey(config: &WalletConfig) -> Result<Keypair> {
    let config = config.clone();
    let open = move || {
        let password = config.password_source()?;
        let wallet = Wallet::open(&config.folder(), &config.name, &config.hotkey)?;
        for exposure in wallet.exposures() {
            tracing::warn!(event = "exposed_key", "{exposure}");
        }
        Ok(wallet.unlock_hotkey(&password)?)
    };
    tokio::task::spawn_blocking(open)
        .await
        .map_err(|error| Error::Command(format!("opening the hotkey: {error}")))?
}
