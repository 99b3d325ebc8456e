//! What a dendrite sends, and what an axon reads of it.

use adit_protocol::synapse::{
    FieldType, PyValue, SynapseBody, SynapseHead, SynapseSchema, TerminalInfo, encoded, read_json,
    signed_message, zero_of,
};
use adit_testkit::{GoldenSuite, Outcome};
use adit_wallet::{SignatureScheme, verify};

use super::{Judge, all, entries, on_lists, same, text};

pub(super) fn register(suite: &mut GoldenSuite) {
    let lists: [(_, Judge); 3] = [
        ("cases", case),
        ("header_parse", header_parse),
        ("input_obj_defaults", input_obj_default),
    ];
    on_lists(suite, "dendrite_headers", lists);
}

/// The recorder's two classes.
fn schema(class: &str) -> SynapseSchema {
    let schema = SynapseSchema::new(class);
    match class {
        "M" => schema
            .required("prompt", FieldType::Str)
            .optional("k", FieldType::Int, 1_i64)
            .optional(
                "opts",
                FieldType::optional(FieldType::dict(FieldType::Any)),
                PyValue::None,
            )
            .hashes(["prompt"]),
        "M2" => schema
            .required("a", FieldType::Str)
            .required("b", FieldType::Int)
            .required("c", FieldType::Float)
            .required("d", FieldType::Bool)
            .required("e", FieldType::list(FieldType::Int))
            .required("f", FieldType::dict(FieldType::Any))
            .required("g", FieldType::list(FieldType::Str)),
        _ => panic!("unknown class {class}"),
    }
}

fn case(case: &PyValue) -> Outcome {
    let schema = schema(text(case, "class_name"));
    let mut body: SynapseBody = schema.read(case.get("fields").unwrap()).unwrap();
    let sent = case.get("headers").unwrap();
    let nonce = case.get("nonce").and_then(PyValue::as_i64).unwrap() as u64;
    let signature = text(case, "signature_example");
    body.dendrite = TerminalInfo {
        ip: Some(text(sent, "bt_header_dendrite_ip").to_owned()),
        version: text(sent, "bt_header_dendrite_version").parse().ok(),
        nonce: Some(nonce),
        uuid: Some(text(case, "uuid").to_owned()),
        hotkey: Some(text(case, "dendrite_hotkey").to_owned()),
        signature: Some(signature.to_owned()),
        ..Default::default()
    };
    body.axon = TerminalInfo {
        ip: Some(text(sent, "bt_header_axon_ip").to_owned()),
        port: text(sent, "bt_header_axon_port").parse().ok(),
        hotkey: Some(text(case, "axon_hotkey").to_owned()),
        ..Default::default()
    };
    let hash = schema.body_hash(&body).unwrap();
    let message = signed_message(
        Some(nonce),
        body.dendrite.hotkey.as_deref(),
        body.axon.hotkey.as_deref(),
        body.dendrite.uuid.as_deref(),
        Some(&hash),
    );
    let signer = text(case, "dendrite_hotkey")
        .parse::<adit_primitives::Hotkey>()
        .unwrap();
    let verifies = verify(
        SignatureScheme::Sr25519,
        &signer.account(),
        message.as_bytes(),
        &signature.parse().unwrap(),
    );
    let mut pairs = SynapseHead::of(&schema, &body, Some(hash.clone()))
        .unwrap()
        .to_pairs();
    pairs.sort();
    let sent = entries(Some(sent)).into_iter();
    let mut sent: Vec<_> = sent
        .map(|(name, text)| (name.to_owned(), text.as_str().unwrap().to_owned()))
        .collect();
    sent.sort();
    all([
        same(hash, text(case, "body_hash").to_owned()),
        same(message, text(case, "message").to_owned()),
        Outcome::when(verifies, "the recorded signature does not verify"),
        same(pairs, sent),
        same(
            &read_json(body.to_json().as_bytes()).unwrap(),
            case.get("json_body").unwrap(),
        ),
    ])
}

fn header_parse(case: &PyValue) -> Outcome {
    let headers = entries(case.get("headers"));
    let headers = headers
        .iter()
        .map(|(name, text)| (*name, text.as_str().unwrap()));
    let head = match (SynapseHead::parse("Synapse", headers), case.get("error")) {
        (Err(_), Some(_)) => return Outcome::Passed,
        (Ok(head), None) => head,
        (found, expected) => return Outcome::Failed(format!("{found:?} for {expected:?}")),
    };
    let text = |text: Option<String>| text.map_or(PyValue::None, PyValue::Str);
    all([
        same(set_fields(&head.axon), sorted(case.get("axon").unwrap())),
        same(
            set_fields(&head.dendrite),
            sorted(case.get("dendrite").unwrap()),
        ),
        same(
            &head.timeout.map_or(PyValue::None, PyValue::Float),
            case.get("timeout").unwrap(),
        ),
        same(
            &text(head.computed_body_hash),
            case.get("computed_body_hash").unwrap(),
        ),
        same(&PyValue::Str(head.name), case.get("name").unwrap()),
    ])
}

/// The fields that are set, in the order of their names: JSON objects have none.
fn set_fields(terminal: &TerminalInfo) -> PyValue {
    sorted(&terminal.to_value())
}

fn sorted(object: &PyValue) -> PyValue {
    let PyValue::Dict(mut entries) = object.clone() else {
        panic!("a terminal is a dict");
    };
    entries.retain(|(_, value)| *value != PyValue::None);
    entries.sort_by_key(|(name, _)| name.as_str().unwrap_or_default().to_owned());
    PyValue::Dict(entries)
}

fn input_obj_default(case: &PyValue) -> Outcome {
    let value = match text(case, "python_type") {
        "str" => PyValue::Str("some".into()),
        "int" => 7_i64.into(),
        "float" => 0.5.into(),
        "bool" => true.into(),
        "list" => PyValue::List(vec![PyValue::None]),
        "tuple" => PyValue::Tuple(vec![PyValue::None]),
        "dict" => PyValue::Dict(vec![("k".into(), PyValue::None)]),
        "NoneType" => PyValue::None,
        other => panic!("unknown type {other}"),
    };
    let zero = zero_of(&value).unwrap();
    all([
        same(encoded(&zero), text(case, "header_value").to_owned()),
        same(zero, read_json(text(case, "json").as_bytes()).unwrap()),
    ])
}
