//! What happens, one line per event.

use std::{collections::HashMap, io::IsTerminal as _, time::Instant};

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::process::Event;

/// Prints events: coloured with a progress bar on a terminal, plain lines otherwise.
#[derive(Debug)]
pub(crate) struct Narrator {
    started: Instant,
    names: HashMap<String, String>,
    bar: ProgressBar,
    coloured: bool,
}

impl Narrator {
    /// A narrator for so many rounds.
    pub(crate) fn new(rounds: u64) -> Self {
        let coloured = std::io::stdout().is_terminal();
        let bar = if coloured {
            ProgressBar::new(rounds)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) =
            ProgressStyle::with_template("{elapsed_precise} {wide_bar} round {pos}/{len} {msg}")
        {
            bar.set_style(style);
        }
        Self {
            started: Instant::now(),
            names: HashMap::new(),
            bar,
            coloured,
        }
    }

    /// From now on a hotkey goes by a name.
    pub(crate) fn name(&mut self, hotkey: String, name: String) {
        self.names.insert(hotkey, name);
    }

    /// Prints one line of our own.
    pub(crate) fn say(&self, who: &str, text: &str) {
        let paint = |style: Style, text: String| {
            if self.coloured {
                format!("{style}{text}{style:#}")
            } else {
                text
            }
        };
        let time = paint(
            AnsiColor::BrightBlack.on_default(),
            format!("{:7.2}s", self.started.elapsed().as_secs_f64()),
        );
        let who = paint(colour(who), format!("{who:<14}"));
        let line = format!("{time}  {who} {text}");
        if self.coloured {
            self.bar.println(line);
        } else {
            #[expect(
                clippy::print_stdout,
                reason = "this program's purpose is to tell what happens"
            )]
            {
                println!("{line}");
            }
        }
    }

    /// Prints an event, when it is of interest.
    pub(crate) fn tell(&self, event: &Event) {
        if event.kind() == "round" {
            let round = number(event, "round");
            self.bar.set_position(round.saturating_add(1));
        }
        if let Some(text) = self.line(event) {
            self.say(&event.source, &text);
        }
    }

    /// Removes the progress bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, event: &Event) -> Option<String> {
        let text = |field: &str| event.text(field).to_owned();
        Some(match event.kind() {
            "listening" => format!("listening on {}", text("address")),
            "library" => format!("library of {} videos is ready", number(event, "videos")),
            "served" => format!("axon {} {}", text("address"), text("message")),
            "ready" => "ready".to_owned(),
            "round" => {
                let topic = serde_json::from_str::<Value>(event.text("task"))
                    .ok()
                    .and_then(|task| Some(task.get("topic")?.as_str()?.to_owned()))
                    .unwrap_or_default();
                format!(
                    "round {}: \"{topic}\" to {} miners",
                    number(event, "round") + 1,
                    number(event, "miners")
                )
            }
            "answer" => {
                let detail = event.text("detail");
                let detail = if detail.is_empty() {
                    String::new()
                } else {
                    format!(" ({detail})")
                };
                let ms = number(event, "elapsed_ms");
                format!(
                    "{} {} after {ms} ms{detail}",
                    self.who(event),
                    text("status")
                )
            }
            "score" => {
                let score = event
                    .fields
                    .get("score")
                    .and_then(Value::as_f64)
                    .unwrap_or_default();
                let reasons = event.text("reasons");
                let reasons = if reasons.is_empty() {
                    String::new()
                } else {
                    format!("  [{reasons}]")
                };
                format!("{} scored {score:.3}{reasons}", self.who(event))
            }
            "delivered" => format!("batch {} delivered: {}", text("batch"), text("receipt")),
            "undelivered" => format!("batch {} kept for later", text("batch")),
            "postponed" => "judgement postponed".to_owned(),
            "weights" => format!(
                "weights {} on chain at block {}",
                text("weights"),
                number(event, "block")
            ),
            "weights_refused" => format!("weights refused: {} {}", text("code"), text("detail")),
            "refused" => format!("refused a request: {}", text("reason")),
            "shard" => format!(
                "shard {} closed with {} rows",
                text("shard"),
                number(event, "rows")
            ),
            "epoch" => format!("epoch at block {}", number(event, "block")),
            _ => return None,
        })
    }

    fn who(&self, event: &Event) -> String {
        let hotkey = event.text("hotkey");
        let name = self.names.get(hotkey).map_or(hotkey, String::as_str);
        format!("uid {} {name}", event.text("uid"))
    }
}

fn number(event: &Event, field: &str) -> u64 {
    let value = event.fields.get(field);
    value
        .and_then(Value::as_u64)
        .or_else(|| value?.as_str()?.parse().ok())
        .unwrap_or_default()
}

fn colour(who: &str) -> Style {
    match who.split('-').next().unwrap_or_default() {
        "validator" => AnsiColor::Green,
        "miner" => AnsiColor::Cyan,
        "devnet" => AnsiColor::Magenta,
        "api" => AnsiColor::Yellow,
        _ => AnsiColor::White,
    }
    .on_default()
}
