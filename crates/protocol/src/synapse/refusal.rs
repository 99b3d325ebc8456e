use super::{
    fault::SynapseError, json::JsonError, print::py_repr, value::PyValue, verify::DendriteRefusal,
};

/// Why an axon answered a request with an error; the message is what the caller is told.
///
/// Faults of the request's form that Python answers with status 500, it answers with a random
/// number only; so do we, and log the cause beside that number.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynapseRefusal {
    /// No synapse has the path's name.
    #[error("Synapse name '{name}' not found. Available synapses {}", listed(.known))]
    UnknownSynapse {
        /// The path's first part.
        name: String,
        /// What is served.
        known: Vec<String>,
    },
    /// The path goes on after the name.
    #[error("Not Found")]
    PathGoesOn,
    /// Neither GET nor POST.
    #[error("Method Not Allowed")]
    Method,
    /// The caller is on the blacklist.
    #[error("Forbidden. Key is blacklisted: {reason}.")]
    Blacklisted {
        /// Why.
        reason: String,
    },
    /// The caller's headers are not believed.
    #[error("Not Verified with error: {0}")]
    NotVerified(#[from] DendriteRefusal),
    /// The request waited too long for its turn, or was worked on for too long.
    #[error("Response timeout after: {seconds}s")]
    Timeout {
        /// The caller's timeout, within our limit.
        seconds: f64,
    },
    /// Too many requests wait.
    #[error("The axon is busy")]
    Busy,
    /// The body exceeds the limit.
    #[error("The body exceeds {limit} bytes")]
    TooLarge {
        /// Most bytes accepted.
        limit: usize,
    },
    /// The body is no JSON.
    #[error("JSON decode error: {0}")]
    Json(JsonError),
    /// The body did not come whole in time.
    #[error("The body could not be read")]
    Unreadable,
    /// The body is empty.
    #[error("the body is empty")]
    Empty,
    /// The body does not say that it is JSON.
    #[error("the content type is not application/json")]
    ContentType,
    /// Headers or fields do not have their types.
    #[error("{0}")]
    Malformed(SynapseError),
    /// The body is not the one that was signed.
    #[error("the body hash is {found}, the signed one {signed}")]
    HashMismatch {
        /// Of the body.
        found: String,
        /// Of the header.
        signed: String,
    },
    /// The service failed.
    #[error("the service failed: {0}")]
    Forward(Box<dyn std::error::Error + Send + Sync>),
}

impl SynapseRefusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownSynapse { .. } | Self::PathGoesOn => 404,
            Self::Method => 405,
            Self::Blacklisted { .. } => 403,
            Self::NotVerified(_) => 401,
            Self::Timeout { .. } | Self::Unreadable => 408,
            Self::Busy => 503,
            Self::TooLarge { .. } => 413,
            Self::Json(_) => 422,
            Self::Empty
            | Self::ContentType
            | Self::Malformed(_)
            | Self::HashMismatch { .. }
            | Self::Forward(_) => 500,
        }
    }

    /// One stable word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownSynapse { .. } => "unknown_synapse",
            Self::PathGoesOn => "not_found",
            Self::Method => "method",
            Self::Blacklisted { .. } => "blacklisted",
            Self::NotVerified(_) => "not_verified",
            Self::Timeout { .. } => "timeout",
            Self::Busy => "busy",
            Self::TooLarge { .. } => "too_large",
            Self::Json(_) => "no_json",
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
            Self::ContentType => "content_type",
            Self::Malformed(_) => "malformed",
            Self::HashMismatch { .. } => "hash_mismatch",
            Self::Forward(_) => "failed",
        }
    }
}

/// A list of names as Python prints it.
fn listed(names: &[String]) -> String {
    let names = names.iter().map(|name| PyValue::Str(name.clone()));
    py_repr(&PyValue::List(names.collect()))
}
