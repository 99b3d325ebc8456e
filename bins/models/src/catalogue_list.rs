//! The catalogue, for people and for programs.

use std::path::{Path, PathBuf};

use adit_models::{ModelCatalogue, PublishedFile, PublishedModel};
use serde_json::{Value, json};

use crate::progress::megabytes;

/// Digits of a digest that tell two files apart at a glance.
const GLANCE: usize = 12;

/// A paragraph for each model.
pub(crate) fn for_people(catalogue: &ModelCatalogue) -> String {
    let paragraphs = catalogue.models().iter().map(|model| {
        let mut lines = vec![
            format!("{}  {}", model.name, size(model)),
            model.used_by.clone(),
        ];
        let accept = if model.must_accept {
            ", must be accepted"
        } else {
            ""
        };
        lines.push(format!("licence {}{accept}", model.licence));
        lines.extend(model.note.clone());
        let wheels = model.wheels.iter();
        lines.extend(
            wheels.map(|wheel| format!("Python package {} {}", wheel.project, wheel.version)),
        );
        lines.push(model.home.clone());
        lines.join("\n    ")
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// The table of README.md.
pub(crate) fn for_readers(catalogue: &ModelCatalogue) -> String {
    let head = "| name | for | licence of the weights | size | source | SHA-256 of the weights |\n|---|---|---|---|---|---|";
    let rows = catalogue.models().iter().map(|model| {
        let largest = model.files.iter().max_by_key(|file| file.most_bytes());
        let digest = largest.and_then(|file| file.sha256.as_deref());
        let digest = digest.and_then(|text| text.get(..GLANCE));
        let digest = digest.map_or_else(|| "none found".to_owned(), |text| format!("`{text}…`"));
        let note = if model.must_accept {
            " (must be accepted)"
        } else {
            ""
        };
        let wheels = model.wheels.iter();
        let wheels = wheels.map(|wheel| format!("PyPI `{} {}`, ", wheel.project, wheel.version));
        format!(
            "| `{}` | {} | [{}]({}){note} | {} | {}<{}> | {digest} |",
            model.name,
            model.used_by,
            model.licence,
            model.licence_url,
            size(model),
            wheels.collect::<String>(),
            model.home,
        )
    });
    let lines: Vec<_> = std::iter::once(head.to_owned()).chain(rows).collect();
    lines.join("\n")
}

/// An array of objects: the catalogue's own fields, with the folder of each model.
pub(crate) fn for_programs(
    catalogue: &ModelCatalogue,
    folder: impl Fn(&PublishedModel) -> anyhow::Result<PathBuf>,
) -> anyhow::Result<Value> {
    let models = catalogue.models().iter().map(|model| {
        let mut value = serde_json::to_value(model)?;
        let (size, unknown) = model.size();
        if let Some(fields) = value.as_object_mut() {
            let path: &Path = &folder(model)?;
            fields.insert("folder".to_owned(), json!(path));
            fields.insert("size".to_owned(), json!(size));
            fields.insert("files_of_unknown_size".to_owned(), json!(unknown));
        }
        anyhow::Ok(value)
    });
    Ok(Value::Array(models.collect::<anyhow::Result<_>>()?))
}

fn size(model: &PublishedModel) -> String {
    match model.size() {
        (known, 0) => megabytes(known),
        (0, _) => {
            let most = model.files.iter().map(PublishedFile::most_bytes);
            format!("unknown, at most {}", megabytes(most.sum()))
        }
        (known, unknown) => format!("{} and {unknown} files of unknown size", megabytes(known)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_catalogue() {
        let readme = std::fs::read_to_string("../../README.md").unwrap();
        let (_, rest) = readme.split_once("<!-- models:begin -->\n").unwrap();
        let (table, _) = rest.split_once("\n<!-- models:end -->").unwrap();
        let catalogue = ModelCatalogue::built_in().unwrap();
        assert_eq!(
            table,
            for_readers(&catalogue),
            "adit-models list --markdown writes it"
        );
    }
}
