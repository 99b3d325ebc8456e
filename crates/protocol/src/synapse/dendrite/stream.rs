use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{super::terminal::TerminalInfo, DendriteFault, exchange::Driver};

/// An answer that comes in chunks. The chunks are raw: where one ends means nothing, and what they
/// say is between the two neurons.
#[derive(Debug)]
pub struct DendriteStream {
    body: Incoming,
    left: usize,
    most: usize,
    deadline: Instant,
    timeout: Duration,
    axon: TerminalInfo,
    _driver: Driver,
}

impl DendriteStream {
    pub(super) fn new(
        body: Incoming,
        driver: Driver,
        most: usize,
        deadline: Instant,
        timeout: Duration,
        axon: TerminalInfo,
    ) -> Self {
        Self {
            body,
            left: most,
            most,
            deadline,
            timeout,
            axon,
            _driver: driver,
        }
    }

    /// What the axon says of itself: its status, for instance.
    pub fn axon(&self) -> &TerminalInfo {
        &self.axon
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// [`DendriteFault::Payload`] when the stream breaks off or is larger than the limit,
    /// [`DendriteFault::Timeout`] when the exchange's time is over. Nothing comes after an error.
    pub async fn next(&mut self) -> Option<Result<Bytes, DendriteFault>> {
        loop {
            let frame = match tokio::time::timeout_at(self.deadline, self.body.frame()).await {
                Ok(frame) => frame?,
                Err(_) => {
                    return Some(Err(DendriteFault::Timeout {
                        seconds: self.timeout.as_secs_f64(),
                    }));
                }
            };
            let payload = |reason| Some(Err(DendriteFault::Payload { reason }));
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(chunk)) => match self.left.checked_sub(chunk.len()) {
                    Some(left) => {
                        self.left = left;
                        return Some(Ok(chunk));
                    }
                    None => return payload(format!("more than {} bytes", self.most)),
                },
                // Trailers say nothing to us.
                Ok(Err(_)) => {}
                Err(error) => return payload(error.to_string()),
            }
        }
    }
}
