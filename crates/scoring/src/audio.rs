//! Judging speech: content, dominance and balance of speakers, noise, diarization error.
//!
//! [`speech_content`], [`signal_to_noise_db`], [`speaker_balance`], [`speaker_count_score`] and
//! [`diarization_errors`] measure one clip. Two policies combine them: [`AudioPolicy::original`] is
//! the system in the field, whose functions [`original`] holds one by one, equal to the digit;
//! [`AudioPolicy::hardened`] is the default, and the [front](crate#audio) of this crate lists how it
//! differs. [`judge`] turns stored [`AudioEvidence`] into an [`AudioVerdict`] and reads nothing else.

mod diarization;
mod evidence;
mod hardened;
mod judge;
pub mod original;
mod policy;
mod sound;
mod turns;
mod verdict;

pub use diarization::{DiarizationAgreement, DiarizationErrors, diarization_errors};
pub use evidence::{
    AudioClipEvidence, AudioEvidence, RecordingMeasure, SoundVerification, measure_recording,
};
pub use judge::judge;
pub use policy::{AudioPolicy, HardenedAudioRules, sound_check_plan};
pub use sound::{signal_to_noise_db, speaker_balance, speaker_count_score, speech_content};
pub use turns::{SpeakerTurn, TimeSpan, count_speakers, keep_long, merge_spans, subtract_overlap};
pub use verdict::{AudioClipVerdict, AudioMeasures, AudioVerdict};
