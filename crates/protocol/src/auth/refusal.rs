use std::borrow::Cow;

use adit_primitives::Hotkey;
use tonic::Code;

/// Why a request was refused before it reached a service.
///
/// [`AuthRefusal::reason`] is one stable word for logs and metrics. Messages never repeat what the
/// caller sent beyond header names, so they are safe to return to anyone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthRefusal {
    /// A header of `btauth/1` is missing.
    #[error("missing {header}")]
    Missing {
        /// The header.
        header: &'static str,
    },
    /// A header of `btauth/1` does not have its canonical form.
    #[error("malformed {header}: {problem}")]
    Malformed {
        /// The header.
        header: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The request is not bound to a receiver, and this server wants it to be.
    #[error("the request must name its receiver")]
    Unbound,
    /// The request was signed for another hotkey.
    #[error("the request was signed for another receiver")]
    WrongReceiver,
    /// The nonce is too old.
    #[error("the request is older than {max_age_millis} ms")]
    Stale {
        /// Greatest age that is accepted, in milliseconds.
        max_age_millis: u64,
    },
    /// The nonce lies too far ahead.
    #[error("the request is from more than {skew_millis} ms in the future")]
    FromTheFuture {
        /// Greatest lead that is accepted, in milliseconds.
        skew_millis: u64,
    },
    /// The signature does not fit hotkey, method, target, body, nonce and receiver.
    #[error("the signature does not verify")]
    BadSignature,
    /// The nonce was used before by this hotkey.
    #[error("the nonce was used before")]
    Replayed,
    /// Too many nonces are remembered to take another one safely.
    #[error("too many recent requests")]
    NonceStoreFull,
    /// The caller is who it says, but may not call.
    #[error("not authorised: {0}")]
    NotAuthorised(Cow<'static, str>),
    /// The request's body exceeds the limit.
    #[error("the message exceeds {limit} bytes")]
    TooLarge {
        /// Greatest body accepted, in bytes.
        limit: usize,
    },
    /// The request's body ended in an error.
    #[error("the request body could not be read")]
    Unreadable,
    /// The server is at its limit of concurrent requests.
    #[error("the server is busy")]
    Overloaded,
}

impl AuthRefusal {
    /// The caller may not call, with the reason it is told.
    pub fn not_authorised(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::NotAuthorised(reason.into())
    }

    /// One stable word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "unsigned",
            Self::Malformed { .. } => "malformed",
            Self::Unbound => "unbound",
            Self::WrongReceiver => "wrong_receiver",
            Self::Stale { .. } => "stale",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::BadSignature => "bad_signature",
            Self::Replayed => "replayed",
            Self::NonceStoreFull => "nonce_store_full",
            Self::NotAuthorised(_) => "not_authorised",
            Self::TooLarge { .. } => "too_large",
            Self::Unreadable => "unreadable",
            Self::Overloaded => "overloaded",
        }
    }

    /// The gRPC status code the caller sees.
    pub fn code(&self) -> Code {
        match self {
            Self::Missing { .. }
            | Self::Malformed { .. }
            | Self::Unbound
            | Self::WrongReceiver
            | Self::Stale { .. }
            | Self::FromTheFuture { .. }
            | Self::BadSignature
            | Self::Replayed => Code::Unauthenticated,
            Self::NotAuthorised(_) => Code::PermissionDenied,
            Self::NonceStoreFull | Self::TooLarge { .. } | Self::Overloaded => {
                Code::ResourceExhausted
            }
            Self::Unreadable => Code::Cancelled,
        }
    }
}

/// Told of every refusal; the seam for metrics. Implemented by every
/// `Fn(&AuthRefusal, Option<&Hotkey>, &str)`.
pub trait RefusalObserver: Send + Sync {
    /// A request to `path` was refused; `claimed` is the hotkey it named, verified or not.
    fn refused(&self, refusal: &AuthRefusal, claimed: Option<&Hotkey>, path: &str);
}

impl<F: Fn(&AuthRefusal, Option<&Hotkey>, &str) + Send + Sync> RefusalObserver for F {
    fn refused(&self, refusal: &AuthRefusal, claimed: Option<&Hotkey>, path: &str) {
        self(refusal, claimed, path);
    }
}

/// Decides who may call, once the signature has been verified. Implemented by every
/// `Fn(&Hotkey) -> Result<(), AuthRefusal>`; called for each request, so it must be quick.
pub trait Authorise: Send + Sync {
    /// Lets the caller in or names the refusal, usually [`AuthRefusal::not_authorised`].
    ///
    /// # Errors
    /// The refusal the caller is told.
    fn authorise(&self, caller: &Hotkey) -> Result<(), AuthRefusal>;
}

impl<F: Fn(&Hotkey) -> Result<(), AuthRefusal> + Send + Sync> Authorise for F {
    fn authorise(&self, caller: &Hotkey) -> Result<(), AuthRefusal> {
        self(caller)
    }
}
