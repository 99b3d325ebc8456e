//! The dataset that all validators of a subnet build together: the client a validator uses, the
//! store behind it, and the gRPC service.

mod client;
pub(crate) mod records;
mod service;
mod store;
mod topics;

pub use client::DatasetClient;
pub use service::DatasetService;
pub use store::{DatasetConfig, VideoDataset};
pub use topics::read_topics;
