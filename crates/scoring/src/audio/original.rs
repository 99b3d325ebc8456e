//! The formulas of the audio task of the system in the field, equal to the digit.
//!
//! Where the original raises, or swallows an exception and gives no score, these functions return a
//! typed [`crate::Error`]; everything else, known holes included, is as it was.

mod evidence;
mod overlap;
mod reward;
mod rules;

pub(super) use evidence::judge_evidence;
pub use overlap::{process_diarization, remove_overlap};
pub use reward::{
    OriginalAudioAnswer, OriginalAudioClip, OriginalAudioReward, OriginalAudioUpload,
    OriginalSoundCheck, background_noise, quality, reward,
};
pub use rules::OriginalAudioRules;
