use std::sync::Arc;

use futures::StreamExt;
use reqwest::Response;
use tokio::{io::AsyncWriteExt, sync::Semaphore};
use url::Url;

use crate::{
    Error, FetchConfig, FetchedMedia, Result,
    cache::{Cache, Record},
    transfer::{Answer, Names, Transfers, Version, unreachable, within},
};

/// Brings remote media to a local cache. Clones share the cache and the bound on transfers.
///
/// Only http and https, without credentials in the address; only hosts all of whose addresses are
/// public, unless the configuration says otherwise; redirects are followed by hand and checked like
/// the first address; the connection goes to exactly the addresses checked; no proxy is used.
#[derive(Debug, Clone)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: FetchConfig,
    cache: Cache,
    transfers: Transfers,
    permits: Semaphore,
}

impl Fetcher {
    /// Opens the cache, which belongs to this process alone until the last clone is dropped.
    /// Blocking for as long as listing the cache takes.
    ///
    /// # Errors
    /// [`Error::Configuration`] for limits of zero or a cache that another process uses;
    /// [`Error::Io`] when the cache cannot be opened.
    pub fn new(config: FetchConfig) -> Result<Self> {
        config.validate()?;
        let inner = Inner {
            cache: Cache::open(&config.cache_dir, config.cache_bytes)?,
            transfers: Transfers::new(config.clone(), Names::System)?,
            permits: Semaphore::new(config.transfers.min(Semaphore::MAX_PERMITS)),
            config,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The file at `url`, from the cache when its origin confirmed it lately, else from the origin.
    /// Several calls for one URL fetch it once. A fragment in `url` is ignored.
    ///
    /// # Errors
    /// [`Error::RefusedAddress`], [`Error::PrivateOrigin`], [`Error::NotFound`] and
    /// [`Error::FileTooLarge`] are the media's fault; [`Error::Unresolved`],
    /// [`Error::Unreachable`], [`Error::TooSlow`], [`Error::OriginStatus`], [`Error::ShortBody`],
    /// [`Error::TooManyRedirects`] and [`Error::BadRedirect`] the origin's; [`Error::DiskFull`] and
    /// [`Error::Io`] our own.
    pub async fn fetch(&self, url: &Url) -> Result<FetchedMedia> {
        let mut url = url.clone();
        url.set_fragment(None);
        let inner = &self.inner;
        let flight = inner.cache.flight(&url);
        let _one_at_a_time = flight.lock().await;
        let hit = inner.cache.find(&url, inner.config.fresh_for);
        if let Some(hit) = hit.as_ref().filter(|hit| hit.is_fresh) {
            return Ok(hit.media.clone());
        }
        let _permit = inner
            .permits
            .acquire()
            .await
            .map_err(|_| Error::Configuration {
                reason: "the fetcher is shut down".into(),
            })?;
        let exchange = async {
            let have = hit.as_ref().map(|hit| &hit.version);
            match inner
                .transfers
                .open(&url, have.filter(|version| version.is_known()))
                .await?
            {
                Answer::File { response, version } => self.receive(&url, response, version).await,
                Answer::Unchanged => {
                    inner.cache.confirm(&url);
                    // Only who has a version is told that it is unchanged.
                    hit.as_ref()
                        .map(|hit| hit.media.clone())
                        .ok_or(Error::BadRedirect)
                }
            }
        };
        within(inner.config.wall_clock, "the transfer", exchange).await?
    }

    async fn receive(
        &self,
        url: &Url,
        response: Response,
        version: Version,
    ) -> Result<FetchedMedia> {
        let inner = &self.inner;
        let limit = inner.config.max_bytes;
        let announced = response.content_length();
        if announced.is_some_and(|bytes| bytes > limit) {
            return Err(Error::FileTooLarge { limit });
        }
        let (file, unfinished) = inner.cache.unfinished()?;
        let directory = inner.cache.directory();
        let mut file = tokio::fs::File::from_std(file);
        let mut hasher = blake3::Hasher::new();
        let mut received = 0_u64;
        let mut body = response.bytes_stream();
        while let Some(chunk) =
            within(inner.config.idle_timeout, "the next bytes", body.next()).await?
        {
            let chunk = match (chunk, announced) {
                (Ok(chunk), _) => chunk,
                // The origin hung up early.
                (Err(error), Some(announced)) if received < announced => {
                    tracing::debug!(%error, received, announced, "a body broke off");
                    return Err(Error::ShortBody {
                        received,
                        announced,
                    });
                }
                (Err(error), _) => return Err(unreachable(error)),
            };
            received += chunk.len() as u64;
            if received > limit {
                return Err(Error::FileTooLarge { limit });
            }
            hasher.update(&chunk);
            file.write_all(&chunk)
                .await
                .map_err(Error::io("write to", directory))?;
        }
        file.sync_all()
            .await
            .map_err(Error::io("write to", directory))?;
        drop(file);
        let record = Record {
            url: url.as_str().to_owned(),
            content_hash: hasher.finalize().to_hex().to_string(),
            bytes: received,
            version,
        };
        let fetcher = self.clone();
        tokio::task::spawn_blocking(move || fetcher.inner.cache.store(record, unfinished))
            .await
            .map_err(|_| Error::Configuration {
                reason: "storing was interrupted".into(),
            })?
    }
}
