use super::super::{body::SynapseBody, fault::SynapseError, print::float_repr};

/// Why there is no usable answer. [`DendriteFault::status_code`] is the status that a Python
/// dendrite would show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DendriteFault {
    /// The synapse cannot be sent: it does not fit its schema.
    #[error("the synapse cannot be sent: {0}")]
    Unsendable(#[source] SynapseError),
    /// No connection.
    #[error("Service unavailable at {at}")]
    Unavailable {
        /// `ip:port/Name`.
        at: String,
    },
    /// The time is over.
    #[error("Request timeout after {} seconds", float_repr(*.seconds))]
    Timeout {
        /// The timeout.
        seconds: f64,
    },
    /// The server closed the connection instead of answering.
    #[error("Service disconnected: {reason}")]
    Disconnected {
        /// What was seen.
        reason: String,
    },
    /// The body broke off, or is larger than our limit.
    #[error("Payload error: {reason}")]
    Payload {
        /// What was seen.
        reason: String,
    },
    /// What came is no HTTP.
    #[error("Client error: {reason}")]
    Http {
        /// What was seen.
        reason: String,
    },
    /// The answer is no JSON object of the synapse's fields.
    #[error("Failed to parse response: {reason}")]
    Unreadable {
        /// Why not.
        reason: String,
    },
    /// The axon answered with another status than 200, or with none.
    #[error("the axon answered with status {code:?}: {message:?}")]
    Status {
        /// The status.
        code: Option<i64>,
        /// What it is about, as the axon has it.
        message: Option<String>,
    },
    /// The fields of a sound answer do not fit the Rust type.
    #[error("the answer does not fit its Rust type: {0}")]
    Fields(#[source] SynapseError),
}

impl DendriteFault {
    /// The status that a Python dendrite shows for it.
    pub fn status_code(&self) -> Option<i64> {
        match self {
            Self::Unavailable { .. } | Self::Disconnected { .. } => Some(503),
            Self::Timeout { .. } => Some(408),
            Self::Payload { .. } => Some(400),
            Self::Http { .. } => Some(500),
            Self::Unsendable(_) | Self::Unreadable { .. } | Self::Fields(_) => Some(422),
            Self::Status { code, .. } => *code,
        }
    }

    /// Whether asking again later can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self.status_code(), Some(408 | 429 | 503))
    }
}

/// What came of a request.
#[derive(Debug)]
pub struct DendriteAnswer {
    /// The status a Python dendrite would show; `None` when the axon gave none.
    pub status_code: Option<i64>,
    /// What the status is about.
    pub status_message: Option<String>,
    /// The status that the axon gave, in a header or in the body; `None` when it did not answer.
    pub axon_status: Option<i64>,
    /// Seconds that the axon says it took.
    pub axon_process_time: Option<f64>,
    /// The synapse: the answer's fields when it was read, else the asked ones. `dendrite` and
    /// `axon` are always as they were asked.
    pub body: SynapseBody,
    /// Why no answer was read.
    pub fault: Option<DendriteFault>,
}

impl DendriteAnswer {
    pub(super) fn failed(asked: SynapseBody, fault: DendriteFault) -> Self {
        Self {
            status_code: fault.status_code(),
            status_message: Some(fault.to_string()),
            axon_status: None,
            axon_process_time: None,
            body: asked,
            fault: Some(fault),
        }
    }

    /// Whether the axon answered, with status 200.
    pub fn is_success(&self) -> bool {
        self.fault.is_none() && self.status_code == Some(200)
    }

    /// The synapse of a successful answer.
    ///
    /// # Errors
    /// [`DendriteFault`] otherwise.
    pub fn into_success(self) -> Result<SynapseBody, DendriteFault> {
        if self.is_success() {
            return Ok(self.body);
        }
        Err(self.fault.unwrap_or(DendriteFault::Status {
            code: self.status_code,
            message: self.status_message,
        }))
    }
}
