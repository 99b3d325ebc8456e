//! Regenerates `src/gen` from `proto/adit/v1/*.proto`, without protoc.
//!
//! `cargo run -p adit-protocol --example generate` writes the files; the drift test calls
//! [`generate`] itself and compares.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use prost_types::FileDescriptorSet;
use protox::prost::Message as _;

const PROTOS: [&str; 3] = [
    "adit/v1/neuron.proto",
    "adit/v1/video.proto",
    "adit/v1/dataset.proto",
];

/// What one run produces.
#[derive(Debug)]
pub(crate) struct Generated {
    /// Contents of `src/gen/v1.rs`.
    pub(crate) rust: String,
    /// Contents of `src/gen/adit.v1.bin`, an encoded `FileDescriptorSet`.
    pub(crate) descriptors: Vec<u8>,
}

/// The crate's folder for generated files.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gen")
}

/// Compiles the contract; `scratch` is an existing folder for the intermediate file.
pub(crate) fn generate(scratch: &Path) -> Result<Generated, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let descriptors = protox::compile(PROTOS, [root])?.encode_to_vec();
    tonic_prost_build::configure()
        .bytes(".adit.v1.Vector.values")
        .out_dir(scratch)
        .emit_rerun_if_changed(false)
        .compile_fds(FileDescriptorSet::decode(descriptors.as_slice())?)?;
    let rust = fs::read_to_string(scratch.join("adit.v1.rs"))?;
    Ok(Generated { rust, descriptors })
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let generated = generate(&folder)?;
    fs::remove_file(folder.join("adit.v1.rs"))?;
    fs::write(folder.join("v1.rs"), generated.rust)?;
    fs::write(folder.join("adit.v1.bin"), generated.descriptors)?;
    Ok(())
}
