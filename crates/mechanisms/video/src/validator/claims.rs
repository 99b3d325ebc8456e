use std::collections::HashSet;

use adit_embedding::{Embedding, Space};
use adit_primitives::{Hotkey, TaskId};
use adit_scoring::video::{ClipDefect, ClipEvidence, Verification, measure_description};
use url::Url;

use crate::{ClaimedClip, Embedders, PackedVector, VideoTask};

/// Longest id or address that is kept, in bytes.
const LONGEST_IDENTIFIER: usize = 2_048;
/// Descriptions are measured up to this many bytes; longer ones are refused anyway.
const LONGEST_MEASURED: usize = 16_384;
/// Clips looked at beyond those wanted: enough to name the excess, too few to cost anything.
const EXCESS_SHOWN: usize = 8;
/// No source is believed to last longer, in milliseconds: a day. It also keeps every accepted clip
/// within what the dataset can hold.
const LONGEST_SOURCE_MS: u64 = 86_400_000;

/// A clip of an answer with what its bytes alone tell.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) clip: ClaimedClip,
    pub(super) url: Option<Url>,
    pub(super) record_id: String,
    pub(super) vectors: Option<ClaimedVectors>,
    pub(super) evidence: ClipEvidence,
}

/// The claimed vectors of a clip, decoded.
#[derive(Debug, Clone)]
pub(super) struct ClaimedVectors {
    pub(super) video: Embedding,
    pub(super) audio: Option<Embedding>,
    pub(super) text: Embedding,
}

impl Claim {
    /// Whether it is worth fetching.
    pub(super) fn is_sound(&self) -> bool {
        self.evidence.defect.is_none()
            && self.evidence.start_ms < self.evidence.end_ms
            && self.vectors.is_some()
            && self.url.is_some()
    }
}

/// Unique for the dataset: BLAKE3 of task, miner and place, 16 bytes in hexadecimal.
pub(super) fn record_id(task: TaskId, miner: &Hotkey, place: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"adit/video/record/1");
    hasher.update(&task.to_bytes());
    hasher.update(miner.as_bytes());
    hasher.update(&(place as u64).to_le_bytes());
    hex::encode(&hasher.finalize().as_bytes()[..16])
}

/// Reads an answer's clips without believing them.
pub(super) fn read(
    id: TaskId,
    task: &VideoTask,
    miner: &Hotkey,
    clips: &[ClaimedClip],
    embedders: &Embedders,
) -> Vec<Claim> {
    let mut seen = HashSet::new();
    clips
        .iter()
        .take((task.clips_wanted as usize).saturating_add(EXCESS_SHOWN))
        .enumerate()
        .map(|(place, clip)| {
            let url = source(&clip.source_url);
            let vectors = unpack(clip, embedders);
            let identity = (clip.video_id.clone(), clip.start_ms, clip.end_ms);
            let defect =
                if !identifier(&clip.video_id) || clip.source_url.len() > LONGEST_IDENTIFIER {
                    Some(ClipDefect::Identifier)
                } else if url.is_none() {
                    Some(ClipDefect::SourceAddress)
                } else if !seen.insert(identity) {
                    Some(ClipDefect::DuplicateId)
                } else {
                    vectors.as_ref().err().copied()
                };
            let measured: &str = bounded(&clip.description);
            let mut description = measure_description(measured, &task.topic);
            description.bytes = u32::try_from(clip.description.len()).unwrap_or(u32::MAX);
            let record_id = record_id(id, miner, place);
            let evidence = ClipEvidence {
                place: u32::try_from(place).unwrap_or(u32::MAX),
                clip_id: record_id.clone(),
                source: url.as_ref().map_or_else(String::new, Url::to_string),
                start_ms: clip.start_ms,
                end_ms: clip.end_ms,
                source_duration_ms: (clip.end_ms > LONGEST_SOURCE_MS).then_some(LONGEST_SOURCE_MS),
                description,
                defect,
                verification: Verification::NotSampled,
                global_novelty: None,
                nearest_in_task: None,
                query_relevance: None,
                text_similarity: None,
                joint: None,
            };
            Claim {
                clip: shortened(clip),
                url,
                record_id,
                vectors: vectors.ok(),
                evidence,
            }
        })
        .collect()
}

fn source(text: &str) -> Option<Url> {
    if text.len() > LONGEST_IDENTIFIER {
        return None;
    }
    let mut url = Url::parse(text).ok()?;
    // Never sent, so that two addresses that differ in it are one source.
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn identifier(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.chars().any(char::is_control)
}

/// At most as much of a description as is measured.
pub(super) fn bounded(text: &str) -> &str {
    if text.len() <= LONGEST_MEASURED {
        return text;
    }
    let mut end = LONGEST_MEASURED;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The clip without what is too long to keep and without the packed vectors, which are decoded.
fn shortened(clip: &ClaimedClip) -> ClaimedClip {
    ClaimedClip {
        video_id: clip.video_id.chars().take(256).collect(),
        source_url: clip.source_url.chars().take(LONGEST_IDENTIFIER).collect(),
        description: bounded(&clip.description).to_owned(),
        video: None,
        audio: None,
        text: None,
        ..*clip
    }
}

fn unpack(clip: &ClaimedClip, embedders: &Embedders) -> Result<ClaimedVectors, ClipDefect> {
    let required = |packed: &Option<PackedVector>, space: &Space| {
        packed
            .as_ref()
            .ok_or(ClipDefect::VectorMissing)?
            .unpack(space)
            .map_err(defect)
    };
    Ok(ClaimedVectors {
        video: required(&clip.video, embedders.video.space())?,
        audio: match &clip.audio {
            None => None,
            Some(packed) => Some(packed.unpack(embedders.audio.space()).map_err(defect)?),
        },
        text: required(&clip.text, embedders.text.space())?,
    })
}

fn defect(error: adit_protocol::Error) -> ClipDefect {
    use adit_protocol::Error as Wire;
    match error {
        Wire::VectorSpace { .. } => ClipDefect::VectorSpace,
        Wire::VectorNotFinite { .. } => ClipDefect::VectorNotFinite,
        Wire::VectorZero => ClipDefect::VectorZero,
        _ => ClipDefect::VectorLength,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use adit_embedding::{
        perceptual::{PerceptualAudio, PerceptualVideo},
        testing::HashEmbedder,
    };
    use adit_media::{Media, MediaConfig};
    use proptest::prelude::*;

    use super::*;

    fn embedders() -> Embedders {
        Embedders {
            text: Arc::new(HashEmbedder::new(8).unwrap()),
            video: Arc::new(PerceptualVideo::new().unwrap()),
            audio: Arc::new(PerceptualAudio::new().unwrap()),
            media: Media::new(MediaConfig::default()).unwrap(),
        }
    }

    fn clip(source_url: &str, description: String) -> ClaimedClip {
        ClaimedClip {
            video_id: "a".to_owned(),
            source_url: source_url.to_owned(),
            start_ms: 0,
            end_ms: 5_000,
            description,
            video: None,
            audio: None,
            text: None,
        }
    }

    fn read_all(clips: &[ClaimedClip]) -> Vec<Claim> {
        let task = VideoTask {
            topic: "rivers".to_owned(),
            clips_wanted: 2,
            constraints: crate::ClipConstraints::default(),
        };
        let id = TaskId::from_parts(1, 1);
        read(id, &task, &Hotkey::new([1; 32]), clips, &embedders())
    }

    #[test]
    fn record_ids_differ_by_task_miner_and_place() {
        let ids: HashSet<String> = (0..8)
            .map(|bits: u8| {
                let task = TaskId::from_parts(1, u128::from(bits & 1));
                record_id(task, &Hotkey::new([bits >> 1 & 1; 32]), (bits >> 2).into())
            })
            .collect();
        assert_eq!(ids.len(), 8);
        assert!(ids.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn addresses_that_differ_in_a_fragment_are_one_source() {
        let one = source("http://Media.example:80/a.mp4#one").unwrap();
        assert_eq!(Some(one), source("http://media.example/a.mp4#two"));
        assert_eq!(source("HTTPS://media.example").unwrap().scheme(), "https");
        for text in [
            "javascript:1",
            "http:",
            "/etc/passwd",
            "file://h/a",
            "https://",
        ] {
            assert_eq!(source(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_kept_of_an_answer_is_bounded() {
        let megabyte = "ä".repeat(500_000);
        let claims = read_all(&vec![clip(&megabyte, megabyte.clone()); 100]);
        assert_eq!(claims.len(), 2 + EXCESS_SHOWN);
        for claim in claims {
            assert_eq!(claim.evidence.description.bytes, 1_000_000);
            assert_eq!(claim.evidence.defect, Some(ClipDefect::Identifier));
            assert_eq!(claim.clip.description.len(), LONGEST_MEASURED);
            assert!(claim.clip.source_url.len() <= 2 * LONGEST_IDENTIFIER);
            assert!(!claim.is_sound());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_cut_at_a_character(text in "[a-zß水🌊]{0,40}", repeat in 1_usize..2_000) {
            let text = text.repeat(repeat);
            let kept = bounded(&text);
            prop_assert!(text.starts_with(kept));
            prop_assert!(kept.len() <= LONGEST_MEASURED);
            prop_assert!(kept.len() == text.len() || kept.len() > LONGEST_MEASURED - 4);
        }

        #[test]
        fn no_address_and_no_interval_is_too_strange(
            source_url in ".{0,60}|(http|https|file)://.{0,40}",
            start_ms in any::<u64>(),
            end_ms in any::<u64>(),
        ) {
            let claimed = ClaimedClip { start_ms, end_ms, ..clip(&source_url, String::new()) };
            let claims = read_all(&[claimed.clone(), claimed]);
            prop_assert!(claims.iter().all(|claim| claim.evidence.defect.is_some()));
            prop_assert_ne!(&claims[0].record_id, &claims[1].record_id);
        }
    }
}
