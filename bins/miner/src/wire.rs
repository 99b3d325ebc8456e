use std::{sync::Arc, time::Duration};

use adit_chain::client::Client;
use adit_mechanism_video::{
    Embedders,
    miner::{Library, VideoMinerService, VideoWorker},
    source_fetcher,
};
use adit_neuron::{
    MetagraphWatch,
    axon::{Admission, SelfDescription, announce, announcement, bind, guarded},
    config::expand_home,
    open_hotkey,
};
use adit_primitives::{NetUid, Rao, SystemClock};
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Wires the crates together and serves until `shutdown`.
pub(crate) async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let netuid = NetUid(config.netuid);
    let clock = Arc::new(SystemClock);
    let keypair = Arc::new(open_hotkey(&config.wallet).await?);
    let worker = Arc::new(worker(&config).await?);
    let spaces = worker.embedders().spaces();
    let client = Client::connect(
        &config.subtensor.endpoints()?,
        config.subtensor.client_options(),
    )
    .await?;
    let chain = Arc::new(client.with_signer(Arc::clone(&keypair)));
    let watch = MetagraphWatch::start(
        Arc::clone(&chain),
        netuid,
        Duration::from_secs(12),
        shutdown.clone(),
    )
    .await?;
    let (listener, bound) = bind(&config.axon).await?;
    let axon = announcement(&config.axon, bound)?;
    let announcing = {
        let shutdown = shutdown.clone();
        tokio::spawn(async move { announce(&*chain, netuid, &axon, &shutdown).await })
    };
    let admission = Admission {
        validator_permit: config.blacklist.force_validator_permit,
        min_stake: Rao::from_tao(config.blacklist.validator_min_stake),
    };
    let description = SelfDescription {
        hotkey: keypair.hotkey(),
        netuid,
        role: "miner",
        mechanisms: vec!["video"],
    };
    guarded(keypair, watch, admission, clock.clone())
        .video_miner(VideoMinerService::new(worker, clock).in_spaces(spaces))
        .neuron(description)
        .serve(listener, shutdown.clone().cancelled_owned())
        .await?;
    announcing.await.context("announcing the axon")?;
    Ok(())
}

async fn worker(config: &Config) -> anyhow::Result<VideoWorker> {
    let embedders = Embedders::load(&config.model_choice()).await?;
    let fetcher = source_fetcher(&expand_home(&config.cache), config.allow_private_origins)?;
    let catalogue = config
        .catalogue
        .as_ref()
        .context("catalogue is not set: which videos should the miner offer?")?;
    let library = Library::load(catalogue, &fetcher, &embedders).await?;
    tracing::info!(
        event = "library",
        videos = library.len(),
        "library is ready"
    );
    let seed = config.seed.unwrap_or_else(rand::random);
    Ok(VideoWorker::new(library, fetcher, embedders, seed))
}
