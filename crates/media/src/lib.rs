//! Probe, cut, decode and fetch untrusted media.
//!
//! [`Media`] answers questions about a local video (how long, which frames, which sound) through
//! `ffmpeg` and `ffprobe` children in a sandbox (`adit-sandbox`): no network, no file but the one asked
//! about, bounded CPU, memory, output and wall-clock time, at most [`MediaConfig::children`] at once. [`Fetcher`] brings a remote video
//! to a local, size-bounded cache over http or https, from public addresses only.
//!
//! Every [`Error`] says whose fault it is ([`Error::fault`]): the origin's, the media's or our own.
//! Nothing here judges or embeds; `adit-models` does that with the frames it is given.
//!
//! ```
//! use adit_embedding::{FramePlan, FrameScaling};
//! use adit_media::{Media, MediaConfig};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let media = Media::new(MediaConfig::default())?;
//! # let video = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/videos/bikes.mp4");
//! # let video = std::path::Path::new(video);
//! let probe = media.probe(video).await?;
//! assert_eq!((probe.width, probe.height, probe.duration_ms), (640, 272, 10_000));
//!
//! let plan = FramePlan {
//!     times_ms: vec![0, 500],
//!     scaling: FrameScaling::ShortSide(68),
//! };
//! let frames = media.frames(video, 2_000, 4_000, &plan).await?;
//! assert_eq!(frames.frames.len(), 2);
//! assert_eq!((frames.frames[0].width, frames.frames[0].height), (160, 68));
//! # Ok::<(), adit_media::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod boxes;
mod cache;
mod check;
mod child;
mod config;
mod cut;
mod error;
mod fetch;
mod frames;
mod isolated;
mod media;
mod probe;
mod shots;
mod sound;
mod transfer;

pub use cache::FetchedMedia;
pub use config::{FetchConfig, MediaConfig};
pub use error::{Error, Fault, Result};
pub use fetch::Fetcher;
pub use media::Media;
pub use probe::Probe;
