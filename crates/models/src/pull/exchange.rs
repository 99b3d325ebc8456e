//! One HTTP exchange: redirects are followed by hand, so that a secret stays with its host.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, IF_RANGE, LOCATION, RANGE,
        RETRY_AFTER,
    },
    redirect,
};
use url::Url;

use super::{PullError, PullSettings, error::Failure};
use crate::Result;

/// Redirects followed for one file.
const MOST_REDIRECTS: usize = 10;
/// Longest address followed, in bytes. Signed ones are long.
const LONGEST_ADDRESS: usize = 16 << 10;

/// What is asked of a source.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Question<'a> {
    /// First byte wanted.
    pub(super) from: u64,
    /// The version whose rest is wanted.
    pub(super) version: Option<&'a str>,
    /// Kinds of content wanted.
    pub(super) accept: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct Exchange {
    client: Client,
    idle_timeout: Duration,
}

impl Exchange {
    pub(super) fn new(settings: &PullSettings) -> Result<Self> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(settings.connect_timeout)
            .user_agent(concat!("adit-models/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| PullError::Client {
                reason: format!("no HTTP client: {error}"),
            })?;
        Ok(Self {
            client,
            idle_timeout: settings.idle_timeout,
        })
    }

    /// Asks for `url`, and wherever it leads; the answer is a success.
    pub(super) async fn ask(
        &self,
        settings: &PullSettings,
        url: &Url,
        question: Question<'_>,
    ) -> Result<Response, Failure> {
        let mut url = url.clone();
        let mut seen = BTreeSet::new();
        for _ in 0..=MOST_REDIRECTS {
            if !seen.insert(url.clone()) {
                return Err(useless("its redirects lead in a circle"));
            }
            let headers = headers(settings, &url, question)?;
            let request = self.client.get(url.clone()).headers(headers);
            let answer = tokio::time::timeout(self.idle_timeout, request.send()).await;
            let answer = answer
                .map_err(|_| Failure::passing(format!("no answer for {:?}", self.idle_timeout)))?
                .map_err(|error| Failure::passing(told(error)))?;
            match answer.status() {
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = target(&url, answer.headers())?,
                status if status.is_success() => return Ok(answer),
                status => return Err(refusal(status, answer.headers(), settings, &url)),
            }
        }
        Err(useless(format!(
            "it redirects more than {MOST_REDIRECTS} times"
        )))
    }
}

fn headers(
    settings: &PullSettings,
    url: &Url,
    question: Question<'_>,
) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static(question.accept.unwrap_or("*/*")),
    );
    if question.from > 0 {
        let range = HeaderValue::try_from(format!("bytes={}-", question.from));
        headers.insert(RANGE, range.map_err(|_| useless("its range is no header"))?);
        if let Some(version) = question
            .version
            .and_then(|text| HeaderValue::try_from(text).ok())
        {
            headers.insert(IF_RANGE, version);
        }
    }
    if let Some(token) = settings.token_for(url) {
        let bearer = HeaderValue::try_from(format!("Bearer {token}"));
        let mut bearer = bearer.map_err(|_| {
            let reason = "HF_TOKEN holds characters that no token has".to_owned();
            PullError::Client { reason }
        })?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(headers)
}

/// Where a redirect leads.
fn target(url: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let location = headers.get(LOCATION).and_then(|text| text.to_str().ok());
    let target = location
        .filter(|text| text.len() <= LONGEST_ADDRESS)
        .and_then(|text| url.join(text).ok())
        .filter(|target| matches!(target.scheme(), "http" | "https") && target.has_host());
    let mut target = target.ok_or_else(|| useless("it redirects to no address"))?;
    if url.scheme() == "https" && target.scheme() != "https" {
        return Err(useless("it redirects from https to http"));
    }
    target.set_fragment(None);
    Ok(target)
}

/// What an answer that is neither success nor redirect means.
fn refusal(status: StatusCode, headers: &HeaderMap, settings: &PullSettings, url: &Url) -> Failure {
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        return Failure::NoSuchRange;
    }
    let passes = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    if passes {
        let seconds = headers.get(RETRY_AFTER).and_then(|text| text.to_str().ok());
        let seconds = seconds.and_then(|text| text.trim().parse().ok());
        return Failure::Passing {
            reason: format!("it answers {status}"),
            after: seconds.map(Duration::from_secs),
        };
    }
    let denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if denied && url.origin() == settings.hub.origin() && settings.token.is_none() {
        return useless(format!(
            "it answers {status}; HF_TOKEN may hold a token for it"
        ));
    }
    useless(format!("it answers {status}"))
}

pub(super) fn useless(reason: impl Into<String>) -> Failure {
    Failure::Useless(reason.into())
}

/// An address without what may be secret in it: credentials, query, fragment.
pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

/// A failure of the exchange itself, with what lies under it and without the address.
pub(super) fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut told = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        source = error.source();
    }
    told
}

/// TLS with the certificates that the machine trusts.
fn tls() -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        tracing::warn!("no trusted certificates on this machine: https sources cannot be fetched");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| PullError::Client {
            reason: format!("no TLS: {error}"),
        })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(from: &str, to: &str) -> Result<String, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::try_from(to).unwrap());
        target(&Url::parse(from).unwrap(), &headers).map(|url| url.to_string())
    }

    #[test]
    fn a_redirect_may_not_leave_https() {
        assert_eq!(
            leads("https://a.example/x/y", "/z#part").unwrap(),
            "https://a.example/z"
        );
        assert_eq!(
            leads("http://a.example/x", "https://b.example/").unwrap(),
            "https://b.example/"
        );
        for to in [
            "http://a.example/",
            "//",
            "ftp://a.example/",
            "javascript:0",
            "data:,x",
        ] {
            assert!(leads("https://a.example/x", to).is_err(), "{to}");
        }
    }

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let url = Url::parse("https://me:pass@a.example:8443/x?signature=s#f").unwrap();
        assert_eq!(shown(&url), "https://a.example:8443/x");
    }
}
