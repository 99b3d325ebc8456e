use std::borrow::Cow;

use subxt::ext::scale_value::Composite;

use super::value::ChainValue;

/// A call by name with arguments by name, as the runtime's metadata has them.
///
/// Nothing is checked until it meets a runtime: then a pallet, a call or an argument that the
/// runtime does not have, and an argument left out, are errors that name it.
///
/// ```
/// use adit_chain::client::ChainCall;
/// use adit_primitives::NetUid;
///
/// let call = ChainCall::new("SubtensorModule.start_call", [("netuid", NetUid(9).into())]);
/// assert_eq!(call.name(), "SubtensorModule.start_call");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ChainCall {
    name: Cow<'static, str>,
    arguments: Composite<()>,
}

impl ChainCall {
    /// A call `Pallet.call` with its arguments.
    pub fn new<K: Into<String>>(
        name: impl Into<Cow<'static, str>>,
        arguments: impl IntoIterator<Item = (K, ChainValue)>,
    ) -> Self {
        let arguments = arguments.into_iter();
        Self {
            name: name.into(),
            arguments: Composite::named(
                arguments.map(|(name, value)| (name.into(), value.to_scale())),
            ),
        }
    }

    pub(super) fn decoded(pallet: &str, call: &str, arguments: Composite<()>) -> Self {
        Self {
            name: format!("{pallet}.{call}").into(),
            arguments,
        }
    }

    /// Pallet and call, with a dot between.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn label(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    /// Pallet and call apart.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.name.split_once('.').unwrap_or((&self.name, ""))
    }

    pub(super) fn arguments(&self) -> &Composite<()> {
        &self.arguments
    }

    /// As an argument of another call: a batch, a proxy, sudo.
    pub fn as_argument(&self) -> ChainValue {
        let (pallet, call) = self.parts();
        let fields = ChainValue::from_fields(self.arguments.clone());
        let call = ChainValue::Variant(call.to_owned(), Box::new(fields));
        ChainValue::variant(pallet, [call])
    }
}

impl From<&Self> for ChainCall {
    fn from(call: &Self) -> Self {
        call.clone()
    }
}

/// Whether values lie under names, and which.
pub(super) fn names(arguments: &Composite<()>) -> Option<Vec<&str>> {
    match arguments {
        Composite::Named(fields) => Some(fields.iter().map(|(name, _)| name.as_str()).collect()),
        Composite::Unnamed(values) if values.is_empty() => Some(Vec::new()),
        Composite::Unnamed(_) => None,
    }
}
