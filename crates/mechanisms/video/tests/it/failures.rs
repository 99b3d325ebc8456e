//! Our own failures: nobody is charged for them, unless an answer brings them about.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use adit_embedding::{
    Embedding, Error, FramePlan, Result, Space, TextEmbedder, VideoEmbedder, VideoFrames,
    perceptual::PerceptualVideo, testing::HashEmbedder,
};
use adit_mechanism_video::{ClaimedClip, DatasetClient, Embedders, validator::VideoMechanism};
use adit_neuron::{Assigned, Mechanism as _, Received};
use adit_primitives::{TaskId, Uid};
use adit_protocol::client::ConnectOptions;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::{
    defects::generated,
    origin::{Reply, nobody},
    subnet::{
        Subnet, channel, constraints, embedders, fetcher, hotkey, key, refusals, scores, task,
    },
};

/// A text model that dies of one word.
#[derive(Debug)]
struct Fragile(HashEmbedder);

impl TextEmbedder for Fragile {
    fn space(&self) -> &Space {
        self.0.space()
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>> {
        assert!(texts.iter().all(|text| !text.contains("xyzzy")), "as told");
        self.0.embed_texts(texts)
    }
}

/// A video model that dies of white frames.
#[derive(Debug)]
struct Dazzled(PerceptualVideo);

impl VideoEmbedder for Dazzled {
    fn space(&self) -> &Space {
        self.0.space()
    }

    fn frame_plan(&self, duration_ms: u64) -> FramePlan {
        self.0.frame_plan(duration_ms)
    }

    fn embed_clips(&self, clips: &[VideoFrames]) -> Result<Vec<Embedding>> {
        let mut frames = clips.iter().flat_map(|clip| &clip.frames);
        let is_white = |frame: &adit_embedding::Frame| frame.rgb.iter().all(|byte| *byte > 240);
        assert!(!frames.any(is_white), "as told");
        self.0.embed_clips(clips)
    }
}

/// A model that fails for everyone, after so many good calls.
#[derive(Debug)]
struct Broken<M> {
    model: M,
    good_calls: AtomicUsize,
}

impl<M> Broken<M> {
    fn new(model: M, good_calls: usize) -> Self {
        Self {
            model,
            good_calls: AtomicUsize::new(good_calls),
        }
    }

    fn call(&self) -> Result<()> {
        let left = |calls: usize| calls.checked_sub(1);
        match self
            .good_calls
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
        {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Model {
                model: "broken".to_owned(),
                reason: "as told".to_owned(),
            }),
        }
    }
}

impl TextEmbedder for Broken<HashEmbedder> {
    fn space(&self) -> &Space {
        self.model.space()
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>> {
        self.call()?;
        self.model.embed_texts(texts)
    }
}

impl VideoEmbedder for Broken<PerceptualVideo> {
    fn space(&self) -> &Space {
        self.model.space()
    }

    fn frame_plan(&self, duration_ms: u64) -> FramePlan {
        self.model.frame_plan(duration_ms)
    }

    fn embed_clips(&self, clips: &[VideoFrames]) -> Result<Vec<Embedding>> {
        self.call()?;
        self.model.embed_clips(clips)
    }
}

/// Judged three times, an answer that makes our code fail each time scores nothing, and the others
/// what they score without it.
async fn condemns_the_second_alone(subnet: &Subnet, fatal: ClaimedClip) {
    let one = vec![subnet.clip("bikes.mp4", 5_480, 7_480).await];
    let two = vec![subnet.clip("bikes.mp4", 0, 1_200).await];
    let without = subnet.judge(1, &[one.clone(), two.clone()]).await.unwrap();
    let answers = [one, vec![fatal], two];
    for _ in 0..2 {
        let postponed = subnet.judge(1, &answers).await.unwrap_err();
        assert_eq!(postponed.service, "verification");
    }
    let judged = subnet.judge(1, &answers).await.unwrap();
    let (with, without) = (scores(&judged), scores(&without));
    assert_eq!((with[0], with[1], with[2]), (without[0], 0.0, without[1]));
    assert!(with[0] > 0.0 && with[2] > 0.0);
    assert_eq!(judged.scores[1].reasons, ["crashes_verification"]);
    assert_eq!(refusals(&judged, 1), [Some("answer_refused")]);
}

#[tokio::test]
async fn a_description_that_kills_the_text_model_costs_its_answer_only() {
    let text = Arc::new(Fragile(HashEmbedder::new(64).unwrap()));
    let subnet = Subnet::with(Embedders {
        text,
        ..embedders()
    })
    .await;
    let clip = subnet.clip("bikes.mp4", 3_040, 5_480).await;
    let fatal = ClaimedClip {
        description: format!("{} xyzzy", clip.description),
        ..clip
    };
    condemns_the_second_alone(&subnet, fatal).await;
}

#[tokio::test]
async fn footage_that_kills_the_video_model_costs_its_answer_only() {
    let video = Arc::new(Dazzled(PerceptualVideo::new().unwrap()));
    let subnet = Subnet::with(Embedders {
        video,
        ..embedders()
    })
    .await;
    let source = "color=white:s=64x36:r=25:d=2";
    let white = generated(subnet.folder.path(), "white.mp4", source);
    subnet
        .origin
        .serve("/white.mp4", Reply::File(white.clone()));
    let fatal = subnet.clip_of(&white, "/white.mp4", 0, 1_500).await;
    condemns_the_second_alone(&subnet, fatal).await;
}

/// Two answers fail in turn, as on a shaken machine: neither has failed often enough to be blamed.
#[tokio::test]
async fn failures_are_counted_by_answer() {
    let text = Arc::new(Fragile(HashEmbedder::new(64).unwrap()));
    let subnet = Subnet::with(Embedders {
        text,
        ..embedders()
    })
    .await;
    let good = subnet.clip("bikes.mp4", 3_040, 5_480).await;
    let fatal = ClaimedClip {
        description: "xyzzy".to_owned(),
        ..good.clone()
    };
    let [good, fatal] = [good, fatal].map(|clip| vec![clip]);
    for _ in 0..2 {
        let first_fails = [fatal.clone(), good.clone()];
        assert!(subnet.judge(1, &first_fails).await.is_err());
        let second_fails = [good.clone(), fatal.clone()];
        assert!(subnet.judge(1, &second_fails).await.is_err());
    }
}

#[tokio::test]
async fn a_broken_model_blames_no_one() {
    let broken = Broken::new(PerceptualVideo::new().unwrap(), 0);
    let video = Arc::new(broken);
    let subnet = Subnet::with(Embedders {
        video,
        ..embedders()
    })
    .await;
    let clip = subnet.clip("bikes.mp4", 3_040, 5_480).await;
    for _ in 0..5 {
        let postponed = subnet.judge(1, &[vec![clip.clone()]]).await.unwrap_err();
        assert_eq!(postponed.service, "verification");
    }
}

#[tokio::test]
async fn without_a_text_model_nothing_is_judged() {
    let text = Arc::new(Broken::new(HashEmbedder::new(64).unwrap(), 0));
    let subnet = Subnet::with(Embedders {
        text,
        ..embedders()
    })
    .await;
    let clip = subnet.clip("bikes.mp4", 3_040, 5_480).await;
    for answers in [vec![Vec::new()], vec![vec![clip]]] {
        let postponed = subnet.judge(1, &answers).await.unwrap_err();
        assert_eq!(postponed.service, "text model");
    }
    // The topic is embedded, the descriptions are not.
    let text = Arc::new(Broken::new(HashEmbedder::new(64).unwrap(), 1));
    let subnet = Subnet::with(Embedders {
        text,
        ..embedders()
    })
    .await;
    let clip = subnet.clip("bikes.mp4", 3_040, 5_480).await;
    let postponed = subnet.judge(1, &[vec![clip]]).await.unwrap_err();
    assert_eq!(postponed.service, "verification");
}

#[tokio::test]
async fn without_the_dataset_nothing_is_asked_judged_or_lost() {
    let subnet = Subnet::start().await;
    let dead = DatasetClient::new(channel(nobody().await));
    let validator = VideoMechanism::new(
        key("//Alice"),
        ConnectOptions::default(),
        adit_mechanism_video::validator::VideoConfig {
            constraints: constraints(),
            ..Default::default()
        },
        embedders(),
        fetcher(&subnet.folder.path().join("second"), &subnet.origin),
        dead,
    );
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let postponed = validator.next_task(&mut rng).await.unwrap_err();
    assert_eq!(postponed.service, "dataset");

    let clips = vec![subnet.clip("bikes.mp4", 3_040, 5_480).await];
    let assigned = Assigned {
        id: TaskId::from_parts(1_800_000_000_000, 1),
        task: task(),
        asked: vec![(Uid(0), hotkey(0))],
    };
    let received = [Received {
        uid: Uid(0),
        hotkey: hotkey(0),
        answer: adit_mechanism_video::VideoAnswer {
            clips: clips.clone(),
        },
        received_at_ms: 1_800_000_000_000,
    }];
    let postponed = validator.judge(&assigned, &received, &mut rng).await;
    assert_eq!(postponed.unwrap_err().service, "dataset");

    let judged = subnet.judge(1, &[clips]).await.unwrap();
    let batch = judged.batch.unwrap();
    let postponed = validator.deliver("batch", &batch).await.unwrap_err();
    assert_eq!(postponed.service, "dataset");
    assert!(subnet.validator.deliver("batch", &batch).await.is_ok());
}
