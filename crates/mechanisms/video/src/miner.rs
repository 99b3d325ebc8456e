//! The miner half: a library of videos, a worker that answers from it, and the gRPC service.

mod library;
mod service;
mod windows;
mod worker;

pub use library::{Library, LibraryVideo};
pub use service::VideoMinerService;
pub use worker::VideoWorker;
