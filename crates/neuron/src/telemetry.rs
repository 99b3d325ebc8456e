//! Logs and metrics.

use std::{io::IsTerminal as _, net::SocketAddr};

use metrics_exporter_prometheus::PrometheusBuilder;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::{Error, Result};

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and where metrics are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Shape of the log lines.
    pub log_format: LogFormat,
    /// Levels by target, such as `info` or `info,adit_chain=debug`.
    pub log: String,
    /// Address for Prometheus to scrape (`/metrics`); none by default.
    pub metrics: Option<SocketAddr>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log: "info".into(),
            metrics: None,
        }
    }
}

/// Installs the process's only log subscriber (on standard error) and, when asked for, the
/// Prometheus endpoint. Call it once, from a binary, inside the tokio runtime.
///
/// # Errors
/// [`Error::Logging`] for an unreadable filter or when a subscriber is installed already;
/// [`Error::Metrics`] when the address cannot be bound.
pub fn init(config: &TelemetryConfig) -> Result<()> {
    let filter =
        EnvFilter::try_new(&config.log).map_err(|error| Error::Logging(error.to_string()))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let installed = match config.log_format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
    };
    installed.map_err(|error| Error::Logging(error.to_string()))?;
    if let Some(listen) = config.metrics {
        PrometheusBuilder::new()
            .with_http_listener(listen)
            .install()
            .map_err(|error| Error::Metrics {
                listen,
                reason: error.to_string(),
            })?;
        describe();
        tracing::info!(%listen, "serving metrics");
    }
    Ok(())
}

/// The names are a promise to dashboards: README lists them.
fn describe() {
    metrics::describe_counter!("adit_rounds_total", "Rounds asked");
    metrics::describe_counter!("adit_answers_total", "Answers by status");
    metrics::describe_counter!("adit_items_total", "Parts of answers by outcome and reason");
    metrics::describe_counter!("adit_requests_refused_total", "Requests refused by reason");
    metrics::describe_counter!("adit_requests_total", "Requests served by outcome");
    metrics::describe_counter!("adit_weights_total", "Weight settings by outcome");
    metrics::describe_counter!("adit_batches_total", "Batches taken into the dataset");
    metrics::describe_counter!(
        "adit_flush_failures_total",
        "Shards that could not be closed"
    );
    metrics::describe_counter!(
        "adit_deliveries_total",
        "Batches handed to the dataset by outcome"
    );
    metrics::describe_counter!(
        "adit_chain_requests_total",
        "Requests to the chain by endpoint and outcome"
    );
    metrics::describe_counter!(
        "adit_chain_failovers_total",
        "Endpoints left for another one, by reason"
    );
    metrics::describe_gauge!("adit_chain_head", "The highest block seen");
    metrics::describe_histogram!(
        "adit_chain_request_seconds",
        "Time an answer of the chain took, by endpoint"
    );
    metrics::describe_gauge!("adit_unjudged_tasks", "Tasks that wait to be judged");
    metrics::describe_gauge!(
        "adit_undelivered_batches",
        "Batches that wait to be delivered"
    );
    metrics::describe_histogram!("adit_answer_seconds", "Time a miner took to answer");
    metrics::describe_histogram!("adit_judge_seconds", "Time the judgement of a round took");
    metrics::describe_gauge!(
        "adit_batch_queue",
        "Inputs that wait for a model or are in it"
    );
    metrics::describe_counter!(
        "adit_batch_inputs_total",
        "Inputs of a model by what became of them"
    );
    metrics::describe_histogram!("adit_batch_pass_inputs", "Inputs of a pass of a model");
    metrics::describe_histogram!("adit_batch_pass_seconds", "Time a pass of a model took");
    metrics::describe_histogram!(
        "adit_batch_wait_seconds",
        "Time an input waited for its pass"
    );
    metrics::describe_counter!(
        "adit_batch_splits_total",
        "Passes that the device's memory did not hold"
    );
    metrics::describe_counter!("adit_batch_panics_total", "Panics of a model");
}
