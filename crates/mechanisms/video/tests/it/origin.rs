//! An HTTP/1.1 origin on loopback that serves the two recordings and whatever else it is told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

/// What a path answers. Every other path is not found.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    File(PathBuf),
    Bytes(Vec<u8>),
    HangUp,
    Stall,
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    routes: Arc<Mutex<HashMap<String, Reply>>>,
    requests: Arc<Mutex<HashMap<String, usize>>>,
    task: JoinHandle<()>,
}

/// A recording that the tests read.
pub(crate) fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../fixtures/videos")
        .join(name)
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes: Arc<Mutex<HashMap<String, Reply>>> = Arc::default();
        let requests: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let (served, counted) = (routes.clone(), requests.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, served.clone(), counted.clone()));
            }
        });
        let origin = Self {
            address,
            routes,
            requests,
            task,
        };
        for name in ["bikes.mp4", "bigbuckbunny.mp4"] {
            origin.serve(&format!("/{name}"), Reply::File(recording(name)));
        }
        origin
    }

    pub(crate) fn serve(&self, path: &str, reply: Reply) -> Url {
        self.routes.lock().unwrap().insert(path.to_owned(), reply);
        self.url(path)
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// Requests seen for a path.
    pub(crate) fn requests(&self, path: &str) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.get(path).copied().unwrap_or(0)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address where nothing listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn answer(
    stream: TcpStream,
    routes: Arc<Mutex<HashMap<String, Reply>>>,
    requests: Arc<Mutex<HashMap<String, usize>>>,
) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let Ok(Some(first)) = lines.next_line().await else {
        return;
    };
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() {
            break;
        }
    }
    let target = first.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    *requests.lock().unwrap().entry(path.to_owned()).or_default() += 1;
    let reply = routes.lock().unwrap().get(path).cloned();
    let (status, body) = match reply {
        Some(Reply::HangUp) => return,
        Some(Reply::Stall) => std::future::pending().await,
        Some(Reply::Bytes(bytes)) => ("200 OK", bytes),
        Some(Reply::File(path)) => ("200 OK", std::fs::read(path).unwrap()),
        None => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // A peer that hangs up has the right to.
    let _ = write.write_all(&[head.as_bytes(), &body].concat()).await;
}
