use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::unix::pipe,
};

use crate::{Limits, Program, Result, Sandbox, sandbox::Running};

/// Bytes that wrap an answer on its way: the server's words, and an escape of every byte.
const WRAPPING: u64 = 4096;
/// What a byte of an answer can grow to when it is written as JSON twice.
const GROWTH: u64 = 6;

/// An interpreter in a sandbox of its own, which dies with this value.
#[derive(Debug)]
pub(super) struct Worker {
    requests: pipe::Sender,
    answers: BufReader<pipe::Receiver>,
    /// Holds the sandbox.
    _running: Running,
}

impl Worker {
    /// Starts an interpreter and waits until it is warm.
    pub(super) async fn start(sandbox: &Sandbox, program: Program, limits: Limits) -> Result<Self> {
        let (mut running, requests) = sandbox.start_with_pipe(program, limits).await?;
        let answers = running.take_stdout()?;
        let mut worker = Self {
            requests,
            answers: BufReader::new(answers),
            _running: running,
        };
        if worker.line(WRAPPING).await.is_some() {
            return Ok(worker);
        }
        Err(worker._running.why_not().await)
    }

    /// Hands a line over.
    pub(super) async fn tell(&mut self, line: &str) -> std::io::Result<()> {
        self.requests.write_all(line.as_bytes()).await?;
        self.requests.write_all(b"\n").await
    }

    /// Asks, and reads the answer: `None` when the interpreter is gone or says too much.
    pub(super) async fn ask(&mut self, line: &str, most: u64) -> Option<Vec<u8>> {
        self.tell(line).await.ok()?;
        self.line(most.saturating_mul(GROWTH).saturating_add(WRAPPING))
            .await
    }

    async fn line(&mut self, most: u64) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.answers).take(most);
        bounded.read_until(b'\n', &mut line).await.ok()?;
        (line.pop() == Some(b'\n')).then_some(line)
    }
}
