use std::fmt;

use super::{fault::SynapseError, value::PyValue};

/// The declared type of a field, as Pydantic knows it.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldType {
    /// `Any`: what the JSON gives.
    Any,
    /// `str`.
    Str,
    /// `int`, of any size.
    Int,
    /// `float`.
    Float,
    /// `bool`.
    Bool,
    /// `bytes`, the UTF-8 bytes of a text.
    Bytes,
    /// `List[…]`.
    List(Box<FieldType>),
    /// `Set[…]`.
    Set(Box<FieldType>),
    /// `Tuple[…, …]` of a fixed length.
    Tuple(Vec<FieldType>),
    /// `Tuple[…, ...]` of any length.
    TupleOf(Box<FieldType>),
    /// `Dict[…, …]`.
    Dict(Box<FieldType>, Box<FieldType>),
    /// `Optional[…]`: `None` or a value.
    Optional(Box<FieldType>),
    /// `Union[…]`: the member that fits the value without change, else the first that takes it.
    Union(Vec<FieldType>),
    /// A nested `BaseModel`; becomes a dict with its defaults filled in.
    Model(Vec<Field>),
}

impl FieldType {
    /// `List[of]`.
    pub fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    /// `Dict[str, of]`.
    pub fn dict(of: Self) -> Self {
        Self::Dict(Box::new(Self::Str), Box::new(of))
    }

    /// `Optional[of]`.
    pub fn optional(of: Self) -> Self {
        Self::Optional(Box::new(of))
    }

    /// `bittensor.Tensor`: see [`super::Tensor`].
    pub fn tensor() -> Self {
        Self::Model(vec![
            Field::optional("buffer", Self::optional(Self::Str), ""),
            Field::optional("dtype", Self::optional(Self::Str), ""),
            Field::optional(
                "shape",
                Self::optional(Self::list(Self::Int)),
                PyValue::List(Vec::new()),
            ),
        ])
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |of: &[Self]| {
            of.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Self::Any => f.write_str("Any"),
            Self::Str => f.write_str("str"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Bool => f.write_str("bool"),
            Self::Bytes => f.write_str("bytes"),
            Self::List(of) => write!(f, "List[{of}]"),
            Self::Set(of) => write!(f, "Set[{of}]"),
            Self::Tuple(of) => write!(f, "Tuple[{}]", joined(of)),
            Self::TupleOf(of) => write!(f, "Tuple[{of}, ...]"),
            Self::Dict(key, value) => write!(f, "Dict[{key}, {value}]"),
            Self::Optional(of) => write!(f, "Optional[{of}]"),
            Self::Union(of) => write!(f, "Union[{}]", joined(of)),
            Self::Model(_) => f.write_str("model"),
        }
    }
}

/// One declared field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// What it is when a body leaves it out; `None` means that it may not.
    pub default: Option<PyValue>,
}

impl Field {
    /// A field without a default.
    pub fn required(name: impl Into<String>, kind: FieldType) -> Self {
        Self {
            name: name.into(),
            kind,
            default: None,
        }
    }

    /// A field with a default, which Pydantic does not check against the type.
    pub fn optional(name: impl Into<String>, kind: FieldType, default: impl Into<PyValue>) -> Self {
        Self {
            name: name.into(),
            kind,
            default: Some(default.into()),
        }
    }
}

/// What two neurons must agree on to exchange a synapse: its name (that of the Python class, and
/// of the path), its fields, and which of them the body hash covers.
///
/// ```
/// use adit_protocol::synapse::{FieldType, SynapseSchema, read_json};
///
/// let echo = SynapseSchema::new("Echo")
///     .required("prompt", FieldType::Str)
///     .optional("n", FieldType::Int, 1_i64)
///     .hashes(["prompt", "n"]);
/// let body = echo.read(&read_json(br#"{"prompt": "hi", "n": "2"}"#)?)?;
/// assert_eq!(body.field("n").and_then(|n| n.as_i64()), Some(2));
/// assert_eq!(echo.body_hash(&body)?.len(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SynapseSchema {
    name: String,
    fields: Vec<Field>,
    hashed: Vec<String>,
    streaming: bool,
}

impl SynapseSchema {
    /// A synapse without fields of its own; `name` is the Python class's.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            fields: Vec::new(),
            hashed: Vec::new(),
            streaming: false,
        }
    }

    /// Adds a field without a default.
    #[must_use]
    pub fn required(self, name: impl Into<String>, kind: FieldType) -> Self {
        self.with(Field::required(name, kind))
    }

    /// Adds a field with a default.
    #[must_use]
    pub fn optional(
        self,
        name: impl Into<String>,
        kind: FieldType,
        default: impl Into<PyValue>,
    ) -> Self {
        self.with(Field::optional(name, kind, default))
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Names the fields of `required_hash_fields`, in its order. The base fields `name` and
    /// `timeout` may be among them.
    #[must_use]
    pub fn hashes<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.hashed = names.into_iter().map(Into::into).collect();
        self
    }

    /// Says that the answer is a stream of raw chunks (`StreamingSynapse`).
    #[must_use]
    pub fn streams(mut self) -> Self {
        self.streaming = true;
        self
    }

    /// Name of the class and of the path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The declared fields, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The names of the hashed fields, in order.
    pub fn hashed(&self) -> &[String] {
        &self.hashed
    }

    /// Whether the answer is a stream.
    pub fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// The declared field of this name.
    pub fn declared(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Reads the declared fields of an object, coercing each as Pydantic does and leaving out what
    /// is not declared.
    ///
    /// # Errors
    /// [`SynapseError::MissingField`], [`SynapseError::FieldType`], [`SynapseError::NotAnObject`].
    pub(super) fn read_fields(
        &self,
        body: &PyValue,
    ) -> Result<Vec<(String, PyValue)>, SynapseError> {
        super::coerce::read_model(&self.fields, body, "")
    }
}
