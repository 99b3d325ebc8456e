use std::{io, net::IpAddr, path::PathBuf, time::Duration};

/// Whose fault an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The origin is unreachable, too slow or broken: fetch it later; it never vouches for a clip.
    Origin,
    /// The media or its address is wrong (not a video, truncated, encrypted, too long, a private
    /// address, …): so is the answer that names it.
    Media,
    /// This machine failed (no ffmpeg, disk full, too busy, a caller's mistake): nobody else is
    /// to blame.
    Local,
}

/// Why media could not be fetched or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file has no bytes.
    #[error("the media file is empty")]
    Empty,
    /// The bytes are no media of an accepted container format.
    #[error("not a video of an accepted format: {reason}")]
    NotMedia {
        /// What the prober said, bounded and printable.
        reason: String,
    },
    /// A container without a video stream.
    #[error("the media has no video stream")]
    NoVideo,
    /// The file ends before its content does.
    #[error("the video is truncated: {reason}")]
    Truncated {
        /// What is missing.
        reason: String,
    },
    /// The streams are encrypted.
    #[error("the video is encrypted")]
    Encrypted,
    /// More pixels a frame than [`crate::MediaConfig::max_pixels`].
    #[error("frames of {width}x{height} exceed the limit of {limit} pixels")]
    FrameTooLarge {
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
        /// The limit, in pixels.
        limit: u64,
    },
    /// Longer than [`crate::MediaConfig::max_duration_ms`].
    #[error("the video lasts {duration_ms} ms, the limit is {limit_ms} ms")]
    TooLong {
        /// Its duration in milliseconds.
        duration_ms: u64,
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// The container does not say how long the video is, or says nonsense.
    #[error("the video's duration is unknown")]
    UnknownDuration,
    /// A clip that ends at or before its start.
    #[error("a clip of [{start_ms}, {end_ms}) ms is empty")]
    EmptyClip {
        /// Start in milliseconds.
        start_ms: u64,
        /// End in milliseconds.
        end_ms: u64,
    },
    /// A clip that ends after its video.
    #[error("a clip ends at {end_ms} ms, its video at {duration_ms} ms")]
    BeyondEnd {
        /// End of the clip in milliseconds.
        end_ms: u64,
        /// Duration of the video in milliseconds.
        duration_ms: u64,
    },
    /// The decoder gave up.
    #[error("cannot decode: {reason}")]
    Undecodable {
        /// What it said, bounded and printable.
        reason: String,
    },
    /// Decoding costs more than one answer may: CPU time, memory or output.
    #[error("decoding exceeds the limit on {resource}")]
    TooCostly {
        /// Which limit.
        resource: &'static str,
    },

    /// The address may not be fetched: another scheme than http and https, credentials in it, no
    /// host, or a redirect to such an address.
    #[error("refused address: {reason}")]
    RefusedAddress {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The host resolves to an address outside public space.
    #[error("{host} resolves to {address}, which is not public")]
    PrivateOrigin {
        /// The host as the address names it.
        host: String,
        /// The first such address.
        address: IpAddr,
    },
    /// More bytes than [`FetchConfig::max_bytes`](crate::FetchConfig::max_bytes), announced or sent.
    #[error("the origin's file exceeds {limit} bytes")]
    FileTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The origin says that there is no such file (404 or 410).
    #[error("the origin has no such file (status {status})")]
    NotFound {
        /// The HTTP status.
        status: u16,
    },
    /// The origin answers with another failure.
    #[error("the origin answers with status {status}")]
    OriginStatus {
        /// The HTTP status.
        status: u16,
    },
    /// The host name does not resolve.
    #[error("cannot resolve {host}")]
    Unresolved {
        /// The host.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The origin cannot be reached, or broke off.
    #[error("cannot fetch from the origin")]
    Unreachable {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The origin sent nothing for a while, or all of it took too long.
    #[error("the origin is too slow: {what} took more than {limit:?}")]
    TooSlow {
        /// Which wait ended.
        what: &'static str,
        /// Its limit.
        limit: Duration,
    },
    /// Fewer bytes arrived than the origin announced.
    #[error("the origin sent {received} of {announced} bytes")]
    ShortBody {
        /// Bytes received.
        received: u64,
        /// Bytes announced.
        announced: u64,
    },
    /// More redirects than [`FetchConfig::max_redirects`](crate::FetchConfig::max_redirects).
    #[error("the origin redirects more than {limit} times")]
    TooManyRedirects {
        /// The limit.
        limit: usize,
    },
    /// A redirect without a usable target.
    #[error("the origin redirects to nowhere")]
    BadRedirect,

    /// A frame plan that no caller should make.
    #[error("impossible frame plan: {reason}")]
    Plan {
        /// What is wrong with it.
        reason: String,
    },
    /// A configuration that cannot work.
    #[error("media configuration: {reason}")]
    Configuration {
        /// What is wrong with it.
        reason: String,
    },
    /// ffmpeg, ffprobe or prlimit is missing, or lacks an encoder or an option.
    #[error("{tool} cannot run: {reason}")]
    Tool {
        /// The binary.
        tool: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// A child did not finish in time although within its CPU limit: the machine is too busy.
    #[error("{tool} took more than {limit:?} of wall-clock time")]
    ChildTimeout {
        /// The binary.
        tool: PathBuf,
        /// The limit.
        limit: Duration,
    },
    /// The disk is full.
    #[error("no space left for media")]
    DiskFull,
    /// The file system failed.
    #[error("cannot {act} {path}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// On which path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Empty
            | Self::NotMedia { .. }
            | Self::NoVideo
            | Self::Truncated { .. }
            | Self::Encrypted
            | Self::FrameTooLarge { .. }
            | Self::TooLong { .. }
            | Self::UnknownDuration
            | Self::EmptyClip { .. }
            | Self::BeyondEnd { .. }
            | Self::Undecodable { .. }
            | Self::TooCostly { .. }
            | Self::RefusedAddress { .. }
            | Self::PrivateOrigin { .. }
            | Self::FileTooLarge { .. }
            | Self::NotFound { .. } => Fault::Media,
            Self::OriginStatus { .. }
            | Self::Unresolved { .. }
            | Self::Unreachable { .. }
            | Self::TooSlow { .. }
            | Self::ShortBody { .. }
            | Self::TooManyRedirects { .. }
            | Self::BadRedirect => Fault::Origin,
            Self::Plan { .. }
            | Self::Configuration { .. }
            | Self::Tool { .. }
            | Self::ChildTimeout { .. }
            | Self::DiskFull
            | Self::Io { .. } => Fault::Local,
        }
    }

    /// Wraps a file-system failure.
    pub(crate) fn io(
        act: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io { act, path, source },
        }
    }
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_our_own_fault() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = Error::io("write to", "somewhere")(kind.into());
            assert!(matches!(error, Error::DiskFull));
            assert_eq!(error.fault(), Fault::Local);
        }
    }
}
