//! Starting the processes of a subnet, in order, and stopping them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use adit_chain::{
    Chain as _,
    client::{Client, ClientOptions},
};
use adit_mechanism_video::{Embedders, ModelChoice, ModelSet};
use adit_primitives::{Hotkey, Metagraph, NetUid, Rao};
use adit_wallet::{Keypair, Wallet};
use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    args::{Behaviour, Up},
    catalogue::Catalogue,
    events::Narrator,
    process::{Event, Process, program},
};

/// The subnet everything runs on.
pub(crate) const NETUID: NetUid = NetUid(1);
/// TAO of the account that pays for everything.
const FUNDS: u64 = 1_000_000;
/// TAO staked behind the validator.
const STAKE: u64 = 10_000;
/// Time a process has to say that it listens.
const START_UP: Duration = Duration::from_secs(60);

/// One neuron's keys and part.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) behaviour: Option<Behaviour>,
    pub(crate) hotkey: Hotkey,
}

/// A running subnet.
#[derive(Debug)]
pub(crate) struct Subnet {
    pub(crate) dir: PathBuf,
    pub(crate) members: Vec<Member>,
    pub(crate) client: Client,
    chain_url: String,
    models: ModelChoice,
    up: Up,
    processes: Vec<Process>,
    sender: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Subnet {
    /// Starts chain and origin, makes wallets, registers everyone, starts the validator API and
    /// the miners, and waits until all miners are on chain.
    pub(crate) async fn start(
        up: &Up,
        dir: PathBuf,
        models: ModelChoice,
        videos: &Path,
        narrator: &mut Narrator,
    ) -> anyhow::Result<Self> {
        let catalogue = Catalogue::of(videos)?;
        let folder = |name: &str| dir.join(name);
        for name in ["logs", "wallets", "cache"] {
            fs::create_dir_all(folder(name))?;
        }
        catalogue.publish(videos, &folder("videos"))?;
        fs::write(folder("topics.txt"), catalogue.topics().join("\n"))?;
        let owner = key(up.seed, "owner");
        let (sender, mut events) = mpsc::unbounded_channel();
        let mut processes = Vec::new();
        let chain_url = {
            let address = folder("devnet.address");
            let arguments = strings(&[
                ("--listen", "127.0.0.1:0"),
                ("--block-time", &up.block_time),
                ("--netuid", &NETUID.to_string()),
                ("--tempo", &up.tempo.to_string()),
                ("--weights-rate-limit", "4"),
                ("--fund", &format!("{}={FUNDS}", owner.account())),
                ("--log-format", "json"),
                ("--db", &folder("chain.db").display().to_string()),
                ("--port-file", &address.display().to_string()),
            ]);
            processes.push(start(
                "devnet",
                &program("adit-devnet")?,
                arguments,
                &dir,
                &sender,
            )?);
            let address = written(&address)
                .await
                .context("devnet did not start; see logs/devnet.log")?;
            narrator.say("devnet", &format!("listening on {address}"));
            format!("ws://{address}")
        };
        let origin = {
            let this = std::env::current_exe()?;
            let mut arguments = vec!["origin".to_owned()];
            arguments.extend(strings(&[(
                "--dir",
                &folder("videos").display().to_string(),
            )]));
            processes.push(start("origin", &this, arguments, &dir, &sender)?);
            listening("origin", &mut events, narrator).await?
        };
        let client =
            Client::connect(std::slice::from_ref(&chain_url), ClientOptions::default()).await?;
        let mut subnet = Self {
            dir,
            members: Vec::new(),
            client,
            chain_url,
            models,
            up: up.clone(),
            processes,
            sender,
            events,
        };
        subnet.register(&owner, narrator).await?;
        subnet.start_api(narrator).await?;
        subnet.start_miners(&origin, narrator).await?;
        Ok(subnet)
    }

    async fn register(&mut self, owner: &Keypair, narrator: &mut Narrator) -> anyhow::Result<()> {
        let mut parts = vec![("validator".to_owned(), None), ("api".to_owned(), None)];
        let miners = self.up.miners.iter().enumerate();
        parts.extend(
            miners.map(|(place, behaviour)| (format!("miner-{}", place + 1), Some(*behaviour))),
        );
        for (name, behaviour) in parts {
            let hotkey = key(self.up.seed, &name);
            Wallet::create(&self.dir.join("wallets"), &name, "default", owner, &hotkey)?;
            let called =
                behaviour.map_or_else(|| name.clone(), |behaviour| format!("{name} ({behaviour})"));
            narrator.name(hotkey.hotkey().to_string(), called);
            // The API only answers; it needs no place in the subnet.
            if name != "api" {
                self.client
                    .register_burned(NETUID, hotkey.hotkey(), owner)
                    .await?;
            }
            if name == "validator" {
                self.client
                    .add_stake(NETUID, hotkey.hotkey(), Rao::from_tao(STAKE), owner)
                    .await?;
            }
            self.members.push(Member {
                name,
                behaviour,
                hotkey: hotkey.hotkey(),
            });
        }
        narrator.say(
            "localnet",
            &format!(
                "{} wallets made, {} neurons registered",
                self.members.len(),
                self.members.len() - 1
            ),
        );
        self.wait_for("the validator's permit", |metagraph, members| {
            members
                .first()
                .and_then(|validator| metagraph.by_hotkey(&validator.hotkey))
                .is_some_and(|neuron| neuron.validator_permit)
        })
        .await?;
        Ok(())
    }

    async fn start_api(&mut self, narrator: &Narrator) -> anyhow::Result<()> {
        let mut arguments = self.neuron_arguments("api");
        arguments.extend(strings(&[
            ("--axon.ip", "127.0.0.1"),
            ("--axon.port", "0"),
            ("--topics", &self.path("topics.txt")),
            ("--dataset.folder", &self.path("dataset")),
        ]));
        if self.models.set == ModelSet::Imagebind {
            // Nothing else tells the dataset, which embeds nothing, how the space is called.
            let embedders = Embedders::load(&self.models).await?;
            let space = embedders.spaces().video.to_string();
            arguments.extend(strings(&[("--space", &space)]));
        }
        self.processes.push(start(
            "api",
            &program("adit-validator-api")?,
            arguments,
            &self.dir,
            &self.sender,
        )?);
        let address = listening("api", &mut self.events, narrator).await?;
        fs::write(self.dir.join("api.address"), address)?;
        Ok(())
    }

    async fn start_miners(&mut self, origin: &str, narrator: &Narrator) -> anyhow::Result<()> {
        let catalogue = format!("http://{origin}/catalogue.toml");
        for (place, member) in self.members.clone().into_iter().enumerate() {
            let Some(behaviour) = member.behaviour else {
                continue;
            };
            let seed = (self.up.seed.wrapping_mul(1_000) + place as u64).to_string();
            let cache = self.path(&format!("cache/{}", member.name));
            let process = if behaviour == Behaviour::Honest {
                let mut arguments = self.neuron_arguments(&member.name);
                arguments.extend(strings(&[
                    ("--axon.ip", "127.0.0.1"),
                    ("--axon.port", "0"),
                    ("--seed", &seed),
                    ("--catalogue", &catalogue),
                    ("--cache", &cache),
                    ("--blacklist.validator_min_stake", "0"),
                ]));
                arguments.push("--allow-private-origins".to_owned());
                arguments.extend(self.model_arguments());
                start(
                    &member.name,
                    &program("adit-miner")?,
                    arguments,
                    &self.dir,
                    &self.sender,
                )?
            } else {
                let mut arguments = vec!["misbehave".to_owned()];
                arguments.extend(strings(&[
                    ("--behaviour", &behaviour.to_string()),
                    ("--netuid", &NETUID.to_string()),
                    ("--chain", &self.chain_url),
                    ("--wallets", &self.path("wallets")),
                    ("--wallet", &member.name),
                    ("--catalogue", &catalogue),
                    ("--cache", &cache),
                    ("--seed", &seed),
                ]));
                arguments.extend(self.model_arguments());
                start(
                    &member.name,
                    &std::env::current_exe()?,
                    arguments,
                    &self.dir,
                    &self.sender,
                )?
            };
            self.processes.push(process);
        }
        self.wait_for("every miner's axon on chain", |metagraph, members| {
            members
                .iter()
                .filter(|member| member.behaviour.is_some())
                .all(|member| {
                    metagraph
                        .by_hotkey(&member.hotkey)
                        .is_some_and(|neuron| neuron.is_serving())
                })
        })
        .await?;
        while let Ok(event) = self.events.try_recv() {
            narrator.tell(&event);
        }
        Ok(())
    }

    /// Starts the validator. Its configuration is written to `validator.toml`.
    pub(crate) fn start_validator(&mut self) -> anyhow::Result<()> {
        let file = self.dir.join("validator.toml");
        fs::write(&file, self.validator_config()?)?;
        let arguments = strings(&[("--config", &file.display().to_string())]);
        self.processes.push(start(
            "validator",
            &program("adit-validator")?,
            arguments,
            &self.dir,
            &self.sender,
        )?);
        Ok(())
    }

    fn validator_config(&self) -> anyhow::Result<String> {
        let api = self
            .members
            .iter()
            .find(|member| member.name == "api")
            .context("there is no API")?;
        let mut config = json!({
            "netuid": NETUID.0,
            "seed": self.up.seed,
            "db": self.path("validator.db"),
            "cache": self.path("cache/validator"),
            "models": self.models.set,
            "model": self.models.model,
            "allow_private_origins": true,
            "subtensor": { "network": self.chain_url },
            "wallet": { "name": "validator", "path": self.path("wallets") },
            "api": { "endpoint": fs::read_to_string(self.dir.join("api.address"))?, "hotkey": api.hotkey },
            "neuron": {
                "rounds": self.up.rounds,
                "answer_timeout_ms": self.up.answer_timeout_ms,
                "round_interval_ms": 100,
                "weights_interval_blocks": 20,
            },
            "video": {
                "clips_wanted": 4,
                "origin_retry_ms": 200,
                "constraints": { "min_duration_ms": 1_000, "max_duration_ms": 2_500 },
            },
            "telemetry": { "log_format": "json" },
        });
        if let Some(weights) = &self.models.weights {
            config["weights"] = json!(weights);
        }
        Ok(toml::to_string(&plain(&config))?)
    }

    /// Writes what runs to `processes.json`, for whoever wants to look at or to disturb it.
    pub(crate) fn list_processes(&self) -> anyhow::Result<()> {
        let listed: Vec<_> = self.processes.iter().map(Process::description).collect();
        fs::write(
            self.dir.join("processes.json"),
            serde_json::to_vec_pretty(&listed)?,
        )?;
        Ok(())
    }

    /// The next event of any process.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Whether the validator ended, and with success.
    pub(crate) fn validator_ended(&mut self) -> Option<bool> {
        let validator = self
            .processes
            .iter_mut()
            .find(|process| process.name == "validator")?;
        validator.ended().map(|status| status.success())
    }

    /// Names of processes other than the validator that ended although nobody stopped them, apart
    /// from miners whose behaviour is to crash.
    pub(crate) fn dead(&mut self) -> Vec<String> {
        let crashing: Vec<&str> = self
            .members
            .iter()
            .filter(|member| member.behaviour == Some(Behaviour::Crash))
            .map(|member| member.name.as_str())
            .collect();
        let expected = |name: &str| name == "validator" || crashing.contains(&name);
        let mut dead = Vec::new();
        for process in &mut self.processes {
            if !expected(&process.name) && process.ended().is_some() {
                dead.push(format!("{} (see {})", process.name, process.log.display()));
            }
        }
        dead
    }

    /// Waits until the metagraph satisfies `done`.
    pub(crate) async fn wait_for(
        &mut self,
        what: &str,
        done: impl Fn(&Metagraph, &[Member]) -> bool,
    ) -> anyhow::Result<Metagraph> {
        let deadline = tokio::time::Instant::now() + START_UP;
        loop {
            let metagraph = self.client.metagraph(NETUID).await?;
            if done(&metagraph, &self.members) {
                return Ok(metagraph);
            }
            let dead = self.dead();
            anyhow::ensure!(
                dead.is_empty(),
                "waiting for {what}, but these ended: {}",
                dead.join(", ")
            );
            anyhow::ensure!(
                tokio::time::Instant::now() < deadline,
                "waited {START_UP:?} for {what} in vain"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Stops everything we started, last first. Names of those that did not end with success.
    pub(crate) async fn stop(self) -> Vec<String> {
        let mut unhealthy = Vec::new();
        for process in self.processes.into_iter().rev() {
            let name = process.name.clone();
            let crashes = self
                .members
                .iter()
                .any(|member| member.name == name && member.behaviour == Some(Behaviour::Crash));
            if !process.stop().await && !crashes {
                unhealthy.push(name);
            }
        }
        unhealthy
    }

    fn neuron_arguments(&self, wallet: &str) -> Vec<String> {
        strings(&[
            ("--netuid", &NETUID.to_string()),
            ("--subtensor.network", &self.chain_url),
            ("--wallet.name", wallet),
            ("--wallet.path", &self.path("wallets")),
            ("--log-format", "json"),
        ])
    }

    fn model_arguments(&self) -> Vec<String> {
        let models = &self.models;
        let (set, model) = (models.set.to_string(), models.model.display().to_string());
        let mut arguments = strings(&[("--models", &set), ("--model", &model)]);
        let weights = models.weights.iter();
        arguments.extend(
            weights.flat_map(|weights| strings(&[("--weights", &weights.display().to_string())])),
        );
        arguments
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

/// Not by way of serde: where some dependency turns on `serde_json`'s arbitrary precision, its
/// numbers show themselves as maps.
fn plain(value: &Value) -> toml::Value {
    match value {
        Value::Null => toml::Value::String(String::new()),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)));
            toml::Value::Table(fields.collect())
        }
    }
}

fn start(
    name: &str,
    program: &Path,
    arguments: Vec<String>,
    dir: &Path,
    sender: &mpsc::UnboundedSender<Event>,
) -> anyhow::Result<Process> {
    Process::start(name, program, &arguments, &dir.join("logs"), sender.clone())
}

/// Waits for a process to say where it listens, telling other events meanwhile.
async fn listening(
    name: &str,
    events: &mut mpsc::UnboundedReceiver<Event>,
    narrator: &Narrator,
) -> anyhow::Result<String> {
    let wait = async {
        while let Some(event) = events.recv().await {
            narrator.tell(&event);
            if event.source == name && event.kind() == "listening" {
                return Ok(event.text("address").to_owned());
            }
        }
        anyhow::bail!("{name} ended before it listened")
    };
    tokio::time::timeout(START_UP, wait)
        .await
        .with_context(|| format!("{name} did not start; see logs/{name}.log"))?
}

/// Waits for a process to write its address into a file.
async fn written(path: &Path) -> anyhow::Result<String> {
    let deadline = tokio::time::Instant::now() + START_UP;
    loop {
        match fs::read_to_string(path) {
            Ok(address) if !address.trim().is_empty() => return Ok(address.trim().to_owned()),
            _ => anyhow::ensure!(
                tokio::time::Instant::now() < deadline,
                "{} stays empty",
                path.display()
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A key that depends on the seed and the name alone.
fn key(seed: u64, name: &str) -> Keypair {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"adit/localnet/key/1");
    hasher.update(&seed.to_le_bytes());
    hasher.update(name.as_bytes());
    Keypair::from_seed(hasher.finalize().as_bytes())
}

fn strings(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs
        .iter()
        .flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()])
        .collect()
}
