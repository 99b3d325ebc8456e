//! Approximate top-10 beside `hnswlib` on the same vectors:
//!
//! ```text
//! V/bin/python benches/peers/graph.py make FOLDER 1000000
//! V/bin/python benches/peers/graph.py run FOLDER
//! cargo bench -p adit-benches --features graph --bench graph -- FOLDER
//! ```
//!
//! Prints recall@10 and queries per second on one thread for each width of the walk; the built graph
//! is kept in the folder.
#![expect(clippy::print_stdout, reason = "a bench shows what it measured")]

use std::{env, fs, path::Path, path::PathBuf, time::Instant};

use adit_embedding::{
    Embedding, Space,
    nearest::{ApproximateIndex, GraphSettings, RowSlice, nearest},
};

const DIMENSION: usize = 384;
const NEAREST: usize = 10;
/// Queries whose true neighbours are known by reading every row.
const JUDGED: usize = 200;

fn read(path: &Path) -> anyhow::Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    let words = bytes.as_chunks::<4>().0.iter();
    Ok(words.map(|word| f32::from_le_bytes(*word)).collect())
}

fn embeddings(space: &Space, rows: &[f32]) -> anyhow::Result<Vec<Embedding>> {
    let rows = rows.chunks_exact(DIMENSION);
    rows.map(|row| Ok(Embedding::new(space.clone(), row.to_vec())?))
        .collect()
}

fn graph(folder: &Path, space: &Space, rows: &[f32]) -> anyhow::Result<ApproximateIndex> {
    let settings = GraphSettings::default();
    let kept = folder.join("adit.graph");
    if kept.is_file() {
        return Ok(ApproximateIndex::load(&kept, space.clone(), settings)?);
    }
    let start = Instant::now();
    let mut graph = ApproximateIndex::new(space.clone(), settings)?;
    for (part, rows) in rows.chunks(20_000 * DIMENSION).enumerate() {
        let vectors = embeddings(space, rows)?;
        let numbered: Vec<(u64, &Embedding)> = (part as u64 * 20_000..).zip(&vectors).collect();
        graph.extend(&numbered)?;
    }
    println!(
        "built {} in {:.0} s",
        graph.len(),
        start.elapsed().as_secs_f64()
    );
    graph.save(&kept)?;
    Ok(graph)
}

fn main() -> anyhow::Result<()> {
    // Without data, as when every bench is run, there is nothing to compare.
    let folder = env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let Some(folder) = folder.map(PathBuf::from) else {
        println!("name a folder of benches/peers/graph.py");
        return Ok(());
    };
    let space = Space::new("bench-v1", DIMENSION)?;
    let rows = read(&folder.join("rows.f32"))?;
    let queries = embeddings(&space, &read(&folder.join("queries.f32"))?)?;
    let mut graph = graph(&folder, &space, &rows)?;
    let exact: Vec<Vec<u64>> = queries
        .iter()
        .take(JUDGED)
        .map(|query| {
            let found = nearest(query.values(), RowSlice::F32(&rows), NEAREST, 2)?;
            Ok(found.iter().map(|one| u64::from(one.row)).collect())
        })
        .collect::<anyhow::Result<_>>()?;
    for width in [16, 24, 32, 48, 64, 96, 128, 192, 256] {
        graph.set_expansion_search(width);
        let mut hits = 0;
        for (query, exact) in queries.iter().zip(&exact) {
            let found = graph.nearest(query, NEAREST)?;
            hits += found.iter().filter(|(row, _)| exact.contains(row)).count();
        }
        let recall = hits as f64 / (exact.len() * NEAREST) as f64;
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            for query in &queries {
                graph.nearest(query, NEAREST)?;
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        let rate = queries.len() as f64 / best;
        println!("ours, width {width}: recall {recall:.4}, {rate:.0} queries/s");
    }
    Ok(())
}
