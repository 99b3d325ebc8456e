//! An HTTP/1.1 origin on loopback whose paths say how it behaves.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
    bodies: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let bodies = Arc::new(AtomicUsize::new(0));
        let counters = (requests.clone(), bodies.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, counters.0.clone(), counters.1.clone()));
            }
        });
        Self {
            address,
            requests,
            bodies,
            task,
        }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// Requests seen.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Whole files sent.
    pub(crate) fn bodies(&self) -> usize {
        self.bodies.load(Ordering::SeqCst)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What `/file/N/…` holds: N bytes, other ones for each path.
pub(crate) fn file(path: &str) -> Vec<u8> {
    let size = path.split('/').nth(2).unwrap().parse().unwrap();
    let mut bytes = path.as_bytes().repeat(size / path.len() + 1);
    bytes.truncate(size);
    bytes
}

async fn serve(stream: TcpStream, requests: Arc<AtomicUsize>, bodies: Arc<AtomicUsize>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let Ok(Some(first)) = lines.next_line().await else {
        return;
    };
    let mut known = false;
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() {
            break;
        }
        known |= line.to_lowercase().starts_with("if-none-match");
    }
    requests.fetch_add(1, Ordering::SeqCst);
    let Some(path) = first.split(' ').nth(1) else {
        return;
    };
    let head = |text: &str| format!("HTTP/1.1 {text}\r\nConnection: close\r\n\r\n");
    // A peer that hangs up ends any of these; that is its right.
    let _ = match path.split('/').nth(1).unwrap() {
        "file" if known => write.write_all(head("304 Not Modified").as_bytes()).await,
        "file" => {
            bodies.fetch_add(1, Ordering::SeqCst);
            let bytes = file(path);
            let text = format!("200 OK\r\nETag: \"one\"\r\nContent-Length: {}", bytes.len());
            write
                .write_all(&[head(&text).as_bytes(), &bytes].concat())
                .await
        }
        "chunked" => {
            let head = head("200 OK\r\nTransfer-Encoding: chunked");
            let body = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
            write.write_all(format!("{head}{body}").as_bytes()).await
        }
        "broken-chunks" => {
            let head = head("200 OK\r\nTransfer-Encoding: chunked");
            write
                .write_all(format!("{head}5\r\nhello\r\n6\r\n wo").as_bytes())
                .await
        }
        "short" => {
            let head = head("200 OK\r\nContent-Length: 1000");
            write.write_all(format!("{head}only this").as_bytes()).await
        }
        "huge" => {
            write
                .write_all(head("200 OK\r\nContent-Length: 10000000000").as_bytes())
                .await
        }
        "endless" => {
            let _ = write.write_all(head("200 OK").as_bytes()).await;
            let chunk = vec![7; 65_536];
            while write.write_all(&chunk).await.is_ok() {}
            Ok(())
        }
        "drip" => {
            let _ = write
                .write_all(head("200 OK\r\nContent-Length: 100000").as_bytes())
                .await;
            while write.write_all(b".").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        }
        "stall" => {
            let head = head("200 OK\r\nContent-Length: 100000");
            let _ = write.write_all(format!("{head}one bit").as_bytes()).await;
            std::future::pending().await
        }
        "silent" => std::future::pending().await,
        "garbage" => write.write_all(b"\0\x01\x02 this is no HTTP\r\n\r\n").await,
        "hang-up" => Ok(()),
        "loop" => {
            write
                .write_all(head(&format!("302 Found\r\nLocation: {path}/x")).as_bytes())
                .await
        }
        "nowhere" => write.write_all(head("302 Found").as_bytes()).await,
        "to" => {
            let target = path.trim_start_matches("/to/");
            write
                .write_all(
                    head(&format!("307 Temporary Redirect\r\nLocation: {target}")).as_bytes(),
                )
                .await
        }
        "status" => {
            let status = path.split('/').nth(2).unwrap();
            write
                .write_all(head(&format!("{status} So\r\nContent-Length: 0")).as_bytes())
                .await
        }
        other => panic!("no behaviour {other}"),
    };
}
