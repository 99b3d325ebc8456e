//! The binary as another process starts and stops it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

struct Node {
    process: Child,
    address: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Node {
    /// Starts the binary and waits for the line that says where it listens.
    fn start(flags: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_adit-devnet"))
            .args(["--listen", "127.0.0.1:0", "--block-time", "10ms"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = process.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening ws://").unwrap();
        Self {
            address: address.to_owned(),
            process,
        }
    }

    /// One JSON-RPC call over HTTP.
    fn call(&self, method: &str, params: &Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len(),
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let start = answer.find('{').unwrap();
        let end = answer.rfind('}').unwrap();
        let answer: Value = serde_json::from_str(&answer[start..=end]).unwrap();
        answer["result"].clone()
    }

    fn hash(&self, number: u32) -> Value {
        self.call("chain_getBlockHash", &json!([number]))
    }

    /// Waits until block `number` is there and returns its hash.
    fn reach(&self, number: u32) -> Value {
        loop {
            let hash = self.hash(number);
            if !hash.is_null() {
                return hash;
            }
            std::thread::yield_now();
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn signals_stop_it_with_exit_code_0() {
    let folder = tempfile::tempdir().unwrap();
    let port_file = folder.path().join("port");
    for signal in [Signal::TERM, Signal::INT] {
        let mut node = Node::start(&["--port-file", text(&port_file)]);
        assert_eq!(std::fs::read_to_string(&port_file).unwrap(), node.address);
        kill_process(node.pid(), signal).unwrap();
        assert_eq!(node.process.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn kill_9_at_any_moment_loses_no_block_anybody_saw() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("chain");
    let mut seen: Vec<Value> = Vec::new();
    for _ in 0..5 {
        let mut node = Node::start(&["--db", text(&database)]);
        for (number, hash) in (0..).zip(&seen) {
            assert_eq!(node.hash(number), *hash);
        }
        for _ in 0..4 {
            let number = u32::try_from(seen.len()).unwrap();
            seen.push(node.reach(number));
        }
        kill_process(node.pid(), Signal::KILL).unwrap();
        node.process.wait().unwrap();
    }
    assert_eq!(seen.len(), 20);
}

#[test]
fn another_configuration_refuses_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("chain");
    drop(Node::start(&["--db", text(&database)]));
    let flags = [
        "--listen",
        "127.0.0.1:0",
        "--tempo",
        "9",
        "--db",
        text(&database),
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_adit-devnet"))
        .args(flags)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("holds the chain 0x"), "{error}");
}
