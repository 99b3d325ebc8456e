//! Answers whose clips lie at origins that are slow, endless, elsewhere, or no videos: each is
//! refused for what it is, and the sound answer beside them is paid.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use adit_embedding::Embedding;
use adit_mechanism_video::{
    ClaimedClip, ClipConstraints, DatasetClient, Embedders, ModelChoice, ModelSet, PackedVector,
    VideoAnswer, VideoTask,
    dataset::{DatasetConfig, DatasetService, VideoDataset},
    validator::{VideoConfig, VideoMechanism},
};
use adit_media::{FetchConfig, Fetcher};
use adit_neuron::{Assigned, Mechanism as _, Received, config::expand_home};
use adit_primitives::{SystemClock, TaskId, Uid};
use adit_protocol::{
    client::{ConnectOptions, connect_lazy},
    server::GrpcServer,
};
use adit_storage::DatasetSpaces;
use adit_wallet::Keypair;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Largest file that is fetched.
const LARGEST: u64 = 8 << 20;
const TOPIC: &str = "a rabbit in a meadow";

fn home() -> PathBuf {
    let named = std::env::var_os("ADIT_HOME").map(PathBuf::from);
    named.unwrap_or_else(|| expand_home(Path::new("~/.cache/adit")))
}

/// An HTTP origin that misbehaves by path.
async fn origin(video: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let video = Arc::new(video);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let video = Arc::clone(&video);
            tokio::spawn(async move {
                // Whoever hangs up has seen enough.
                let _ = answer(stream, &video).await;
            });
        }
    });
    address
}

async fn answer(mut stream: TcpStream, video: &[u8]) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let found = |length: u64| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        )
    };
    let whole = |body: &[u8]| [found(body.len() as u64).as_bytes(), body].concat();
    match path {
        "/whole.mp4" => stream.write_all(&whole(video)).await,
        "/truncated.mp4" => stream.write_all(&whole(&video[..video.len() / 2])).await,
        "/text.mp4" => {
            stream
                .write_all(&whole(b"Dear reader, I am no video."))
                .await
        }
        "/huge.mp4" => stream.write_all(found(10 << 30).as_bytes()).await,
        "/endless.mp4" => {
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n";
            stream.write_all(head).await?;
            loop {
                stream.write_all(&[0; 1 << 16]).await?;
            }
        }
        "/drip.mp4" => {
            stream
                .write_all(found(video.len() as u64).as_bytes())
                .await?;
            for byte in video {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        }
        "/inwards.mp4" => {
            let head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:22/\r\n\
                         Content-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(head).await
        }
        _ => {
            let head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(head).await
        }
    }
}

fn key(uri: &str) -> Arc<Keypair> {
    Arc::new(Keypair::from_uri(uri).unwrap())
}

/// A dataset service as the validator API runs it, called as `//Validator`.
async fn dataset(folder: &Path, embedders: &Embedders) -> DatasetClient {
    let config = DatasetConfig {
        folder: folder.join("dataset"),
        ..DatasetConfig::default()
    };
    let spaces = DatasetSpaces {
        video: embedders.video.space().clone(),
        audio: embedders.audio.space().clone(),
        text: embedders.text.space().clone(),
    };
    let clock = Arc::new(SystemClock);
    let dataset = VideoDataset::open(&config, spaces, clock).await.unwrap();
    let service = DatasetService::new(Arc::new(dataset), vec![TOPIC.to_owned()]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = GrpcServer::new(key("//Api"), |_: &_| Ok(())).dataset(service);
    tokio::spawn(server.serve(listener, std::future::pending()));
    let channel = connect_lazy(
        address,
        key("//Validator"),
        key("//Api").hotkey(),
        ConnectOptions::default(),
    );
    DatasetClient::new(channel.unwrap())
}

#[tokio::test]
async fn bad_origins_are_refused_by_name_and_harm_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = home().join("videos/quiet-meadow.mp4");
    let video = fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/make-fixtures", file.display()));
    assert!((video.len() as u64) < LARGEST);
    let model = home().join("models/all-MiniLM-L6-v2");
    let models = ModelChoice::on_cpu(ModelSet::Standard, &model, None);
    let embedders = Embedders::load(&models).await.unwrap();
    let origin = origin(video).await;
    // Bound and released: nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);

    let (start_ms, end_ms) = (1_000, 3_000);
    let vectors = embedders.clip(&file, start_ms, end_ms).await.unwrap();
    let text = embedders.texts(vec![TOPIC.to_owned()]).await.unwrap();
    let at = |url: String| ClaimedClip {
        video_id: "meadow".to_owned(),
        source_url: url,
        start_ms,
        end_ms,
        description: TOPIC.to_owned(),
        video: Some(PackedVector::pack(&vectors.video)),
        audio: vectors
            .audio
            .as_ref()
            .map(|sound: &Embedding| PackedVector::pack(sound)),
        text: Some(PackedVector::pack(&text[0])),
    };
    let path = |name: &str| at(format!("http://{origin}/{name}.mp4"));
    let beyond = ClaimedClip {
        start_ms: 3_600_000,
        end_ms: 3_602_000,
        ..path("whole")
    };
    let origin_fails = "origin_unreachable";
    let source_invalid = "source_invalid";
    let cases = [
        (
            "nobody listens",
            at(format!("http://{nobody}/x.mp4")),
            origin_fails,
        ),
        ("a slow drip", path("drip"), origin_fails),
        ("10 GB announced", path("huge"), source_invalid),
        ("no end", path("endless"), source_invalid),
        ("a redirect inwards", path("inwards"), source_invalid),
        (
            "private space",
            at("http://127.0.0.1:22/x.mp4".to_owned()),
            source_invalid,
        ),
        ("text", path("text"), source_invalid),
        ("half a video", path("truncated"), source_invalid),
        ("nothing there", path("gone"), source_invalid),
        ("beyond the video", beyond, source_invalid),
        ("a sound clip", path("whole"), "scored"),
    ];

    let fetcher = Fetcher::new(FetchConfig {
        trusted_origins: vec![origin, nobody],
        max_bytes: LARGEST,
        wall_clock: Duration::from_secs(3),
        cache_dir: folder.path().join("cache"),
        ..FetchConfig::default()
    });
    let constraints = ClipConstraints {
        min_duration_ms: 1_000,
        max_duration_ms: 2_500,
        ..ClipConstraints::default()
    };
    let config = VideoConfig {
        constraints: constraints.clone(),
        origin_retry_ms: 10,
        ..VideoConfig::default()
    };
    let mechanism = VideoMechanism::new(
        key("//Validator"),
        ConnectOptions::default(),
        config,
        embedders.clone(),
        fetcher.unwrap(),
        dataset(folder.path(), &embedders).await,
    );
    let mut answers = Vec::new();
    for (place, (case, clip, _)) in cases.iter().enumerate() {
        answers.push(Received {
            uid: Uid(u16::try_from(place).unwrap()),
            hotkey: key(&format!("//{case}").replace(' ', "")).hotkey(),
            answer: VideoAnswer {
                clips: vec![clip.clone()],
            },
            received_at_ms: 1,
        });
    }
    let task = Assigned {
        id: TaskId::from_parts(1, 1),
        task: VideoTask {
            topic: TOPIC.to_owned(),
            clips_wanted: 1,
            constraints,
        },
        asked: answers
            .iter()
            .map(|answer| (answer.uid, answer.hotkey))
            .collect(),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let judgement = mechanism.judge(&task, &answers, &mut rng).await.unwrap();

    let scores: BTreeMap<Uid, _> = judgement.scores.iter().map(|row| (row.uid, row)).collect();
    assert_eq!(scores.len(), cases.len());
    for (place, (case, _, expected)) in cases.iter().enumerate() {
        let row = scores[&Uid(u16::try_from(place).unwrap())];
        if *expected == "scored" {
            assert!(row.reasons.is_empty(), "{case}: {:?}", row.reasons);
            assert!(row.score.get() > 0.0, "{case}");
            continue;
        }
        assert_eq!(row.reasons, [*expected], "{case}");
        assert_eq!(row.score.get(), 0.0, "{case}");
        let kept = judgement
            .items
            .iter()
            .any(|item| item.uid == row.uid && item.accepted);
        assert!(!kept, "{case}");
    }
}
