//! Makes the videos that the tests read.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use adit_embedding::Frame;
use adit_media::{Media, MediaConfig};
use tempfile::TempDir;

pub(crate) fn media() -> Media {
    Media::new(MediaConfig::default()).unwrap()
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/videos")
        .join(name)
}

/// A folder that is removed at the end of the test.
pub(crate) struct Studio {
    folder: TempDir,
}

impl Studio {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs ffmpeg with these words, split at spaces, and `name` as output.
    pub(crate) fn make(&self, words: &str, name: &str) -> PathBuf {
        self.make_from(&[], words, name)
    }

    pub(crate) fn make_from(&self, inputs: &[&Path], words: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error", "-y"]);
        for input in inputs {
            command.arg("-i").arg(input);
        }
        let made = command.args(words.split(' ')).arg(&path).status().unwrap();
        assert!(made.success(), "ffmpeg {words}");
        path
    }

    /// A hundred frames at 25 frames per second; frame n is grey of luma 16 + 2 n. Key frames are
    /// 40 frames apart, with B-frames between.
    pub(crate) fn counted(&self, name: &str) -> PathBuf {
        self.make(&format!("{COUNTED} {ENCODED}"), name)
    }
}

pub(crate) const COUNTED: &str =
    "-f lavfi -i color=gray:s=64x36:r=25:d=4,geq=lum=16+2*N:cb=128:cr=128";
pub(crate) const ENCODED: &str =
    "-c:v libx264 -crf 6 -g 40 -keyint_min 40 -sc_threshold 0 -bf 2 -pix_fmt yuv420p";

/// Which frame of [`Studio::counted`] this is.
pub(crate) fn number_of(frame: &Frame) -> u64 {
    let sum: u64 = frame.rgb.iter().map(|byte| u64::from(*byte)).sum();
    let grey = sum as f64 / frame.rgb.len() as f64;
    (grey * 219.0 / 255.0 / 2.0).round() as u64
}
