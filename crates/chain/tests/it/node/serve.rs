use std::{sync::Arc, time::Duration};

use adit_primitives::{AccountId, Block, BlockHash};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use subxt::ext::codec::{Decode as _, Encode as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    Door, Fault, Shared,
    ledger::Ledger,
    pool::{self, Step},
};

/// What a connection's tasks send.
enum Out {
    Text(String),
    Close,
}

type Sender = mpsc::UnboundedSender<Out>;

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut closing = shared.closing.subscribe();
            tokio::select! {
                () = connection(socket, &shared) => {}
                _ = closing.changed() => {}
            }
        });
    }
}

async fn connection(mut socket: TcpStream, shared: &Arc<Shared>) {
    *shared.sockets.lock().unwrap() += 1;
    let door = *shared.door.lock().unwrap();
    match door {
        Door::Open => {}
        Door::Hung => return std::future::pending().await,
        Door::Refused(status) => {
            let mut request = [0; 1024];
            let _ = socket.read(&mut request).await;
            let answer =
                format!("HTTP/1.1 {status} No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = socket.shutdown().await;
            return;
        }
    }
    let Ok(socket) = tokio_tungstenite::accept_async(socket).await else {
        return;
    };
    let (mut sink, mut stream) = socket.split();
    let (sender, mut outgoing) = mpsc::unbounded_channel();
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let shared = Arc::clone(shared);
                    let sender = sender.clone();
                    tasks.spawn(async move { message_of(&shared, &sender, &text).await });
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            out = outgoing.recv() => match out {
                Some(Out::Text(text)) => if sink.send(Message::text(text)).await.is_err() { return },
                Some(Out::Close) | None => return,
            },
        }
    }
}

async fn message_of(shared: &Arc<Shared>, sender: &Sender, text: &str) {
    let request: Json = serde_json::from_str(text).unwrap();
    match request {
        Json::Array(requests) => {
            let mut answers = Vec::new();
            for request in &requests {
                match answer(shared, sender, request).await {
                    Reply::Answer(reply) => answers.push(reply),
                    Reply::Raw(raw) => return drop(sender.send(Out::Text(raw))),
                    Reply::Nothing => return,
                }
            }
            let _ = sender.send(Out::Text(Json::Array(answers).to_string()));
        }
        request => match answer(shared, sender, &request).await {
            Reply::Answer(reply) => drop(sender.send(Out::Text(reply.to_string()))),
            Reply::Raw(raw) => drop(sender.send(Out::Text(raw))),
            Reply::Nothing => {}
        },
    }
}

enum Reply {
    Answer(Json),
    Raw(String),
    Nothing,
}

async fn answer(shared: &Arc<Shared>, sender: &Sender, request: &Json) -> Reply {
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    let (id, params) = (request["id"].clone(), request["params"].clone());
    let logged = (method.clone(), params.clone());
    shared.log.lock().unwrap().push(logged);
    let fault = shared.faults.lock().unwrap().take(&method);
    match &fault {
        Some(Fault::Silence) => return Reply::Nothing,
        Some(Fault::Close) => {
            let _ = sender.send(Out::Close);
            return Reply::Nothing;
        }
        Some(Fault::Garbage(text)) => return Reply::Raw(text.clone()),
        Some(Fault::Error {
            code,
            message,
            data,
        }) => {
            return Reply::Answer(error(&id, *code, message, data.as_deref()));
        }
        Some(Fault::Answer(result)) => return Reply::Answer(result_of(&id, result.clone())),
        Some(Fault::Oversized(length)) => {
            return Reply::Answer(result_of(&id, "0".repeat(*length).into()));
        }
        Some(Fault::Late(after)) => tokio::time::sleep(*after).await,
        Some(Fault::Truncated) | None => {}
    }
    let reply = match method.as_str() {
        "chain_subscribeNewHeads" | "chain_subscribeFinalizedHeads" => {
            let finalised = method == "chain_subscribeFinalizedHeads";
            let subscription = format!("heads-{id}");
            tokio::spawn(heads(
                Arc::clone(shared),
                sender.clone(),
                subscription.clone(),
                finalised,
            ));
            result_of(&id, subscription.into())
        }
        "author_submitAndWatchExtrinsic" => match submit(shared, sender, &id, &params) {
            Some(reply) => reply,
            None => return Reply::Nothing,
        },
        _ => match plain(shared, &method, &params) {
            Ok(result) => result_of(&id, result),
            Err((code, message)) => error(&id, code, &message, None),
        },
    };
    if matches!(fault, Some(Fault::Truncated)) {
        let text = reply.to_string();
        return Reply::Raw(text[..text.len() / 2].to_owned());
    }
    Reply::Answer(reply)
}

fn result_of(id: &Json, result: Json) -> Json {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

fn error(id: &Json, code: i64, message: &str, data: Option<&str>) -> Json {
    let mut error = json!({"code": code, "message": message});
    if let Some(data) = data {
        error["data"] = data.into();
    }
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}

fn notify(sender: &Sender, method: &str, subscription: &str, result: Json) -> bool {
    let params = json!({"subscription": subscription, "result": result});
    let text = json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string();
    sender.send(Out::Text(text)).is_ok()
}

/// Announces heads, the newest one at once.
async fn heads(shared: Arc<Shared>, sender: Sender, subscription: String, finalised: bool) {
    // The answer that names the subscription goes first.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let method = if finalised {
        "chain_finalizedHead"
    } else {
        "chain_newHead"
    };
    let list = |ledger: &Ledger| -> Vec<BlockHash> {
        let list = if finalised {
            &ledger.finalised
        } else {
            &ledger.announced
        };
        list.clone()
    };
    let (mut changed, mut mute) = (shared.changed.subscribe(), shared.mute.subscribe());
    let mut sent = list(&shared.ledger.lock().unwrap()).len().saturating_sub(1);
    loop {
        if *mute.borrow_and_update() {
            if mute.changed().await.is_err() {
                return;
            }
            continue;
        }
        changed.borrow_and_update();
        let headers = {
            let ledger = shared.ledger.lock().unwrap();
            let new = list(&ledger).split_off(sent);
            let headers = new.iter().filter_map(|hash| ledger.block(*hash));
            headers
                .map(super::ledger::BlockData::header)
                .collect::<Vec<_>>()
        };
        sent += headers.len();
        for header in headers {
            if !notify(&sender, method, &subscription, header) {
                return;
            }
        }
        tokio::select! {
            result = changed.changed() => if result.is_err() { return },
            _ = mute.changed() => {}
            () = sender.closed() => return,
        }
    }
}

fn submit(shared: &Arc<Shared>, sender: &Sender, id: &Json, params: &Json) -> Option<Json> {
    let text = params[0].as_str().unwrap_or_default().to_owned();
    let steps = {
        let mut pool = shared.pool.lock().unwrap();
        let steps = pool.script();
        match steps.first() {
            Some(Step::Refuse {
                code,
                message,
                data,
            }) => {
                pool.submitted.push(text);
                return Some(error(id, *code, message, *data));
            }
            Some(Step::LoseAndClose) => {
                let _ = sender.send(Out::Close);
                return None;
            }
            Some(Step::TakeAndClose) => {
                pool.take(&text);
                pool.waiting.push(text);
                let _ = sender.send(Out::Close);
                return None;
            }
            _ => pool.take(&text),
        }
        steps
    };
    let subscription = format!("extrinsic-{id}");
    tokio::spawn(progress(
        Arc::clone(shared),
        sender.clone(),
        subscription.clone(),
        text,
        steps,
    ));
    Some(result_of(id, subscription.into()))
}

async fn progress(
    shared: Arc<Shared>,
    sender: Sender,
    subscription: String,
    text: String,
    steps: Vec<Step>,
) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut within = None;
    let tell = |status: Json| notify(&sender, "author_extrinsicUpdate", &subscription, status);
    for step in steps {
        match step {
            Step::Status(status) => {
                tell(status);
            }
            Step::Include(outcome) => {
                let head = pool::include(&shared, &text, &outcome);
                within = Some(head);
                tell(json!({"inBlock": head.hash.to_string()}));
            }
            Step::IncludeSilently(outcome) => {
                within = Some(pool::include(&shared, &text, &outcome));
            }
            Step::Finalize => {
                if let Some(head) = within {
                    shared.ledger.lock().unwrap().finalise_up_to(head.number);
                    shared.changed.send_modify(|tick| *tick += 1);
                    tell(json!({"finalized": head.hash.to_string()}));
                }
            }
            Step::Retract => {
                if let Some(head) = within.take() {
                    let mut ledger = shared.ledger.lock().unwrap();
                    let depth = ledger.head().number.since(head.number) + 1;
                    ledger.reorganise(usize::try_from(depth).unwrap());
                    drop(ledger);
                    shared.changed.send_modify(|tick| *tick += 1);
                    tell(json!({"retracted": head.hash.to_string()}));
                }
            }
            Step::Blocks(count) => {
                for _ in 0..count {
                    shared.ledger.lock().unwrap().make(Vec::new(), &[]);
                }
                shared.changed.send_modify(|tick| *tick += 1);
            }
            Step::Close => drop(sender.send(Out::Close)),
            Step::Refuse { .. } | Step::TakeAndClose | Step::LoseAndClose => {
                unreachable!("such a step comes first")
            }
        }
    }
}

type Answer = Result<Json, (i64, String)>;

fn plain(shared: &Arc<Shared>, method: &str, params: &Json) -> Answer {
    let ledger = shared.ledger.lock().unwrap();
    let block = |place: usize| -> BlockHash {
        let text = params.get(place).and_then(Json::as_str);
        text.map_or(ledger.head().hash, hash_of)
    };
    let discarded = |message: String| (4003, message);
    match method {
        "chain_getBlockHash" => match params.get(0).and_then(Json::as_u64) {
            Some(number) => Ok(ledger
                .canonical(Block(number))
                .map_or(Json::Null, |head| head.hash.to_string().into())),
            None => Ok(ledger.head().hash.to_string().into()),
        },
        "chain_getFinalizedHead" => Ok(ledger.finalised.last().unwrap().to_string().into()),
        "chain_getHeader" => Ok(ledger
            .block(block(0))
            .map_or(Json::Null, super::ledger::BlockData::header)),
        "chain_getBlock" => Ok(ledger
            .block(block(0))
            .map_or(Json::Null, super::ledger::BlockData::body)),
        "state_getRuntimeVersion" => {
            ledger.state(block(0)).map_err(discarded)?;
            let runtime = &ledger.block(block(0)).unwrap().runtime;
            Ok(json!({
                "specName": "node-subtensor", "implName": "node-subtensor",
                "authoringVersion": 1, "implVersion": 1, "apis": [],
                "specVersion": runtime.spec_version,
                "transactionVersion": runtime.transaction_version,
            }))
        }
        "state_getMetadata" => {
            ledger.state(block(0)).map_err(discarded)?;
            let runtime = &ledger.block(block(0)).unwrap().runtime;
            let oldest = runtime.metadata.values().next().unwrap();
            Ok(hex_text(oldest).into())
        }
        "state_getStorage" => {
            let state = ledger.state(block(1)).map_err(discarded)?;
            let key = bytes_of(params[0].as_str().unwrap());
            Ok(state
                .get(&key)
                .map_or(Json::Null, |value| hex_text(value).into()))
        }
        "state_queryStorageAt" => {
            let at = block(1);
            let state = ledger.state(at).map_err(discarded)?;
            let keys = params[0].as_array().unwrap().iter();
            let changes = keys.map(|key| {
                let value = state.get(&bytes_of(key.as_str().unwrap()));
                json!([key, value.map(|value| hex_text(value))])
            });
            Ok(json!([{"block": at.to_string(), "changes": changes.collect::<Vec<_>>()}]))
        }
        "state_getKeysPaged" => {
            let state = ledger.state(block(3)).map_err(discarded)?;
            let prefix = bytes_of(params[0].as_str().unwrap());
            let count = usize::try_from(params[1].as_u64().unwrap()).unwrap();
            let start = params[2].as_str().map(bytes_of).unwrap_or_default();
            let keys = state.range(prefix.clone()..).map(|(key, _)| key);
            let keys = keys
                .take_while(|key| key.starts_with(&prefix))
                .filter(|key| **key > start)
                .take(count);
            Ok(keys
                .map(|key| hex_text(key).into())
                .collect::<Vec<Json>>()
                .into())
        }
        "state_call" => {
            let name = params[0].as_str().unwrap();
            let input = bytes_of(params[1].as_str().unwrap());
            ledger.state(block(2)).map_err(discarded)?;
            let runtime = Arc::clone(&ledger.block(block(2)).unwrap().runtime);
            drop(ledger);
            let answer = match name {
                "Metadata_metadata_versions" => {
                    let versions = runtime.metadata.keys().copied();
                    versions.collect::<Vec<u32>>().encode()
                }
                "Metadata_metadata_at_version" => {
                    let version = u32::decode(&mut &*input).unwrap();
                    runtime.metadata.get(&version).encode()
                }
                name => match shared.calls.lock().unwrap().get(name) {
                    Some(call) => call(&input),
                    None => {
                        let message = format!(
                            "Client error: Execution failed: Exported method {name} is not found"
                        );
                        return Err((4003, message));
                    }
                },
            };
            Ok(hex_text(&answer).into())
        }
        "system_accountNextIndex" => {
            let account = params[0].as_str().unwrap().parse::<AccountId>().unwrap();
            let pool = shared.pool.lock().unwrap();
            Ok(pool.next_nonce(*account.as_bytes()).into())
        }
        "author_submitExtrinsic" => {
            let text = params[0].as_str().unwrap();
            let mut pool = shared.pool.lock().unwrap();
            if !pool.waiting.iter().any(|waiting| waiting == text) {
                pool.waiting.push(text.to_owned());
            }
            pool.take(text);
            Ok(pool::hash(text).to_string().into())
        }
        "author_pendingExtrinsics" => Ok(shared.pool.lock().unwrap().waiting.clone().into()),
        "chain_unsubscribeNewHeads"
        | "chain_unsubscribeFinalizedHeads"
        | "author_unwatchExtrinsic" => Ok(true.into()),
        "system_health" => Ok(json!({"peers": 3, "isSyncing": false, "shouldHavePeers": true})),
        "system_chain" => Ok("Bittensor".into()),
        "system_version" => Ok("4.0.0-dev".into()),
        _ => Err((-32601, "Method not found".to_owned())),
    }
}

fn hash_of(text: &str) -> BlockHash {
    BlockHash(bytes_of(text).try_into().unwrap())
}

fn bytes_of(text: &str) -> Vec<u8> {
    hex::decode(text.trim_start_matches("0x")).unwrap()
}

fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
