use std::{path::Path, sync::Arc};

use adit_chain::{FileCommitStore, client::Client};
use adit_mechanism_video::{DatasetClient, Embedders, source_fetcher, validator::VideoMechanism};
use adit_neuron::{Validator, config::expand_home, open_hotkey};
use adit_primitives::{NetUid, SystemClock};
use adit_protocol::client::{ConnectOptions, connect_lazy};
use adit_storage::{DatasetSpaces, Store};
use adit_wallet::Keypair;
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// The setting that names the spaces of a state's open work.
const SPACES: &str = "spaces";

/// Wires the crates together and runs rounds until `shutdown`, or until they are done.
pub(crate) async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let clock = Arc::new(SystemClock);
    let keypair = Arc::new(open_hotkey(&config.wallet).await?);
    let database = expand_home(&config.db);
    let store = open(&database).await?;
    let commits = FileCommitStore::new(database.with_extension("commits.json"));
    let seed = seed(&store, config.seed).await?;
    let embedders = Embedders::load(&config.model_choice()).await?;
    keep_to(&store, &database, &embedders.spaces()).await?;
    let mechanism = Arc::new(mechanism(&config, &keypair, embedders).await?);
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

/// Refuses to go on with a state whose open work belongs to other spaces: answers that came in them would
/// be judged as wrong, and accepted clips with such vectors fit no dataset of ours.
async fn keep_to(store: &Store, path: &Path, spaces: &DatasetSpaces) -> anyhow::Result<()> {
    let kept: DatasetSpaces = match store.setting(SPACES).await? {
        Some(text) => {
            serde_json::from_str(&text).context("the spaces kept in the state cannot be read")?
        }
        // States from before the models could be chosen.
        None => Embedders::standard_spaces()?,
    };
    if let Err(mismatch) = kept.require(spaces) {
        let counts = store.counts().await?;
        let unjudged = counts.tasks.saturating_sub(counts.judged);
        let undelivered = counts.batches.saturating_sub(counts.batches_delivered);
        anyhow::ensure!(
            unjudged == 0 && undelivered == 0,
            "{} holds {unjudged} tasks to judge and {undelivered} batches to deliver of other models \
             ({mismatch}): finish them with those models, or name another --db",
            path.display()
        );
        if counts.tasks > 0 {
            tracing::warn!(event = "spaces_changed", %mismatch, "going on with other models");
        }
    }
    let text = serde_json::to_string(spaces)?;
    store.put_setting(SPACES, &text).await?;
    Ok(())
}

async fn mechanism(
    config: &Config,
    keypair: &Arc<Keypair>,
    embedders: Embedders,
) -> anyhow::Result<VideoMechanism> {
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
