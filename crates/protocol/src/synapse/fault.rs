use super::json::JsonError;

/// Why a synapse cannot be read, hashed or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SynapseError {
    /// The body is no JSON.
    #[error("the body is no JSON")]
    Json(#[from] JsonError),
    /// The body is JSON, but no object.
    #[error("the body is {found}, not an object")]
    NotAnObject {
        /// Python's name of what it is.
        found: &'static str,
    },
    /// A required field is missing.
    #[error("field {field} is missing")]
    MissingField {
        /// The field, and in which field it is nested.
        field: String,
    },
    /// A value cannot become its field's type.
    #[error("field {field}: {found} is no {expected}")]
    FieldType {
        /// The field, and where in it.
        field: String,
        /// The declared type.
        expected: String,
        /// Python's name of the type found.
        found: &'static str,
    },
    /// The schema names a field to hash that it does not declare.
    #[error("field {field} is hashed but not declared")]
    UnknownHashField {
        /// The field.
        field: String,
    },
    /// A set of several values is hashed: Python prints those in an order of its own.
    #[error("field {field} is hashed and holds a set of several values")]
    UnorderedHashField {
        /// The field.
        field: String,
    },
    /// A header of the protocol does not have its type.
    #[error("header {header} is malformed")]
    Header {
        /// The header, or the field of a terminal in a body.
        header: String,
    },
    /// A value of this program cannot be written as, or read from, its synapse's JSON.
    #[error("the synapse does not fit its Rust type: {reason}")]
    Typed {
        /// Why not.
        reason: String,
    },
    /// A tensor's buffer is not one.
    #[error("no tensor: {reason}")]
    Tensor {
        /// Why not.
        reason: &'static str,
    },
}
