use adit_primitives::{AccountId, Block, BlockHash, Coldkey, Hotkey, MechId, NetUid, Rao, Uid};
use subxt::ext::scale_value::{Composite, Primitive, Value, ValueDef};

/// A value as the chain's metadata describes it: an argument of a [`ChainCall`](super::ChainCall)
/// or a field of a [`ChainEvent`].
///
/// Numbers have no width here; the metadata knows it, and encoding refuses what does not fit.
/// Newtypes are transparent both ways: a bare number stands for `NetUid(u16)` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainValue {
    /// True or false.
    Bool(bool),
    /// A number that is not negative.
    Unsigned(u128),
    /// A number of a signed type.
    Signed(i128),
    /// Bytes: a key, a hash, a `Vec<u8>`. Decoding gives these as a list; see [`Self::bytes`].
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// Values without names: a sequence, an array, a tuple.
    List(Vec<Self>),
    /// Values with names, in order.
    Record(Vec<(String, Self)>),
    /// One case of an enum, with a [`Self::List`] or a [`Self::Record`] of its fields.
    Variant(String, Box<Self>),
}

impl ChainValue {
    /// A case of an enum without names for its fields; `None` and `Some(value)` are such cases.
    pub fn variant(name: impl Into<String>, fields: impl IntoIterator<Item = Self>) -> Self {
        let fields = fields.into_iter().collect();
        Self::Variant(name.into(), Box::new(Self::List(fields)))
    }

    /// An `Option`.
    pub fn option(value: Option<Self>) -> Self {
        match value {
            Some(value) => Self::variant("Some", [value]),
            None => Self::variant("None", []),
        }
    }

    /// An address, as transfers take it.
    pub fn address(account: AccountId) -> Self {
        Self::variant("Id", [account.into()])
    }

    /// A list of anything that is a value.
    pub fn list<T: Into<Self>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }

    /// The field of this name, of a record or of a variant with named fields.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(fields) => {
                let found = fields.iter().find(|(found, _)| found == name);
                found.map(|(_, value)| value)
            }
            Self::Variant(_, fields) => fields.field(name),
            _ => None,
        }
    }

    /// The value at a place, of a list, a record or the fields of a variant.
    pub fn item(&self, place: usize) -> Option<&Self> {
        match self {
            Self::List(values) => values.get(place),
            Self::Record(fields) => fields.get(place).map(|(_, value)| value),
            Self::Variant(_, fields) => fields.item(place),
            _ => None,
        }
    }

    /// How many values a list, a record or a variant's fields hold; 0 for everything else.
    pub fn len(&self) -> usize {
        match self {
            Self::List(values) => values.len(),
            Self::Record(fields) => fields.len(),
            Self::Variant(_, fields) => fields.len(),
            _ => 0,
        }
    }

    /// Whether [`Self::len`] is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of an enum's case and its fields.
    pub fn case(&self) -> Option<(&str, &Self)> {
        match self {
            Self::Variant(name, fields) => Some((name, fields)),
            _ => None,
        }
    }

    /// A number that is not negative, possibly inside of newtypes.
    pub fn number(&self) -> Option<u128> {
        match self.inner() {
            Self::Unsigned(number) => Some(*number),
            Self::Signed(number) => u128::try_from(*number).ok(),
            _ => None,
        }
    }

    /// True or false, possibly inside of newtypes.
    pub fn flag(&self) -> Option<bool> {
        match self.inner() {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Bytes, possibly inside of newtypes. A list of numbers below 256 counts as bytes.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::List(values) => {
                if let [Self::List(_) | Self::Bytes(_)] = values.as_slice() {
                    return values.first()?.bytes();
                }
                let bytes = values.iter().map(|value| match value {
                    Self::Unsigned(number) => u8::try_from(*number).ok(),
                    _ => None,
                });
                bytes.collect()
            }
            Self::Record(fields) => match fields.as_slice() {
                [(_, value)] => value.bytes(),
                _ => None,
            },
            _ => None,
        }
    }

    /// An account: 32 bytes, possibly inside of newtypes.
    pub fn account(&self) -> Option<AccountId> {
        let bytes = <[u8; 32]>::try_from(self.bytes()?).ok()?;
        Some(AccountId::new(bytes))
    }

    /// Without the newtypes around it.
    fn inner(&self) -> &Self {
        match self {
            Self::List(values) => match values.as_slice() {
                [value] => value.inner(),
                _ => self,
            },
            Self::Record(fields) => match fields.as_slice() {
                [(_, value)] => value.inner(),
                _ => self,
            },
            _ => self,
        }
    }

    pub(super) fn to_scale(&self) -> Value {
        match self {
            Self::Bool(flag) => Value::bool(*flag),
            Self::Unsigned(number) => Value::u128(*number),
            Self::Signed(number) => Value::i128(*number),
            Self::Bytes(bytes) => Value::from_bytes(bytes),
            Self::Text(text) => Value::string(text.as_str()),
            Self::List(values) => Value::unnamed_composite(values.iter().map(Self::to_scale)),
            Self::Record(fields) => Value::without_context(ValueDef::Composite(record(fields))),
            Self::Variant(name, fields) => Value::variant(name.as_str(), fields.to_fields()),
        }
    }

    fn to_fields(&self) -> Composite<()> {
        match self {
            Self::Record(fields) => record(fields),
            Self::List(values) => Composite::unnamed(values.iter().map(Self::to_scale)),
            value => Composite::unnamed([value.to_scale()]),
        }
    }

    pub(super) fn from_scale<T>(value: Value<T>) -> Self {
        match value.value {
            ValueDef::Composite(fields) => Self::from_fields(fields),
            ValueDef::Variant(variant) => {
                Self::Variant(variant.name, Box::new(Self::from_fields(variant.values)))
            }
            ValueDef::BitSequence(bits) => Self::List(bits.iter().map(Self::Bool).collect()),
            ValueDef::Primitive(primitive) => match primitive {
                Primitive::Bool(flag) => Self::Bool(flag),
                Primitive::Char(letter) => Self::Text(letter.to_string()),
                Primitive::String(text) => Self::Text(text),
                Primitive::U128(number) => Self::Unsigned(number),
                Primitive::I128(number) => Self::Signed(number),
                Primitive::U256(bytes) | Primitive::I256(bytes) => Self::Bytes(bytes.to_vec()),
            },
        }
    }

    pub(super) fn from_fields<T>(fields: Composite<T>) -> Self {
        match fields {
            Composite::Named(fields) => Self::Record(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, Self::from_scale(value)))
                    .collect(),
            ),
            Composite::Unnamed(values) => {
                Self::List(values.into_iter().map(Self::from_scale).collect())
            }
        }
    }
}

fn record(fields: &[(String, ChainValue)]) -> Composite<()> {
    let fields = fields.iter();
    Composite::named(fields.map(|(name, value)| (name.as_str(), value.to_scale())))
}

macro_rules! unsigned {
    ($($number:ty),*) => {$(
        impl From<$number> for ChainValue {
            fn from(number: $number) -> Self {
                Self::Unsigned(number.into())
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64, u128);

macro_rules! newtype {
    ($($outer:ty),*) => {$(
        impl From<$outer> for ChainValue {
            fn from(outer: $outer) -> Self {
                outer.0.into()
            }
        }
    )*};
}
newtype!(Block, BlockHash, Coldkey, Hotkey, MechId, NetUid, Rao, Uid);

impl From<bool> for ChainValue {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<AccountId> for ChainValue {
    fn from(account: AccountId) -> Self {
        Self::Bytes(account.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for ChainValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for ChainValue {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

/// Something that happened on chain, with names from the metadata of the runtime that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainEvent {
    /// The pallet.
    pub pallet: String,
    /// The event.
    pub name: String,
    /// Its fields: a [`ChainValue::Record`] where they have names, else a [`ChainValue::List`].
    pub fields: ChainValue,
}

impl ChainEvent {
    /// Whether it is this event of this pallet.
    pub fn is(&self, pallet: &str, name: &str) -> bool {
        self.pallet == pallet && self.name == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newtypes_are_transparent() {
        let number = ChainValue::List(vec![ChainValue::Record(vec![(
            "0".to_owned(),
            7_u8.into(),
        )])]);
        assert_eq!(number.number(), Some(7));
        let account = AccountId::new([9; 32]);
        let numbers = ChainValue::list(account.as_bytes().iter().copied());
        assert_eq!(ChainValue::List(vec![numbers]).account(), Some(account));
        assert_eq!(ChainValue::list([300_u16]).bytes(), None);
        assert_eq!(ChainValue::option(None).case().unwrap().0, "None");
        assert_eq!(ChainValue::List(vec![]).number(), None);
    }

    #[test]
    fn values_survive_the_way_to_subxt_and_back() {
        let value = ChainValue::Record(vec![
            ("flag".to_owned(), true.into()),
            ("some".to_owned(), ChainValue::option(Some(5_u64.into()))),
            ("list".to_owned(), ChainValue::list([1_u16, 2])),
            ("text".to_owned(), ChainValue::Text("x".to_owned())),
            ("less".to_owned(), ChainValue::Signed(-3)),
        ]);
        assert_eq!(ChainValue::from_scale(value.to_scale()), value);
        let bytes = ChainValue::from(vec![1_u8, 2]);
        assert_eq!(
            ChainValue::from_scale(bytes.to_scale()).bytes(),
            Some(vec![1, 2])
        );
    }
}
