//! Pulling models from servers that break, lie and lead astray.

mod broken;
mod lying;
mod ours;
mod packages;
mod redirects;
pub(crate) mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use adit_models::{
    Error, ModelCatalogue, PublishedModel, PullError, PullEvent, PullObserver, PullOrder,
    PullSettings, Puller,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Name of the only file of most models here.
const FILE: &str = "weights.bin";

/// Bytes that do not repeat soon, so that a shifted piece is a wrong one.
fn bytes(count: usize) -> Vec<u8> {
    let words = (0..count.div_ceil(4)).map(|index| (index as u32).wrapping_mul(0x9e37_79b9));
    words.flat_map(u32::to_be_bytes).take(count).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A model of one file with these sources, published as `bytes`.
fn published(bytes: &[u8], sources: &[String]) -> PublishedModel {
    let facts = format!("size = {}\nsha256 = \"{}\"", bytes.len(), sha256(bytes));
    described(&facts, sources)
}

/// A model of one file with these facts.
fn described(facts: &str, sources: &[String]) -> PublishedModel {
    let sources = toml::Value::from(sources.to_vec());
    parsed(&format!(
        "{HEAD}[[model.file]]\nname = \"{FILE}\"\n{facts}\nsources = {sources}\n"
    ))
}

const HEAD: &str = "[[model]]\nname = \"tiny\"\nlicence = \"MIT\"\nlicence_url = \"https://opensource.org/license/mit\"\nhome = \"https://example.org/tiny\"\nused_by = \"tests\"\n";

fn parsed(toml: &str) -> PublishedModel {
    let catalogue = ModelCatalogue::parse(toml).unwrap();
    catalogue.models()[0].clone()
}

/// Settings under which nothing waits for long.
fn hasty() -> PullSettings {
    let mut settings = PullSettings::from_variables(|_| None).unwrap();
    settings.idle_timeout = Duration::from_secs(20);
    settings.shortest_pause = Duration::from_millis(1);
    settings.longest_pause = Duration::from_millis(20);
    settings.attempts = 4;
    settings
}

/// A folder that a model is pulled into.
struct Bench {
    home: TempDir,
    settings: PullSettings,
}

impl Bench {
    fn new() -> Self {
        Self {
            home: TempDir::new().unwrap(),
            settings: hasty(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("tiny")
    }

    fn file(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    fn part(&self) -> PathBuf {
        self.folder().join(format!("{FILE}.part"))
    }

    fn order(&self) -> PullOrder {
        PullOrder::new(self.folder())
    }

    async fn pull(&self, model: &PublishedModel) -> Result<bool, Error> {
        self.pull_as(model, &self.order()).await
    }

    async fn pull_as(&self, model: &PublishedModel, order: &PullOrder) -> Result<bool, Error> {
        let puller = Puller::new(self.settings.clone()).unwrap();
        puller.pull(model, order, &()).await
    }

    async fn refused(&self, model: &PublishedModel) -> PullError {
        why(self.pull(model).await)
    }
}

/// Notes the pauses before a source is asked again.
#[derive(Default)]
struct Pauses(Mutex<Vec<Duration>>);

impl Pauses {
    fn taken(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl PullObserver for Pauses {
    fn event(&self, event: PullEvent<'_>) {
        if let PullEvent::Retrying { pause, .. } = event {
            self.0.lock().unwrap().push(pause);
        }
    }
}

fn why(result: Result<bool, Error>) -> PullError {
    match result {
        Err(Error::Pull(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The files in a folder and below it, apart from the lock, in alphabetical order.
fn listed(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let below = listed(&entry.path()).into_iter();
            names.extend(below.map(|file| format!("{name}/{file}")));
        } else if name != ".lock" {
            names.push(name);
        }
    }
    names.sort();
    names
}
