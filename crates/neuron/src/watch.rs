use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use adit_chain::Chain;
use adit_primitives::{Hotkey, Metagraph, NetUid, Rao};
use tokio_util::sync::CancellationToken;

use crate::Result;

/// The latest metagraph, refreshed in the background and cheap to read from request handlers.
/// While the chain is away the last picture stays.
#[derive(Debug, Clone)]
pub struct MetagraphWatch {
    latest: Arc<RwLock<Arc<Metagraph>>>,
}

impl MetagraphWatch {
    /// Reads the metagraph once, then again every `interval` until `shutdown`.
    ///
    /// # Errors
    /// When the first reading fails.
    pub async fn start<C: Chain>(
        chain: Arc<C>,
        netuid: NetUid,
        interval: Duration,
        shutdown: CancellationToken,
    ) -> Result<Self> {
        let latest = Arc::new(RwLock::new(Arc::new(chain.metagraph(netuid).await?)));
        let slot = Arc::clone(&latest);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(interval) => {}
                }
                match chain.metagraph(netuid).await {
                    Ok(metagraph) => {
                        let mut slot = slot
                            .write()
                            .unwrap_or_else(std::sync::PoisonError::into_inner);
                        *slot = Arc::new(metagraph);
                    }
                    Err(error) => tracing::warn!(%netuid, %error, "cannot refresh the metagraph"),
                }
            }
        });
        Ok(Self { latest })
    }

    /// The latest picture.
    pub fn latest(&self) -> Arc<Metagraph> {
        Arc::clone(
            &self
                .latest
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Whether a hotkey is registered, holds a permit when `permit` asks for one, and has at least
    /// `stake`. The text names what is missing.
    ///
    /// # Errors
    /// A text that may be shown to the caller.
    pub fn check_caller(
        &self,
        hotkey: &Hotkey,
        permit: bool,
        stake: Rao,
    ) -> Result<(), &'static str> {
        let metagraph = self.latest();
        match metagraph.by_hotkey(hotkey) {
            None => Err("hotkey is not registered"),
            Some(neuron) if permit && !neuron.validator_permit => {
                Err("hotkey has no validator permit")
            }
            Some(neuron) if neuron.stake < stake => Err("stake is below the minimum"),
            Some(_) => Ok(()),
        }
    }
}
