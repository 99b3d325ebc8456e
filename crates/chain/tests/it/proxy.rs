//! A proxy that reads the WebSocket frames of a client and breaks the connection where it is told.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// When to cut, counted from a request that holds a given text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The node never sees the request.
    BeforeRequest,
    /// The node sees it, the client never learns so.
    AfterRequest,
    /// The client gets one message more.
    AfterReply,
    /// The node's message with the text never arrives.
    BeforeNotice,
    /// The node's message with the text is the last one to arrive.
    AfterNotice,
}

impl Cut {
    fn is_of_request(self) -> bool {
        !matches!(self, Self::BeforeNotice | Self::AfterNotice)
    }
}

#[derive(Debug)]
struct Plan {
    upstream: u16,
    /// A cut to make once, and the text that triggers it.
    cut: Option<(Cut, &'static str)>,
    cuts_made: usize,
    /// Requests with this text always end the connection.
    blocked: Option<&'static str>,
}

impl Plan {
    /// The cut to make at a message of the node's.
    fn cut_of_notice(&mut self, message: &Message) -> Option<Cut> {
        let (cut, text) = self.cut?;
        if cut.is_of_request() || !message.holds(text) {
            return None;
        }
        self.cut = None;
        self.cuts_made += 1;
        Some(cut)
    }
}

/// Listens on a port of its own and forwards to another one.
pub(crate) struct Proxy {
    plan: Arc<Mutex<Plan>>,
    port: u16,
    generation: watch::Sender<u64>,
}

impl Proxy {
    pub(crate) async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Plan {
            upstream,
            cut: None,
            cuts_made: 0,
            blocked: None,
        };
        let plan = Arc::new(Mutex::new(plan));
        let (generation, closing) = watch::channel(0);
        let shared = Arc::clone(&plan);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, Arc::clone(&shared), closing.clone()));
            }
        });
        Self {
            plan,
            port,
            generation,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Where new connections go.
    pub(crate) fn lead_to(&self, upstream: u16) {
        self.plan.lock().unwrap().upstream = upstream;
    }

    /// Cuts all connections there are.
    pub(crate) fn cut_now(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// Cuts once when a request holds this text.
    pub(crate) fn cut_at(&self, cut: Cut, text: &'static str) {
        self.plan.lock().unwrap().cut = Some((cut, text));
    }

    /// Ends the connection at every request that holds this text.
    pub(crate) fn block(&self, text: &'static str) {
        self.plan.lock().unwrap().blocked = Some(text);
    }

    pub(crate) fn cuts_made(&self) -> usize {
        self.plan.lock().unwrap().cuts_made
    }
}

async fn forward(client: TcpStream, plan: Arc<Mutex<Plan>>, mut closing: watch::Receiver<u64>) {
    closing.mark_unchanged();
    let upstream = plan.lock().unwrap().upstream;
    let Ok(node) = TcpStream::connect(("127.0.0.1", upstream)).await else {
        return;
    };
    let (client_in, client_out) = client.into_split();
    let (node_in, node_out) = node.into_split();
    let (last_reply, replies_left) = watch::channel(None::<usize>);
    tokio::select! {
        () = requests(client_in, node_out, Arc::clone(&plan), last_reply) => {}
        () = replies(node_in, client_out, plan, replies_left) => {}
        _ = closing.changed() => {}
    }
}

/// Copies replies until told how many more to let through, or until one that is to be the last.
async fn replies(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    plan: Arc<Mutex<Plan>>,
    mut left: watch::Receiver<Option<usize>>,
) {
    // Reading a message is not cut short by what is told in between.
    let (sender, mut messages) = tokio::sync::mpsc::channel(64);
    let reading = async move {
        let mut upgraded = false;
        while let Some(message) = next_message(&mut from, &mut upgraded).await {
            if sender.send(message).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        let mut allowed = None;
        loop {
            let message = tokio::select! {
                message = messages.recv() => message,
                Ok(()) = left.changed() => {
                    allowed = *left.borrow_and_update();
                    if allowed == Some(0) { return }
                    continue;
                }
            };
            let Some(message) = message else { return };
            let cut = plan.lock().unwrap().cut_of_notice(&message);
            if cut == Some(Cut::BeforeNotice) || to.write_all(&message.raw).await.is_err() {
                return;
            }
            if cut == Some(Cut::AfterNotice) {
                return;
            }
            if let Some(count) = &mut allowed {
                *count -= 1;
                if *count == 0 {
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = writing => {}
        // When the node has closed, what it said before still goes out.
        () = async { reading.await; std::future::pending().await } => {}
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    plan: Arc<Mutex<Plan>>,
    last_reply: watch::Sender<Option<usize>>,
) {
    let mut upgraded = false;
    while let Some(message) = next_message(&mut from, &mut upgraded).await {
        let cut = {
            let mut plan = plan.lock().unwrap();
            match plan.cut {
                _ if plan.blocked.is_some_and(|text| message.holds(text)) => {
                    Some(Cut::BeforeRequest)
                }
                Some((cut, text)) if cut.is_of_request() && message.holds(text) => {
                    plan.cut = None;
                    plan.cuts_made += 1;
                    Some(cut)
                }
                _ => None,
            }
        };
        if cut == Some(Cut::BeforeRequest) {
            return;
        }
        if cut == Some(Cut::AfterReply) {
            last_reply.send_replace(Some(1));
        }
        if to.write_all(&message.raw).await.is_err() {
            return;
        }
        match cut {
            // The node reads what is in flight before it sees the end.
            Some(Cut::AfterRequest) => {
                let _ = to.shutdown().await;
                last_reply.send_replace(Some(0));
                return;
            }
            Some(Cut::AfterReply) => std::future::pending::<()>().await,
            _ => {}
        }
    }
}

struct Message {
    raw: Vec<u8>,
    payload: Vec<u8>,
}

impl Message {
    fn holds(&self, text: &str) -> bool {
        self.payload
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// The HTTP upgrade first, then one frame at a time, unmasked.
async fn next_message(from: &mut OwnedReadHalf, upgraded: &mut bool) -> Option<Message> {
    let mut raw = Vec::new();
    if !*upgraded {
        while !raw.ends_with(b"\r\n\r\n") {
            raw.push(from.read_u8().await.ok()?);
        }
        *upgraded = true;
        let payload = Vec::new();
        return Some(Message { raw, payload });
    }
    take(from, &mut raw, 2).await?;
    let length = match raw[1] & 0x7f {
        126 => {
            take(from, &mut raw, 2).await?;
            usize::from(u16::from_be_bytes([raw[2], raw[3]]))
        }
        127 => {
            take(from, &mut raw, 8).await?;
            u64::from_be_bytes(raw[2..10].try_into().unwrap()) as usize
        }
        short => usize::from(short),
    };
    let mask_at = raw.len();
    let masked = raw[1] & 0x80 != 0;
    if masked {
        take(from, &mut raw, 4).await?;
    }
    let payload_at = raw.len();
    take(from, &mut raw, length).await?;
    let mut payload = raw[payload_at..].to_vec();
    if masked {
        for (place, byte) in payload.iter_mut().enumerate() {
            *byte ^= raw[mask_at + place % 4];
        }
    }
    Some(Message { raw, payload })
}

async fn take(from: &mut OwnedReadHalf, raw: &mut Vec<u8>, length: usize) -> Option<()> {
    let start = raw.len();
    raw.resize(start + length, 0);
    from.read_exact(&mut raw[start..]).await.ok().map(|_| ())
}
