//! The formulas against golden vectors, the hardened policy against its promises, and both against
//! hostile input.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share may fail them"
)]

mod audio;
mod audio_properties;
mod boring_properties;
mod conversation_properties;
mod curation_properties;
mod evidence;
mod example;
mod focus_properties;
mod golden;
mod hardened;
mod hostile;
mod inference_consensus_properties;
#[cfg(feature = "plot")]
mod inference_heatmap;
mod inference_text_properties;
mod long_context_policy;
mod long_context_properties;
mod long_context_text_properties;
mod original;
mod plan;
mod policy;
mod rank_properties;
mod weights_properties;
