//! Draws how alike the answers of a synthetic round are, as `heatmap.png` and `heatmap.svg` in the
//! folder given, or the current one:
//!
//! ```text
//! cargo run -p adit-scoring --features plot --example heatmap -- /tmp
//! ```

use std::{error::Error, fs, path::PathBuf};

use adit_primitives::Uid;
use adit_scoring::inference::{Heatmap, SimilarityMatrix};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIMENSION: usize = 384;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(PathBuf::new, PathBuf::from);
    let mut rng = ChaCha8Rng::seed_from_u64(78);
    // Two schools of answers and one miner on its own.
    let mut topic = || -> Vec<f32> {
        (0..DIMENSION)
            .map(|_| rng.random_range(-1.0..1.0))
            .collect()
    };
    let topics = [topic(), topic(), topic()];
    let answers: Vec<Vec<f32>> = [0, 0, 1, 0, 1, 0, 2, 1, 0, 1]
        .iter()
        .filter_map(|school: &usize| topics.get(*school))
        .map(|topic| {
            topic
                .iter()
                .map(|x| x + rng.random_range(-0.6..0.6))
                .collect()
        })
        .collect();
    let matrix = SimilarityMatrix::cosines(&answers)?;
    let uids: Vec<Uid> = (0..10_u16).map(|place| Uid(place * 27)).collect();
    let heatmap = Heatmap::of(&matrix, &uids)?;
    fs::write(folder.join("heatmap.png"), heatmap.png()?)?;
    fs::write(folder.join("heatmap.svg"), heatmap.svg()?)?;
    Ok(())
}
