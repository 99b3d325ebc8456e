use std::{sync::Arc, time::Duration};

use adit_chain::client::Client;
use adit_mechanism_video::{
    Embedders,
    dataset::{DatasetService, VideoDataset, read_topics},
};
use adit_neuron::{
    MetagraphWatch,
    axon::{Admission, SelfDescription, bind, guarded},
    config::expand_home,
    open_hotkey,
};
use adit_primitives::{NetUid, Rao, SystemClock};
use adit_storage::DatasetSpaces;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Wires the crates together and serves until `shutdown`, then closes the open shard.
pub(crate) async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let netuid = NetUid(config.netuid);
    let clock = Arc::new(SystemClock);
    let keypair = Arc::new(open_hotkey(&config.wallet).await?);
    let topics = read_topics(&expand_home(&config.topics))?;
    let mut dataset = config.dataset.clone();
    dataset.folder = expand_home(&dataset.folder);
    let spaces = match &config.space {
        Some(joint) => DatasetSpaces::joint(joint.clone()),
        None => Embedders::standard_spaces()?,
    };
    let dataset = Arc::new(VideoDataset::open(&dataset, spaces, clock.clone()).await?);
    let chain = Arc::new(
        Client::connect(
            &config.subtensor.endpoints()?,
            config.subtensor.client_options(),
        )
        .await?,
    );
    let watch =
        MetagraphWatch::start(chain, netuid, Duration::from_secs(12), shutdown.clone()).await?;
    let (listener, _bound) = bind(&config.axon).await?;
    let flushing = tokio::spawn(Arc::clone(&dataset).flush_until(shutdown.clone()));
    let admission = Admission {
        validator_permit: true,
        min_stake: Rao::from_tao(config.validator_min_stake),
    };
    let description = SelfDescription {
        hotkey: keypair.hotkey(),
        netuid,
        role: "validator-api",
        mechanisms: vec!["video"],
    };
    guarded(keypair, watch, admission, clock)
        .dataset(DatasetService::new(Arc::clone(&dataset), topics))
        .neuron(description)
        .serve(listener, shutdown.cancelled_owned())
        .await?;
    flushing.await?;
    dataset.flush().await?;
    Ok(())
}
