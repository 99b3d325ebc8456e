use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use adit_embedding::{Embedding, cosine};
use adit_media::Fetcher;
use adit_neuron::{Unavailable, Worker};
use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, timeout_at};

use super::{
    library::{Library, LibraryVideo},
    windows::windows,
};
use crate::{
    ClaimedClip, ClipConstraints, Embedders, PackedVector, Result, VideoAnswer, VideoTask,
};

/// A clip nearer than this to one offered before would be refused as no news.
const NO_NEWS: f32 = 0.88;
/// Clips of one video in one answer: more of the same would rarely be novel.
const CLIPS_PER_VIDEO: usize = 2;
/// Vectors remembered of clips offered before.
const REMEMBERED: usize = 20_000;
/// Share of the time left that the search may use; the rest is for signing and the way back.
const SHARE_OF_TIME: f64 = 0.8;

/// Answers tasks from a [`Library`]: the videos nearest to the topic, cut at their shots, no
/// window offered twice and none that looks like an earlier one.
#[derive(Debug)]
pub struct VideoWorker {
    library: Library,
    fetcher: Fetcher,
    embedders: Embedders,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    rng: ChaCha8Rng,
    offered: HashSet<(String, u64, u64)>,
    vectors: Vec<Embedding>,
    shots: HashMap<String, Arc<Shots>>,
}

/// Length and shot boundaries of a source.
#[derive(Debug)]
struct Shots {
    duration_ms: u64,
    boundaries_ms: Vec<u64>,
}

impl VideoWorker {
    /// A worker over a library; `seed` decides which of equally good windows it offers first.
    pub fn new(library: Library, fetcher: Fetcher, embedders: Embedders, seed: u64) -> Self {
        let memory = Memory {
            rng: ChaCha8Rng::seed_from_u64(seed),
            offered: HashSet::new(),
            vectors: Vec::new(),
            shots: HashMap::new(),
        };
        Self {
            library,
            fetcher,
            embedders,
            memory: Mutex::new(memory),
        }
    }

    /// The embedders it answers with.
    pub fn embedders(&self) -> &Embedders {
        &self.embedders
    }

    async fn search(&self, task: &VideoTask, until: Instant) -> Result<VideoAnswer> {
        let topic = self.embedders.texts(vec![task.topic.clone()]).await?;
        let Some(topic) = topic.first() else {
            return Ok(VideoAnswer { clips: Vec::new() });
        };
        let mut ranked = self.library.ranked(topic)?;
        self.with_memory(|memory| {
            for (_, nearness) in &mut ranked {
                // A little chance, so that miners with the same library do not all offer the same.
                *nearness += memory.rng.random_range(0.0..0.2);
            }
        });
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let wanted = task.clips_wanted as usize;
        let mut clips = Vec::new();
        for (video, _) in ranked {
            if clips.len() >= wanted || Instant::now() >= until {
                break;
            }
            let most = wanted.min(clips.len() + CLIPS_PER_VIDEO);
            let search = self.clips_of(&video, &task.constraints, most, &mut clips);
            // What was found before a slow origin used up the time still counts.
            match timeout_at(until, search).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(video = video.id, %error, "skipping a video"),
                Err(_elapsed) => tracing::info!(video = video.id, "out of time"),
            }
        }
        Ok(VideoAnswer { clips })
    }

    async fn clips_of(
        &self,
        video: &Arc<LibraryVideo>,
        constraints: &ClipConstraints,
        most: usize,
        found: &mut Vec<ClaimedClip>,
    ) -> Result<()> {
        let description = cut(&video.text, constraints.max_description_bytes as usize);
        let text = self.embedders.texts(vec![description.to_owned()]).await?;
        let text = text.first().map(PackedVector::pack);
        let fetched = self.fetcher.fetch(&video.url).await?;
        let shots = self.shots(video, fetched.path()).await?;
        let mut candidates = windows(shots.duration_ms, &shots.boundaries_ms, constraints);
        self.with_memory(|memory| {
            candidates.retain(|(start, end)| {
                !memory
                    .offered
                    .contains(&(video.url.to_string(), *start, *end))
            });
            candidates.shuffle(&mut memory.rng);
        });
        for (start_ms, end_ms) in candidates {
            if found.len() >= most {
                break;
            }
            let vectors = self
                .embedders
                .clip(fetched.path(), start_ms, end_ms)
                .await?;
            if !self.is_news(video, start_ms, end_ms, &vectors.video) {
                continue;
            }
            found.push(ClaimedClip {
                video_id: video.id.clone(),
                source_url: video.url.to_string(),
                start_ms,
                end_ms,
                description: description.to_owned(),
                video: Some(PackedVector::pack(&vectors.video)),
                audio: vectors.audio.as_ref().map(PackedVector::pack),
                text: text.clone(),
            });
        }
        Ok(())
    }

    /// Remembers the window, and says whether it looks unlike everything offered before.
    fn is_news(
        &self,
        video: &LibraryVideo,
        start_ms: u64,
        end_ms: u64,
        vector: &Embedding,
    ) -> bool {
        self.with_memory(|memory| {
            let window = (video.url.to_string(), start_ms, end_ms);
            // Another task may have offered it meanwhile.
            if !memory.offered.insert(window) {
                return false;
            }
            let known =
                |earlier: &Embedding| cosine(earlier, vector).is_ok_and(|near| near > NO_NEWS);
            if memory.vectors.iter().any(known) {
                return false;
            }
            if memory.vectors.len() < REMEMBERED {
                memory.vectors.push(vector.clone());
            }
            true
        })
    }

    async fn shots(&self, video: &LibraryVideo, path: &std::path::Path) -> Result<Arc<Shots>> {
        let key = video.url.to_string();
        if let Some(known) = self.with_memory(|memory| memory.shots.get(&key).cloned()) {
            return Ok(known);
        }
        let probe = self.embedders.media.probe(path).await?;
        let boundaries_ms = self.embedders.media.shot_boundaries(path).await?;
        let shots = Arc::new(Shots {
            duration_ms: probe.duration_ms,
            boundaries_ms,
        });
        self.with_memory(|memory| memory.shots.insert(key, Arc::clone(&shots)));
        Ok(shots)
    }

    fn with_memory<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        act(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// As many whole characters as fit into `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = text
        .char_indices()
        .map(|(start, character)| start + character.len_utf8())
        .take_while(|end| *end <= most)
        .last();
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

impl Worker for VideoWorker {
    type Task = VideoTask;
    type Answer = VideoAnswer;

    async fn work(&self, task: VideoTask, time_left: Duration) -> Result<VideoAnswer, Unavailable> {
        let until = Instant::now() + time_left.mul_f64(SHARE_OF_TIME);
        self.search(&task, until)
            .await
            .map_err(|error| Unavailable::new("search", error))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cut_description_is_as_long_as_may_be(text in "[a-zß水🌊]{0,40}", most in 0_usize..80) {
            let kept = cut(&text, most);
            prop_assert!(text.starts_with(kept) && kept.len() <= most);
            let next = text[kept.len()..].chars().next();
            prop_assert!(next.is_none_or(|next| kept.len() + next.len_utf8() > most));
        }
    }
}
