//! Starts the devnet binary; builds it when it is missing.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use adit_chain::{
    Chain as _,
    client::{Client, ClientOptions},
};
use adit_primitives::{Block, NetUid, Rao};
use adit_wallet::Keypair;
use futures::StreamExt as _;

/// The subnet every devnet has.
pub(crate) const SUBNET: NetUid = NetUid(1);

/// A devnet process; killed when dropped.
pub(crate) struct Devnet {
    child: Child,
    pub(crate) port: u16,
    arguments: Vec<String>,
    folder: tempfile::TempDir,
}

impl Devnet {
    /// A chain in memory with blocks every 50 ms.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
        Self::spawn(folder, arguments)
    }

    /// A chain in a file, so that it survives [`Devnet::kill`].
    pub(crate) fn start_on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("chain.db");
        let arguments = vec!["--db".to_owned(), database.display().to_string()];
        Self::spawn(folder, arguments)
    }

    fn spawn(folder: tempfile::TempDir, arguments: Vec<String>) -> Self {
        let (child, port) = launch(&folder, &arguments);
        Self {
            child,
            port,
            arguments,
            folder,
        }
    }

    /// Kills the process as hard as can be.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on another port, with the same arguments.
    pub(crate) fn restart(&mut self) {
        (self.child, self.port) = launch(&self.folder, &self.arguments);
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn client(&self) -> Client {
        connect(&[self.url()]).await
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(folder: &tempfile::TempDir, arguments: &[String]) -> (Child, u16) {
    let port_file = folder.path().join("port");
    let _ = std::fs::remove_file(&port_file);
    let child = Command::new(binary())
        .args([
            "--listen",
            "127.0.0.1:0",
            "--block-time",
            "50ms",
            "--port-file",
        ])
        .arg(&port_file)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let port = loop {
        let text = std::fs::read_to_string(&port_file).unwrap_or_default();
        if let Some(port) = text
            .trim()
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
        {
            break port;
        }
        assert!(Instant::now() < deadline, "the devnet did not say its port");
        std::thread::sleep(Duration::from_millis(20));
    };
    (child, port)
}

fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("ADIT_DEVNET_BIN") {
            return path.into();
        }
        // This test is target/<profile>/deps/it-<hash>.
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap().to_path_buf();
        let binary = profile.join("adit-devnet");
        let target = profile.parent().unwrap();
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "adit-devnet-bin", "--target-dir"])
            .arg(target)
            .current_dir(adit_testkit::workspace_root())
            .status()
            .unwrap();
        assert!(
            built.success() && binary.exists(),
            "cannot build adit-devnet"
        );
        binary
    })
}

/// Options for chains that make a block every 50 ms.
pub(crate) fn hasty() -> ClientOptions {
    ClientOptions {
        request_timeout: Duration::from_secs(10),
        attempts: 12,
        shortest_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(500),
        determination_wait: Duration::from_secs(60),
        ..ClientOptions::default()
    }
}

pub(crate) async fn connect(endpoints: &[String]) -> Client {
    Client::connect(endpoints, hasty()).await.unwrap()
}

pub(crate) fn key(uri: &str) -> Arc<Keypair> {
    Arc::new(Keypair::from_uri(uri).unwrap())
}

/// Registers a new hotkey, paid by Alice, and gives its client.
pub(crate) async fn registered(client: &Client, uri: &str) -> (Client, Arc<Keypair>) {
    let hotkey = key(uri);
    let registered = client
        .register_burned(SUBNET, hotkey.hotkey(), &key("//Alice"))
        .await
        .unwrap();
    assert!(registered.receipt.is_some());
    (client.with_signer(Arc::clone(&hotkey)), hotkey)
}

/// A hotkey with stake, waited for until it has a validator permit, and two miners beside it.
pub(crate) async fn validator(client: &Client) -> (Client, Arc<Keypair>) {
    let (validator, hotkey) = registered(client, "//validator").await;
    registered(client, "//miner-1").await;
    registered(client, "//miner-2").await;
    let stake = Rao::from_tao(1_000);
    client
        .add_stake(SUBNET, hotkey.hotkey(), stake, &key("//Alice"))
        .await
        .unwrap();
    let mut blocks = client.blocks().await.unwrap();
    loop {
        let metagraph = client.metagraph(SUBNET).await.unwrap();
        if metagraph
            .by_hotkey(&hotkey.hotkey())
            .unwrap()
            .validator_permit
        {
            return (validator, hotkey);
        }
        blocks.next().await.unwrap().unwrap();
    }
}

/// Waits until the chain has made that many more blocks.
pub(crate) async fn pass(client: &Client, blocks: u64) {
    let from = client.head().await.unwrap();
    let mut stream = client.blocks().await.unwrap();
    while stream.next().await.unwrap().unwrap().number < Block(from.0 + blocks) {}
}
