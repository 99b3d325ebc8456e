use std::process::ExitCode;

use adit_chain::client::{ChainReport, EndpointHealth, NeuronReport, examine};
use adit_neuron::{
    cli::{self, NEURON_FLAGS},
    config::load,
};
use adit_primitives::{NetUid, SystemClock};
use adit_wallet::Wallet;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::config::Config;

/// `adit-validator chain doctor`
pub(crate) fn command() -> Command {
    let doctor = Command::new("doctor").about(
        "Look at every endpoint, the clock and, with --netuid or --wallet.*, our hotkey's standing; \
         exit 1 when something is wrong. Needs public keys only",
    );
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print one JSON object");
    Command::new("chain")
        .about("Questions about the chain")
        .subcommand_required(true)
        .subcommand(cli::with_flags(doctor, &[NEURON_FLAGS]).arg(json))
}

/// Prints what was found.
pub(crate) async fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let Some(("doctor", matches)) = matches.subcommand() else {
        anyhow::bail!("chain knows doctor only");
    };
    let invocation = cli::invocation(matches, &[NEURON_FLAGS])?;
    let named = |(key, _): &(&str, Value)| *key == "netuid" || key.starts_with("wallet.");
    let about_neuron = invocation.flags.iter().any(named);
    let config = load::<Config>(invocation.file.as_deref(), invocation.flags)?.value;
    let neuron = if about_neuron {
        let wallet = &config.wallet;
        let wallet = Wallet::named(&wallet.folder(), &wallet.name, &wallet.hotkey)?;
        Some((NetUid(config.netuid), wallet.hotkey_public()?))
    } else {
        None
    };
    let endpoints = config.subtensor.endpoints()?;
    let report = examine(
        &endpoints,
        config.subtensor.client_options(),
        neuron,
        &SystemClock,
    )
    .await?;
    let text = if matches.get_flag("json") {
        format!("{:#}\n", as_json(&report))
    } else {
        as_text(&report)
    };
    #[expect(clippy::print_stdout, reason = "the report is this command's answer")]
    {
        print!("{text}");
    }
    Ok(if report.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn as_text(report: &ChainReport) -> String {
    let mut lines = report
        .endpoints
        .iter()
        .map(endpoint_line)
        .collect::<Vec<_>>();
    if let Some(chain) = &report.chain {
        lines.push(format!(
            "chain     genesis {}, spec {}, block {}",
            chain.genesis, chain.spec_version, chain.block
        ));
        if let Some(ahead) = chain.ahead_ms {
            let seconds = ahead as f64 / 1_000.0;
            lines.push(format!(
                "clock     {seconds:.1} s ahead of the newest block"
            ));
        }
    }
    if let Some(neuron) = &report.neuron {
        lines.extend(neuron_lines(neuron));
    }
    let problems = report.problems.iter();
    lines.extend(problems.map(|problem| format!("PROBLEM   {problem}")));
    if report.problems.is_empty() {
        lines.push("healthy".to_owned());
    }
    lines.join("\n") + "\n"
}

fn endpoint_line(endpoint: &EndpointHealth) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    format!(
        "endpoint  {}{}: {}, head {}, lag {}, latency {}, spec {}",
        endpoint.endpoint,
        if endpoint.archive { " (archive)" } else { "" },
        if endpoint.reachable == Some(true) {
            "up"
        } else {
            "DOWN"
        },
        or_dash(endpoint.head.map(|head| head.to_string())),
        or_dash(endpoint.lag.map(|lag| lag.to_string())),
        or_dash(
            endpoint
                .latency
                .map(|latency| format!("{} ms", latency.as_millis()))
        ),
        or_dash(endpoint.spec_version.map(|spec| spec.to_string())),
    )
}

fn neuron_lines(neuron: &NeuronReport) -> Vec<String> {
    let Some(uid) = neuron.uid else {
        return vec![format!(
            "neuron    {} is not registered on subnet {}",
            neuron.hotkey, neuron.netuid
        )];
    };
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let wait = |blocks: u64| match blocks {
        0 => "now".to_owned(),
        blocks => format!("in {blocks} blocks"),
    };
    let axon = match neuron.axon.filter(adit_primitives::AxonInfo::is_serving) {
        Some(axon) => axon.socket().to_string(),
        None => "none".to_owned(),
    };
    let age = match neuron.weights_age {
        Some(age) => format!("{age} blocks ago"),
        None => "never".to_owned(),
    };
    let reveal = match neuron.reveal_period {
        Some(epochs) if neuron.commit_reveal => format!("yes, revealed after {epochs} epochs"),
        _ => yes(neuron.commit_reveal).to_owned(),
    };
    vec![
        format!(
            "neuron    {} is uid {uid} on subnet {}",
            neuron.hotkey, neuron.netuid
        ),
        format!("permit    {}", yes(neuron.validator_permit)),
        format!(
            "stake     {} of {} needed to set weights",
            neuron.stake, neuron.stake_threshold
        ),
        format!(
            "weights   {} on chain, set {age}; may be set {}, every {} blocks, version key {} or more",
            neuron.weights,
            wait(neuron.weights_wait),
            neuron.weights_rate_limit,
            neuron.weights_version
        ),
        format!("commit-reveal {reveal}"),
        format!(
            "axon      {axon}; may be announced {}",
            wait(neuron.serving_wait)
        ),
    ]
}

fn as_json(report: &ChainReport) -> Value {
    let endpoints = report.endpoints.iter().map(|endpoint| {
        json!({
            "endpoint": endpoint.endpoint,
            "archive": endpoint.archive,
            "reachable": endpoint.reachable,
            "genesis": endpoint.genesis.map(|hash| hash.to_string()),
            "spec_version": endpoint.spec_version,
            "head": endpoint.head.map(|head| head.0),
            "lag": endpoint.lag,
            "latency_ms": endpoint.latency.map(|latency| latency.as_secs_f64() * 1_000.0),
            "last_error": endpoint.last_error,
        })
    });
    let chain = report.chain.as_ref().map(|chain| {
        json!({
            "genesis": chain.genesis.to_string(),
            "spec_version": chain.spec_version,
            "block": chain.block.0,
            "clock_ahead_ms": chain.ahead_ms,
        })
    });
    let neuron = report.neuron.as_ref().map(|neuron| {
        json!({
            "netuid": neuron.netuid.0,
            "hotkey": neuron.hotkey.to_string(),
            "uid": neuron.uid.map(|uid| uid.0),
            "validator_permit": neuron.validator_permit,
            "stake_rao": neuron.stake.0,
            "stake_threshold_rao": neuron.stake_threshold.0,
            "axon": neuron.axon.map(|axon| axon.socket().to_string()),
            "serving_wait_blocks": neuron.serving_wait,
            "weights_rate_limit_blocks": neuron.weights_rate_limit,
            "weights_wait_blocks": neuron.weights_wait,
            "weights_version": neuron.weights_version,
            "commit_reveal": neuron.commit_reveal,
            "reveal_period_epochs": neuron.reveal_period,
            "weights": neuron.weights,
            "last_update_block": neuron.last_update.map(|block| block.0),
            "weights_age_blocks": neuron.weights_age,
        })
    });
    json!({
        "healthy": report.problems.is_empty(),
        "problems": report.problems,
        "endpoints": endpoints.collect::<Vec<_>>(),
        "chain": chain,
        "neuron": neuron,
    })
}
