use adit_embedding::{Embedding, Space};
use adit_primitives::{Hotkey, TaskId};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, error::cut};

/// Longest id or topic, in bytes.
const LONGEST_NAME: usize = 1024;
/// Longest address or description, in bytes.
const LONGEST_TEXT: usize = 64 << 10;
/// Latest end of a clip: 34 years into its video, so that sums over millions of clips fit 63 bits.
const LATEST_END_MS: u64 = 1 << 40;

/// One clip of the dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetRow {
    /// Unique for the dataset; 1 to 1,024 bytes.
    pub record_id: String,
    /// The video it was cut from; at most 1,024 bytes.
    pub video_id: String,
    /// Where the video is; at most 64 KiB.
    pub source_url: String,
    /// First millisecond of the clip.
    pub start_ms: u64,
    /// The millisecond after its last one; at most 2⁴⁰.
    pub end_ms: u64,
    /// What it shows; at most 64 KiB.
    pub description: String,
    /// The topic it was asked for; at most 1,024 bytes.
    pub topic: String,
    /// Vector of its pictures.
    pub video: Embedding,
    /// Vector of its sound, when it has any.
    pub audio: Option<Embedding>,
    /// Vector of its description.
    pub text: Embedding,
    /// How well description and footage fit the topic; finite.
    pub relevance: f64,
    /// One minus the largest cosine to what was there before; finite.
    pub novelty: f64,
    /// The score it earned; finite.
    pub score: f64,
    /// Who found it.
    pub miner: Hotkey,
    /// Who judged it.
    pub validator: Hotkey,
    /// The task it answers.
    pub task: TaskId,
    /// When the answer came, in milliseconds since the Unix epoch.
    pub submitted_at_ms: u64,
}

/// The spaces of a dataset's three vectors. They are fixed for its life: its vectors are
/// fixed-size lists, and only vectors of one space can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetSpaces {
    /// Of the pictures.
    pub video: Space,
    /// Of the sound.
    pub audio: Space,
    /// Of the description.
    pub text: Space,
}

impl DatasetSpaces {
    /// One space for all three.
    pub fn joint(space: Space) -> Self {
        Self {
            video: space.clone(),
            audio: space.clone(),
            text: space,
        }
    }

    /// Whether `asked` are these same spaces.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`] with the first that differs.
    pub fn require(&self, asked: &Self) -> Result<()> {
        let pairs = [
            (&self.video, &asked.video),
            (&self.audio, &asked.audio),
            (&self.text, &asked.text),
        ];
        match pairs.into_iter().find(|(held, asked)| held != asked) {
            Some((held, asked)) => Err(Error::SpaceMismatch {
                expected: held.clone(),
                found: asked.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Whether a row may enter a dataset of these spaces.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`] for a vector of another space; [`Error::Row`] for a clip that ends
    /// before it begins, an empty record id, a text beyond its bound or a number that is not finite
    /// or too large.
    pub fn check(&self, row: &DatasetRow) -> Result<()> {
        let refuse = |reason: &str| Error::Row {
            record_id: cut(&row.record_id),
            reason: reason.to_owned(),
        };
        let vectors = [
            (&self.video, Some(&row.video)),
            (&self.audio, row.audio.as_ref()),
            (&self.text, Some(&row.text)),
        ];
        for (expected, vector) in vectors {
            if let Some(vector) = vector.filter(|vector| vector.space() != expected) {
                return Err(Error::SpaceMismatch {
                    expected: expected.clone(),
                    found: vector.space().clone(),
                });
            }
        }
        if row.record_id.is_empty() {
            return Err(refuse("the record id is empty"));
        }
        let names = [&row.record_id, &row.video_id, &row.topic];
        let texts = [&row.source_url, &row.description];
        if names.iter().any(|text| text.len() > LONGEST_NAME)
            || texts.iter().any(|text| text.len() > LONGEST_TEXT)
        {
            return Err(refuse("a text is too long"));
        }
        if row.start_ms >= row.end_ms {
            return Err(refuse("it ends before it begins"));
        }
        // Submission times are stored as signed 64 bits by SQLite and Parquet.
        if row.end_ms > LATEST_END_MS || row.submitted_at_ms > i64::MAX as u64 {
            return Err(refuse("a time is out of range"));
        }
        if ![row.relevance, row.novelty, row.score]
            .iter()
            .all(|value| value.is_finite())
        {
            return Err(refuse("a number is not finite"));
        }
        Ok(())
    }
}
