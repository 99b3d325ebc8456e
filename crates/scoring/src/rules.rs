//! How policies declare their constants, and how numbers are held to their range.

use crate::{Error, Result};

/// The number, if it lies between the bounds; NaN never does.
///
/// # Errors
/// [`Error::Constant`].
pub(crate) fn within(name: &'static str, value: f64, least: f64, most: f64) -> Result<f64> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Error::Constant {
        name,
        value,
        least,
        most,
    })
}

/// Checks `(name, value, least, most)` of constants, the first first.
///
/// # Errors
/// [`Error::Constant`].
pub(crate) fn all_within(
    constants: impl IntoIterator<Item = (&'static str, f64, f64, f64)>,
) -> Result<()> {
    constants
        .into_iter()
        .try_for_each(|(name, value, least, most)| within(name, value, least, most).map(drop))
}

/// Declares a set of constants once: the struct, its defaults, its range check and its printed form.
macro_rules! rules {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( $(#[$field_doc:meta])* $field:ident: $kind:ty = $value:expr, in $least:expr, $most:expr; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: $kind, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $value, )* }
            }
        }

        impl $name {
            pub(crate) fn validate(&self) -> $crate::Result<()> {
                $(
                    // A NaN lies in no range.
                    if !($least..=$most).contains(&self.$field) {
                        return Err($crate::Error::Constant {
                            name: stringify!($field),
                            value: self.$field as f64,
                            least: $least as f64,
                            most: $most as f64,
                        });
                    }
                )*
                Ok(())
            }

            pub(crate) fn fmt_constants(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $( write!(f, " {}={}", stringify!($field), self.$field)?; )*
                Ok(())
            }
        }
    };
}
pub(crate) use rules;
