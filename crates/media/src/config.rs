use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Limits of the ffmpeg children. Durations are in seconds where the configuration is text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// The ffmpeg binary, version 5.1 or later; a bare name is looked up in `/usr/local/bin`,
    /// `/usr/bin` and `/bin`.
    pub ffmpeg: PathBuf,
    /// The ffprobe binary.
    pub ffprobe: PathBuf,
    /// Whether children run in the sandbox of `adit-sandbox`: no network, and no file but the one
    /// they are to read. Without it they run as this process's user under the limits alone; there is
    /// no way to that but this setting.
    pub sandbox: bool,
    /// The prlimit binary of util-linux, used only without the sandbox, which sets the limits and then becomes the child.
    pub prlimit: PathBuf,
    /// Longest life of one child.
    #[serde(with = "seconds")]
    pub wall_clock: Duration,
    /// CPU seconds of one child.
    pub cpu_seconds: u64,
    /// Address space of one child, in bytes.
    pub memory_bytes: u64,
    /// Most bytes one child may write, to a file or to us.
    pub output_bytes: u64,
    /// Most children at once.
    pub children: usize,
    /// Largest coded frame, in pixels.
    pub max_pixels: u64,
    /// Longest video, in milliseconds.
    pub max_duration_ms: u64,
    /// Most frames in one plan.
    pub max_frames: usize,
    /// A shot begins where ffmpeg's scene score (0 to 1) exceeds this.
    pub scene_threshold: f64,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            sandbox: true,
            prlimit: "prlimit".into(),
            wall_clock: Duration::from_secs(120),
            cpu_seconds: 40,
            memory_bytes: 2 << 30,
            output_bytes: 256 << 20,
            children: 16,
            max_pixels: 4096 * 2304,
            max_duration_ms: 4 * 3_600_000,
            max_frames: 512,
            scene_threshold: 0.25,
        }
    }
}

impl MediaConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let positive = [
            (self.cpu_seconds, "cpu_seconds"),
            (self.memory_bytes, "memory_bytes"),
            (self.output_bytes, "output_bytes"),
            (self.children as u64, "children"),
            (self.max_pixels, "max_pixels"),
            (self.max_duration_ms, "max_duration_ms"),
            (self.max_frames as u64, "max_frames"),
            (self.wall_clock.as_millis() as u64, "wall_clock"),
        ];
        if let Some((_, name)) = positive.iter().find(|(value, _)| *value == 0) {
            return Err(Error::Configuration {
                reason: format!("{name} must be positive"),
            });
        }
        if !(self.scene_threshold > 0.0 && self.scene_threshold < 1.0) {
            return Err(Error::Configuration {
                reason: "scene_threshold must lie between 0 and 1".into(),
            });
        }
        Ok(())
    }
}

/// Limits of the fetcher. Durations are in seconds where the configuration is text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchConfig {
    /// Whether origins outside public address space may be fetched: for a localnet only.
    pub allow_private_origins: bool,
    /// Single private origins that may be fetched nevertheless; a redirect from one of them to
    /// another private address is refused.
    pub trusted_origins: Vec<SocketAddr>,
    /// Largest file in bytes.
    pub max_bytes: u64,
    /// Longest connection attempt.
    #[serde(with = "seconds")]
    pub connect_timeout: Duration,
    /// Longest whole transfer, redirects included.
    #[serde(with = "seconds")]
    pub wall_clock: Duration,
    /// Longest wait for the next bytes.
    #[serde(with = "seconds")]
    pub idle_timeout: Duration,
    /// Most redirects followed.
    pub max_redirects: usize,
    /// Transfers at once; each may hold [`FetchConfig::max_bytes`] on disk beside the cache.
    pub transfers: usize,
    /// Directory of the cache; made when it is missing.
    pub cache_dir: PathBuf,
    /// Bytes of files that the cache keeps; files in use may exceed it.
    pub cache_bytes: u64,
    /// How long a cached file is used before its origin is asked whether it changed.
    #[serde(with = "seconds")]
    pub fresh_for: Duration,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            allow_private_origins: false,
            trusted_origins: Vec::new(),
            max_bytes: 512 << 20,
            connect_timeout: Duration::from_secs(10),
            wall_clock: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(10),
            max_redirects: 5,
            transfers: 8,
            cache_dir: "media-cache".into(),
            cache_bytes: 8 << 30,
            fresh_for: Duration::from_secs(600),
        }
    }
}

impl FetchConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let positive = [
            (self.max_bytes, "max_bytes"),
            (self.cache_bytes, "cache_bytes"),
            (self.transfers as u64, "transfers"),
            (self.connect_timeout.as_millis() as u64, "connect_timeout"),
            (self.wall_clock.as_millis() as u64, "wall_clock"),
            (self.idle_timeout.as_millis() as u64, "idle_timeout"),
        ];
        match positive.iter().find(|(value, _)| *value == 0) {
            Some((_, name)) => Err(Error::Configuration {
                reason: format!("{name} must be positive"),
            }),
            None => Ok(()),
        }
    }
}

/// Durations as seconds, for people who write configuration.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(D::Error::custom)
    }
}
