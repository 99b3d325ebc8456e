//! The catalogue that miners read and the topics that validators draw, from a folder of videos.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Endings of files taken for videos when there is no catalogue.
const ENDINGS: [&str; 8] = ["mp4", "mkv", "webm", "mov", "avi", "m4v", "ts", "flv"];

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Catalogue {
    #[serde(default)]
    pub(crate) video: Vec<Video>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Video {
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) topics: Vec<String>,
}

impl Catalogue {
    /// Reads `catalogue.toml` in a folder; without one, every video in it, described by its name.
    pub(crate) fn of(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("catalogue.toml");
        let catalogue = match fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::by_names(folder)?,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        anyhow::ensure!(
            !catalogue.video.is_empty(),
            "{} holds no video",
            folder.display()
        );
        Ok(catalogue)
    }

    fn by_names(folder: &Path) -> anyhow::Result<Self> {
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        files.sort();
        let is_video = |path: &PathBuf| {
            let ending = path
                .extension()
                .and_then(|ending| ending.to_str())
                .unwrap_or_default()
                .to_ascii_lowercase();
            path.is_file() && ENDINGS.contains(&ending.as_str())
        };
        let video = |path: PathBuf| {
            let file = path.file_name()?.to_str()?.to_owned();
            Some(Video {
                file,
                title: words(&path),
                description: String::new(),
                topics: Vec::new(),
            })
        };
        Ok(Self {
            video: files
                .into_iter()
                .filter(is_video)
                .filter_map(video)
                .collect(),
        })
    }

    /// Topics named by the videos, else their titles; each once.
    pub(crate) fn topics(&self) -> Vec<String> {
        let named: BTreeSet<&String> = self.video.iter().flat_map(|video| &video.topics).collect();
        let titles = || {
            self.video
                .iter()
                .map(|video| video.title.clone())
                .filter(|title| !title.is_empty())
                .collect()
        };
        if named.is_empty() {
            titles()
        } else {
            named.into_iter().cloned().collect()
        }
    }

    /// Copies the videos and the catalogue into the folder that the origin serves.
    pub(crate) fn publish(&self, from: &Path, to: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(to)?;
        for video in &self.video {
            let name = Path::new(&video.file);
            let plain = name.components().count() == 1 && name.file_name().is_some();
            anyhow::ensure!(
                plain,
                "the catalogue names {:?}, which is not a plain file name",
                video.file
            );
            let (source, target) = (from.join(name), to.join(name));
            // A hard link costs nothing; across file systems it cannot be made.
            if fs::hard_link(&source, &target).is_err() {
                fs::copy(&source, &target)
                    .with_context(|| format!("cannot copy {}", source.display()))?;
            }
        }
        fs::write(to.join("catalogue.toml"), toml::to_string(self)?)?;
        Ok(())
    }
}

fn words(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().replace(['_', '-', '.'], " "))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_catalogue_the_names_serve() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["river_at-dawn.mp4", "notes.txt", "bridge.MKV"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let catalogue = Catalogue::of(folder.path()).unwrap();
        assert_eq!(catalogue.topics(), ["bridge", "river at dawn"]);
        let served = folder.path().join("served");
        catalogue.publish(folder.path(), &served).unwrap();
        assert_eq!(Catalogue::of(&served).unwrap().topics(), catalogue.topics());
    }

    #[test]
    fn a_catalogue_cannot_reach_outside_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("catalogue.toml"),
            "[[video]]\nfile = \"../secret.mp4\"\n",
        )
        .unwrap();
        let catalogue = Catalogue::of(folder.path()).unwrap();
        assert!(
            catalogue
                .publish(folder.path(), &folder.path().join("served"))
                .is_err()
        );
        assert!(Catalogue::of(&folder.path().join("absent")).is_err());
    }
}
