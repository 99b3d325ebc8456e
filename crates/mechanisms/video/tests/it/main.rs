//! The video mechanism end to end on one machine: real ffmpeg, real perceptual descriptors, a real
//! dataset behind signed gRPC, and an HTTP origin that may misbehave. Only the text model is a fake.
#![cfg(test)]

mod dataset_api;
mod dataset_restarts;
mod defects;
mod failures;
mod judging;
mod miner_service;
#[cfg(feature = "models")]
mod models;
mod origin;
mod query;
mod records;
mod subnet;
mod worker;
