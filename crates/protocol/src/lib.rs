//! The gRPC contract, its conversions and `btauth/1` request authentication as tower layers.
//!
//! Everything that crosses the wire between two neurons is here: the generated messages
//! ([`v1`]), vectors ([`vector`]), who is speaking ([`auth`]), the server and client sides of it
//! ([`server`], [`client`]), cheap authentication of many messages ([`session`]) and what a caller is told when something fails ([`status`]). It knows
//! nothing of what a mechanism does with a message, and of keys only what `adit-wallet` offers.
//!
//! With the feature `synapse` there is also the HTTP protocol of the Python SDK up to version 10:
//! `synapse::Axon` serves its dendrites, `synapse::Dendrite` calls its axons, and a subnet's
//! synapses are declared once, as values or as Rust types. See the module's own example.
//!
//! ```
//! use std::sync::Arc;
//!
//! use adit_protocol::{client, server::GrpcServer, v1};
//! use adit_wallet::Keypair;
//! use tonic::{Request, Response, Status};
//!
//! struct Me;
//!
//! #[tonic::async_trait]
//! impl v1::neuron_server::Neuron for Me {
//!     async fn describe(
//!         &self,
//!         request: Request<v1::DescribeRequest>,
//!     ) -> Result<Response<v1::DescribeResponse>, Status> {
//!         let caller = adit_protocol::server::caller(&request)?;
//!         Ok(Response::new(v1::DescribeResponse {
//!             role: format!("asked by {}", caller.hotkey),
//!             ..Default::default()
//!         }))
//!     }
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let (alice, bob) = (Keypair::from_uri("//Alice")?, Keypair::from_uri("//Bob")?);
//! let (alice, bob) = (Arc::new(alice), Arc::new(bob));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let server = GrpcServer::new(bob.clone(), |_: &_| Ok(())).neuron(Me);
//! tokio::spawn(server.serve(listener, std::future::pending()));
//!
//! let channel = client::connect(address, alice.clone(), bob.hotkey(), Default::default()).await?;
//! let answer = channel.neuron().describe(v1::DescribeRequest {}).await?;
//! assert_eq!(answer.into_inner().role, format!("asked by {}", alice.hotkey()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod auth;
mod buffer;
pub mod client;
mod error;
pub mod server;
pub mod session;
pub mod status;
#[cfg(feature = "synapse")]
pub mod synapse;
pub mod vector;

#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated from proto/adit/v1, where the comments are"
)]
#[rustfmt::skip]
#[path = "gen/v1.rs"]
pub mod v1;

pub use error::{Error, Result};

/// The encoded `FileDescriptorSet` of [`v1`], for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/adit.v1.bin");
