//! Serving signed calls: [`VerifyLayer`] for any tonic server, [`GrpcServer`] for a whole one.

mod builder;
mod incoming;
mod verify;

pub use builder::{GrpcServer, GrpcServerLimits};
pub(crate) use verify::grpc_status;
pub use verify::{VerifyLayer, VerifyService};

use tonic::{Request, Status};

use crate::auth::VerifiedCaller;

/// Who sent a request that came through a [`VerifyLayer`].
///
/// # Errors
/// `INTERNAL` when the service is not behind that layer: a fault of the program, never of a caller.
pub fn caller<T>(request: &Request<T>) -> Result<VerifiedCaller, Status> {
    request
        .extensions()
        .get::<VerifiedCaller>()
        .copied()
        .ok_or_else(|| {
            tracing::error!("a service is reached without verification");
            Status::internal("internal error")
        })
}
