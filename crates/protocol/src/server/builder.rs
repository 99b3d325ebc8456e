use std::{convert::Infallible, fmt, future::Future, sync::Arc, time::Duration};

use adit_primitives::Clock;
use adit_wallet::Keypair;
use http::{Request, Response};
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::Server,
};
use tonic_health::ServingStatus;
use tower::Service;

use super::{VerifyLayer, incoming::Incoming};
use crate::{
    Error, FILE_DESCRIPTOR_SET, Result,
    auth::{AuthLimits, Authorise, NonceStore, NonceStoreLimits, RefusalObserver},
    v1::{
        dataset_server::{Dataset, DatasetServer},
        neuron_server::{Neuron, NeuronServer},
        video_miner_server::{VideoMiner, VideoMinerServer},
    },
};

/// Bounds of a [`GrpcServer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrpcServerLimits {
    /// Freshness, size and receiver rules.
    pub auth: AuthLimits,
    /// How many nonces are remembered.
    pub nonces: NonceStoreLimits,
    /// Most requests held at a time, over all connections; more are refused at once.
    pub max_requests_in_flight: usize,
    /// Most connections; more are closed at once.
    pub max_connections: usize,
    /// Most concurrent requests of one connection; a client waits before it sends more.
    pub max_streams_per_connection: u32,
    /// How long a request may take, from its headers to its whole answer.
    pub request_timeout: Duration,
    /// How long requests may finish after the shutdown signal.
    pub drain_timeout: Duration,
}

impl Default for GrpcServerLimits {
    /// 128 requests, 1,024 connections of 128 requests each, 5 minutes a request, 10 s to drain.
    fn default() -> Self {
        Self {
            auth: AuthLimits::default(),
            nonces: NonceStoreLimits::default(),
            max_requests_in_flight: 128,
            max_connections: 1024,
            max_streams_per_connection: 128,
            request_timeout: Duration::from_secs(300),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// A gRPC server whose services are reached by signed calls only, plus health and reflection.
///
/// See the example of the crate.
pub struct GrpcServer {
    verify: VerifyLayer,
    limits: GrpcServerLimits,
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    descriptors: Vec<&'static [u8]>,
}

impl GrpcServer {
    /// A server that answers as the hotkey of `keypair` and asks `authorise` who may call.
    pub fn new(keypair: Arc<Keypair>, authorise: impl Authorise + 'static) -> Self {
        Self {
            verify: VerifyLayer::new(keypair, authorise),
            limits: GrpcServerLimits::default(),
            routes: Routes::builder(),
            names: Vec::new(),
            descriptors: vec![FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET],
        }
    }

    /// Sets the bounds; call it before services are added, which are built with the message size.
    #[must_use]
    pub fn limits(mut self, limits: GrpcServerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Who is told of refusals.
    #[must_use]
    pub fn observer(mut self, observer: impl RefusalObserver + 'static) -> Self {
        self.verify = self.verify.observer(observer);
        self
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.verify = self.verify.clock(clock);
        self
    }

    /// Serves `VideoMiner`.
    #[must_use]
    pub fn video_miner(self, service: impl VideoMiner) -> Self {
        let limit = self.limits.auth.max_message_bytes;
        self.add_service(
            VideoMinerServer::new(service)
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
    }

    /// Serves `Dataset`.
    #[must_use]
    pub fn dataset(self, service: impl Dataset) -> Self {
        let limit = self.limits.auth.max_message_bytes;
        self.add_service(
            DatasetServer::new(service)
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
    }

    /// Serves `Neuron`.
    #[must_use]
    pub fn neuron(self, service: impl Neuron) -> Self {
        let limit = self.limits.auth.max_message_bytes;
        self.add_service(
            NeuronServer::new(service)
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
    }

    /// Serves any generated service, also of another package. Tonic decodes at most 4 MiB unless
    /// the service is told otherwise with `max_decoding_message_size`.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Adds an encoded `FileDescriptorSet` to reflection, for services of another package.
    #[must_use]
    pub fn descriptors(mut self, file_descriptor_set: &'static [u8]) -> Self {
        self.descriptors.push(file_descriptor_set);
        self
    }

    /// Serves until `shutdown` completes, then lets requests finish within the drain timeout.
    /// Health reports `NOT_SERVING` from the signal on.
    ///
    /// # Errors
    /// [`Error::Reflection`] or [`Error::Serve`].
    pub async fn serve<F>(mut self, listener: TcpListener, shutdown: F) -> Result<()>
    where
        F: Future<Output = ()> + Send,
    {
        let limits = self.limits;
        let mut reflection = tonic_reflection::server::Builder::configure();
        for descriptors in &self.descriptors {
            reflection = reflection.register_encoded_file_descriptor_set(descriptors);
        }
        let (health, health_service) = tonic_health::server::health_reporter();
        for name in &self.names {
            reflection = reflection.with_service_name(*name);
            let serving = ServingStatus::Serving;
            health.set_service_status(*name, serving).await;
        }
        let reflection = reflection.with_service_name("grpc.health.v1.Health");
        self.routes
            .add_service(health_service)
            .add_service(reflection.build_v1().map_err(Error::Reflection)?);

        let verify = self
            .verify
            .limits(limits.auth)
            .nonces(Arc::new(NonceStore::new(limits.nonces)))
            .max_requests_in_flight(limits.max_requests_in_flight);
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = std::pin::pin!(
            Server::builder()
                .timeout(limits.request_timeout)
                .max_concurrent_streams(limits.max_streams_per_connection)
                .http2_max_header_list_size(16 << 10)
                .http2_keepalive_interval(Some(Duration::from_secs(30)))
                .http2_keepalive_timeout(Some(Duration::from_secs(10)))
                .layer(verify)
                .serve_with_incoming_shutdown(
                    self.routes.routes().prepare(),
                    Incoming::new(listener, limits.max_connections),
                    async {
                        // A dropped sender means the same as a sent word: stop.
                        let _ = stopped.await;
                    },
                )
        );
        tokio::select! {
            ended = &mut server => return ended.map_err(Error::Serve),
            () = shutdown => {}
        }
        for name in self.names.iter().copied().chain([""]) {
            let status = ServingStatus::NotServing;
            health.set_service_status(name, status).await;
        }
        drop(stop);
        match tokio::time::timeout(limits.drain_timeout, server).await {
            Ok(ended) => ended.map_err(Error::Serve),
            Err(_) => {
                tracing::info!("connections were still open after the drain timeout");
                Ok(())
            }
        }
    }
}

impl fmt::Debug for GrpcServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcServer")
            .field("verify", &self.verify)
            .field("limits", &self.limits)
            .field("services", &self.names)
            .finish_non_exhaustive()
    }
}
