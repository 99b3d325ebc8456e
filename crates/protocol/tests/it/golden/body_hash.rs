//! Body hashes: types declared as Python prints them, values coerced and printed by us.

use adit_protocol::synapse::{Field, FieldType, PyValue, SynapseSchema, text_hash};
use adit_testkit::{GoldenSuite, Outcome};

use super::{all, entries, items, on_lists, same, text};

pub(super) fn register(suite: &mut GoldenSuite) {
    on_lists(
        suite,
        "body_hash",
        [("cases", case), ("get_hash", get_hash)],
    );
}

fn get_hash(case: &PyValue) -> Outcome {
    same(
        text_hash(text(case, "content")),
        text(case, "sha3_256").to_owned(),
    )
}

fn case(case: &PyValue) -> Outcome {
    let mut schema = SynapseSchema::new("Syn");
    for (name, kind) in entries(case.get("field_types")) {
        schema = schema.required(name, declared(kind.as_str().unwrap()));
    }
    let hashed = items(case.get("required_hash_fields"));
    schema = schema.hashes(hashed.iter().map(|name| name.as_str().unwrap()));
    let body = match schema.read(case.get("json_body").unwrap()) {
        Ok(body) => body,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let printed = entries(case.get("python_str_per_field"));
    let printed = printed.into_iter().map(|(field, printed)| {
        let found = schema.hashed_text(&body, field).unwrap();
        same(found, printed.as_str().unwrap().to_owned())
    });
    let whole = same(
        schema.body_hash(&body).unwrap(),
        text(case, "body_hash").to_owned(),
    );
    all(printed.chain([whole]))
}

/// A type as Python writes it: `<class 'int'>`, `List[Optional[bool]]`, `typing.Dict[str, int]`.
fn declared(written: &str) -> FieldType {
    let written = written.trim().trim_start_matches("typing.");
    if let Some(class) = written.strip_prefix("<class '") {
        return named(class.trim_end_matches("'>"));
    }
    let either = split(written, '|');
    if either.len() > 1 {
        return union(either);
    }
    let Some((outer, inner)) = written.strip_suffix(']').and_then(|w| w.split_once('[')) else {
        return named(written);
    };
    let inner = split(inner, ',');
    let of = |index: usize| Box::new(declared(inner[index]));
    match outer {
        "List" | "list" | "Sequence" => FieldType::List(of(0)),
        "Set" | "set" => FieldType::Set(of(0)),
        "Dict" | "dict" => FieldType::Dict(of(0), of(1)),
        "Tuple" | "tuple" if inner.get(1) == Some(&"...") => FieldType::TupleOf(of(0)),
        "Tuple" | "tuple" => FieldType::Tuple(inner.into_iter().map(declared).collect()),
        "Optional" => FieldType::Optional(of(0)),
        "Union" => union(inner),
        _ => panic!("unknown type {written}"),
    }
}

fn union(members: Vec<&str>) -> FieldType {
    let none = |member: &&str| matches!(*member, "None" | "NoneType" | "<class 'NoneType'>");
    let some: Vec<_> = members.iter().filter(|member| !none(member)).collect();
    let kinds: Vec<_> = some.iter().map(|member| declared(member)).collect();
    let union = match kinds.as_slice() {
        [one] => one.clone(),
        _ => FieldType::Union(kinds),
    };
    if some.len() < members.len() {
        FieldType::optional(union)
    } else {
        union
    }
}

fn named(name: &str) -> FieldType {
    match name {
        "str" => FieldType::Str,
        "int" => FieldType::Int,
        "float" => FieldType::Float,
        "bool" => FieldType::Bool,
        "bytes" => FieldType::Bytes,
        "list" | "List" => FieldType::list(FieldType::Any),
        "tuple" | "Tuple" => FieldType::TupleOf(Box::new(FieldType::Any)),
        "set" | "Set" => FieldType::Set(Box::new(FieldType::Any)),
        "dict" | "Dict" => FieldType::dict(FieldType::Any),
        "Any" | "object" => FieldType::Any,
        // The recorder's one nested model.
        "__main__.Msg" => FieldType::Model(vec![
            Field::required("role", FieldType::Str),
            Field::optional("content", FieldType::Str, ""),
        ]),
        _ => panic!("unknown type {name}"),
    }
}

/// Splits at a character outside brackets.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == at && depth == 0
    });
    parts.map(str::trim).collect()
}
