use std::{path::PathBuf, process::ExitCode};

use adit_mechanism_video::validator::VideoMechanism;
use adit_neuron::audit;
use adit_storage::Store;
use anyhow::Context as _;
use clap::{Arg, ArgMatches, Command, value_parser};

/// `adit-validator audit --db FILE`
pub(crate) fn command() -> Command {
    let db = Arg::new("db")
        .long("db")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf));
    Command::new("audit")
        .about("Recompute every stored score from its evidence; exit 1 when one differs")
        .arg(db.help("State file of a validator"))
}

/// Prints one line per difference and a total.
pub(crate) async fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let path = matches
        .get_one::<PathBuf>("db")
        .context("--db is missing")?;
    anyhow::ensure!(path.is_file(), "{} does not exist", path.display());
    let store = Store::open(path)
        .await
        .with_context(|| format!("cannot open {}", path.display()))?;
    let report = audit(&store, VideoMechanism::recompute).await?;
    #[expect(clippy::print_stdout, reason = "the report is this command's answer")]
    {
        report
            .differences
            .iter()
            .for_each(|difference| println!("{difference}"));
        println!(
            "{} scores, {} differences",
            report.scores,
            report.differences.len()
        );
    }
    Ok(if report.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
