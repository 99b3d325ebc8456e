use serde::{Serialize, de::DeserializeOwned};

use super::{
    body::SynapseBody,
    fault::SynapseError,
    json::{read_json, write_json},
    schema::SynapseSchema,
};

/// A synapse as a Rust type: its fields by serde, and the schema both sides agree on.
///
/// ```
/// use adit_protocol::synapse::{FieldType, PyValue, Synapse, SynapseSchema};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Echo {
///     prompt: String,
///     output: Option<String>,
/// }
///
/// impl Synapse for Echo {
///     fn schema() -> SynapseSchema {
///         SynapseSchema::new("Echo")
///             .required("prompt", FieldType::Str)
///             .optional("output", FieldType::optional(FieldType::Str), PyValue::None)
///             .hashes(["prompt"])
///     }
/// }
///
/// let echo = Echo { prompt: "hi".into(), output: None };
/// assert_eq!(Echo::schema().body_hash(&echo.to_body()?)?.len(), 64);
/// # Ok::<(), adit_protocol::synapse::SynapseError>(())
/// ```
pub trait Synapse: Serialize + DeserializeOwned + Send + 'static {
    /// The declaration: name, fields, hashed fields.
    fn schema() -> SynapseSchema;

    /// The value as a synapse's fields, coerced by the schema.
    ///
    /// # Errors
    /// [`SynapseError`] when the type does not fit its schema, or holds a float that JSON lacks.
    fn to_body(&self) -> Result<SynapseBody, SynapseError> {
        let json = serde_json::to_vec(self).map_err(typed)?;
        Self::schema().read(&read_json(&json)?)
    }

    /// The value of a synapse's fields.
    ///
    /// # Errors
    /// [`SynapseError::Typed`] when the type does not take them.
    fn from_body(body: &SynapseBody) -> Result<Self, SynapseError> {
        serde_json::from_str(&write_json(&body.to_object())).map_err(typed)
    }
}

fn typed(error: serde_json::Error) -> SynapseError {
    SynapseError::Typed {
        reason: error.to_string(),
    }
}
