//! The local chain binary.

mod args;

use anyhow::Context as _;
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = args::Args::parse();
    args.log_format.install();
    let config = args.config()?;
    // Before anybody can know this process is up, so that no signal finds it unprepared.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let devnet = adit_devnet::Devnet::start(config).await?;
    if let Some(path) = &args.port_file {
        write_whole(path, &devnet.address().to_string())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    announce(&format!("listening {}", devnet.url()))?;
    let failure = tokio::select! {
        failure = devnet.failure() => Some(failure),
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
    };
    devnet.shutdown().await;
    match failure {
        Some(failure) => anyhow::bail!(failure),
        None => Ok(()),
    }
}

/// Prints a line; whoever started this process waits for it.
fn announce(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Writes a file that nobody can see half-written.
fn write_whole(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}
