//! A subnet in miniature: an origin, the dataset's API, one validator and as many miners as answer.

use std::{path::Path, sync::Arc};

use adit_embedding::{
    perceptual::{PerceptualAudio, PerceptualVideo},
    testing::HashEmbedder,
};
use adit_mechanism_video::{
    ClaimedClip, ClipConstraints, DatasetClient, Embedders, PackedVector, VideoAnswer, VideoTask,
    dataset::{DatasetService, VideoDataset},
    validator::{VideoConfig, VideoMechanism},
};
use adit_media::{FetchConfig, Fetcher, Media, MediaConfig};
use adit_neuron::{Assigned, Judgement, Mechanism as _, Received, Unavailable};
use adit_primitives::{Hotkey, SystemClock, TaskId, Uid};
use adit_protocol::{
    client::{ConnectOptions, SignedChannel, connect_lazy},
    server::GrpcServer,
};
use adit_storage::DatasetSpaces;
use adit_wallet::Keypair;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    origin::{Origin, recording},
    records,
};

pub(crate) const TOPIC: &str = "bicycles and cars in a city";
/// Says what the topic asks for, and more.
pub(crate) const STREET: &str =
    "bicycles and cars in a city street between brick houses, seen from the pavement by day";

pub(crate) fn key(uri: &str) -> Arc<Keypair> {
    Arc::new(Keypair::from_uri(uri).unwrap())
}

pub(crate) fn hotkey(number: usize) -> Hotkey {
    Hotkey::new([u8::try_from(number).unwrap() + 1; 32])
}

pub(crate) fn constraints() -> ClipConstraints {
    ClipConstraints {
        min_duration_ms: 1_000,
        max_duration_ms: 3_000,
        max_description_bytes: 1_000,
    }
}

pub(crate) fn task() -> VideoTask {
    VideoTask {
        topic: TOPIC.to_owned(),
        clips_wanted: 4,
        constraints: constraints(),
    }
}

pub(crate) fn embedders() -> Embedders {
    Embedders {
        text: Arc::new(HashEmbedder::new(64).unwrap()),
        video: Arc::new(PerceptualVideo::new().unwrap()),
        audio: Arc::new(PerceptualAudio::new().unwrap()),
        media: Media::new(MediaConfig::default()).unwrap(),
    }
}

/// A fetcher that may visit this origin and no other private address.
pub(crate) fn fetcher(cache: &Path, origin: &Origin) -> Fetcher {
    Fetcher::new(FetchConfig {
        trusted_origins: vec![origin.address],
        cache_dir: cache.to_owned(),
        ..FetchConfig::default()
    })
    .unwrap()
}

/// The dataset's API, which answers as `//Bob`.
pub(crate) struct Api {
    pub(crate) dataset: Arc<VideoDataset>,
    pub(crate) channel: SignedChannel,
    task: JoinHandle<()>,
}

impl Api {
    pub(crate) async fn start(folder: &Path, spaces: DatasetSpaces, topics: &[&str]) -> Self {
        let config = records::config(folder, 4);
        let dataset = VideoDataset::open(&config, spaces, Arc::new(SystemClock));
        let dataset = Arc::new(dataset.await.unwrap());
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let service = DatasetService::new(dataset.clone(), topics);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = GrpcServer::new(key("//Bob"), |_: &_| Ok(())).dataset(service);
        let task = tokio::spawn(async move {
            server
                .serve(listener, std::future::pending())
                .await
                .unwrap();
        });
        Self {
            dataset,
            channel: channel(address),
            task,
        }
    }

    pub(crate) fn client(&self) -> DatasetClient {
        DatasetClient::new(self.channel.clone())
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `//Alice` speaks to `//Bob`.
pub(crate) fn channel(address: std::net::SocketAddr) -> SignedChannel {
    let bob = key("//Bob").hotkey();
    connect_lazy(address, key("//Alice"), bob, ConnectOptions::default()).unwrap()
}

pub(crate) struct Subnet {
    pub(crate) folder: TempDir,
    pub(crate) origin: Origin,
    pub(crate) api: Api,
    pub(crate) embedders: Embedders,
    pub(crate) validator: VideoMechanism,
}

impl Subnet {
    pub(crate) async fn start() -> Self {
        Self::with(embedders()).await
    }

    /// A subnet whose validator uses these embedders.
    pub(crate) async fn with(of_validator: Embedders) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::start().await;
        let spaces = DatasetSpaces {
            video: of_validator.video.space().clone(),
            audio: of_validator.audio.space().clone(),
            text: of_validator.text.space().clone(),
        };
        let api = Api::start(&folder.path().join("dataset"), spaces, &[TOPIC]).await;
        let config = VideoConfig {
            clips_wanted: 4,
            constraints: constraints(),
            origin_retry_ms: 1,
            ..VideoConfig::default()
        };
        let validator = VideoMechanism::new(
            key("//Alice"),
            ConnectOptions::default(),
            config,
            of_validator,
            fetcher(&folder.path().join("validator"), &origin),
            api.client(),
        );
        Self {
            folder,
            origin,
            api,
            embedders: embedders(),
            validator,
        }
    }

    /// An honest clip of a recording.
    pub(crate) async fn clip(&self, name: &str, start_ms: u64, end_ms: u64) -> ClaimedClip {
        let (file, path) = (recording(name), format!("/{name}"));
        self.clip_of(&file, &path, start_ms, end_ms).await
    }

    /// An honest clip of a local file that the origin serves at `path`.
    pub(crate) async fn clip_of(
        &self,
        file: &Path,
        path: &str,
        start_ms: u64,
        end_ms: u64,
    ) -> ClaimedClip {
        let vectors = self.embedders.clip(file, start_ms, end_ms).await.unwrap();
        ClaimedClip {
            video_id: "footage".to_owned(),
            source_url: self.origin.url(path).to_string(),
            start_ms,
            end_ms,
            description: STREET.to_owned(),
            video: Some(PackedVector::pack(&vectors.video)),
            audio: vectors.audio.as_ref().map(PackedVector::pack),
            text: Some(self.text(STREET).await),
        }
    }

    /// The packed vector of a text.
    pub(crate) async fn text(&self, text: &str) -> PackedVector {
        let texts = self.embedders.texts(vec![text.to_owned()]).await.unwrap();
        PackedVector::pack(&texts[0])
    }

    /// A clip that says something else, truthfully.
    pub(crate) async fn saying(&self, clip: &ClaimedClip, description: &str) -> ClaimedClip {
        ClaimedClip {
            description: description.to_owned(),
            text: Some(self.text(description).await),
            ..clip.clone()
        }
    }

    /// Judges one answer per miner, in this order of arrival; the n-th miner has uid n.
    pub(crate) async fn judge(
        &self,
        number: u64,
        answers: &[Vec<ClaimedClip>],
    ) -> Result<Judgement, Unavailable> {
        let received: Vec<Received<VideoAnswer>> = answers
            .iter()
            .enumerate()
            .map(|(miner, clips)| Received {
                uid: Uid(u16::try_from(miner).unwrap()),
                hotkey: hotkey(miner),
                answer: VideoAnswer {
                    clips: clips.clone(),
                },
                received_at_ms: 1_800_000_000_000 + miner as u64,
            })
            .collect();
        self.judge_received(number, &received).await
    }

    pub(crate) async fn judge_received(
        &self,
        number: u64,
        received: &[Received<VideoAnswer>],
    ) -> Result<Judgement, Unavailable> {
        let assigned = Assigned {
            id: TaskId::from_parts(1_800_000_000_000, u128::from(number)),
            task: task(),
            asked: received
                .iter()
                .map(|answer| (answer.uid, answer.hotkey))
                .collect(),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(number);
        let judged = self.validator.judge(&assigned, received, &mut rng).await?;
        for score in &judged.scores {
            recomputes(score);
        }
        Ok(judged)
    }
}

/// The evidence alone, through its text, gives the score again bit for bit.
pub(crate) fn recomputes(score: &adit_neuron::JudgedAnswer) {
    let text = serde_json::to_string(&score.evidence).unwrap();
    let stored = serde_json::from_str(&text).unwrap();
    let again = VideoMechanism::recompute("video/hardened-1", &stored).unwrap();
    assert_eq!(again.get().to_bits(), score.score.get().to_bits());
}

/// Scores in the order of the answers.
pub(crate) fn scores(judgement: &Judgement) -> Vec<f64> {
    let scores = judgement.scores.iter();
    scores.map(|score| score.score.get()).collect()
}

/// For each of a miner's clips, why it was refused.
pub(crate) fn refusals(judgement: &Judgement, miner: usize) -> Vec<Option<&str>> {
    let items = judgement.items.iter();
    items
        .filter(|item| item.hotkey == hotkey(miner))
        .map(|item| {
            assert_eq!(item.accepted, item.reason.is_none());
            item.reason.as_deref()
        })
        .collect()
}
