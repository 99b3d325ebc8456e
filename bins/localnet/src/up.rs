//! `adit-localnet up`, from start to report.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use adit_mechanism_video::{ModelChoice, ModelSet};
use adit_neuron::config::expand_home;
use anyhow::Context as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{args::Up, events::Narrator, report::Report, subnet::Subnet};

/// Marks a folder as one of ours, which may be emptied.
const MARKER: &str = ".adit-localnet";
/// Longest run of one round, start-up and weights included.
const PATIENCE_PER_ROUND: Duration = Duration::from_secs(60);

/// Runs a subnet and reports. Success only when every expectation of the report holds.
pub(crate) async fn run(up: Up, shutdown: CancellationToken) -> anyhow::Result<ExitCode> {
    let home = match std::env::var_os("ADIT_HOME") {
        Some(home) => PathBuf::from(home),
        None => expand_home(Path::new("~/.cache/adit")),
    };
    let model = up
        .model
        .clone()
        .unwrap_or_else(|| home.join("models/all-MiniLM-L6-v2"));
    let videos = up.videos.clone().unwrap_or_else(|| home.join("videos"));
    anyhow::ensure!(
        videos.is_dir(),
        "{} is missing: scripts/make-fixtures makes it, or name --videos",
        videos.display()
    );
    anyhow::ensure!(
        up.models != ModelSet::Standard || model.is_dir(),
        "{} is missing: scripts/fetch-models brings it",
        model.display()
    );
    let dir = up.dir.clone().unwrap_or_else(|| home.join("localnet"));
    prepare(&dir)?;
    let started = Instant::now();
    let mut narrator = Narrator::new(up.rounds);
    let models = ModelChoice::on_cpu(up.models, &model, up.weights.as_deref());
    let starting = Subnet::start(&up, dir.clone(), models, &videos, &mut narrator);
    let mut subnet = tokio::select! {
        // Dropping the start kills what it started.
        () = shutdown.cancelled() => return Ok(ExitCode::from(130)),
        subnet = starting => subnet?,
    };
    let outcome = rounds(&up, &mut subnet, &narrator, &shutdown).await;
    narrator.finish();
    let metagraph = match outcome {
        Ok(Some(metagraph)) => metagraph,
        Ok(None) => {
            subnet.stop().await;
            return Ok(ExitCode::from(130));
        }
        Err(error) => {
            subnet.stop().await;
            return Err(error.context(format!("logs are in {}", dir.join("logs").display())));
        }
    };
    if up.keep {
        keep(&subnet, &narrator, &shutdown).await;
    }
    let members = subnet.members.clone();
    let mut dead = subnet.dead();
    dead.extend(subnet.stop().await);
    let report = Report::gather(&dir, &metagraph, &members, dead, started.elapsed()).await?;
    fs::write(dir.join("report.json"), serde_json::to_vec_pretty(&report)?)?;
    #[expect(clippy::print_stdout, reason = "the report is this program's answer")]
    {
        println!("\n{report}");
    }
    Ok(if report.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the validator to its end, then waits for the epoch that turns its weights into incentive.
/// `None` when `shutdown` came first.
async fn rounds(
    up: &Up,
    subnet: &mut Subnet,
    narrator: &Narrator,
    shutdown: &CancellationToken,
) -> anyhow::Result<Option<adit_primitives::Metagraph>> {
    subnet.start_validator()?;
    subnet.list_processes()?;
    let deadline = Instant::now()
        + PATIENCE_PER_ROUND * u32::try_from(up.rounds.saturating_add(2)).unwrap_or(u32::MAX);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(None),
            event = subnet.event() => event.iter().for_each(|event| narrator.tell(event)),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        let dead = subnet.dead();
        anyhow::ensure!(
            dead.is_empty(),
            "these ended too early: {}",
            dead.join(", ")
        );
        anyhow::ensure!(Instant::now() < deadline, "the rounds take too long");
        match subnet.validator_ended() {
            None => {}
            Some(true) => break,
            Some(false) => anyhow::bail!("the validator failed; see logs/validator.log"),
        }
    }
    while let Ok(Some(event)) =
        tokio::time::timeout(Duration::from_millis(100), subnet.event()).await
    {
        narrator.tell(&event);
    }
    narrator.say("localnet", "rounds done; waiting for the epoch that pays");
    let head = subnet
        .wait_for("a picture of the chain", |_, _| true)
        .await?
        .block;
    let tempo = u64::from(up.tempo);
    let waiting = subnet.wait_for("the next epoch", |metagraph, _| {
        metagraph.block.since(head) > tempo
            && metagraph
                .neurons()
                .iter()
                .any(|neuron| neuron.incentive > 0)
    });
    tokio::select! {
        () = shutdown.cancelled() => Ok(None),
        metagraph = waiting => metagraph.map(Some),
    }
}

async fn keep(subnet: &Subnet, narrator: &Narrator, shutdown: &CancellationToken) {
    narrator.say(
        "localnet",
        &format!(
            "the subnet stays up; wallets are in {}",
            subnet.dir.join("wallets").display()
        ),
    );
    for member in &subnet.members {
        narrator.say(
            "localnet",
            &format!("{:<10} {}", member.name, member.hotkey),
        );
    }
    narrator.say("localnet", "Ctrl-C stops it");
    shutdown.cancelled().await;
}

/// Empties a folder of an earlier run; refuses one that is not ours.
fn prepare(dir: &Path) -> anyhow::Result<()> {
    let empty = || {
        fs::read_dir(dir)
            .map(|mut entries| entries.next().is_none())
            .unwrap_or(true)
    };
    if !empty() {
        anyhow::ensure!(
            dir.join(MARKER).is_file(),
            "{} is not empty and not of an earlier run; name another --dir",
            dir.display()
        );
        fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    fs::write(dir.join(MARKER), "")?;
    Ok(())
}
