use serde::{Deserialize, Serialize};

use super::{
    ChunkCounts, DescriptionCheck, OriginalRules, SpotCheckVectors, check_description, is_similar,
    is_valid_youtube_id, keeps_length,
    likeness::Cosines,
    relevance::{described, queried},
};
use crate::{Error, Result, similarity::MeasuredVector};

/// A clip as a miner of the system in the field sends it, with what its models say of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OriginalClip {
    /// Id of the video.
    pub video_id: Option<String>,
    /// Start in seconds.
    pub start_s: i64,
    /// End in seconds.
    pub end_s: i64,
    /// The miner's vector of the frames.
    pub video: Vec<f32>,
    /// The miner's vector of the sound.
    pub audio: Vec<f32>,
    /// The miner's vector of the description.
    pub description: Vec<f32>,
    /// Different tokens of the description ([`super::length_multiplier`]).
    pub unique_tokens: u32,
    /// [`super::text_similarity`] of description and query.
    pub text_similarity: f64,
    /// Whether the classifier calls the description stuffed.
    pub stuffed: bool,
    /// How sure the classifier is, 0 to 1.
    pub stuffed_confidence: f64,
    /// [`super::extraneous_chunks`] of the description.
    pub chunks: ChunkCounts,
    /// Novelty against the dataset; none when the service gave no answer for this clip.
    pub global_novelty: Option<f64>,
}

/// A miner's answer and what was measured about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginalAnswer {
    /// Clips asked for; later ones are cut.
    pub clips_wanted: usize,
    /// The clips.
    pub clips: Vec<OriginalClip>,
    /// Vector of the query text in the joint space.
    pub query: Vec<f32>,
    /// What the spot check re-embedded.
    pub spot_check: SpotCheckVectors,
    /// Whether the novelty service answered.
    pub novelty_answered: bool,
}

/// The reward of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginalReward {
    /// −5 (punished), or 0.005 upwards.
    pub reward: f64,
    /// What goes into the dataset; none when the answer ended early.
    pub upload: Option<OriginalUpload>,
}

/// The clips of an answer that go into the dataset, with their scores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OriginalUpload {
    /// Indices of the kept clips in the answer.
    pub clips: Vec<usize>,
    /// Description relevance of each.
    pub description_relevance: Vec<f64>,
    /// Query relevance of each.
    pub query_relevance: Vec<f64>,
}

/// The whole reward of one answer, step by step as the system in the field computes it.
///
/// 0.005 for an empty answer; −5 for an id that cannot be, a fake video, a vector that does not
/// match, or a stuffed description; otherwise clips of wrong length, near-duplicates and clips that
/// are not new are dropped and `(0.7·Σ description + 1.3·Σ query) / 2 / clips wanted`, at least
/// 0.005, where `description = (0.65·cos(video, text) + 0.35·cos(audio, text)) · length multiplier`
/// and `query = (cos(video, query) + cos(audio, query) + text similarity) / 3`.
///
/// # Errors
/// Where the original gives no score at all: [`Error::Empty`] when every clip has a wrong length,
/// [`Error::OutOfStep`] when its lists fall out of step (a pair with a cosine between 0.90 and 0.95,
/// or a description of more than 50 chunks beside better ones), [`Error::Unavailable`] without the
/// novelty service, [`Error::NotFinite`] and [`Error::Length`] for such vectors.
pub fn reward(rules: &OriginalRules, answer: &OriginalAnswer) -> Result<OriginalReward> {
    let ended = |reward| {
        Ok(OriginalReward {
            reward,
            upload: None,
        })
    };
    let asked: Vec<(usize, &OriginalClip)> = answer
        .clips
        .iter()
        .enumerate()
        .take(answer.clips_wanted)
        .collect();
    if asked.is_empty() {
        return ended(rules.least_score);
    }
    if asked
        .iter()
        .any(|(_, clip)| !is_valid_youtube_id(clip.video_id.as_deref()))
    {
        return ended(rules.fake_punishment);
    }
    let mut kept: Vec<(usize, &OriginalClip)> = asked
        .into_iter()
        .filter(|(_, clip)| keeps_length(rules, clip.start_s, clip.end_s))
        .collect();

    if !passes_spot_check(rules, &kept, &answer.spot_check)? {
        return ended(rules.fake_punishment);
    }
    if !keep_new(rules, &mut kept, answer.novelty_answered)? {
        return ended(rules.least_score);
    }
    match drop_stuffed(rules, &mut kept)? {
        Descriptions::Punished => return ended(rules.stuffed_punishment),
        Descriptions::NoneLeft => return ended(rules.least_score),
        Descriptions::Kept => {}
    }

    let mut upload = OriginalUpload::default();
    let asked = MeasuredVector::new(&answer.query)?;
    for (index, clip) in kept {
        let (video, audio) = (
            MeasuredVector::new(&clip.video)?,
            MeasuredVector::new(&clip.audio)?,
        );
        let text = MeasuredVector::new(&clip.description)?;
        let [video_text, video_asked] = video.cosines([text, asked])?;
        let [audio_text, audio_asked] = audio.cosines([text, asked])?;
        let description = described(rules, video_text, audio_text, clip.unique_tokens);
        let query = queried(video_asked, audio_asked, clip.text_similarity);
        upload.clips.push(index);
        upload.description_relevance.push(description);
        upload.query_relevance.push(query);
    }
    let score = (rules.description_factor * upload.description_relevance.iter().sum::<f64>()
        + rules.query_factor * upload.query_relevance.iter().sum::<f64>())
        / 2.0
        / answer.clips_wanted as f64;
    if !score.is_finite() {
        return Err(Error::NotFinite { what: "a score" });
    }
    Ok(OriginalReward {
        reward: score.max(rules.least_score),
        upload: Some(upload),
    })
}

fn passes_spot_check(
    rules: &OriginalRules,
    kept: &[(usize, &OriginalClip)],
    check: &SpotCheckVectors,
) -> Result<bool> {
    let at = |clip: usize| {
        let found = kept.get(clip).map(|(_, clip)| *clip);
        found.ok_or(Error::Empty {
            what: "the list of clips",
        })
    };
    match check {
        SpotCheckVectors::PunishFake => Ok(false),
        SpotCheckVectors::DescriptionOnly { clip, description } => {
            is_similar(rules, &at(*clip)?.description, description)
        }
        SpotCheckVectors::Full {
            clip,
            video,
            audio,
            description,
        } => {
            let clip = at(*clip)?;
            Ok(is_similar(rules, &clip.video, video)?
                && is_similar(rules, &clip.audio, audio)?
                && is_similar(rules, &clip.description, description)?)
        }
    }
}

/// Drops near-duplicates and clips that are not new; false when none is left.
fn keep_new(
    rules: &OriginalRules,
    kept: &mut Vec<(usize, &OriginalClip)>,
    novelty_answered: bool,
) -> Result<bool> {
    let cosines = Cosines::new(kept.iter().map(|(_, clip)| clip.video.as_slice()))?;
    let unique: Vec<bool> = cosines
        .nearest_later(|_| true)
        .iter()
        .map(|nearest| nearest.is_none_or(|cosine| cosine <= rules.similar_above))
        .collect();
    let is_unique = |index: usize| unique.get(index).copied().unwrap_or(false);
    let nearest = cosines.nearest_later(is_unique);
    let mut place = 0..;
    kept.retain(|_| place.next().is_some_and(is_unique));
    if kept.is_empty() {
        return Ok(false);
    }
    let local: Vec<f64> = nearest
        .iter()
        .zip(&unique)
        .filter_map(|(nearest, unique)| unique.then_some(1.0 - nearest.unwrap_or(0.0)))
        .collect();
    // The service is asked for the locally new clips only, yet its answer is zipped with all.
    let asked = local
        .iter()
        .filter(|novelty| **novelty >= rules.novelty_least)
        .count();
    if !novelty_answered || asked == 0 {
        return Err(Error::Unavailable {
            what: "the novelty service",
        });
    }
    if asked != kept.len() {
        return Err(Error::OutOfStep {
            what: "global novelty",
            expected: kept.len(),
            found: asked,
        });
    }
    let mut novelty = Vec::with_capacity(kept.len());
    for ((_, clip), local) in kept.iter().zip(local) {
        let global = clip.global_novelty.ok_or(Error::Unavailable {
            what: "the novelty service",
        })?;
        novelty.push(local.min(global));
    }
    if novelty.iter().any(|novelty| novelty.is_nan()) {
        return Err(Error::NotFinite { what: "novelty" });
    }
    let mut novelty = novelty.into_iter();
    kept.retain(|_| {
        novelty
            .next()
            .is_some_and(|novelty| novelty >= rules.novelty_least)
    });
    Ok(!kept.is_empty())
}

enum Descriptions {
    Punished,
    NoneLeft,
    Kept,
}

fn drop_stuffed(
    rules: &OriginalRules,
    kept: &mut Vec<(usize, &OriginalClip)>,
) -> Result<Descriptions> {
    let check = |clip: &OriginalClip| {
        check_description(rules, clip.stuffed, clip.stuffed_confidence, clip.chunks)
    };
    if kept
        .iter()
        .any(|(_, clip)| check(clip) == DescriptionCheck::Punished)
    {
        return Ok(Descriptions::Punished);
    }
    // Clips are dropped by both tests, their vectors by the first only.
    let vectors = kept.iter().filter(|(_, clip)| !clip.stuffed).count();
    kept.retain(|(_, clip)| check(clip) == DescriptionCheck::Kept);
    if kept.is_empty() {
        return Ok(Descriptions::NoneLeft);
    }
    if vectors != kept.len() {
        return Err(Error::OutOfStep {
            what: "the vectors",
            expected: kept.len(),
            found: vectors,
        });
    }
    Ok(Descriptions::Kept)
}
