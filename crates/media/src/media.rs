use std::{ffi::OsString, path::Path, sync::Arc};

use tokio::sync::Semaphore;

use crate::{
    Error, MediaConfig, Probe, Result,
    child::{self, Bounds},
    isolated::Isolation,
};

/// Containers that demuxers may be opened for. Playlists are not among them: they name other files.
const FORMATS: &str = "mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,ogg";
/// Decoders that may be opened: what cameras and the web produce, little else.
const CODECS: &str = "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg4,mpeg2video,\
mpeg1video,h263,flv,theora,mjpeg,prores,dnxhd,rawvideo,aac,aac_fixed,aac_latm,mp3,mp3float,mp2,mp2float,\
opus,libopus,vorbis,libvorbis,ac3,eac3,flac,alac,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_f32le,\
pcm_u8,pcm_mulaw,pcm_alaw";

/// A filter, to precede `fps`, which rounds the start it is given to the clock of its input: some
/// containers count in whole frames.
pub(crate) const FINE_CLOCK: &str = "settb=1/1000000";
/// A filter, to follow `fps`, after which the last frame stays for half a second: containers round
/// durations, and sound often outlasts the picture a little. More than that is missing footage.
pub(crate) const LAST_FRAME_STAYS: &str = "tpad=stop_mode=clone:stop_duration=0.5";

/// Questions about local media, each answered by one or two children under the limits of a
/// [`MediaConfig`]. Clones share the bound on children.
///
/// Times are milliseconds from the start of the file. A clip is the half-open range
/// `[start_ms, end_ms)`.
#[derive(Debug, Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: MediaConfig,
    permits: Semaphore,
    isolation: Isolation,
}

impl Media {
    /// Checks the configuration. That the binaries exist shows at the first use.
    ///
    /// # Errors
    /// [`Error::Configuration`] for limits of zero or a scene threshold outside 0 to 1.
    pub fn new(config: MediaConfig) -> Result<Self> {
        config.validate()?;
        let permits = Semaphore::new(config.children.min(Semaphore::MAX_PERMITS));
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                permits,
                isolation: Isolation::default(),
            }),
        })
    }

    /// The limits.
    pub fn config(&self) -> &MediaConfig {
        &self.inner.config
    }

    pub(crate) async fn ffmpeg(&self, arguments: Vec<OsString>, bounds: Bounds) -> Result<Vec<u8>> {
        self.child(&self.inner.config.ffmpeg, arguments, bounds)
            .await
    }

    pub(crate) async fn ffprobe(&self, arguments: Vec<OsString>, stdout: u64) -> Result<Vec<u8>> {
        let bounds = Bounds { stdout, file: 0 };
        self.child(&self.inner.config.ffprobe, arguments, bounds)
            .await
    }

    async fn child(
        &self,
        tool: &Path,
        arguments: Vec<OsString>,
        bounds: Bounds,
    ) -> Result<Vec<u8>> {
        let _permit = self
            .inner
            .permits
            .acquire()
            .await
            .map_err(|_| Error::Tool {
                tool: tool.into(),
                reason: "the children are shut down".into(),
            })?;
        let config = &self.inner.config;
        if config.sandbox {
            self.inner
                .isolation
                .run(config, tool, &arguments, bounds)
                .await
        } else {
            child::run(config, tool, &arguments, bounds).await
        }
    }

    /// Probes `path` and checks that `[start_ms, end_ms)` lies within it.
    pub(crate) async fn probe_clip(
        &self,
        path: &Path,
        start_ms: u64,
        end_ms: u64,
    ) -> Result<Probe> {
        if end_ms <= start_ms {
            return Err(Error::EmptyClip { start_ms, end_ms });
        }
        let probe = self.probe(path).await?;
        if end_ms > probe.duration_ms {
            return Err(Error::BeyondEnd {
                end_ms,
                duration_ms: probe.duration_ms,
            });
        }
        Ok(probe)
    }
}

/// Options that every child takes for its input: no network, no playlists, few decoders, one thread.
pub(crate) fn input_options() -> Vec<OsString> {
    child::arguments([
        "-protocol_whitelist",
        "file,pipe",
        "-format_whitelist",
        FORMATS,
        "-codec_whitelist",
        CODECS,
    ])
}

/// ffmpeg's options before the input.
pub(crate) fn ffmpeg_options() -> Vec<OsString> {
    let mut options = child::arguments([
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "error",
        "-y",
        "-filter_threads",
        "1",
        "-threads",
        "1",
    ]);
    options.extend(input_options());
    options
}

/// Milliseconds as the seconds that ffmpeg reads.
pub(crate) fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Input arguments that read `path` from the last key frame at or before `start_ms`, and the
/// time, in seconds on the clock that filters then see, at which the clip starts.
///
/// Containers without an index are read from their beginning: a seek there can land inside a group
/// of pictures, whose frames cannot be decoded.
pub(crate) fn seeking_input(
    path: &Path,
    probe: &Probe,
    start_ms: u64,
) -> Result<(Vec<OsString>, String)> {
    let mut input = Vec::new();
    let mut origin = seconds(start_ms);
    if probe.seekable && start_ms > 0 {
        input.extend(child::arguments([
            "-noaccurate_seek",
            "-ss",
            origin.as_str(),
        ]));
        origin = seconds(0);
    }
    input.push("-i".into());
    input.push(child::file_argument(path)?);
    Ok((input, origin))
}
