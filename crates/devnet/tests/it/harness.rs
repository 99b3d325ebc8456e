//! A chain on a free port and a subxt client that talks to it.

use std::time::Duration;

use adit_devnet::{Devnet, DevnetConfig, DevnetHandle, SubnetConfig};
use adit_primitives::NetUid;
use subxt::{
    OnlineClient, PolkadotConfig,
    dynamic::{self, Value},
    rpcs::RpcClient,
};
use subxt_signer::sr25519::{Keypair, dev};

/// The subnet the tests register in.
pub(crate) const NETUID: u16 = 7;
pub(crate) const TAO: u64 = 1_000_000_000;

/// A chain that builds a block every 20 ms and runs an epoch every 10 blocks.
pub(crate) fn config() -> DevnetConfig {
    DevnetConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        block_time: Duration::from_millis(20),
        subnets: vec![SubnetConfig {
            tempo: 10,
            weights_rate_limit: 0,
            serving_rate_limit: 1_000_000,
            ..SubnetConfig::new(NetUid(NETUID))
        }],
        ..DevnetConfig::default()
    }
}

/// A chain whose blocks come only when a test asks: [`Chain::act`] builds one for each call.
pub(crate) fn still() -> DevnetConfig {
    DevnetConfig {
        block_time: Duration::from_secs(3600),
        ..config()
    }
}

pub(crate) struct Chain {
    pub(crate) devnet: DevnetHandle,
    pub(crate) client: OnlineClient<PolkadotConfig>,
    pub(crate) rpc: RpcClient,
}

impl Chain {
    pub(crate) async fn start(config: DevnetConfig) -> Self {
        let devnet = Devnet::start(config).await.unwrap();
        let client = OnlineClient::from_url(devnet.url()).await.unwrap();
        let rpc = RpcClient::from_url(devnet.url()).await.unwrap();
        Self {
            devnet,
            client,
            rpc,
        }
    }

    /// Sends a call and waits until it is final; the error's text when it was refused.
    pub(crate) async fn send(
        &self,
        signer: &Keypair,
        pallet: &str,
        call: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<String>, String> {
        let payload = dynamic::transaction(pallet, call, arguments);
        let mut transactions = self.client.tx().await.unwrap();
        let events = transactions
            .sign_and_submit_then_watch_default(&payload, signer)
            .await
            .map_err(|error| format!("{error:?}"))?
            .wait_for_finalized_success()
            .await
            .map_err(|error| error.to_string())?;
        let names = events.iter().map(|event| {
            let event = event.unwrap();
            format!("{}.{}", event.pallet_name(), event.event_name())
        });
        Ok(names.collect())
    }

    /// Sends a call of `SubtensorModule` and builds the block that holds it.
    pub(crate) async fn act(
        &self,
        signer: &Keypair,
        call: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<String>, String> {
        self.act_in("SubtensorModule", signer, call, arguments)
            .await
    }

    /// Sends a call and builds the block that holds it.
    pub(crate) async fn act_in(
        &self,
        pallet: &str,
        signer: &Keypair,
        call: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<String>, String> {
        let payload = dynamic::transaction(pallet, call, arguments);
        let mut transactions = self.client.tx().await.unwrap();
        let sent = transactions
            .sign_and_submit_then_watch_default(&payload, signer)
            .await
            .map_err(|error| format!("{error:?}"))?;
        self.devnet.advance(1).unwrap();
        let events = sent
            .wait_for_finalized_success()
            .await
            .map_err(|error| error.to_string())?;
        let names = events.iter().map(|event| {
            let event = event.unwrap();
            format!("{}.{}", event.pallet_name(), event.event_name())
        });
        Ok(names.collect())
    }

    /// Registers a hotkey for Alice; builds a block.
    pub(crate) async fn enrol(&self, hotkey: &Keypair) {
        let arguments = vec![number(NETUID), account(hotkey)];
        self.act(&dev::alice(), "burned_register", arguments)
            .await
            .unwrap();
    }

    /// Builds blocks until `SubnetEpochIndex` rises, and returns it.
    pub(crate) async fn next_epoch(&self) -> u64 {
        let before = self.epoch_index().await;
        loop {
            self.devnet.advance(1).unwrap();
            let index = self.epoch_index().await;
            if index > before {
                return index;
            }
        }
    }

    async fn epoch_index(&self) -> u64 {
        let address = dynamic::storage::<Vec<Value>, u64>("SubtensorModule", "SubnetEpochIndex");
        let at = self.client.at_current_block().await.unwrap();
        let storage = at.storage();
        let value = storage.try_fetch(address, vec![number(NETUID)]).await;
        value.unwrap().map_or(0, |value| value.decode().unwrap())
    }

    /// A storage value of any pallet at the newest block; `None` where there is none.
    pub(crate) async fn find<V>(&self, pallet: &str, entry: &str, keys: Vec<Value>) -> Option<V>
    where
        V: subxt::ext::scale_decode::DecodeAsType,
    {
        let at = self.client.at_current_block().await.unwrap();
        let address = dynamic::storage::<Vec<Value>, V>(pallet, entry);
        let value = at.storage().try_fetch(address, keys).await.unwrap();
        value.map(|value| value.decode().unwrap())
    }

    pub(crate) async fn subtensor(
        &self,
        signer: &Keypair,
        call: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<String>, String> {
        self.send(signer, "SubtensorModule", call, arguments).await
    }

    pub(crate) async fn register(&self, hotkey: &Keypair) -> Result<Vec<String>, String> {
        let arguments = vec![number(NETUID), account(hotkey)];
        self.subtensor(&dev::alice(), "burned_register", arguments)
            .await
    }

    pub(crate) async fn stake(&self, hotkey: &Keypair, rao: u64) -> Result<Vec<String>, String> {
        let arguments = vec![account(hotkey), number(NETUID), number(rao)];
        self.subtensor(&dev::alice(), "add_stake", arguments).await
    }

    pub(crate) async fn set_weights(
        &self,
        hotkey: &Keypair,
        uids: &[u16],
        weights: &[u16],
    ) -> Result<Vec<String>, String> {
        let arguments = vec![number(NETUID), list(uids), list(weights), number(0_u16)];
        self.subtensor(hotkey, "set_weights", arguments).await
    }

    pub(crate) async fn serve(
        &self,
        hotkey: &Keypair,
        ip: u32,
        port: u16,
        ip_type: u8,
    ) -> Result<Vec<String>, String> {
        let arguments = vec![
            number(NETUID),
            number(0_u16),
            number(ip),
            number(port),
            number(ip_type),
            number(4_u16),
            number(0_u16),
            number(0_u16),
        ];
        self.subtensor(hotkey, "serve_axon", arguments).await
    }

    /// A storage value of the newest block.
    pub(crate) async fn read<V>(&self, entry: &str, keys: Vec<Value>) -> V
    where
        V: subxt::ext::scale_decode::DecodeAsType,
    {
        let at = self.client.at_current_block().await.unwrap();
        let address = dynamic::storage::<Vec<Value>, V>("SubtensorModule", entry);
        let value = at.storage().fetch(address, keys).await.unwrap();
        value.decode().unwrap()
    }

    /// Waits for the next epoch to end: for `SubnetEpochIndex` to rise.
    pub(crate) async fn epoch(&self) {
        let before = self.epoch_index().await;
        let mut blocks = self.client.stream_blocks().await.unwrap();
        while self.epoch_index().await == before {
            blocks.next().await.unwrap().unwrap();
        }
    }
}

pub(crate) fn number(value: impl Into<u64>) -> Value {
    Value::u128(u128::from(value.into()))
}

pub(crate) fn account(key: &Keypair) -> Value {
    Value::from_bytes(key.public_key().0)
}

pub(crate) fn list(values: &[u16]) -> Value {
    Value::unnamed_composite(values.iter().map(|&value| number(value)))
}

/// Fails unless the call was refused for `name`.
pub(crate) fn refused(result: Result<Vec<String>, String>, name: &str) {
    let error = result.expect_err(name);
    assert!(error.contains(name), "expected {name}, got: {error}");
}

/// A key nobody has heard of.
pub(crate) fn key(seed: u8) -> Keypair {
    Keypair::from_secret_key([seed; 32]).unwrap()
}
