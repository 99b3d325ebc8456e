use adit_primitives::Score;
use serde::{Deserialize, Serialize};

use crate::video::{AnswerRefusal, ClipRefusal, Standing};

/// The judgement of one answer with sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioVerdict {
    /// Name and version of the policy that judged.
    pub policy: String,
    /// 0 to 1.
    pub score: Score,
    /// Whether the score may be averaged in.
    pub standing: Standing,
    /// Why the whole answer scores nothing, if it does.
    pub refusal: Option<AnswerRefusal>,
    /// One verdict per clip of the evidence, in its order.
    pub clips: Vec<AudioClipVerdict>,
}

impl AudioVerdict {
    /// How many clips were accepted.
    pub fn accepted(&self) -> usize {
        self.clips.iter().filter(|clip| clip.accepted).count()
    }
}

/// The judgement of one sound clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioClipVerdict {
    /// The clip's place in the answer.
    pub place: u32,
    /// Whether it enters the dataset.
    pub accepted: bool,
    /// Why not.
    pub refusal: Option<ClipRefusal>,
    /// What it measures; all zero when refused.
    pub measures: AudioMeasures,
}

/// What an accepted sound clip measures, each 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct AudioMeasures {
    /// One minus the diarization error rate.
    pub agreement: f64,
    /// Its length, over the longest allowed.
    pub length: f64,
    /// Speech, balance, noise and number of speakers.
    pub quality: f64,
    /// How well it fits the topic.
    pub relevance: f64,
    /// How unlike everything known it is.
    pub novelty: f64,
    /// What the clip earns before division by the clips wanted.
    pub score: f64,
}
