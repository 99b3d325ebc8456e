use std::{path::Path, sync::Arc};

use adit_chain::{FileCommitStore, client::Client};
use adit_mechanism_video::{DatasetClient, Embedders, source_fetcher, validator::VideoMechanism};
use adit_neuron::{Validator, config::expand_home, open_hotkey};
use adit_primitives::{NetUid, SystemClock};
use adit_protocol::client::{ConnectOptions, connect_lazy};
use adit_storage::Store;
use adit_wallet::Keypair;
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Wires the crates together and runs rounds until `shutdown`, or until they are done.
pub(crate) async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let clock = Arc::new(SystemClock);
    let keypair = Arc::new(open_hotkey(&config.wallet).await?);
    let database = expand_home(&config.db);
    let store = open(&database).await?;
    let commits = FileCommitStore::new(database.with_extension("commits.json"));
    let seed = seed(&store, config.seed).await?;
    let mechanism = Arc::new(mechanism(&config, &keypair).await?);
    let client = Client::connect(
        &config.subtensor.endpoints()?,
        config.subtensor.client_options(),
    )
    .await?;
    let chain = Arc::new(client.with_signer(Arc::clone(&keypair)));
    tracing::info!(event = "ready", hotkey = %keypair.hotkey(), netuid = config.netuid, "ready");
    let netuid = NetUid(config.netuid);
    Validator::new(
        mechanism,
        chain,
        store,
        clock,
        netuid,
        keypair.hotkey(),
        seed,
        config.neuron,
    )
    .with_commits(Arc::new(commits))
    .run(&shutdown)
    .await?;
    Ok(())
}

async fn open(path: &Path) -> anyhow::Result<Store> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    Store::open(path)
        .await
        .with_context(|| format!("cannot open {}", path.display()))
}

/// The configured seed, or the one drawn at the first start.
async fn seed(store: &Store, configured: Option<u64>) -> anyhow::Result<u64> {
    if let Some(seed) = configured {
        return Ok(seed);
    }
    if let Some(kept) = store.setting("seed").await? {
        return kept
            .parse()
            .context("the seed kept in the state is no number");
    }
    let drawn: u64 = rand::random();
    store.put_setting("seed", &drawn.to_string()).await?;
    Ok(drawn)
}

async fn mechanism(config: &Config, keypair: &Arc<Keypair>) -> anyhow::Result<VideoMechanism> {
    let embedders = Embedders::standard(&expand_home(&config.model)).await?;
    let fetcher = source_fetcher(&expand_home(&config.cache), config.allow_private_origins)?;
    anyhow::ensure!(
        !config.api.endpoint.is_empty(),
        "api.endpoint is not set: where is the validator API?"
    );
    let api = config.api.hotkey.parse().context("api.hotkey")?;
    let connections = ConnectOptions::default();
    let address = format!("http://{}", config.api.endpoint);
    let channel = connect_lazy(address, Arc::clone(keypair), api, connections.clone())?;
    let dataset = DatasetClient::new(channel);
    Ok(VideoMechanism::new(
        Arc::clone(keypair),
        connections,
        config.video.clone(),
        embedders,
        fetcher,
        dataset,
    ))
}
