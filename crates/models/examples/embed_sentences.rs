//! Embeds sentences and prints how near each pair of them is.
//!
//! ```text
//! scripts/fetch-models
//! cargo run --release -p adit-models --example embed_sentences -- ~/.cache/adit/models/all-MiniLM-L6-v2
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::{error::Error, path::PathBuf};

use adit_embedding::{TextEmbedder, cosine};
use adit_models::{Device, MiniLm};

const SENTENCES: [&str; 4] = [
    "A drone flies over snow covered mountains at sunrise.",
    "Aerial footage of alpine peaks in the early morning.",
    "How to cook rice in a pressure cooker.",
    "A recipe for steamed rice.",
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("usage: embed_sentences FOLDER; scripts/fetch-models --print says which")?;
    let model = MiniLm::load(&folder, Device::Cpu)?;
    let embeddings = model.embed_texts(&SENTENCES)?;
    println!("space {}", model.space());
    for (index, (left, text)) in embeddings.iter().zip(SENTENCES).enumerate() {
        for (right, other) in embeddings.iter().zip(SENTENCES).skip(index + 1) {
            println!("{:6.3}  {text}  /  {other}", cosine(left, right)?);
        }
    }
    Ok(())
}
