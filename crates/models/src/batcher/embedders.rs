//! Embedders whose inputs share passes.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake},
    thread::{self, Thread},
};

use adit_embedding::{
    AudioEmbedder, AudioSamples, Embedding, Error as EmbeddingError, FramePlan, Space,
    TextEmbedder, VideoEmbedder, VideoFrames,
};

use super::{Batcher, BatcherConfig, BatcherStats};
use crate::{Error, Result};

/// Bytes of texts that may share a pass, by class; the longest are a class of their own.
const TEXT_CLASSES: [usize; 3] = [64, 256, 1_024];

type Answer<T> = adit_embedding::Result<T>;

/// What the three have in common.
#[derive(Debug)]
struct Shared<Item> {
    space: Space,
    batcher: Batcher<Item, Embedding>,
}

impl<Item: Send + 'static> Shared<Item> {
    fn start(
        space: &Space,
        config: BatcherConfig,
        bucket: impl Fn(&Item) -> usize + Send + Sync + 'static,
        bytes: impl Fn(&Item) -> usize + Send + Sync + 'static,
        embed: impl Fn(&[Item]) -> Answer<Vec<Embedding>> + Send + 'static,
    ) -> Result<Self> {
        // What is larger than the queue is in memory already: it waits for the queue to be empty.
        let most = config.clone().bounded().queue_cost;
        let batcher = Batcher::start(
            config,
            bucket,
            move |item| bytes(item).clamp(1, most),
            move |items: &[Item]| Ok(embed(items)?),
        )?;
        Ok(Self {
            space: space.clone(),
            batcher,
        })
    }

    /// One embedding per item, in order.
    async fn embed(&self, items: impl IntoIterator<Item = Item>) -> Answer<Vec<Embedding>> {
        let mut tickets = Vec::new();
        for item in items {
            let ticket = self.batcher.enqueue(item).await;
            tickets.push(ticket.map_err(|error| self.told(error))?);
        }
        let mut embeddings = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            embeddings.push(ticket.await.map_err(|error| self.told(error))?);
        }
        Ok(embeddings)
    }

    fn told(&self, error: Error) -> EmbeddingError {
        match error {
            Error::Embedding(error) => error,
            other => EmbeddingError::Model {
                model: self.space.to_string(),
                reason: other.to_string(),
            },
        }
    }
}

/// A [`TextEmbedder`] whose callers share passes: texts of like length, from whichever task they come.
///
/// Async code calls [`Self::embed`]; by the trait, which blocks, each caller keeps a thread waiting. Memory
/// is counted in bytes of text.
#[derive(Debug)]
pub struct BatchedText {
    shared: Shared<String>,
}

impl BatchedText {
    /// Starts the thread of a model.
    ///
    /// # Errors
    /// As [`Batcher::start`].
    pub fn start(model: Arc<dyn TextEmbedder>, config: BatcherConfig) -> Result<Self> {
        let space = model.space().clone();
        let class = |text: &String| {
            let classes = TEXT_CLASSES.iter();
            classes.take_while(|longest| text.len() > **longest).count()
        };
        let embed = move |texts: &[String]| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            model.embed_texts(&texts)
        };
        let shared = Shared::start(&space, config, class, String::len, embed)?;
        Ok(Self { shared })
    }

    /// One embedding per text, in order.
    ///
    /// # Errors
    /// What the model answers; [`EmbeddingError::Model`] for what befalls the pass.
    pub async fn embed(&self, texts: Vec<String>) -> Answer<Vec<Embedding>> {
        self.shared.embed(texts).await
    }

    /// How it goes.
    pub fn stats(&self) -> BatcherStats {
        self.shared.batcher.stats()
    }
}

impl TextEmbedder for BatchedText {
    fn space(&self) -> &Space {
        &self.shared.space
    }

    fn embed_texts(&self, texts: &[&str]) -> Answer<Vec<Embedding>> {
        let texts = texts.iter().map(|text| (*text).to_owned());
        wait(self.shared.embed(texts))
    }
}

/// A [`VideoEmbedder`] whose callers share passes: clips of as many frames. Memory is counted in bytes of
/// pixels.
#[derive(Debug)]
pub struct BatchedVideo {
    model: Arc<dyn VideoEmbedder>,
    shared: Shared<VideoFrames>,
}

impl BatchedVideo {
    /// Starts the thread of a model.
    ///
    /// # Errors
    /// As [`Batcher::start`].
    pub fn start(model: Arc<dyn VideoEmbedder>, config: BatcherConfig) -> Result<Self> {
        let bytes = |clip: &VideoFrames| {
            clip.frames
                .iter()
                .map(|frame| frame.rgb.len())
                .sum::<usize>()
        };
        let runs = Arc::clone(&model);
        let shared = Shared::start(
            model.space(),
            config,
            |clip: &VideoFrames| clip.frames.len(),
            bytes,
            move |clips| runs.embed_clips(clips),
        )?;
        Ok(Self { model, shared })
    }

    /// One embedding per clip, in order.
    ///
    /// # Errors
    /// What the model answers; [`EmbeddingError::Model`] for what befalls the pass.
    pub async fn embed(&self, clips: Vec<VideoFrames>) -> Answer<Vec<Embedding>> {
        self.shared.embed(clips).await
    }

    /// How it goes.
    pub fn stats(&self) -> BatcherStats {
        self.shared.batcher.stats()
    }
}

impl VideoEmbedder for BatchedVideo {
    fn space(&self) -> &Space {
        &self.shared.space
    }

    fn frame_plan(&self, duration_ms: u64) -> FramePlan {
        self.model.frame_plan(duration_ms)
    }

    fn embed_clips(&self, clips: &[VideoFrames]) -> Answer<Vec<Embedding>> {
        wait(self.shared.embed(clips.iter().cloned()))
    }
}

/// An [`AudioEmbedder`] whose callers share passes. Memory is counted in bytes of samples.
#[derive(Debug)]
pub struct BatchedAudio {
    sample_rate: u32,
    shared: Shared<AudioSamples>,
}

impl BatchedAudio {
    /// Starts the thread of a model.
    ///
    /// # Errors
    /// As [`Batcher::start`].
    pub fn start(model: Arc<dyn AudioEmbedder>, config: BatcherConfig) -> Result<Self> {
        let sample_rate = model.sample_rate();
        let space = model.space().clone();
        let shared = Shared::start(
            &space,
            config,
            |_: &AudioSamples| 0,
            |sound| size_of_val(sound.samples.as_slice()),
            move |sounds| model.embed_sounds(sounds),
        )?;
        Ok(Self {
            sample_rate,
            shared,
        })
    }

    /// One embedding per sound, in order.
    ///
    /// # Errors
    /// What the model answers; [`EmbeddingError::Model`] for what befalls the pass.
    pub async fn embed(&self, sounds: Vec<AudioSamples>) -> Answer<Vec<Embedding>> {
        self.shared.embed(sounds).await
    }

    /// How it goes.
    pub fn stats(&self) -> BatcherStats {
        self.shared.batcher.stats()
    }
}

impl AudioEmbedder for BatchedAudio {
    fn space(&self) -> &Space {
        &self.shared.space
    }

    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn embed_sounds(&self, sounds: &[AudioSamples]) -> Answer<Vec<Embedding>> {
        wait(self.shared.embed(sounds.iter().cloned()))
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Keeps this thread waiting. The runtime's own way panics where a caller is async after all.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}
