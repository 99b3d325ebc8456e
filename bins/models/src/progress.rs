//! Tells how a download goes: a bar on a terminal, a line now and then otherwise.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Mutex,
};

use adit_models::{PullEvent, PullObserver};
use indicatif::{ProgressBar, ProgressStyle};

/// Bytes between two lines.
const LINE: u64 = 20_000_000;

/// On standard error.
pub(crate) struct Progress {
    is_terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    file: String,
    size: Option<u64>,
    told: u64,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            state: Mutex::new(State::default()),
        }
    }
}

impl PullObserver for Progress {
    fn event(&self, event: PullEvent<'_>) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        match event {
            PullEvent::Waiting { folder } => {
                state.line(&format!(
                    "another run works in {}; waiting",
                    folder.display()
                ));
            }
            PullEvent::Started {
                file,
                from,
                have,
                size,
            } => {
                state.clear();
                state.line(&begun(file, from, have, size));
                (state.file, state.size, state.told) = (file.to_owned(), size, have / LINE);
                if self.is_terminal {
                    state.bar = Some(bar(have, size));
                }
            }
            PullEvent::Received { have } => state.received(have),
            PullEvent::Retrying { reason, pause } => {
                let seconds = pause.as_secs_f32();
                state.line(&format!("{reason}; again in {seconds:.1} s"));
            }
            PullEvent::SourceFailed { reason } => state.line(&format!("given up: {reason}")),
            PullEvent::Placed { file } => {
                state.clear();
                state.line(&format!("{file}: verified"));
            }
            _ => {}
        }
    }
}

impl State {
    fn received(&mut self, have: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(have);
        } else if have / LINE > self.told {
            self.told = have / LINE;
            let of = self.size.map(|size| format!(" of {}", megabytes(size)));
            let line = format!(
                "{}: {}{}",
                self.file,
                megabytes(have),
                of.unwrap_or_default()
            );
            self.line(&line);
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            // A closed standard error does not stop a download.
            None => drop(writeln!(std::io::stderr(), "{text}")),
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn begun(file: &str, from: &str, have: u64, size: Option<u64>) -> String {
    let size = size.map_or_else(|| "size unknown".to_owned(), megabytes);
    match have {
        0 => format!("{file}: {size} from {from}"),
        _ => format!(
            "{file}: going on after {} of {size} from {from}",
            megabytes(have)
        ),
    }
}

fn bar(have: u64, size: Option<u64>) -> ProgressBar {
    let bar = match size {
        Some(size) => ProgressBar::new(size),
        None => ProgressBar::no_length(),
    };
    let template = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_position(have)
}

/// Bytes as people read them.
pub(crate) fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..10_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        10_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
