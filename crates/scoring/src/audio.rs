//! Judging speech: content, dominance and balance of speakers, noise, diarization error.
//!
//! [`speech_content`], [`signal_to_noise_db`], [`speaker_balance`], [`speaker_count_score`] and
//! [`diarization_errors`] measure one clip; [`original`] combines them as the system in the field
//! does.

mod diarization;
pub mod original;
mod sound;
mod turns;

pub use diarization::{DiarizationAgreement, DiarizationErrors, diarization_errors};
pub use sound::{signal_to_noise_db, speaker_balance, speaker_count_score, speech_content};
pub use turns::{SpeakerTurn, TimeSpan, count_speakers, keep_long, merge_spans, subtract_overlap};
