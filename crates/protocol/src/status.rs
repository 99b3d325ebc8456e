//! What a caller is told when something fails, and how it recognises what happened.
//!
//! This is the one place where errors become [`tonic::Status`]. A status says what the caller did
//! or may do about it, and nothing of our insides.

use std::{error::Error as _, sync::Arc};

use http::HeaderValue;
use tonic::{Code, Status, metadata::MetadataMap};

use crate::{
    Error,
    auth::{AnswerRefused, AuthRefusal, HEADER_REFUSAL},
};

/// The status of a refused request: code by [`AuthRefusal::code`], message
/// `<reason>: <explanation>`, and the reason again in the metadata `x-bittensor-refusal`.
pub fn refusal(refusal: &AuthRefusal) -> Status {
    let reason = refusal.reason();
    let mut metadata = MetadataMap::new();
    let mut headers = std::mem::take(&mut metadata).into_headers();
    headers.insert(HEADER_REFUSAL, HeaderValue::from_static(reason));
    Status::with_metadata(
        refusal.code(),
        format!("{reason}: {refusal}"),
        MetadataMap::from_headers(headers),
    )
}

/// The reason of a refusal that came over the wire, for instance `stale`. A server that does not
/// know us did not sign it.
pub fn refusal_reason(status: &Status) -> Option<&str> {
    status
        .metadata()
        .get(HEADER_REFUSAL.as_str())?
        .to_str()
        .ok()
}

/// The status a client's call ends with when the answer is not believed.
pub(crate) fn of_answer_refused(refused: AnswerRefused) -> Status {
    let code = match refused {
        AnswerRefused::TooLarge { .. } => Code::ResourceExhausted,
        _ => Code::Unauthenticated,
    };
    let mut status = Status::new(code, format!("{}: {refused}", refused.reason()));
    status.set_source(Arc::new(refused));
    status
}

/// Why the answer was refused, when that is what the status stands for.
///
/// ```
/// use adit_protocol::status::answer_refused;
/// use tonic::Status;
///
/// assert!(answer_refused(&Status::unauthenticated("said the server")).is_none());
/// ```
pub fn answer_refused(status: &Status) -> Option<&AnswerRefused> {
    status.source()?.downcast_ref()
}

/// Marks an error status that the hotkey that was asked did not sign: it may be from anyone on the
/// way, so nothing should be concluded from it about that hotkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the status is not signed by the hotkey that was asked")]
pub struct UnsignedStatus;

/// Whether an error status came over the wire without the signature of the hotkey that was asked,
/// as refusals of strangers do.
pub fn is_unsigned(status: &Status) -> bool {
    status
        .source()
        .is_some_and(|source| source.is::<UnsignedStatus>())
}

/// What a caller is told of an error of this crate.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::VectorEncoding { .. }
            | Error::VectorSpace { .. }
            | Error::VectorDimension { .. }
            | Error::VectorLength { .. }
            | Error::VectorNotFinite { .. }
            | Error::VectorZero
            | Error::Vector(_) => Self::invalid_argument(error.to_string()),
            Error::Endpoint { .. }
            | Error::Connect { .. }
            | Error::Serve(_)
            | Error::Listen(_)
            | Error::Reflection(_) => {
                tracing::warn!(%error, "hidden from a caller");
                Self::internal("internal error")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_reason_twice() {
        let status = refusal(&AuthRefusal::Replayed);
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.message(), "replayed: the nonce was used before");
        assert_eq!(refusal_reason(&status), Some("replayed"));
    }

    #[test]
    fn inner_faults_are_not_told() {
        let inner = Error::Listen(std::io::Error::other("secret path"));
        let status = Status::from(inner);
        assert_eq!(
            (status.code(), status.message()),
            (Code::Internal, "internal error")
        );
        let outer = Status::from(Error::VectorZero);
        assert_eq!(outer.code(), Code::InvalidArgument);
    }

    #[test]
    fn a_refused_answer_is_recognised_and_others_are_not() {
        let status = of_answer_refused(AnswerRefused::Unsigned);
        assert_eq!(answer_refused(&status), Some(&AnswerRefused::Unsigned));
        assert!(!is_unsigned(&status));
        assert!(answer_refused(&refusal(&AuthRefusal::Replayed)).is_none());
    }
}
