//! Child processes whose log lines become events.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

/// Time a process has to finish after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(15);

/// One log line that carries an `event` field.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Name of the process.
    pub(crate) source: String,
    /// All fields of the line.
    pub(crate) fields: Map<String, Value>,
}

impl Event {
    pub(crate) fn kind(&self) -> &str {
        self.text("event")
    }

    /// A field as text; empty when it is none.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// A process we started.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) log: PathBuf,
    command: Vec<String>,
    child: Child,
}

impl Process {
    /// Starts a program with its log going to `folder/NAME.log` and its events to `events`.
    pub(crate) fn start(
        name: &str,
        program: &Path,
        arguments: &[String],
        folder: &Path,
        events: mpsc::UnboundedSender<Event>,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C reaches us alone; we stop the others in order.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let lines = child
            .stderr
            .take()
            .context("the child has no standard error")?;
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)?;
        let source = name.to_owned();
        tokio::spawn(async move {
            let mut file = tokio::fs::File::from_std(file);
            let mut lines = BufReader::new(lines).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = file.write_all(line.as_bytes()).await;
                let _ = file.write_all(b"\n").await;
                if let Ok(Value::Object(fields)) = serde_json::from_str(&line)
                    && fields.contains_key("event")
                {
                    let _ = events.send(Event {
                        source: source.clone(),
                        fields,
                    });
                }
            }
            let _ = file.flush().await;
        });
        let mut command = vec![program.display().to_string()];
        command.extend_from_slice(arguments);
        Ok(Self {
            name: name.to_owned(),
            log,
            command,
            child,
        })
    }

    /// Name, process id and command line, for `processes.json`.
    pub(crate) fn description(&self) -> Value {
        serde_json::json!({ "name": self.name, "pid": self.child.id(), "command": self.command })
    }

    /// Whether it ended, and how.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to stop, then makes it. Whether it ended by itself with success.
    pub(crate) async fn stop(mut self) -> bool {
        if let Some(status) = self.ended() {
            return status.success();
        }
        let pid = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => status.success(),
            _ => {
                let _ = self.child.kill().await;
                false
            }
        }
    }
}

/// A sibling program: in `$ADIT_BIN_DIR`, else beside this one.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let folder = match std::env::var_os("ADIT_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_exe()?
            .parent()
            .context("this program lies nowhere")?
            .to_owned(),
    };
    let path = folder.join(name);
    anyhow::ensure!(
        path.is_file(),
        "{} is missing: build it with cargo build --release",
        path.display()
    );
    Ok(path)
}
