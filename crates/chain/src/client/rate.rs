use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use url::{Host, Url};

/// How often an endpoint may be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RateLimit {
    /// Public hosts once a second on average with [`PUBLIC_BURST`] at once, which is what Bittensor's
    /// public endpoints allow; as often as wanted on loopback and private addresses.
    #[default]
    ByHost,
    /// As often as wanted everywhere.
    Unlimited,
    /// The same for every endpoint.
    Every {
        /// Average time between two requests.
        interval: Duration,
        /// Requests that may go out at once after a quiet time, at least 1.
        burst: u32,
    },
}

/// Requests to a public host that may go out at once after a quiet time: enough to read one
/// metagraph without a pause.
pub const PUBLIC_BURST: u32 = 8;

/// Average time between two requests to a public host.
const PUBLIC_INTERVAL: Duration = Duration::from_secs(1);

impl RateLimit {
    fn bucket(self, endpoint: &str) -> Option<(Duration, u32)> {
        match self {
            Self::ByHost if is_private(endpoint) => None,
            Self::ByHost => Some((PUBLIC_INTERVAL, PUBLIC_BURST)),
            Self::Unlimited => None,
            Self::Every { interval, burst } => Some((interval, burst.max(1))),
        }
    }
}

/// Whether an endpoint is on this machine or in a private network.
fn is_private(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else {
        return false;
    };
    let private = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    match url.host() {
        Some(Host::Ipv4(ip)) => private(ip.into()),
        Some(Host::Ipv6(ip)) => private(ip.into()),
        // A name without a dot, as of a container, cannot be public.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || !name.contains('.')
        }
        None => false,
    }
}

/// A token bucket for one endpoint, and the pauses it asked for.
#[derive(Debug)]
pub(super) struct Limiter {
    /// Time a token takes to come back, and how many there can be; none for no limit.
    bucket: Option<(Duration, u32)>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the next token is there. In the past by at most the burst's worth of intervals.
    next: Option<Instant>,
    /// Nothing is sent before this.
    paused_until: Option<Instant>,
    /// The pause after the next refusal.
    pause: Duration,
}

/// The first pause after a refusal; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

impl Limiter {
    pub(super) fn new(limit: RateLimit, endpoint: &str) -> Self {
        Self {
            bucket: limit.bucket(endpoint),
            state: Mutex::new(State {
                next: None,
                paused_until: None,
                pause: FIRST_PAUSE,
            }),
        }
    }

    /// Waits for the right to send one request (or one batch of them).
    pub(super) async fn wait(&self) {
        let left = self.take(Instant::now());
        if !left.is_zero() {
            sleep(left).await;
        }
    }

    /// Takes a token and tells how long to wait before using it.
    fn take(&self, now: Instant) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = state
            .paused_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let Some((interval, burst)) = self.bucket else {
            return pause;
        };
        let earliest = now.checked_sub(interval * (burst - 1)).unwrap_or(now);
        let mine = state.next.unwrap_or(earliest).max(earliest);
        state.next = Some(mine + interval);
        mine.saturating_duration_since(now).max(pause)
    }

    /// The endpoint said that it is asked too often.
    pub(super) fn refused(&self, longest: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = state.pause.min(longest);
        state.paused_until = Some(Instant::now() + pause);
        state.pause = (state.pause * 2).min(longest.max(FIRST_PAUSE));
    }

    /// The endpoint answered.
    pub(super) fn accepted(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.pause = FIRST_PAUSE;
    }

    /// Whether the endpoint asked to be left alone for now.
    pub(super) fn is_paused(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .paused_until
            .is_some_and(|until| until > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_hosts_are_limited_and_private_ones_are_not() {
        for private in [
            "ws://127.0.0.1:9944",
            "ws://localhost:9944",
            "ws://[::1]:9944",
            "ws://10.1.2.3:9944",
            "ws://192.168.1.4",
            "ws://subtensor:9944",
        ] {
            assert_eq!(RateLimit::ByHost.bucket(private), None, "{private}");
        }
        for public in [
            "wss://entrypoint-finney.opentensor.ai:443",
            "wss://lite.sub.latent.to:443",
            "wss://archive.chain.opentensor.ai:443",
            "ws://8.8.8.8:9944",
            "nonsense",
        ] {
            let limit = RateLimit::ByHost.bucket(public);
            assert_eq!(limit, Some((PUBLIC_INTERVAL, PUBLIC_BURST)), "{public}");
        }
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_one_an_interval() {
        let interval = Duration::from_secs(1);
        let every = RateLimit::Every { interval, burst: 3 };
        let limiter = Limiter::new(every, "wss://node.example");
        let start = Instant::now() + Duration::from_secs(100);
        let waits = (0..5).map(|_| limiter.take(start)).collect::<Vec<_>>();
        let expected = [0, 0, 0, 1, 2].map(Duration::from_secs);
        assert_eq!(waits, expected);
        // A quiet hour saves up one burst and no more.
        let later = start + Duration::from_secs(3_600);
        let waits = (0..4).map(|_| limiter.take(later)).collect::<Vec<_>>();
        assert_eq!(waits, [0, 0, 0, 1].map(Duration::from_secs));
    }

    #[test]
    fn refusals_pause_even_where_there_is_no_limit() {
        let limiter = Limiter::new(RateLimit::Unlimited, "ws://127.0.0.1:1");
        assert_eq!(limiter.take(Instant::now()), Duration::ZERO);
        limiter.refused(Duration::from_secs(60));
        assert!(limiter.is_paused());
        let left = limiter.take(Instant::now());
        assert!(left > Duration::ZERO && left <= FIRST_PAUSE, "{left:?}");
        limiter.refused(Duration::from_secs(60));
        assert!(limiter.take(Instant::now()) > FIRST_PAUSE, "pauses grow");
    }
}
