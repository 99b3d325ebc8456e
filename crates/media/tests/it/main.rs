//! Real ffmpeg, real files, a real HTTP server on loopback.
#![cfg(test)]

mod bad_media;
mod cache;
mod cuts;
mod footage;
mod frames;
mod hostile_origins;
mod library;
mod limits;
mod origin;
mod probes;
mod sound;
