//! What stands beside a model's files for whoever finds them.

use std::{collections::BTreeMap, fs, path::Path};

use super::ground::writing;
use crate::{PublishedModel, Result};

/// Says what the model is; its first line is the model's name.
pub(super) const NOTICE: &str = "NOTICE";
/// The digests, as `sha256sum --check` reads them.
pub(super) const DIGESTS: &str = "SHA256SUMS";

pub(super) fn write(
    folder: &Path,
    model: &PublishedModel,
    digests: &BTreeMap<String, String>,
) -> Result<()> {
    place(folder, NOTICE, &notice(model))?;
    let lines = digests
        .iter()
        .map(|(file, digest)| format!("{digest}  {file}\n"));
    place(folder, DIGESTS, &lines.collect::<String>())
}

fn notice(model: &PublishedModel) -> String {
    let mut text = format!("{}\nSource: {}", model.name, model.home);
    if let Some(revision) = &model.revision {
        text = format!("{text}, revision {revision}");
    }
    text = format!(
        "{text}\nLicence: {} ({})\n",
        model.licence, model.licence_url
    );
    if let Some(note) = &model.note {
        text = format!("{text}{note}\n");
    }
    for wheel in &model.wheels {
        text = format!(
            "{text}The Python package {} {} holds the same files.\n",
            wheel.project, wheel.version
        );
    }
    format!("{text}The files are unmodified; {DIGESTS} has their digests.\n")
}

fn place(folder: &Path, name: &str, text: &str) -> Result<()> {
    let (path, new) = (folder.join(name), folder.join(format!(".{name}.new")));
    fs::write(&new, text).map_err(writing(&new))?;
    fs::rename(&new, &path).map_err(writing(&path))?;
    Ok(())
}
