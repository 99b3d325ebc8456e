//! What everyone earned, and whether it is what it should be.

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use adit_primitives::{Metagraph, Uid};
use adit_storage::{DatasetReader, HotkeySummary, Store};
use anyhow::Context as _;
use serde::Serialize;

use crate::{args::Behaviour, subnet::Member};

/// The report of a run; `report.json` holds the same.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// One row per neuron.
    pub(crate) neurons: Vec<Row>,
    /// What was written.
    pub(crate) dataset: Dataset,
    /// Last weights the chain holds.
    pub(crate) weights_on_chain: bool,
    /// Seconds from start to the end of the last epoch.
    pub(crate) wall_seconds: f64,
    /// Expectations that do not hold; empty when all is well.
    pub(crate) failures: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    uid: Uid,
    role: &'static str,
    behaviour: String,
    asked: u64,
    answers: u64,
    clips_accepted: u64,
    clips_refused: BTreeMap<String, u64>,
    mean_score: f64,
    weight: u16,
    incentive: u16,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Dataset {
    path: String,
    rows: u64,
    hours: f64,
    unique_sources: u64,
    shards: u64,
}

impl Report {
    /// Reads states, chain and dataset.
    pub(crate) async fn gather(
        dir: &Path,
        metagraph: &Metagraph,
        members: &[Member],
        unhealthy: Vec<String>,
        wall: Duration,
    ) -> anyhow::Result<Self> {
        let store = Store::open(&dir.join("validator.db"))
            .await
            .context("cannot open the validator's state")?;
        let summaries: BTreeMap<_, _> = store
            .summary()
            .await?
            .into_iter()
            .map(|summary| (summary.hotkey, summary))
            .collect();
        let history = store.weights_history(1_000).await?;
        let held = history
            .iter()
            .filter(|row| row.outcome == "on_chain")
            .max_by_key(|row| row.at_ms);
        let weight = |uid: Uid| {
            let pairs = held.map(|row| row.weights.pairs()).unwrap_or_default();
            pairs
                .iter()
                .find(|(other, _)| *other == uid)
                .map_or(0, |(_, weight)| *weight)
        };
        let mut neurons = Vec::new();
        for neuron in metagraph.neurons() {
            let Some(member) = members.iter().find(|member| member.hotkey == neuron.hotkey) else {
                continue;
            };
            let summary = summaries.get(&neuron.hotkey);
            let behaviour = member
                .behaviour
                .map_or_else(|| "-".to_owned(), |behaviour| behaviour.to_string());
            neurons.push(row(
                neuron.uid,
                behaviour,
                summary,
                weight(neuron.uid),
                neuron.incentive,
            ));
        }
        let dataset = dataset(&dir.join("dataset"));
        let mut failures: Vec<String> = unhealthy
            .into_iter()
            .map(|name| format!("{name} did not end healthy"))
            .collect();
        let weights_on_chain = held.is_some();
        if !weights_on_chain {
            failures.push("no weights are on chain".to_owned());
        }
        let dataset = dataset.unwrap_or_else(|error| {
            failures.push(format!("the dataset does not read back: {error:#}"));
            Dataset::default()
        });
        let accepted: u64 = neurons.iter().map(|row| row.clips_accepted).sum();
        if dataset.rows != accepted {
            failures.push(format!(
                "{accepted} clips were accepted, the dataset holds {}",
                dataset.rows
            ));
        }
        failures.extend(order(&neurons));
        Ok(Self {
            neurons,
            dataset,
            weights_on_chain,
            wall_seconds: wall.as_secs_f64(),
            failures,
        })
    }
}

fn row(
    uid: Uid,
    behaviour: String,
    summary: Option<&HotkeySummary>,
    weight: u16,
    incentive: u16,
) -> Row {
    let answers = |summary: &HotkeySummary| {
        let answered = summary
            .answers
            .iter()
            .find(|(status, _)| status.code() == "answered");
        answered.map_or(0, |(_, count)| *count)
    };
    Row {
        uid,
        role: if behaviour == "-" {
            "validator"
        } else {
            "miner"
        },
        behaviour,
        asked: summary.map_or(0, |summary| summary.asked),
        answers: summary.map_or(0, answers),
        clips_accepted: summary.map_or(0, |summary| summary.items_accepted),
        clips_refused: summary
            .map(|summary| summary.items_refused.clone())
            .unwrap_or_default(),
        mean_score: summary.map_or(0.0, |summary| summary.mean_score),
        weight,
        incentive,
    }
}

fn dataset(folder: &Path) -> anyhow::Result<Dataset> {
    let reader = DatasetReader::open(folder)?;
    let totals = reader.totals()?;
    let mut rows = 0;
    for shard in reader.shards() {
        rows += u64::try_from(reader.rows(shard)?.len())?;
    }
    anyhow::ensure!(
        rows == totals.rows,
        "its manifest counts {} rows, its shards hold {rows}",
        totals.rows
    );
    Ok(Dataset {
        path: folder.display().to_string(),
        rows,
        hours: totals.duration_ms as f64 / 3_600_000.0,
        unique_sources: totals.unique_sources,
        shards: totals.shards,
    })
}

/// Whether honesty pays: every honest miner above every copycat, every copycat above every liar.
fn order(neurons: &[Row]) -> Vec<String> {
    let incentives = |behaviour: Behaviour| {
        let name = behaviour.to_string();
        neurons
            .iter()
            .filter(move |row| row.behaviour == name)
            .map(|row| row.incentive)
            .collect::<Vec<_>>()
    };
    let ladder = [Behaviour::Honest, Behaviour::Copycat, Behaviour::Liar];
    let mut failures = Vec::new();
    for (place, better) in ladder.iter().enumerate() {
        for worse in ladder.iter().skip(place + 1) {
            let least = incentives(*better).into_iter().min();
            let most = incentives(*worse).into_iter().max();
            if let (Some(least), Some(most)) = (least, most)
                && least <= most
            {
                failures.push(format!(
                    "{better} earned {least}, not more than {worse} with {most}"
                ));
            }
        }
    }
    for behaviour in [Behaviour::Liar, Behaviour::Silent, Behaviour::Crash] {
        if incentives(behaviour)
            .into_iter()
            .any(|incentive| incentive > 0)
        {
            failures.push(format!("{behaviour} earned something"));
        }
    }
    failures
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "uid  role       behaviour  asked  answers  accepted  refused  mean score  weight  incentive"
        )?;
        for row in &self.neurons {
            let refused: u64 = row.clips_refused.values().sum();
            writeln!(
                f,
                "{:>3}  {:<9}  {:<9}  {:>5}  {:>7}  {:>8}  {:>7}  {:>10.3}  {:>6}  {:>9}",
                row.uid,
                row.role,
                row.behaviour,
                row.asked,
                row.answers,
                row.clips_accepted,
                refused,
                row.mean_score,
                row.weight,
                row.incentive
            )?;
            if !row.clips_refused.is_empty() {
                let reasons: Vec<String> = row
                    .clips_refused
                    .iter()
                    .map(|(reason, count)| format!("{reason} {count}"))
                    .collect();
                writeln!(f, "     refused: {}", reasons.join(", "))?;
            }
        }
        writeln!(f)?;
        writeln!(
            f,
            "dataset   {} ({} rows, {:.4} hours, {} unique sources, {} shards)",
            self.dataset.path,
            self.dataset.rows,
            self.dataset.hours,
            self.dataset.unique_sources,
            self.dataset.shards
        )?;
        writeln!(f, "wall time {:.1} s", self.wall_seconds)?;
        match self.failures.as_slice() {
            [] => write!(
                f,
                "all is well: every process healthy, weights on chain, honesty pays, the dataset reads back"
            ),
            failures => write!(f, "NOT WELL:\n  {}", failures.join("\n  ")),
        }
    }
}
