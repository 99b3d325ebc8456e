//! MiniLM as a contender of `benches/peers/minilm.py`, which lets it and its peers take turns: for each
//! line `TOKENS BATCH` one line with the seconds that a batch of so many sentences took.

use std::{
    io::{BufRead, Write},
    path::PathBuf,
    time::Instant,
};

use adit_embedding::TextEmbedder;
use adit_models::{Device, MiniLm};
use anyhow::{Context, Result, ensure};

/// One token each.
const WORDS: [&str; 8] = [
    "a", "drone", "flies", "over", "the", "snow", "at", "sunrise",
];

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("usage: minilm FOLDER")?;
    let model = MiniLm::load(&PathBuf::from(folder), Device::Cpu)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (tokens, batch) = line.split_once(' ').context("TOKENS BATCH")?;
        let (tokens, batch): (usize, usize) = (tokens.parse()?, batch.parse()?);
        let sentence = |start| {
            let words = WORDS.iter().cycle().skip(start);
            let words: Vec<&str> = words.take(tokens.saturating_sub(2)).copied().collect();
            words.join(" ")
        };
        let texts: Vec<String> = (0..batch).map(sentence).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let first = texts.first().context("no sentence")?;
        ensure!(
            model.token_ids(first)?.len() == tokens,
            "not {tokens} tokens"
        );
        let start = Instant::now();
        let embeddings = model.embed_texts(&texts)?;
        let seconds = start.elapsed().as_secs_f64();
        ensure!(embeddings.len() == batch, "not one embedding per text");
        writeln!(out, "{seconds}")?;
        out.flush()?;
    }
    Ok(())
}
