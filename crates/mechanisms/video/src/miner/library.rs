use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use adit_embedding::{Embedding, cosine};
use adit_media::Fetcher;
use serde::Deserialize;
use url::Url;

use crate::{Embedders, Error, Result};

/// Largest catalogue that is read, in bytes.
const LARGEST_CATALOGUE: u64 = 16 << 20;

/// The videos a miner can offer, each with the embedding of what it is said to show.
#[derive(Debug)]
pub struct Library {
    videos: Vec<Arc<LibraryVideo>>,
}

/// One video of a [`Library`].
#[derive(Debug)]
pub struct LibraryVideo {
    /// The miner's name for it.
    pub id: String,
    /// Where anyone can fetch it.
    pub url: Url,
    /// What it shows: title and description.
    pub text: String,
    embedding: Embedding,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    #[serde(default)]
    video: Vec<Entry>,
}

/// Unknown fields of an entry are left alone: catalogues carry licences, authors and more.
#[derive(Debug, Deserialize)]
struct Entry {
    file: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
}

impl Library {
    /// Reads `catalogue` (a TOML file of `[[video]]` entries with `file`, `title`, `description`,
    /// by http or https URL) and embeds what it says; `file` is relative to the catalogue.
    ///
    /// # Errors
    /// [`Error::Catalogue`] when it cannot be read or lists nothing; [`Error::Embedding`] from the
    /// text model.
    pub async fn load(catalogue: &Url, fetcher: &Fetcher, embedders: &Embedders) -> Result<Self> {
        let refuse = |reason: String| Error::Catalogue {
            place: catalogue.to_string(),
            reason,
        };
        let fetched = fetcher.fetch(catalogue).await?;
        let text = read_bounded(fetched.path()).map_err(|error| refuse(error.to_string()))?;
        let parsed: Catalogue = toml::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        if parsed.video.is_empty() {
            return Err(refuse("it lists no video".to_owned()));
        }
        let texts: Vec<String> = parsed.video.iter().map(Entry::text).collect();
        let embeddings = embedders.texts(texts.clone()).await?;
        let mut videos = Vec::with_capacity(parsed.video.len());
        for ((entry, text), embedding) in parsed.video.into_iter().zip(texts).zip(embeddings) {
            let url = catalogue
                .join(&entry.file)
                .map_err(|error| refuse(format!("{}: {error}", entry.file)))?;
            let id = Path::new(&entry.file)
                .file_stem()
                .map_or_else(String::new, |stem| stem.to_string_lossy().into());
            videos.push(Arc::new(LibraryVideo {
                id,
                url,
                text,
                embedding,
            }));
        }
        Ok(Self { videos })
    }

    /// Videos by how near their description is to a topic, nearest first.
    ///
    /// # Errors
    /// [`Error::Embedding`] when the topic was embedded in another space.
    pub fn ranked(&self, topic: &Embedding) -> Result<Vec<(Arc<LibraryVideo>, f32)>> {
        let mut ranked = Vec::with_capacity(self.videos.len());
        for video in &self.videos {
            ranked.push((Arc::clone(video), cosine(&video.embedding, topic)?));
        }
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(ranked)
    }

    /// How many videos there are.
    pub fn len(&self) -> usize {
        self.videos.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.videos.is_empty()
    }
}

impl Entry {
    fn text(&self) -> String {
        match (self.title.trim(), self.description.trim()) {
            ("", "") => PathBuf::from(&self.file)
                .file_stem()
                .map_or_else(String::new, |stem| {
                    stem.to_string_lossy().replace(['_', '-', '.'], " ")
                }),
            (title, "") => title.to_owned(),
            ("", description) => description.to_owned(),
            (title, description) => format!("{title}. {description}"),
        }
    }
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.len() > LARGEST_CATALOGUE {
        return Err(std::io::Error::other("larger than 16 MiB"));
    }
    std::fs::read_to_string(path)
}
