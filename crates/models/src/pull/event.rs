use std::{path::Path, time::Duration};

/// What happens while a model is pulled.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum PullEvent<'a> {
    /// Another run works in the folder; this one waits for it.
    Waiting {
        /// The folder.
        folder: &'a Path,
    },
    /// A source begins to send a file.
    Started {
        /// The file.
        file: &'a str,
        /// Where it comes from, without credentials.
        from: &'a str,
        /// Bytes that are there already.
        have: u64,
        /// Bytes of the file, if known.
        size: Option<u64>,
    },
    /// More of the file is there.
    Received {
        /// Bytes that are there.
        have: u64,
    },
    /// The same source will be asked again.
    Retrying {
        /// Why.
        reason: &'a str,
        /// The pause before.
        pause: Duration,
    },
    /// A source is given up; the next one is tried, if there is one.
    SourceFailed {
        /// Why.
        reason: &'a str,
    },
    /// A file is verified and in its place.
    Placed {
        /// The file.
        file: &'a str,
    },
}

/// Somebody who watches a pull.
pub trait PullObserver: Sync {
    /// Told of everything that happens, from the task that pulls: it must not block.
    fn event(&self, event: PullEvent<'_>);
}

/// Nobody.
impl PullObserver for () {
    fn event(&self, _: PullEvent<'_>) {}
}
