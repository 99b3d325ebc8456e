//! Starting, watching and, whatever happens, stopping processes.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use adit_wallet::{Keypair, Wallet};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// One subnet at a time: each keeps two cores busy.
static TURN: Mutex<()> = Mutex::const_new(());

/// Bound of waiting for anything; reached only when something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(420);

/// Waits until `done`, and fails when it takes too long.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One of our binaries, which lie side by side.
pub(crate) fn binary(name: &str) -> PathBuf {
    let localnet = Path::new(env!("CARGO_BIN_EXE_adit-localnet"));
    let path = localnet.parent().unwrap().join(name);
    assert!(
        path.is_file(),
        "{} is missing; build it: cargo build -p adit-devnet-bin -p adit-validator-api \
         -p adit-validator -p adit-miner",
        path.display()
    );
    path
}

/// Sends a signal to a process that is ours.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = kill_process(pid, signal);
}

/// A process that dies with its test, and whose output is kept in a file.
pub(crate) struct Life {
    child: Child,
    lines: Arc<AtomicUsize>,
    log: PathBuf,
}

impl Life {
    /// Starts a command; what it says is appended to `log`.
    pub(crate) fn start(command: &[impl AsRef<OsStr>], log: &Path) -> Self {
        let (program, arguments) = command.split_first().unwrap();
        let mut file = File::options().create(true).append(true).open(log).unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .env_remove("ADIT_BIN_DIR")
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = child.stderr.take().unwrap();
        let lines = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                let _ = writeln!(file, "{line}");
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self {
            child,
            lines,
            log: log.to_owned(),
        }
    }

    /// Lines said on standard error so far.
    pub(crate) fn lines(&self) -> usize {
        self.lines.load(Ordering::Relaxed)
    }

    /// Whether and how it ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub(crate) fn signal(&self, what: Signal) {
        signal(self.child.id(), what);
    }

    /// Ends it in the hardest way.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    pub(crate) async fn end(&mut self, what: &str) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            if Instant::now() >= deadline {
                panic!("{what} did not end\n{}", tail(&self.log));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for its end, which must be a good one.
    pub(crate) async fn succeed(&mut self, what: &str) {
        let status = self.end(what).await;
        assert!(status.success(), "{what}: {status}\n{}", tail(&self.log));
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of a file.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// An entry of `processes.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) pid: Option<u32>,
    pub(crate) command: Vec<String>,
}

impl Listed {
    /// Whether it still runs: the same command under the same id, and no zombie.
    pub(crate) fn runs(&self) -> bool {
        let Some(pid) = self.pid else {
            return false;
        };
        let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else {
            return false;
        };
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let words = &words[..words.len() - 1];
        words.len() == self.command.len()
            && words
                .iter()
                .zip(&self.command)
                .all(|(word, said)| *word == said.as_bytes())
    }
}

/// `adit-localnet up` in a folder of its own.
pub(crate) struct Localnet {
    pub(crate) up: Life,
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Localnet {
    /// Starts one, once every other test's has ended.
    pub(crate) async fn up(arguments: &[&str]) -> Self {
        let turn = TURN.lock().await;
        for sibling in [
            "adit-devnet",
            "adit-validator-api",
            "adit-validator",
            "adit-miner",
        ] {
            binary(sibling);
        }
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run").display().to_string();
        let mut command = vec![env!("CARGO_BIN_EXE_adit-localnet"), "up", "--dir", &run];
        command.extend(arguments);
        let up = Life::start(&command, &folder.path().join("up.log"));
        Self {
            up,
            folder,
            _turn: turn,
        }
    }

    /// Starts one that stays up, and waits until its first round is done and paid.
    pub(crate) async fn kept(arguments: &[&str]) -> Self {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--keep", "--rounds", "1"]);
        let mut localnet = Self::up(&arguments).await;
        let mut ended = None;
        let said = localnet.up.log.clone();
        until("the first round", || {
            ended = localnet.up.ended();
            let stays = fs::read_to_string(&said).is_ok_and(|said| said.contains("Ctrl-C stops"));
            ended.is_some() || stays
        })
        .await;
        assert!(ended.is_none(), "{}", localnet.story());
        localnet
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("run").join(name)
    }

    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.path(&format!("logs/{process}.log"))
    }

    pub(crate) fn processes(&self) -> Vec<Listed> {
        let Ok(text) = fs::read(self.path("processes.json")) else {
            return Vec::new();
        };
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub(crate) fn process(&self, name: &str) -> Listed {
        let mut processes = self.processes().into_iter();
        processes.find(|process| process.name == name).unwrap()
    }

    /// Everything it said, for a test that fails.
    pub(crate) fn story(&self) -> String {
        let mut story = tail(&self.up.log);
        let logs = fs::read_dir(self.path("logs")).into_iter().flatten();
        for log in logs.filter_map(|entry| Some(entry.ok()?.path())) {
            story.push_str(&format!("\n--- {}\n{}", log.display(), tail(&log)));
        }
        story
    }

    /// The report `up` wrote at its end.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    /// Stops it as Ctrl-C does, and waits until all of it has ended.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.up.signal(Signal::INT);
        self.up.end("adit-localnet up").await
    }

    /// The key of one of its members.
    pub(crate) fn key(&self, member: &str) -> Arc<Keypair> {
        let wallet = Wallet::open(&self.path("wallets"), member, "default").unwrap();
        Arc::new(wallet.hotkey_keypair().unwrap())
    }

    /// A validator's configuration like that of `up`, with a state of its own and other rounds;
    /// its file and its state.
    pub(crate) fn validator(&self, name: &str, rounds: u64) -> (PathBuf, PathBuf) {
        let text = fs::read_to_string(self.path("validator.toml")).unwrap();
        let mut config: toml::Table = text.parse().unwrap();
        let state = self.path(&format!("{name}.db"));
        config["db"] = state.display().to_string().into();
        config["seed"] = 4_242.into();
        config["neuron"]["rounds"] = i64::try_from(rounds).unwrap().into();
        let file = self.path(&format!("{name}.toml"));
        fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
        (file, state)
    }

    /// One life of a validator.
    pub(crate) fn start_validator(&self, name: &str) -> Life {
        let config = self.path(&format!("{name}.toml"));
        let program = binary("adit-validator");
        let command = [program.as_os_str(), "--config".as_ref(), config.as_os_str()];
        Life::start(&command, &self.log(name))
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        self.up.signal(Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.up.ended().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.up.kill();
        for process in self.processes().iter().filter(|process| process.runs()) {
            signal(process.pid.unwrap(), Signal::KILL);
        }
    }
}

/// The lines of a log that tell of an event.
pub(crate) fn events(log: &Path, event: &str) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["event"] == event)
        .collect()
}

/// Runs a statement on a SQLite file from outside, and answers its rows, columns split by `|`.
pub(crate) fn sql(state: &Path, statement: &str) -> String {
    let with_python = "import sqlite3, sys\n\
        base = sqlite3.connect(sys.argv[1])\n\
        for row in base.execute(sys.argv[2]): print('|'.join(map(str, row)))\n\
        base.commit()";
    let tool = Command::new("sqlite3").arg(state).arg(statement).output();
    let output = tool.unwrap_or_else(|_| {
        let mut python = Command::new("python3");
        python.args(["-c", with_python]).arg(state).arg(statement);
        python.output().unwrap()
    });
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{statement}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
