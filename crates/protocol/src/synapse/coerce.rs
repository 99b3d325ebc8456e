//! What Pydantic 2 makes of a parsed JSON value for a declared type, in its lax mode.

use super::{
    fault::SynapseError,
    schema::{Field, FieldType},
    value::{PyInt, PyValue, is_space, underscores_stand_between_digits},
};

/// How far a value may be from its type. A union takes the nearest member.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// It has the very type.
    Exact,
    /// Also an `int` for a `float`.
    Strict,
    /// Also what can be converted without loss.
    Lax,
}

/// Reads a model's fields from an object, in the order they are declared.
pub(super) fn read_model(
    fields: &[Field],
    value: &PyValue,
    at: &str,
) -> Result<Vec<(String, PyValue)>, SynapseError> {
    read_model_as(fields, value, at, Mode::Lax)
}

fn read_model_as(
    fields: &[Field],
    value: &PyValue,
    at: &str,
    mode: Mode,
) -> Result<Vec<(String, PyValue)>, SynapseError> {
    if !matches!(value, PyValue::Dict(_)) {
        let found = value.type_name();
        return Err(if at.is_empty() {
            SynapseError::NotAnObject { found }
        } else {
            SynapseError::FieldType {
                field: at.to_owned(),
                expected: "model".to_owned(),
                found,
            }
        });
    }
    let read = |field: &Field| {
        let name = if at.is_empty() {
            field.name.clone()
        } else {
            format!("{at}.{}", field.name)
        };
        let value = match (value.get(&field.name), &field.default) {
            (Some(value), _) => coerce_as(&field.kind, value, &name, mode)?,
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(SynapseError::MissingField { field: name }),
        };
        Ok((field.name.clone(), value))
    };
    fields.iter().map(read).collect()
}

/// Coerces one value; `at` names the field in errors.
pub(super) fn coerce(kind: &FieldType, value: &PyValue, at: &str) -> Result<PyValue, SynapseError> {
    coerce_as(kind, value, at, Mode::Lax)
}

fn coerce_as(
    kind: &FieldType,
    value: &PyValue,
    at: &str,
    mode: Mode,
) -> Result<PyValue, SynapseError> {
    let refused = || SynapseError::FieldType {
        field: at.to_owned(),
        expected: kind.to_string(),
        found: value.type_name(),
    };
    let each = |of: &FieldType, items: &[PyValue]| -> Result<Vec<PyValue>, SynapseError> {
        let items = items.iter().enumerate();
        items
            .map(|(index, item)| coerce_as(of, item, &format!("{at}.{index}"), mode))
            .collect()
    };
    let lax = mode == Mode::Lax;
    match (kind, value) {
        (FieldType::Any, value) => Ok(value.clone()),
        (FieldType::Str, PyValue::Str(_))
        | (FieldType::Int, PyValue::Int(_))
        | (FieldType::Float, PyValue::Float(_))
        | (FieldType::Bool, PyValue::Bool(_))
        | (FieldType::Bytes, PyValue::Bytes(_)) => Ok(value.clone()),
        (FieldType::Bytes, PyValue::Str(text)) if lax => {
            Ok(PyValue::Bytes(text.clone().into_bytes()))
        }
        (FieldType::Float, PyValue::Int(number)) if mode != Mode::Exact => {
            number.to_f64().map(PyValue::Float).ok_or_else(refused)
        }
        (FieldType::Int, value) if lax => to_int(value).map(PyValue::Int).ok_or_else(refused),
        (FieldType::Float, value) if lax => to_float(value).map(PyValue::Float).ok_or_else(refused),
        (FieldType::Bool, value) if lax => to_bool(value).map(PyValue::Bool).ok_or_else(refused),
        (FieldType::List(of), PyValue::List(items)) => each(of, items).map(PyValue::List),
        (FieldType::List(of), value) if lax => {
            let items = value.items().ok_or_else(refused)?;
            each(of, items).map(PyValue::List)
        }
        (FieldType::TupleOf(of), PyValue::Tuple(items)) => each(of, items).map(PyValue::Tuple),
        (FieldType::TupleOf(of), value) if lax => {
            let items = value.items().ok_or_else(refused)?;
            each(of, items).map(PyValue::Tuple)
        }
        (FieldType::Tuple(of), value) if lax || matches!(value, PyValue::Tuple(_)) => {
            let items = value.items().filter(|items| items.len() == of.len());
            let items = items.ok_or_else(refused)?;
            let pairs = of.iter().zip(items).enumerate();
            pairs
                .map(|(index, (of, item))| coerce_as(of, item, &format!("{at}.{index}"), mode))
                .collect::<Result<_, _>>()
                .map(PyValue::Tuple)
        }
        (FieldType::Set(of), value) if lax || matches!(value, PyValue::Set(_)) => {
            let items = each(of, value.items().ok_or_else(refused)?)?;
            let mut set: Vec<PyValue> = Vec::new();
            let mut printed = std::collections::HashSet::new();
            for item in items {
                if !item.is_hashable() {
                    return Err(refused());
                }
                if printed.insert(super::print::py_repr(&item)) {
                    set.push(item);
                }
            }
            Ok(PyValue::Set(set))
        }
        (FieldType::Dict(keys, values), PyValue::Dict(entries)) => {
            read_dict(keys, values, entries, at, mode)
        }
        (FieldType::Optional(_), PyValue::None) => Ok(PyValue::None),
        (FieldType::Optional(of), value) => coerce_as(of, value, at, mode),
        (FieldType::Union(members), value) => {
            let modes = [Mode::Exact, Mode::Strict, Mode::Lax];
            modes
                .into_iter()
                .filter(|tried| lax || *tried == mode)
                .flat_map(|tried| members.iter().map(move |member| (tried, member)))
                .find_map(|(tried, member)| coerce_as(member, value, at, tried).ok())
                .ok_or_else(refused)
        }
        (FieldType::Model(fields), value) => {
            let fields = read_model_as(fields, value, at, mode)?;
            let entries = fields.into_iter().map(|(name, value)| (name.into(), value));
            Ok(PyValue::Dict(entries.collect()))
        }
        _ => Err(refused()),
    }
}

/// Keys that become equal keep the first one's place and the last one's value, as in a `dict`.
fn read_dict(
    keys: &FieldType,
    values: &FieldType,
    entries: &[(PyValue, PyValue)],
    at: &str,
    mode: Mode,
) -> Result<PyValue, SynapseError> {
    let mut read: Vec<(PyValue, PyValue)> = Vec::with_capacity(entries.len());
    let mut places = std::collections::HashMap::new();
    for (key, value) in entries {
        // JSON's keys are all text, so even a strict reading must convert them.
        let key = coerce_as(keys, key, at, Mode::Lax)?;
        let printed = super::print::py_repr(&key);
        let value = coerce_as(values, value, &format!("{at}.{printed}"), mode)?;
        let known = places.get(&printed).and_then(|place| {
            let place: usize = *place;
            read.get_mut(place)
        });
        if let Some((_, old)) = known {
            *old = value;
        } else {
            places.insert(printed, read.len());
            read.push((key, value));
        }
    }
    Ok(PyValue::Dict(read))
}

fn to_int(value: &PyValue) -> Option<PyInt> {
    match value {
        PyValue::Bool(value) => Some(PyInt::from(i64::from(*value))),
        // Pydantic takes floats within the range of 64 bits only.
        PyValue::Float(number) if number.fract() == 0.0 && number.abs() < 2f64.powi(63) => {
            Some(PyInt::from(*number as i64))
        }
        PyValue::Str(text) => {
            let text = text.trim_matches(is_space);
            let whole = match text.split_once('.') {
                Some((whole, zeros)) => {
                    let zeros = !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0');
                    (zeros && !whole.is_empty()).then_some(whole)?
                }
                None => text,
            };
            PyInt::parse(whole)
        }
        _ => None,
    }
}

fn to_float(value: &PyValue) -> Option<f64> {
    match value {
        PyValue::Bool(value) => Some(f64::from(u8::from(*value))),
        PyValue::Str(text) => float_of_text(text),
        _ => None,
    }
}

/// What Python's `float()` reads, of ASCII.
pub(super) fn float_of_text(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    if !text.contains('_') {
        return text.parse().ok();
    }
    // Each run of digits may be divided; an underscore at its edge divides nothing.
    let runs = text.split(|c: char| !c.is_ascii_digit() && c != '_');
    let sound = runs
        .filter(|run| !run.is_empty())
        .all(underscores_stand_between_digits);
    sound.then(|| text.replace('_', "").parse().ok())?
}

fn to_bool(value: &PyValue) -> Option<bool> {
    match value {
        PyValue::Int(number) => match number.to_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        PyValue::Float(number) if *number == 0.0 => Some(false),
        PyValue::Float(number) if *number == 1.0 => Some(true),
        PyValue::Str(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{json::read_json, print::py_repr},
        *,
    };

    /// What a type makes of a JSON text, printed; `-` where it refuses.
    fn made(kind: &FieldType, json: &str) -> String {
        let value = read_json(json.as_bytes()).unwrap();
        coerce(kind, &value, "x").map_or_else(|_| "-".into(), |value| py_repr(&value))
    }

    #[test]
    fn scalars_become_what_pydantic_2_makes_of_them() {
        let (int, float, bool) = (FieldType::Int, FieldType::Float, FieldType::Bool);
        for (kind, json, expected) in [
            (&int, "1.0", "1"),
            (&int, "1.5", "-"),
            (&int, "1e20", "-"),
            (&int, "9223372036854775808.0", "-"),
            (&int, "true", "1"),
            (&int, r#"" 12.00 ""#, "12"),
            (&int, r#""12.""#, "-"),
            (&int, r#"".0""#, "-"),
            (&int, r#""1_0""#, "10"),
            (&int, r#""1e3""#, "-"),
            (&int, "null", "-"),
            (&int, "Infinity", "-"),
            (&float, "3", "3.0"),
            (&float, "true", "1.0"),
            (&float, r#"" -Infinity""#, "-inf"),
            (&float, r#""1_0.5""#, "10.5"),
            (&float, r#""1_.5""#, "-"),
            (&float, r#""""#, "-"),
            (&bool, "1", "True"),
            (&bool, "0.0", "False"),
            (&bool, "2", "-"),
            (&bool, r#""Yes""#, "True"),
            (&bool, r#"" true""#, "-"),
            (&FieldType::Str, "5", "-"),
            (&FieldType::Bytes, r#""é""#, r"b'\xc3\xa9'"),
            (&FieldType::Any, "[1, null]", "[1, None]"),
        ] {
            assert_eq!(made(kind, json), expected, "{kind} of {json}");
        }
        let huge = format!("1{}", "0".repeat(400));
        assert_eq!(made(&float, &huge), "-");
        assert_eq!(made(&int, &huge), huge);
    }

    #[test]
    fn containers_become_what_pydantic_2_makes_of_them() {
        use FieldType::{Dict, Float, Int, Set, Str, Tuple, TupleOf, Union};
        let ints = || FieldType::list(Int);
        for (kind, json, expected) in [
            (ints(), r#"[1, "2"]"#, "[1, 2]"),
            (ints(), r#"{"a": 1}"#, "-"),
            (Set(Box::new(Int)), r#"[1, 1, "1"]"#, "{1}"),
            (Tuple(vec![Int, Str]), r#"[1, "a"]"#, "(1, 'a')"),
            (Tuple(vec![Int, Str]), "[1]", "-"),
            (TupleOf(Box::new(Int)), "[1]", "(1,)"),
            (
                Dict(Box::new(Int), Box::new(Str)),
                r#"{"1.0": "b", "2": "x", "1": "c"}"#,
                "{1: 'c', 2: 'x'}",
            ),
            (Dict(Box::new(Int), Box::new(Str)), r#"{"x": "b"}"#, "-"),
            (Union(vec![Int, Str]), r#""1""#, "'1'"),
            (Union(vec![Int, Str]), "1.0", "1"),
            (Union(vec![Float, Int]), "1", "1"),
            (Union(vec![Float, Int]), r#""1""#, "1.0"),
            (
                Union(vec![ints(), FieldType::list(Str)]),
                r#"["1"]"#,
                "['1']",
            ),
            (FieldType::optional(Int), "null", "None"),
            (FieldType::optional(Int), r#""x""#, "-"),
            (
                FieldType::tensor(),
                "{}",
                "{'buffer': '', 'dtype': '', 'shape': []}",
            ),
        ] {
            assert_eq!(made(&kind, json), expected, "{kind} of {json}");
        }
    }

    #[test]
    fn errors_say_where() {
        let message = FieldType::Model(vec![Field::required("role", FieldType::Str)]);
        let value = read_json(br#"[{"role": "a"}, {}]"#).unwrap();
        let error = coerce(&FieldType::list(message), &value, "messages").unwrap_err();
        assert_eq!(error.to_string(), "field messages.1.role is missing");
    }
}
