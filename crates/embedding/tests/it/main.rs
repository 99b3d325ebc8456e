//! The perceptual descriptors on real and made footage. Needs the ffmpeg binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may fail them"
)]

mod approximate;
mod footage;
mod hostile;
mod nearest;
mod sound;
mod video;
