//! Python submissions, run case by case in warm interpreters.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Error, Limits, Program, Result, Sandbox};

mod worker;

use worker::Worker;

/// The program of a warm interpreter.
const SERVER: &str = include_str!("python/server.py");
/// Where interpreters are looked for, in this order.
const PLACES: [&str; 3] = ["/usr/bin/python3", "/usr/local/bin/python3", "/bin/python3"];
/// Bytes of a case's input.
const MOST_INPUT: usize = 1 << 20;
/// Bytes of a submission's source.
const MOST_SOURCE: usize = 1 << 20;
/// How much longer than a case's time the interpreter may take to say so.
const GRACE: Duration = Duration::from_secs(2);
/// How long an interpreter may wait for its submission.
const SHELF_LIFE: Duration = Duration::from_secs(24 * 3600);

/// A submission: source text, the function to call, and the inputs to call it with.
#[derive(Debug, Clone)]
pub struct PythonProgram {
    /// The source, executed anew for every case.
    pub source: String,
    /// The function asked for. Where it is missing, `solve`, `main`, `solution`, the first function by
    /// name, or a method of those names is taken, as the field does.
    pub function: String,
    /// The cases.
    pub cases: Vec<PythonCase>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct PythonCase {
    /// The argument. A text that holds a JSON list is the list of arguments.
    pub input: Value,
    /// Time on the wall for this case, in which the source is executed too.
    pub timeout: Duration,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseOutcome {
    /// What the function returned, or why it did not.
    pub result: std::result::Result<Value, CaseFailure>,
    /// Time on the wall, with the fork.
    pub wall: Duration,
}

/// Why a call gave no answer. Each is the submission's doing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaseFailure {
    /// The source is not Python.
    #[error("{0}")]
    Syntax(String),
    /// The source raised while it was executed.
    #[error("{0}")]
    Load(String),
    /// It holds nothing to call.
    #[error("{0}")]
    NoEntry(String),
    /// The function raised, or returned what JSON cannot say.
    #[error("{0}")]
    Raised(String),
    /// It took longer than its time.
    #[error("timeout")]
    Timeout,
    /// Its process ended without an answer: a crash, a limit, or its own will.
    #[error("the process died")]
    Died,
    /// Its answer is longer than the limit of output.
    #[error("the answer is too long")]
    TooLong,
    /// Its answer is not the JSON that the interpreter writes.
    #[error("the answer is not JSON: {0}")]
    NotJson(String),
}

/// Warm Python interpreters in sandboxes, each used for one submission.
///
/// An interpreter waits inside its sandbox with the usual modules imported; a case costs one fork of
/// it. When its submission is done the whole sandbox is gone, so nothing passes to another. Only inputs
/// go in, one at a time: a case can read neither what is expected of it nor what comes next.
#[derive(Debug, Clone)]
pub struct PythonPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sandbox: Sandbox,
    interpreter: PathBuf,
    limits: Limits,
    warm: usize,
    waiting: Mutex<Vec<Worker>>,
}

impl PythonPool {
    /// A pool that keeps up to `warm` interpreters waiting, under these limits each. The wall time
    /// bounds a whole submission.
    ///
    /// # Errors
    /// [`Error::Program`] when no interpreter is found among `/usr/bin`, `/usr/local/bin` and `/bin`.
    pub fn new(sandbox: Sandbox, limits: Limits, warm: usize) -> Result<Self> {
        let found = PLACES.iter().map(Path::new).find(|path| path.exists());
        let interpreter = found
            .ok_or_else(|| Error::program("no python3 in /usr/bin, /usr/local/bin or /bin"))?;
        Ok(Self::with_interpreter(sandbox, interpreter, limits, warm))
    }

    /// A pool of another interpreter, by its path inside the sandbox.
    pub fn with_interpreter(
        sandbox: Sandbox,
        interpreter: impl Into<PathBuf>,
        limits: Limits,
        warm: usize,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                sandbox,
                interpreter: interpreter.into(),
                limits,
                warm,
                waiting: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Starts interpreters until enough are waiting.
    ///
    /// # Errors
    /// As for [`Sandbox::run`].
    pub async fn warm_up(&self) -> Result<()> {
        while self.inner.lock().len() < self.inner.warm {
            let worker = self.inner.start().await?;
            self.inner.lock().push(worker);
        }
        Ok(())
    }

    /// Runs a submission's cases, in order. There is an outcome for each.
    ///
    /// # Errors
    /// As for [`Sandbox::run`]; nothing that a submission does is an error.
    pub async fn run(&self, program: &PythonProgram) -> Result<Vec<CaseOutcome>> {
        if program.source.len() > MOST_SOURCE {
            return Err(Error::program("the source is longer than 1 MiB"));
        }
        let began = Instant::now();
        let mut outcomes = Vec::with_capacity(program.cases.len());
        let mut worker = None;
        for case in &program.cases {
            let left = self.inner.limits.wall.saturating_sub(began.elapsed());
            let started = Instant::now();
            let result = if left.is_zero() {
                Err(CaseFailure::Timeout)
            } else {
                self.case(&mut worker, program, case, left).await?
            };
            outcomes.push(CaseOutcome {
                result,
                wall: started.elapsed(),
            });
        }
        drop(worker);
        let pool = self.clone();
        // Its failure shows again with the next submission.
        tokio::spawn(async move { pool.warm_up().await });
        Ok(outcomes)
    }

    async fn case(
        &self,
        worker: &mut Option<Worker>,
        program: &PythonProgram,
        case: &PythonCase,
        left: Duration,
    ) -> Result<std::result::Result<Value, CaseFailure>> {
        let timeout = case.timeout.min(left);
        let most = self.inner.limits.output;
        let request = json!({
            "input": case.input,
            "timeout": timeout.as_secs_f64(),
            "most": most,
        });
        let request = request.to_string();
        if request.len() > MOST_INPUT {
            return Err(Error::program("a case's input is longer than 1 MiB"));
        }
        let mut used = match worker.take() {
            Some(worker) => worker,
            None => self.inner.introduced(program).await?,
        };
        let asked = tokio::time::timeout(timeout + GRACE, used.ask(&request, most)).await;
        let Ok(answer) = asked else {
            return Ok(Err(CaseFailure::Timeout));
        };
        // A submission may end its interpreter; the next case gets a new one.
        let Some(line) = answer else {
            return Ok(Err(CaseFailure::Died));
        };
        let result = read_answer(&line);
        *worker = Some(used);
        Ok(result)
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn start(&self) -> Result<Worker> {
        let program =
            Program::new(self.interpreter.as_os_str()).arguments(["-I", "-B", "-c", SERVER]);
        let limits = Limits {
            wall: SHELF_LIFE,
            ..self.limits
        };
        Worker::start(&self.sandbox, program, limits).await
    }

    /// An interpreter that knows its submission: one that waits, if it still lives, or a new one.
    async fn introduced(&self, program: &PythonProgram) -> Result<Worker> {
        let submission = json!({ "source": program.source, "function": program.function });
        let submission = submission.to_string();
        let waiting = self.lock().pop();
        if let Some(mut worker) = waiting
            && worker.tell(&submission).await.is_ok()
        {
            return Ok(worker);
        }
        let mut worker = self.start().await?;
        worker
            .tell(&submission)
            .await
            .map_err(Error::io("hand a submission over"))?;
        Ok(worker)
    }
}

/// What the interpreter's server says of a case.
#[derive(Deserialize)]
struct Told {
    kind: String,
    #[serde(default)]
    answer: String,
}

/// What the submission's own process says.
#[derive(Deserialize)]
struct Said {
    kind: String,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: String,
}

fn read_answer(line: &[u8]) -> std::result::Result<Value, CaseFailure> {
    let not_json = |error: serde_json::Error| CaseFailure::NotJson(error.to_string());
    let told: Told = serde_json::from_slice(line).map_err(not_json)?;
    match told.kind.as_str() {
        "answer" => {}
        "timeout" => return Err(CaseFailure::Timeout),
        "large" => return Err(CaseFailure::TooLong),
        _ => return Err(CaseFailure::Died),
    }
    let said: Said = serde_json::from_str(&told.answer).map_err(not_json)?;
    match said.kind.as_str() {
        "done" => Ok(said.output),
        "syntax" => Err(CaseFailure::Syntax(said.error)),
        "load" => Err(CaseFailure::Load(said.error)),
        "entry" => Err(CaseFailure::NoEntry(said.error)),
        "raised" => Err(CaseFailure::Raised(said.error)),
        _ => Err(CaseFailure::NotJson("an unknown kind of answer".to_owned())),
    }
}
