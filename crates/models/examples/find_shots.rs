//! Finds the shots of a video, whose frames come from ffmpeg.
//!
//! ```text
//! ffmpeg -v error -i fixtures/videos/bikes.mp4 -s 48x27 -f rawvideo -pix_fmt rgb24 - |
//!     cargo run --release -p adit-models --example find_shots -- transnetv2.safetensors
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::{
    error::Error,
    io::{Read, stdin},
    path::PathBuf,
    time::Instant,
};

use adit_models::{Device, TransNetV2, shots};

fn main() -> Result<(), Box<dyn Error>> {
    let weights = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("usage: ffmpeg … | find_shots WEIGHTS")?;
    let model = TransNetV2::load(&weights, Device::Cpu)?;
    let begun = Instant::now();
    let mut scan = model.scan();
    let mut probabilities = Vec::new();
    let mut frame = vec![0; TransNetV2::FRAME];
    let mut input = stdin().lock();
    // A frame that the pipe's end cuts is none.
    while input.read_exact(&mut frame).is_ok() {
        probabilities.extend(scan.push(&frame)?.iter().map(|frame| frame.single_frame));
    }
    probabilities.extend(scan.finish()?.iter().map(|frame| frame.single_frame));
    for shot in shots(&probabilities, 0.5) {
        println!("frames {} to {}", shot.start, shot.end - 1);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{} frames in {seconds:.1} s", probabilities.len());
    Ok(())
}
