//! Storage as a whole: what survives crashes, repetition, damage and full disks.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod sample;

#[cfg(feature = "sqlite")]
mod intake;
#[cfg(feature = "sqlite")]
mod killed;
#[cfg(feature = "sqlite")]
mod state;
#[cfg(feature = "sqlite")]
mod state_model;

#[cfg(all(feature = "parquet", feature = "sqlite"))]
mod handover;
#[cfg(feature = "index")]
mod index;
#[cfg(feature = "parquet")]
mod shards;
