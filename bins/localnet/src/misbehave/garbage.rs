//! Every kind of malformed clip, a few in each answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use adit_embedding::Space;
use adit_mechanism_video::{ClaimedClip, ClipConstraints, Embedders, PackedVector};
use adit_media::Fetcher;
use url::Url;

/// Kinds of answers before they repeat.
const KINDS: usize = 6;

/// Makes malformed answers out of one sound clip. What is wrong with a clip is the only thing wrong
/// with it, so that it is refused for that.
#[derive(Debug)]
pub(super) struct Garbage {
    fetcher: Fetcher,
    answers: AtomicUsize,
}

impl Garbage {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher,
            answers: AtomicUsize::new(0),
        }
    }

    /// The next answer.
    pub(super) async fn next(
        &self,
        sound: &ClaimedClip,
        constraints: &ClipConstraints,
        embedders: &Embedders,
    ) -> anyhow::Result<Vec<ClaimedClip>> {
        let space = embedders.video.space();
        let mut clips = match self.answers.fetch_add(1, Ordering::Relaxed) % KINDS {
            0 => [f32::NAN, f32::INFINITY, 0.0]
                .map(|value| filled(sound, space, space.dimension(), value))
                .into_iter()
                .chain([filled(sound, space, space.dimension() / 2, 1.0)])
                .collect(),
            1 => {
                let elsewhere = Space::new("elsewhere-v1", 8)?;
                vec![
                    filled(sound, &elsewhere, 8, 1.0),
                    ClaimedClip {
                        text: None,
                        ..sound.clone()
                    },
                    ClaimedClip {
                        source_url: "file:///etc/passwd".to_owned(),
                        ..sound.clone()
                    },
                    ClaimedClip {
                        end_ms: sound.start_ms,
                        ..sound.clone()
                    },
                ]
            }
            2 => {
                let silent = described(sound, String::new(), embedders).await?;
                // A megabyte.
                let spam = described(sound, "spam ".repeat(200_000), embedders).await?;
                let nameless = ClaimedClip {
                    video_id: String::new(),
                    ..sound.clone()
                };
                return Ok(vec![distinct(spam, 0), silent.clone(), silent, nameless]);
            }
            3 => {
                let (short, long) = (constraints.min_duration_ms / 2, u64::MAX);
                vec![
                    self.cut(sound, 0, short, embedders).await?,
                    self.cut(sound, 0, long, embedders).await?,
                ]
            }
            4 => {
                let mut clip = self
                    .cut(sound, u64::MAX, constraints.min_duration_ms, embedders)
                    .await?;
                clip.end_ms = clip.start_ms + constraints.max_duration_ms;
                vec![clip]
            }
            _ => vec![ClaimedClip {
                start_ms: 1 << 30,
                end_ms: (1 << 30) + constraints.min_duration_ms,
                ..sound.clone()
            }],
        };
        for (place, clip) in clips.iter_mut().enumerate() {
            *clip = distinct(clip.clone(), place);
        }
        Ok(clips)
    }

    /// Another interval of the same source with its true vectors, pushed back into the source.
    async fn cut(
        &self,
        sound: &ClaimedClip,
        start_ms: u64,
        length_ms: u64,
        embedders: &Embedders,
    ) -> anyhow::Result<ClaimedClip> {
        let source = self.fetcher.fetch(&Url::parse(&sound.source_url)?).await?;
        let duration_ms = embedders.media.probe(source.path()).await?.duration_ms;
        let length_ms = length_ms.min(duration_ms);
        let start_ms = start_ms.min(duration_ms - length_ms);
        let end_ms = start_ms + length_ms;
        let vectors = embedders.clip(source.path(), start_ms, end_ms).await?;
        Ok(ClaimedClip {
            start_ms,
            end_ms,
            video: Some(PackedVector::pack(&vectors.video)),
            audio: vectors.audio.as_ref().map(PackedVector::pack),
            ..sound.clone()
        })
    }
}

/// The clip under another name, so that it is no duplicate of the others.
fn distinct(clip: ClaimedClip, place: usize) -> ClaimedClip {
    ClaimedClip {
        video_id: format!("{}-{place}", clip.video_id),
        ..clip
    }
}

/// The clip with one number for a vector.
fn filled(sound: &ClaimedClip, space: &Space, dimension: usize, value: f32) -> ClaimedClip {
    let values = value.to_le_bytes().repeat(dimension);
    let dimension = u32::try_from(dimension).unwrap_or(u32::MAX);
    ClaimedClip {
        video: Some(PackedVector::raw(space.to_string(), dimension, values)),
        ..sound.clone()
    }
}

/// The clip with another description and its true vector.
async fn described(
    sound: &ClaimedClip,
    description: String,
    embedders: &Embedders,
) -> anyhow::Result<ClaimedClip> {
    // Longer texts are cut before they are embedded; the vector is that of their beginning.
    let beginning: String = description.chars().take(10_000).collect();
    let vectors = embedders.texts(vec![beginning]).await?;
    Ok(ClaimedClip {
        description,
        text: vectors.first().map(PackedVector::pack),
        ..sound.clone()
    })
}
