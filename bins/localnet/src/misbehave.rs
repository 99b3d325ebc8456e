//! Miners that misbehave, to show and to test that it does not pay. They live here and nowhere
//! else: the miner binary cannot be configured into any of this.

mod garbage;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use adit_chain::client::{Client, ClientOptions};
use adit_embedding::{Embedding, Space};
use adit_mechanism_video::{
    Embedders, ModelChoice, PackedVector, VideoAnswer, VideoTask,
    miner::{Library, VideoMinerService, VideoWorker},
    source_fetcher,
};
use adit_neuron::{
    MetagraphWatch, Unavailable, Worker,
    axon::{Admission, announce, announcement, bind, guarded},
    config::AxonConfig,
};
use adit_primitives::{NetUid, Rao, SystemClock};
use adit_wallet::Wallet;
use anyhow::Context as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio_util::sync::CancellationToken;

use self::garbage::Garbage;
use crate::args::{Behaviour, Misbehave};

/// Clips of a flood: within the message limit, far beyond what was asked.
const FLOOD: usize = 400;

/// Serves a misbehaving miner until `shutdown`.
pub(crate) async fn run(miner: Misbehave, shutdown: CancellationToken) -> anyhow::Result<ExitCode> {
    let netuid = NetUid(miner.netuid);
    let clock = Arc::new(SystemClock);
    let keypair =
        Arc::new(Wallet::open(&miner.wallets, &miner.wallet, "default")?.hotkey_keypair()?);
    let choice = ModelChoice::on_cpu(miner.models, &miner.model, miner.weights.as_deref());
    let embedders = Embedders::load(&choice).await?;
    let fetcher = source_fetcher(&miner.cache, true)?;
    let library = Library::load(&miner.catalogue, &fetcher, &embedders).await?;
    let garbage = Garbage::new(fetcher.clone());
    let worker = Arc::new(Misbehaving {
        behaviour: miner.behaviour,
        honest: VideoWorker::new(library, fetcher, embedders, miner.seed),
        rng: Mutex::new(ChaCha8Rng::seed_from_u64(miner.seed)),
        first: Mutex::new(None),
        garbage,
    });
    let client = Client::connect(&[miner.chain], ClientOptions::default()).await?;
    let chain = Arc::new(client.with_signer(Arc::clone(&keypair)));
    let watch = MetagraphWatch::start(
        Arc::clone(&chain),
        netuid,
        Duration::from_secs(2),
        shutdown.clone(),
    )
    .await?;
    let axon = AxonConfig {
        ip: [127, 0, 0, 1].into(),
        port: 0,
        ..AxonConfig::default()
    };
    let (listener, bound) = bind(&axon).await?;
    let announced = announcement(&axon, bound)?;
    let stop = shutdown.clone();
    let announcing =
        tokio::spawn(async move { announce(&*chain, netuid, &announced, &stop).await });
    guarded(
        keypair,
        watch,
        Admission {
            validator_permit: true,
            min_stake: Rao(0),
        },
        clock.clone(),
    )
    .video_miner(VideoMinerService::new(worker, clock))
    .serve(listener, shutdown.cancelled_owned())
    .await?;
    announcing.await.context("announcing the axon")?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug)]
struct Misbehaving {
    behaviour: Behaviour,
    honest: VideoWorker,
    rng: Mutex<ChaCha8Rng>,
    first: Mutex<Option<VideoAnswer>>,
    garbage: Garbage,
}

impl Worker for Misbehaving {
    type Task = VideoTask;
    type Answer = VideoAnswer;

    async fn work(&self, task: VideoTask, time_left: Duration) -> Result<VideoAnswer, Unavailable> {
        match self.behaviour {
            Behaviour::Honest => self.honest.work(task, time_left).await,
            Behaviour::Copycat => self.copy(task, time_left).await,
            Behaviour::Liar => self.lie(task, time_left).await,
            Behaviour::Garbage => self.garble(task, time_left).await,
            Behaviour::Flood => self.flood(task, time_left).await,
            Behaviour::Silent => {
                tokio::time::sleep(time_left * 2).await;
                Err(Unavailable::new("silence", "never answers"))
            }
            Behaviour::Crash => std::process::exit(70),
        }
    }
}

impl Misbehaving {
    /// The first answer again, each clip moved by two frames and said in other words.
    async fn copy(&self, task: VideoTask, time_left: Duration) -> Result<VideoAnswer, Unavailable> {
        let known = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(mut answer) = known else {
            let answer = self.honest.work(task, time_left).await?;
            *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.clone());
            return Ok(answer);
        };
        for clip in &mut answer.clips {
            clip.start_ms += 80;
            clip.description = format!("{}: {}", task.topic, clip.description);
            let text = self
                .honest
                .embedders()
                .texts(vec![clip.description.clone()])
                .await;
            let text = text.map_err(|error| Unavailable::new("text model", error))?;
            clip.text = text.first().map(PackedVector::pack);
        }
        Ok(answer)
    }

    /// Real clips with invented vectors, which no footage in the dataset resembles.
    async fn lie(&self, task: VideoTask, time_left: Duration) -> Result<VideoAnswer, Unavailable> {
        let mut answer = self.honest.work(task, time_left).await?;
        let space = self.honest.embedders().video.space().clone();
        for clip in &mut answer.clips {
            clip.video = Some(self.invent(&space)?);
        }
        Ok(answer)
    }

    fn invent(&self, space: &Space) -> Result<PackedVector, Unavailable> {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let values = (0..space.dimension())
            .map(|_| rng.random_range(-1.0..1.0))
            .collect();
        let invented = Embedding::new(space.clone(), values);
        invented
            .map(|vector| PackedVector::pack(&vector))
            .map_err(|error| Unavailable::new("invention", error))
    }

    /// Malformed clips, made of the first sound one there was.
    async fn garble(
        &self,
        task: VideoTask,
        time_left: Duration,
    ) -> Result<VideoAnswer, Unavailable> {
        let constraints = task.constraints.clone();
        let answer = self.first_answer(task, time_left).await?;
        let Some(sound) = answer.clips.first() else {
            return Ok(answer);
        };
        let embedders = self.honest.embedders();
        let clips = self.garbage.next(sound, &constraints, embedders).await;
        clips
            .map(|clips| VideoAnswer { clips })
            .map_err(|error| Unavailable::new("garbage", error))
    }

    /// The first answer that had clips, made honestly.
    async fn first_answer(
        &self,
        task: VideoTask,
        time_left: Duration,
    ) -> Result<VideoAnswer, Unavailable> {
        let known = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = self.honest.work(task, time_left).await?;
        if !answer.clips.is_empty() {
            *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.clone());
        }
        Ok(answer)
    }

    /// Its first clip, far more often than clips were asked for.
    async fn flood(
        &self,
        task: VideoTask,
        time_left: Duration,
    ) -> Result<VideoAnswer, Unavailable> {
        let answer = self.first_answer(task, time_left).await?;
        let sound = answer.clips.first().cloned();
        let clips = sound.map_or_else(Vec::new, |sound| vec![sound; FLOOD]);
        Ok(VideoAnswer { clips })
    }
}
