//! Axon and dendrite: the HTTP protocol of the Python SDK up to version 10, spoken both ways.
//!
//! A synapse is a named object with typed fields. A team declares it once, as a
//! [`SynapseSchema`]; from that come the path, the headers, the coercion of a body and the body
//! hash, which covers Python's printed form of the values ([`py_str`]).
//!
//! New Rust services speak [`crate::auth`]'s `btauth/1`: here only four header fields and the body
//! hash are signed, and answers are not signed at all.

mod axon;
mod body;
mod coerce;
mod dendrite;
mod fault;
mod head;
mod json;
mod msgpack;
mod print;
mod refusal;
mod schema;
mod signing;
mod tensor;
mod terminal;
mod typed;
mod value;
mod verify;

pub use axon::{Axon, AxonLimits, ForwardError, SynapseCall, SynapseReply};
pub use body::{DEFAULT_TIMEOUT, SynapseBody, text_hash};
pub use dendrite::{
    Dendrite, DendriteAnswer, DendriteFault, DendriteOptions, DendriteStream, DendriteTarget,
};
pub use fault::SynapseError;
pub use head::{SynapseHead, encoded, zero_of};
pub use json::{JsonError, read_json, write_json};
pub use print::{py_repr, py_str};
pub use refusal::SynapseRefusal;
pub use schema::{Field, FieldType, SynapseSchema};
pub use signing::{
    ALLOWED_DELTA_NANOS, FIRST_TIMED_VERSION, SPOKEN_VERSION, allowed_nonce_window, int_to_ip,
    ip_to_int, signed_message, version_as_int,
};
pub use tensor::{NumericArray, NumericType, Tensor};
pub use terminal::TerminalInfo;
pub use typed::Synapse;
pub use value::{PyInt, PyValue};
pub use verify::{DendriteLimits, DendriteRefusal, DendriteVerifier, VerifiedDendrite};

use signing::random_uuid;
