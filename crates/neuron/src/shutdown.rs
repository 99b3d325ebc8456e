//! Stopping in order.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{Error, Result};

/// A token that is cancelled at the first SIGTERM, SIGINT (Ctrl-C) or SIGHUP. Work in flight is
/// then given a bounded time to finish.
///
/// # Errors
/// [`Error::Signals`] when the system refuses to deliver signals.
pub fn on_signal() -> Result<CancellationToken> {
    let token = CancellationToken::new();
    let listen = |kind| signal(kind).map_err(Error::Signals);
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let trigger = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        tracing::info!("shutting down");
        trigger.cancel();
    });
    Ok(token)
}
