use crate::{Error, Result};

/// Checks `(name, value, least, most)` of constants.
///
/// # Errors
/// [`Error::Constant`] for the first out of range; a NaN lies in no range.
pub(super) fn in_range(constants: &[(&'static str, f64, f64, f64)]) -> Result<()> {
    let wrong = constants
        .iter()
        .find(|(_, value, least, most)| !(*least..=*most).contains(value));
    match wrong {
        None => Ok(()),
        Some(&(name, value, least, most)) => Err(Error::Constant {
            name,
            value,
            least,
            most,
        }),
    }
}
