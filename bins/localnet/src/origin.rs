use std::process::ExitCode;

use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::services::ServeDir;

use crate::args::Origin;

/// Serves files with range requests until `shutdown`.
pub(crate) async fn run(origin: Origin, shutdown: CancellationToken) -> anyhow::Result<ExitCode> {
    let listener = TcpListener::bind(origin.listen)
        .await
        .with_context(|| format!("cannot bind {}", origin.listen))?;
    tracing::info!(event = "listening", address = %listener.local_addr()?, "serving videos");
    let files = Router::new().fallback_service(ServeDir::new(&origin.dir));
    axum::serve(listener, files)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await?;
    Ok(ExitCode::SUCCESS)
}
