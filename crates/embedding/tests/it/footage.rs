//! Clips decoded by ffmpeg.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use adit_embedding::{
    AudioEmbedder, AudioSamples, Embedding, Frame, FrameScaling, VideoEmbedder, VideoFrames,
    perceptual::{PerceptualAudio, PerceptualVideo},
};

/// A folder that goes when the test ends.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Runs ffmpeg with arguments in between input and output, and returns the output.
    pub(crate) fn encode(&self, input: &[&str], options: &str, name: &str) -> PathBuf {
        let output = self.path(name);
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-v", "error", "-y"]).args(input);
        command.args(options.split_whitespace()).arg(&output);
        let done = command
            .output()
            .expect("these tests need the ffmpeg binary");
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        output
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind lies in the target folder and is overwritten by the next run.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/videos");
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

fn decode(path: &Path, from_ms: u64, to_ms: u64, options: &[&str]) -> Vec<u8> {
    let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-ss", &seconds(from_ms)])
        .args(["-t", &seconds(to_ms - from_ms), "-i"])
        .arg(path)
        .args(options)
        .arg("-")
        .output()
        .expect("these tests need the ffmpeg binary");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    done.stdout
}

/// The frames an embedder plans for `[from, to)`, at 50 frames a second.
pub(crate) fn video(path: &Path, from_ms: u64, to_ms: u64) -> Embedding {
    let embedder = PerceptualVideo::new().unwrap();
    let plan = embedder.frame_plan(to_ms - from_ms);
    let FrameScaling::Exact { width, height } = plan.scaling else {
        panic!("the perceptual embedder wants an exact size");
    };
    let filter = format!("fps=50,scale={width}:{height}:flags=area");
    let options = ["-vf", &filter, "-f", "rawvideo", "-pix_fmt", "rgb24", "-an"];
    let bytes = decode(path, from_ms, to_ms, &options);
    let frames: Vec<&[u8]> = bytes.chunks_exact((width * height * 3) as usize).collect();
    let frame = |time: &u64| Frame {
        width,
        height,
        rgb: frames[((time / 20) as usize).min(frames.len() - 1)].to_vec(),
    };
    let clip = VideoFrames {
        frames: plan.times_ms.iter().map(frame).collect(),
        times_ms: plan.times_ms,
    };
    embedder.embed_clips(&[clip]).unwrap().remove(0)
}

/// The sound of `[from, to)`.
pub(crate) fn sound(path: &Path, from_ms: u64, to_ms: u64) -> Embedding {
    let options = ["-vn", "-ac", "1", "-ar", "16000", "-f", "f32le"];
    let bytes = decode(path, from_ms, to_ms, &options);
    let (samples, _) = bytes.as_chunks::<4>();
    let sound = AudioSamples {
        sample_rate: 16_000,
        samples: samples
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
    };
    PerceptualAudio::new()
        .unwrap()
        .embed_sounds(&[sound])
        .unwrap()
        .remove(0)
}
