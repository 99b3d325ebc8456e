//! One guarded HTTP exchange: every hop's host is resolved here, every address is checked, and
//! the connection goes to exactly the addresses that were checked.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Client, Response, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
        LOCATION,
    },
    redirect,
};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{Error, FetchConfig, Result, address::is_public};

/// Longest URL, in bytes.
const LONGEST_URL: usize = 4096;
/// Longest validator that is kept, in bytes.
const LONGEST_VALIDATOR: usize = 512;

/// By which an origin recognises the version of a file that we have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    etag: Option<String>,
    modified: Option<String>,
}

impl Version {
    pub(crate) fn is_known(&self) -> bool {
        self.etag.is_some() || self.modified.is_some()
    }

    fn of(headers: &HeaderMap) -> Self {
        let text = |name| {
            let value = headers.get(name)?.to_str().ok()?;
            (value.len() <= LONGEST_VALIDATOR).then(|| value.to_owned())
        };
        Self {
            etag: text(ETAG),
            modified: text(LAST_MODIFIED),
        }
    }
}

/// What an origin answers.
pub(crate) enum Answer {
    /// The file, still to be read.
    File {
        response: Response,
        version: Version,
    },
    /// The version asked about is current.
    Unchanged,
}

/// Resolves host names.
#[derive(Debug)]
pub(crate) enum Names {
    /// The machine's resolver.
    System,
    /// A fixed table.
    #[cfg(test)]
    Fixed(std::collections::HashMap<String, Vec<IpAddr>>),
}

impl Names {
    async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
            #[cfg(test)]
            Self::Fixed(table) => Ok(table
                .get(host)
                .ok_or(io::ErrorKind::NotFound)?
                .iter()
                .map(|address| SocketAddr::new(*address, port))
                .collect()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Transfers {
    config: FetchConfig,
    tls: Arc<rustls::ClientConfig>,
    names: Names,
}

impl Transfers {
    pub(crate) fn new(config: FetchConfig, names: Names) -> Result<Self> {
        Ok(Self {
            config,
            tls: Arc::new(tls()?),
            names,
        })
    }

    /// Asks for `url`, following redirects by hand.
    pub(crate) async fn open(&self, url: &Url, have: Option<&Version>) -> Result<Answer> {
        let mut url = url.clone();
        for _ in 0..=self.config.max_redirects {
            let response = self.ask(&url, have).await?;
            let status = response.status();
            return match status {
                StatusCode::OK => {
                    let version = Version::of(response.headers());
                    Ok(Answer::File { response, version })
                }
                StatusCode::NOT_MODIFIED if have.is_some() => Ok(Answer::Unchanged),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let target = response.headers().get(LOCATION);
                    let target = target.and_then(|target| target.to_str().ok());
                    url = target
                        .and_then(|target| url.join(target).ok())
                        .ok_or(Error::BadRedirect)?;
                    continue;
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => Err(Error::NotFound {
                    status: status.as_u16(),
                }),
                _ => Err(Error::OriginStatus {
                    status: status.as_u16(),
                }),
            };
        }
        Err(Error::TooManyRedirects {
            limit: self.config.max_redirects,
        })
    }

    async fn ask(&self, url: &Url, have: Option<&Version>) -> Result<Response> {
        let host = permitted_host(url)?;
        let addresses = self.checked_addresses(url, &host).await?;
        // A client for each hop, bound to the checked addresses: no second resolution, so nothing
        // to rebind, and no connection shared between origins.
        let mut client = Client::builder()
            .tls_backend_preconfigured(rustls::ClientConfig::clone(&self.tls))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(self.config.connect_timeout)
            .user_agent(concat!("adit-media/", env!("CARGO_PKG_VERSION")));
        if let Host::Domain(name) = &host {
            client = client.resolve_to_addrs(name, &addresses);
        }
        let client = client.build().map_err(|error| Error::Configuration {
            reason: format!("no HTTP client: {error}"),
        })?;
        let mut request = client
            .get(url.clone())
            .header(ACCEPT, "video/*, application/octet-stream;q=0.9, */*;q=0.5")
            .header(ACCEPT_ENCODING, "identity");
        if let Some(version) = have {
            if let Some(etag) = &version.etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(modified) = &version.modified {
                request = request.header(IF_MODIFIED_SINCE, modified);
            }
        }
        within(self.config.idle_timeout, "the answer", request.send())
            .await?
            .map_err(unreachable)
    }

    async fn checked_addresses(&self, url: &Url, host: &Host<String>) -> Result<Vec<SocketAddr>> {
        let port = url
            .port_or_known_default()
            .ok_or(refused("it has no port"))?;
        let addresses = match host {
            Host::Ipv4(address) => vec![SocketAddr::new(IpAddr::V4(*address), port)],
            Host::Ipv6(address) => vec![SocketAddr::new(IpAddr::V6(*address), port)],
            Host::Domain(name) => {
                let lookup = self.names.lookup(name, port);
                let found = within(self.config.connect_timeout, "resolving the host", lookup);
                let unresolved = |source| Error::Unresolved {
                    host: name.clone(),
                    source,
                };
                let addresses = found.await?.map_err(unresolved)?;
                if addresses.is_empty() {
                    return Err(unresolved(io::ErrorKind::NotFound.into()));
                }
                addresses
            }
        };
        let private = addresses.iter().find(|address| {
            !self.config.allow_private_origins
                && !is_public(address.ip())
                && !self.config.trusted_origins.contains(address)
        });
        match private {
            Some(address) => Err(Error::PrivateOrigin {
                host: host.to_string(),
                address: address.ip(),
            }),
            None => Ok(addresses),
        }
    }
}

/// The host of a URL that may be fetched at all.
fn permitted_host(url: &Url) -> Result<Host<String>> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("only http and https are fetched"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it carries credentials"));
    }
    if url.as_str().len() > LONGEST_URL {
        return Err(refused("it is longer than 4096 bytes"));
    }
    match url.host() {
        Some(host) => Ok(host.to_owned()),
        None => Err(refused("it has no host")),
    }
}

fn refused(reason: &'static str) -> Error {
    Error::RefusedAddress { reason }
}

/// A failure of the exchange itself.
pub(crate) fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable {
        source: error.without_url().into(),
    }
}

/// Waits at most `limit`.
pub(crate) async fn within<F: Future>(
    limit: Duration,
    what: &'static str,
    future: F,
) -> Result<F::Output> {
    tokio::time::timeout(limit, future)
        .await
        .map_err(|_| Error::TooSlow { what, limit })
}

/// TLS with the certificates that the machine trusts. A machine without any still fetches over http.
fn tls() -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        tracing::warn!("no trusted certificates on this machine: https origins cannot be fetched");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Configuration {
            reason: format!("no TLS: {error}"),
        })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfers(config: FetchConfig, table: &[(&str, &[&str])]) -> Transfers {
        let table = table.iter().map(|(name, addresses)| {
            let addresses = addresses.iter().map(|text| text.parse().unwrap());
            ((*name).to_owned(), addresses.collect())
        });
        Transfers::new(config, Names::Fixed(table.collect())).unwrap()
    }

    async fn addresses(transfers: &Transfers, url: &str) -> Result<Vec<SocketAddr>> {
        let url = Url::parse(url).unwrap();
        let host = permitted_host(&url)?;
        transfers.checked_addresses(&url, &host).await
    }

    #[tokio::test]
    async fn every_address_of_a_host_must_be_public() {
        let transfers = transfers(
            FetchConfig::default(),
            &[
                ("public.example", &["93.184.215.14", "2606:4700::1111"]),
                ("mixed.example", &["93.184.215.14", "127.0.0.1"]),
                ("metadata.example", &["169.254.169.254"]),
                ("nothing.example", &[]),
            ],
        );
        let found = addresses(&transfers, "http://public.example/a")
            .await
            .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], "93.184.215.14:80".parse().unwrap());
        for host in ["mixed.example", "metadata.example"] {
            let error = addresses(&transfers, &format!("https://{host}/")).await;
            assert!(matches!(error, Err(Error::PrivateOrigin { .. })), "{host}");
        }
        for host in ["nothing.example", "absent.example"] {
            let error = addresses(&transfers, &format!("https://{host}/")).await;
            assert!(matches!(error, Err(Error::Unresolved { .. })), "{host}");
        }
    }

    #[tokio::test]
    async fn literal_addresses_are_checked_in_every_spelling() {
        let transfers = transfers(FetchConfig::default(), &[]);
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0/",
            "https://[fd00:ec2::254]/",
        ] {
            let error = addresses(&transfers, url).await;
            assert!(matches!(error, Err(Error::PrivateOrigin { .. })), "{url}");
        }
    }

    #[tokio::test]
    async fn other_schemes_and_credentials_are_refused() {
        let transfers = transfers(FetchConfig::default(), &[]);
        for url in [
            "file:///etc/passwd",
            "ftp://93.184.215.14/a",
            "data:video/mp4;base64,AAAA",
            "http://user@93.184.215.14/",
            "http://user:secret@93.184.215.14/",
            "unix:/run/x",
        ] {
            let error = addresses(&transfers, url).await;
            assert!(matches!(error, Err(Error::RefusedAddress { .. })), "{url}");
        }
    }

    #[tokio::test]
    async fn only_the_trusted_private_origin_is_allowed() {
        let config = FetchConfig {
            trusted_origins: vec!["127.0.0.1:8001".parse().unwrap()],
            ..FetchConfig::default()
        };
        let transfers = transfers(config, &[]);
        assert!(
            addresses(&transfers, "http://127.0.0.1:8001/")
                .await
                .is_ok()
        );
        assert!(
            addresses(&transfers, "http://127.0.0.1:8002/")
                .await
                .is_err()
        );
    }
}
