use adit_embedding::Space;

/// What can go wrong between a message and the types it stands for, or between two neurons.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A vector does not say how it is packed, or says something unknown.
    #[error("{found} is no encoding of a vector")]
    VectorEncoding {
        /// The number on the wire.
        found: i32,
    },
    /// A vector lies in another space than the one asked for.
    #[error("expected a vector in space {expected}, found {found:?}")]
    VectorSpace {
        /// The space asked for.
        expected: Space,
        /// The text on the wire, cut at 80 characters.
        found: String,
    },
    /// A vector's stated dimension is not its space's.
    #[error("space {expected} does not have {found} dimensions")]
    VectorDimension {
        /// The space.
        expected: Space,
        /// The dimension on the wire.
        found: u32,
    },
    /// A vector's bytes do not fit its dimension and encoding.
    #[error("expected {expected} bytes of vector, found {found}")]
    VectorLength {
        /// Dimension times bytes of a component.
        expected: usize,
        /// Bytes on the wire.
        found: usize,
    },
    /// A component is NaN or infinite.
    #[error("component {index} of the vector is not finite")]
    VectorNotFinite {
        /// The first such component.
        index: usize,
    },
    /// The vector has no direction.
    #[error("the vector has length zero")]
    VectorZero,
    /// The vector is refused for another reason.
    #[error("no embedding")]
    Vector(#[source] adit_embedding::Error),
    /// An address cannot be called.
    #[error("{uri:?} is no address of a gRPC server")]
    Endpoint {
        /// The address.
        uri: String,
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
    /// The connection could not be made.
    #[error("cannot connect to {uri}")]
    Connect {
        /// The address.
        uri: String,
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
    /// The server stopped with an error.
    #[error("the gRPC server failed")]
    Serve(#[source] tonic::transport::Error),
    /// The listening socket has no address.
    #[error("the listening socket failed")]
    Listen(#[source] std::io::Error),
    /// The descriptors of the served messages do not decode.
    #[error("reflection cannot be served")]
    Reflection(#[source] tonic_reflection::server::Error),
}

impl Error {
    /// Whether trying again later can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Connect { .. })
    }
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
