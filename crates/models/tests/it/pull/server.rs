//! An HTTP server that does exactly what a test says, down to the byte.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The first line, without the version.
    pub(crate) line: String,
    /// With names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first byte asked for.
    pub(crate) fn from(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.strip_suffix('-')?.parse().ok()
    }
}

/// What is sent back, verbatim, and what happens then.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    hangs: bool,
}

impl Reply {
    /// Any status and headers, and a body that need not fit them; then the connection is closed.
    pub(crate) fn raw(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        for (name, value) in headers {
            head = format!("{head}{name}: {value}\r\n");
        }
        let mut bytes = format!("{head}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Self {
            bytes,
            hangs: false,
        }
    }

    /// The whole of a file, as version `"one"`.
    pub(crate) fn whole(body: &[u8]) -> Self {
        Self::announced(body.len(), body)
    }

    /// A body that is announced to have `length` bytes.
    pub(crate) fn announced(length: usize, body: &[u8]) -> Self {
        let length = length.to_string();
        Self::raw(
            "200 OK",
            &[("Content-Length", &length), ("ETag", "\"one\"")],
            body,
        )
    }

    /// The file from the byte that was asked for.
    pub(crate) fn ranged(asked: &Asked, body: &[u8]) -> Self {
        match asked.from() {
            None => Self::whole(body),
            Some(from) => {
                let rest = &body[from..];
                let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
                let length = rest.len().to_string();
                let headers = [
                    ("Content-Length", length.as_str()),
                    ("Content-Range", range.as_str()),
                    ("ETag", "\"one\""),
                ];
                Self::raw("206 Partial Content", &headers, rest)
            }
        }
    }

    pub(crate) fn status(status: &str) -> Self {
        Self::raw(status, &[("Content-Length", "0")], b"")
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::raw(
            "302 Found",
            &[("Content-Length", "0"), ("Location", to)],
            b"",
        )
    }

    /// Sends nothing, or the bytes of another reply, and keeps the connection open.
    pub(crate) fn hang(mut self) -> Self {
        self.hangs = true;
        self
    }

    pub(crate) fn nothing() -> Self {
        Self {
            bytes: Vec::new(),
            hangs: true,
        }
    }
}

/// Runs until the test's process ends; each connection carries one request.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `answer` is told the request and how many came before it.
    pub(crate) fn start(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            log: Arc::default(),
        };
        let log = server.log.clone();
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (log, answer) = (log.clone(), answer.clone());
                thread::spawn(move || serve(connection.unwrap(), &log, &*answer));
            }
        });
        server
    }

    /// An address on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }
}

fn serve(
    mut connection: TcpStream,
    log: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked, usize) -> Reply,
) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            // A client that connects and leaves asks nothing.
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => lines.push(line.trim().to_owned()),
        }
    }
    let headers = lines[1..].iter().filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let asked = Asked {
        line: lines[0].trim_end_matches(" HTTP/1.1").to_owned(),
        headers: headers.collect(),
    };
    let before = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.len() - 1
    };
    let reply = answer(&asked, before);
    // The client may have seen enough.
    let sent = connection.write_all(&reply.bytes);
    if sent.is_ok() && reply.hangs {
        // Until the client leaves.
        let _ = connection.read(&mut [0; 1]);
    }
}
