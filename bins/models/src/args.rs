use std::{path::PathBuf, str::FromStr};

use adit_models::Precision;
use clap::{Parser, Subcommand};

use crate::exit;

/// Fetches the models that neurons use, verified, and tells what they are.
#[derive(Debug, Parser)]
#[command(name = "adit-models", version, after_help = exit::HELP)]
pub(crate) struct Args {
    /// Catalogue to use in place of the built-in one, in the same TOML.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) catalogue: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell which models there are: name, licence, size, source, and what uses them.
    List {
        /// As JSON, with every file, digest and address.
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// As the table of README.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Fetch a model; goes on where an earlier run stopped, and does nothing when all is there.
    Pull(Pull),
    /// Compare the files of a model with their published SHA-256.
    Verify {
        /// A model by its name, or a folder that holds one.
        #[arg(value_name = "NAME|FOLDER")]
        what: String,
    },
    /// Write a checkpoint anew as safetensors in another precision, into a folder that loads in the
    /// original's stead.
    Convert {
        /// A file or a folder: safetensors, in one file or in several, or what PyTorch saves.
        from: PathBuf,
        /// The folder to write; it appears when all of it is there.
        to: PathBuf,
        /// f32, f16 or bf16.
        #[arg(long, default_value = "bf16")]
        precision: Precision,
    },
    /// Print the folder where a model belongs.
    Path {
        /// The model.
        name: String,
    },
}

/// What `pull` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::PULL_HELP)]
pub(crate) struct Pull {
    /// The model.
    pub(crate) name: String,
    /// Folder for its files; ${ADIT_HOME:-~/.cache/adit}/models/NAME otherwise.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: Option<PathBuf>,
    /// Accept the model's licence without being asked.
    #[arg(long)]
    pub(crate) accept_licence: bool,
    /// SHA-256 that you trust, for a file of which none was published. FILE= may be left out when
    /// there is one such file.
    #[arg(long = "digest", value_name = "[FILE=]sha256:HEX")]
    pub(crate) digests: Vec<Digest>,
    /// Seconds after which a silent server is given up: for the beginning of its answer, and for
    /// every further 64 KiB.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Failures in a row after which a source is given up.
    #[arg(long, default_value_t = 6, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) attempts: u8,
}

/// A digest that the user trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) file: Option<String>,
    pub(crate) sha256: String,
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (file, digest) = match text.rsplit_once('=') {
            Some((file, digest)) => (Some(file.to_owned()), digest),
            None => (None, text),
        };
        let sha256 = digest.strip_prefix("sha256:").ok_or("it lacks sha256:")?;
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("it has not 64 hexadecimal digits");
        }
        Ok(Self {
            file,
            sha256: sha256.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn digests_are_read() {
        let hex = "0a".repeat(32);
        let read = |text: String| text.parse::<Digest>();
        assert_eq!(read(format!("sha256:{hex}")).unwrap().file, None);
        let named = read(format!("a=b.bin=sha256:{hex}")).unwrap();
        assert_eq!(
            (named.file.as_deref(), named.sha256),
            (Some("a=b.bin"), hex.clone())
        );
        for text in [
            hex.clone(),
            format!("md5:{hex}"),
            format!("sha256:{hex}0"),
            "sha256:".into(),
        ] {
            assert!(read(text.clone()).is_err(), "{text}");
        }
    }
}
