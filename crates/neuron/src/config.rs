//! Layered configuration: defaults, then one TOML file, then environment, then flags.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use adit_wallet::PasswordSource;
use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Env, Format as _, Serialized, Toml},
    value::{Dict, Map},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, Result};

/// Environment variables that start with `ADIT_` but configure scripts and tests, not neurons.
const RESERVED: [&str; 7] = [
    "HOME",
    "GOLDEN",
    "GOLDEN_REPORT",
    "DEVNET_BIN",
    "BIN_DIR",
    "VIDEOS",
    "TEST_SEED",
];

/// Words that mark a key as secret: its value is never printed.
const SECRET_WORDS: [&str; 5] = ["password", "mnemonic", "secret", "token", "private_key"];

/// Endings of keys that only name the place of a secret.
const PLACES: [&str; 3] = ["_file", "_fd", "_env"];

/// Which chain to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubtensorConfig {
    /// `finney`, `test`, `local`, or a websocket URL.
    pub network: String,
    /// Endpoints to use instead of the network's own, first one preferred.
    pub chain_endpoint: Vec<String>,
    /// Endpoints with all history, asked only for what the others have thrown away; finney has its
    /// own.
    pub archive_endpoint: Vec<String>,
    /// Folder in which the chain's metadata is kept between runs. Finney and test have one in the
    /// home folder's cache; a local chain, whose runtime changes under the same name, has none.
    pub metadata_folder: Option<PathBuf>,
}

impl Default for SubtensorConfig {
    fn default() -> Self {
        Self {
            network: "finney".into(),
            chain_endpoint: Vec::new(),
            archive_endpoint: Vec::new(),
            metadata_folder: None,
        }
    }
}

impl SubtensorConfig {
    /// The endpoints to try, in order.
    ///
    /// # Errors
    /// [`Error::Config`] for a network name nobody knows.
    pub fn endpoints(&self) -> Result<Vec<String>> {
        if !self.chain_endpoint.is_empty() {
            return Ok(self.chain_endpoint.clone());
        }
        let named: &[&str] = match self.network.as_str() {
            "finney" => &[
                "wss://entrypoint-finney.opentensor.ai:443",
                "wss://lite.chain.opentensor.ai:443",
            ],
            "test" => &["wss://test.finney.opentensor.ai:443"],
            "local" => &["ws://127.0.0.1:9944"],
            url if url.starts_with("ws://") || url.starts_with("wss://") => &[url],
            other => {
                return Err(Error::Config(format!(
                    "subtensor.network is {other:?}; known are finney, test, local and ws:// or wss:// URLs"
                )));
            }
        };
        Ok(named
            .iter()
            .map(|endpoint| (*endpoint).to_owned())
            .collect())
    }

    /// How the client asks them: patient as it is by default, with the archives and the metadata
    /// folder of this configuration.
    #[cfg(feature = "client")]
    pub fn client_options(&self) -> adit_chain::client::ClientOptions {
        let mut archives = self.archive_endpoint.clone();
        if archives.is_empty() && self.network == "finney" {
            archives.push("wss://archive.chain.opentensor.ai:443".to_owned());
        }
        let public = matches!(self.network.as_str(), "finney" | "test");
        let kept = || public.then(|| PathBuf::from("~/.cache/adit/metadata"));
        let metadata_folder = self.metadata_folder.clone().or_else(kept);
        adit_chain::client::ClientOptions {
            archives,
            metadata_folder: metadata_folder.as_deref().map(expand_home),
            ..adit_chain::client::ClientOptions::default()
        }
    }
}

/// Which keys to use, in the standard wallet folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WalletConfig {
    /// The wallet's folder name.
    pub name: String,
    /// The hotkey's file name.
    pub hotkey: String,
    /// The folder of wallets; a leading `~` is the home folder.
    pub path: PathBuf,
    /// File with the password of an encrypted hotkey, readable by its owner alone.
    pub password_file: Option<PathBuf>,
    /// File descriptor to read the password from.
    pub password_fd: Option<u32>,
    /// Environment variable with the password, masked as the Python wallets do when its name
    /// starts with `BT_PW_`.
    pub password_env: Option<String>,
}

impl Default for WalletConfig {
    fn default() -> Self {
        Self {
            name: "default".into(),
            hotkey: "default".into(),
            path: "~/.bittensor/wallets".into(),
            password_file: None,
            password_fd: None,
            password_env: None,
        }
    }
}

impl WalletConfig {
    /// The folder of wallets with `~` expanded.
    pub fn folder(&self) -> PathBuf {
        expand_home(&self.path)
    }

    /// Where the password of an encrypted hotkey comes from: the one source that is configured,
    /// else the keyfile's own `BT_PW_…` variable or the terminal.
    ///
    /// # Errors
    /// [`Error::Config`] when more than one source is configured.
    pub fn password_source(&self) -> Result<PasswordSource> {
        let file = self.password_file.as_deref().map(expand_home);
        let sources = [
            file.map(PasswordSource::File),
            self.password_fd.map(PasswordSource::Descriptor),
            self.password_env
                .clone()
                .map(|name| PasswordSource::Environment(Some(name))),
        ];
        let mut given = sources.into_iter().flatten();
        match (given.next(), given.next()) {
            (None, _) => Ok(PasswordSource::Usual),
            (Some(source), None) => Ok(source),
            (Some(_), Some(_)) => Err(Error::Config(
                "more than one of wallet.password_file, wallet.password_fd and wallet.password_env"
                    .into(),
            )),
        }
    }
}

/// Where to listen, and what to announce on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AxonConfig {
    /// Address to listen on.
    pub ip: IpAddr,
    /// Port to listen on.
    pub port: u16,
    /// Address to announce; the listening one when absent.
    pub external_ip: Option<IpAddr>,
    /// Port to announce; the listening one when absent.
    pub external_port: Option<u16>,
}

impl Default for AxonConfig {
    fn default() -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 8091,
            external_ip: None,
            external_port: None,
        }
    }
}

/// A path with a leading `~` replaced by the home folder.
pub fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// A configuration with the origin of each value.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The effective configuration.
    pub value: T,
    settings: Vec<Setting>,
}

#[derive(Debug, Clone)]
struct Setting {
    key: String,
    value: Value,
    origin: String,
}

/// Layers `T`'s defaults, a TOML file, the environment (`ADIT_SECTION__KEY`) and flags (dotted
/// keys); later layers win.
///
/// # Errors
/// [`Error::ConfigFile`] when the file cannot be read; [`Error::Config`] for unknown keys and
/// values of the wrong type, with the key and the layer at fault.
pub fn load<T: Serialize + DeserializeOwned + Default>(
    file: Option<&Path>,
    flags: Vec<(&'static str, Value)>,
) -> Result<Loaded<T>> {
    let mut figment = Figment::from(Serialized::defaults(T::default()));
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|source| Error::ConfigFile {
            path: path.to_owned(),
            source,
        })?;
        figment = figment.merge(NamedToml {
            path: path.to_owned(),
            text,
        });
    }
    let reserved: Vec<String> = RESERVED
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let environment = Env::prefixed("ADIT_")
        .filter(move |key| {
            !reserved
                .iter()
                .any(|name| key.as_str().eq_ignore_ascii_case(name))
        })
        .split("__");
    figment = figment.merge(environment).merge(Flags(flags));
    let value: T = figment
        .extract()
        .map_err(|error| Error::Config(error.to_string()))?;
    let tree = serde_json::to_value(&value).map_err(|source| Error::Encode {
        what: "configuration",
        source,
    })?;
    let mut settings = Vec::new();
    flatten(String::new(), &tree, &mut |key, value| {
        let origin = figment
            .find_metadata(&key)
            .map_or_else(|| "default".to_owned(), origin);
        settings.push(Setting {
            key,
            value: value.clone(),
            origin,
        });
    });
    Ok(Loaded { value, settings })
}

fn origin(metadata: &Metadata) -> String {
    if metadata.name.contains("::") || metadata.name.contains("default") {
        "default".to_owned()
    } else {
        metadata.name.trim_matches('`').to_owned()
    }
}

fn flatten(prefix: String, value: &Value, visit: &mut dyn FnMut(String, &Value)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let key = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}.{name}")
                };
                flatten(key, value, visit);
            }
        }
        leaf => visit(prefix, leaf),
    }
}

impl<T> fmt::Display for Loaded<T> {
    /// One line a key: `key = value  # origin`, secrets redacted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Setting { key, value, origin } in &self.settings {
            let name = key.to_ascii_lowercase();
            let secret = SECRET_WORDS.iter().any(|word| name.contains(word))
                && !PLACES.iter().any(|ending| name.ends_with(ending));
            let shown = match value {
                Value::Null => "(none)".to_owned(),
                _ if secret => "(redacted)".to_owned(),
                value => value.to_string(),
            };
            writeln!(f, "{key} = {shown}  # {origin}")?;
        }
        Ok(())
    }
}

/// A TOML file whose values are told to come from that file.
struct NamedToml {
    path: PathBuf,
    text: String,
}

impl Provider for NamedToml {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.path.display().to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Toml::string(&self.text).data()
    }
}

/// Flags by dotted key.
struct Flags(Vec<(&'static str, Value)>);

impl Provider for Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named("command line")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut tree = Dict::new();
        for (key, value) in &self.0 {
            insert(&mut tree, key, value).map_err(figment::Error::from)?;
        }
        Ok(Profile::Default.collect(tree))
    }
}

fn insert(tree: &mut Dict, key: &str, value: &Value) -> Result<(), String> {
    match key.split_once('.') {
        None => {
            tree.insert(key.to_owned(), plain(value));
        }
        Some((first, rest)) => {
            let inner = tree
                .entry(first.to_owned())
                .or_insert_with(|| figment::value::Value::from(Dict::new()));
            let figment::value::Value::Dict(_, inner) = inner else {
                return Err(format!("flag {key} lies under a value"));
            };
            insert(inner, rest, value)?;
        }
    }
    Ok(())
}

/// Not by way of serde: where some dependency turns on `serde_json`'s arbitrary precision, its
/// numbers show themselves as maps.
fn plain(value: &Value) -> figment::value::Value {
    use figment::value::{Empty, Num, Tag, Value as Plain};
    match value {
        Value::Null => Plain::Empty(Tag::Default, Empty::None),
        Value::Bool(flag) => Plain::from(*flag),
        Value::String(text) => Plain::from(text.clone()),
        Value::Array(items) => Plain::from(items.iter().map(plain).collect::<Vec<_>>()),
        Value::Object(fields) => Plain::from(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect::<Dict>(),
        ),
        Value::Number(number) => {
            let whole = number
                .as_u64()
                .map(Num::U64)
                .or_else(|| number.as_i64().map(Num::I64));
            let number = whole.or_else(|| number.as_f64().map(Num::F64));
            Plain::Num(Tag::Default, number.unwrap_or(Num::U64(0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Serialize, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Example {
        netuid: u16,
        api_token: String,
        wallet: WalletConfig,
        subtensor: SubtensorConfig,
        axon: AxonConfig,
    }

    #[test]
    fn later_layers_win_and_each_value_tells_its_origin() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("neuron.toml");
        std::fs::write(
            &file,
            "netuid = 24\napi_token = \"hush\"\n[wallet]\nname = \"from-file\"\nhotkey = \"f\"\n",
        )
        .unwrap();
        let loaded: Loaded<Example> =
            load(Some(&file), vec![("wallet.hotkey", json!("from-flag"))]).unwrap();
        assert_eq!(loaded.value.netuid, 24);
        assert_eq!(
            (
                loaded.value.wallet.name.as_str(),
                loaded.value.wallet.hotkey.as_str()
            ),
            ("from-file", "from-flag")
        );
        let text = loaded.to_string();
        assert!(
            text.contains("wallet.hotkey = \"from-flag\"  # command line"),
            "{text}"
        );
        assert!(
            text.contains(&format!("netuid = 24  # {}", file.display())),
            "{text}"
        );
        assert!(text.contains("axon.port = 8091  # default"), "{text}");
        assert!(
            text.contains("api_token = (redacted)") && !text.contains("hush"),
            "{text}"
        );
    }

    #[test]
    fn unknown_keys_are_errors_that_name_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("neuron.toml");
        std::fs::write(&file, "[wallet]\nnmae = \"x\"\n").unwrap();
        let error = load::<Example>(Some(&file), vec![])
            .unwrap_err()
            .to_string();
        assert!(error.contains("nmae"), "{error}");
        let missing =
            load::<Example>(Some(&folder.path().join("absent.toml")), vec![]).unwrap_err();
        assert!(matches!(missing, Error::ConfigFile { .. }), "{missing}");
    }

    #[test]
    fn one_source_of_a_password_may_be_configured() {
        let mut wallet = WalletConfig::default();
        assert_eq!(wallet.password_source().unwrap(), PasswordSource::Usual);
        wallet.password_fd = Some(3);
        assert_eq!(
            wallet.password_source().unwrap(),
            PasswordSource::Descriptor(3)
        );
        wallet.password_file = Some("/secret/password".into());
        assert!(matches!(wallet.password_source(), Err(Error::Config(_))));
        // The place of a secret is no secret.
        let loaded: Loaded<Example> = load(
            None,
            vec![("wallet.password_file", json!("/secret/password"))],
        )
        .unwrap();
        let text = loaded.to_string();
        assert!(
            text.contains("wallet.password_file = \"/secret/password\""),
            "{text}"
        );
    }

    #[test]
    fn networks_have_endpoints() {
        let endpoints = |network: &str| {
            SubtensorConfig {
                network: network.into(),
                ..SubtensorConfig::default()
            }
            .endpoints()
        };
        assert!(endpoints("finney").unwrap()[0].contains("finney"));
        assert_eq!(endpoints("ws://127.0.0.1:1").unwrap(), ["ws://127.0.0.1:1"]);
        assert!(endpoints("fniney").is_err());
    }
}
