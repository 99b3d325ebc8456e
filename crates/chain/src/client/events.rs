use subxt::{events::Phase, ext::scale_decode::DecodeAsFields as _, ext::scale_value::Composite};

use super::{
    connection::unreadable,
    runtime::Runtime,
    value::{ChainEvent, ChainValue},
};
use crate::Result;

/// Why a call failed in its block, by name from the metadata of the runtime that ran it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchFailure {
    /// The pallet that failed; `System`, `Token`, `Arithmetic`, `Transactional` for errors of no
    /// pallet.
    pub pallet: String,
    /// Its error.
    pub error: String,
    /// Where a call inside of another one failed although the transaction as a whole is called a
    /// success: the event that told, as `Utility.ItemFailed`.
    pub inside: Option<String>,
}

impl std::fmt::Display for DispatchFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.pallet, self.error)?;
        match &self.inside {
            Some(event) => write!(f, " (told by {event})"),
            None => Ok(()),
        }
    }
}

/// What a transaction did in its block.
#[derive(Debug, Clone)]
pub(super) struct Effects {
    pub(super) events: Vec<ChainEvent>,
    /// Why the transaction as a whole failed.
    pub(super) outer: Option<DispatchFailure>,
    /// What failed inside of it, in the order of the events.
    pub(super) inner: Vec<DispatchFailure>,
}

impl Effects {
    pub(super) fn failure(&self) -> Option<DispatchFailure> {
        self.outer.clone().or_else(|| self.inner.first().cloned())
    }
}

/// Events of one block, each with the place of its transaction, `None` for those of no transaction.
///
/// `runtime` must be the one that made the events: at the block of an upgrade that is the parent's.
pub(super) fn decode(runtime: &Runtime, bytes: &[u8]) -> Result<Vec<(Option<usize>, ChainEvent)>> {
    let events = runtime.offline.events().from_bytes(bytes.to_vec());
    let mut found = Vec::new();
    for event in events.iter() {
        let event = event.map_err(|error| unreadable("events", &error.to_string()))?;
        let place = match event.phase() {
            Phase::ApplyExtrinsic(nth) => usize::try_from(nth).ok(),
            _ => None,
        };
        let (pallet, name) = (event.pallet_name(), event.event_name());
        let fields = fields(runtime, pallet, name, event.field_bytes())?;
        found.push((
            place,
            ChainEvent {
                pallet: pallet.to_owned(),
                name: name.to_owned(),
                fields,
            },
        ));
    }
    Ok(found)
}

fn fields(runtime: &Runtime, pallet: &str, name: &str, bytes: &[u8]) -> Result<ChainValue> {
    let what = || format!("the event {pallet}.{name}");
    let metadata = runtime.metadata();
    let found = metadata.pallet_by_name(pallet);
    let variants = found.as_ref().and_then(|pallet| pallet.event_variants());
    let variant = variants.and_then(|variants| variants.iter().find(|v| v.name == name));
    let variant = variant.ok_or_else(|| unreadable(&what(), "it is not in the metadata"))?;
    let mut fields = variant
        .fields
        .iter()
        .map(|field| subxt::ext::scale_decode::Field::new(field.ty.id, field.name.as_deref()));
    let values = Composite::<()>::decode_as_fields(&mut &*bytes, &mut fields, metadata.types());
    let values = values.map_err(|error| unreadable(&what(), &error.to_string()))?;
    Ok(ChainValue::from_fields(values))
}

/// What became of the transaction at a place in its block.
pub(super) fn effects(runtime: &Runtime, bytes: &[u8], place: usize) -> Result<Effects> {
    let ours = decode(runtime, bytes)?
        .into_iter()
        .filter(|(at, _)| *at == Some(place))
        .map(|(_, event)| event);
    conclude(runtime, ours.collect())
}

fn conclude(runtime: &Runtime, events: Vec<ChainEvent>) -> Result<Effects> {
    let mut ended = None;
    let mut inner = Vec::new();
    for event in &events {
        if event.is("System", "ExtrinsicSuccess") {
            ended = Some(None);
        } else if event.is("System", "ExtrinsicFailed") {
            let error = event
                .fields
                .field("dispatch_error")
                .or(event.fields.item(0));
            ended = Some(error.map(|error| name_failure(runtime, error)));
            if error.is_none() {
                return Err(unreadable("System.ExtrinsicFailed", "it names no error"));
            }
        } else {
            inner.extend(inner_failure(runtime, event));
        }
    }
    let outer = ended
        .ok_or_else(|| unreadable("events", "they do not tell what became of the transaction"))?;
    if inner.is_empty() {
        inner.extend(incomplete(&events));
    }
    Ok(Effects {
        events,
        outer,
        inner,
    })
}

/// Events that tell of a failure inside of a call that as a whole counts as a success, and the
/// field that holds the result or the error.
const TELLTALES: [(&str, &str, &str); 9] = [
    ("Sudo", "Sudid", "sudo_result"),
    ("Sudo", "SudoAsDone", "sudo_result"),
    ("Proxy", "ProxyExecuted", "result"),
    ("Multisig", "MultisigExecuted", "result"),
    ("Utility", "ItemFailed", "error"),
    ("Utility", "BatchInterrupted", "error"),
    ("Utility", "DispatchedAs", "result"),
    ("Scheduler", "Dispatched", "result"),
    ("SubtensorModule", "BatchWeightItemFailed", "0"),
];

fn inner_failure(runtime: &Runtime, event: &ChainEvent) -> Option<DispatchFailure> {
    let told = TELLTALES
        .iter()
        .find(|(pallet, name, _)| event.is(pallet, name));
    if let Some((pallet, name, field)) = told {
        // Unnamed fields: the error is the last one.
        let last = event.fields.len().saturating_sub(1);
        let found = event.fields.field(field).or(event.fields.item(last))?;
        let error = match found.case() {
            Some(("Ok", _)) => return None,
            Some(("Err", error)) => error.item(0)?,
            _ => found,
        };
        let failure = name_failure(runtime, error);
        let inside = Some(format!("{pallet}.{name}"));
        return Some(DispatchFailure { inside, ..failure });
    }
    None
}

/// Says that something failed, for a runtime that does not say what.
fn incomplete(events: &[ChainEvent]) -> Option<DispatchFailure> {
    const EVENT: &str = "BatchCompletedWithErrors";
    let event = events.iter().find(|event| event.name == EVENT)?;
    Some(DispatchFailure {
        pallet: event.pallet.clone(),
        error: EVENT.to_owned(),
        inside: Some(format!("{}.{EVENT}", event.pallet)),
    })
}

/// A `DispatchError` by name.
pub(super) fn name_failure(runtime: &Runtime, error: &ChainValue) -> DispatchFailure {
    let named = |pallet: &str, error: &str| DispatchFailure {
        pallet: pallet.to_owned(),
        error: error.to_owned(),
        inside: None,
    };
    let Some((case, fields)) = error.case() else {
        return named("System", "an error of unknown shape");
    };
    if case != "Module" {
        // Token(FundsUnavailable), Arithmetic(Overflow) and their like; or a bare name.
        return match fields.item(0).and_then(ChainValue::case) {
            Some((inner, _)) => named(case, inner),
            None => named("System", case),
        };
    }
    let module = fields.item(0).filter(|_| fields.field("index").is_none());
    let module = module.unwrap_or(fields);
    let index = module.field("index").and_then(ChainValue::number);
    let code = module.field("error").map(|code| match code {
        ChainValue::List(_) | ChainValue::Bytes(_) => code
            .bytes()
            .and_then(|bytes| bytes.first().copied().map(u128::from)),
        code => code.number(),
    });
    let (Some(index), Some(Some(code))) = (index, code) else {
        return named("System", "a module error of unknown shape");
    };
    let (Ok(pallet_index), Ok(error_index)) = (u8::try_from(index), u8::try_from(code)) else {
        return named(&format!("pallet {index}"), &format!("error {code}"));
    };
    let metadata = runtime.metadata();
    let Some(pallet) = metadata.pallet_by_error_index(pallet_index) else {
        return named(&format!("pallet {index}"), &format!("error {code}"));
    };
    match pallet.error_variant_by_index(error_index) {
        Some(variant) => named(pallet.name(), &variant.name),
        None => named(pallet.name(), &format!("error {code}")),
    }
}

#[cfg(test)]
mod tests {
    use adit_primitives::BlockHash;
    use subxt::Metadata;

    use super::*;

    fn runtime() -> Runtime {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        let metadata = Metadata::decode_from(&bytes).unwrap();
        Runtime::new(metadata, BlockHash([0; 32]), 365, 1).unwrap()
    }

    fn module(runtime: &Runtime, pallet: &str, error: &str) -> ChainValue {
        let pallet = runtime.metadata().pallet_by_name(pallet).unwrap();
        let variants = pallet.error_variants().unwrap();
        let variant = variants.iter().find(|found| found.name == error).unwrap();
        let fields = vec![
            ("index".to_owned(), pallet.error_index().into()),
            (
                "error".to_owned(),
                ChainValue::list([variant.index, 0, 0, 0]),
            ),
        ];
        ChainValue::variant("Module", [ChainValue::Record(fields)])
    }

    fn event(pallet: &str, name: &str, fields: ChainValue) -> ChainEvent {
        ChainEvent {
            pallet: pallet.to_owned(),
            name: name.to_owned(),
            fields,
        }
    }

    fn err(error: ChainValue) -> ChainValue {
        ChainValue::variant("Err", [error])
    }

    fn success() -> ChainEvent {
        event("System", "ExtrinsicSuccess", ChainValue::Record(vec![]))
    }

    #[test]
    fn failures_inside_of_a_success_are_failures() {
        let runtime = runtime();
        let error = || module(&runtime, "SubtensorModule", "SettingWeightsTooFast");
        let named = |name: &str, value| ChainValue::Record(vec![(name.to_owned(), value)]);
        let at = ("index".to_owned(), 1_u32.into());
        let interrupted = ChainValue::Record(vec![at, ("error".to_owned(), error())]);
        let cases = [
            ("Sudo", "Sudid", named("sudo_result", err(error()))),
            ("Proxy", "ProxyExecuted", named("result", err(error()))),
            (
                "Multisig",
                "MultisigExecuted",
                named("result", err(error())),
            ),
            ("Utility", "ItemFailed", named("error", error())),
            ("Utility", "BatchInterrupted", interrupted),
            ("Utility", "DispatchedAs", named("result", err(error()))),
            (
                "SubtensorModule",
                "BatchWeightItemFailed",
                ChainValue::List(vec![error()]),
            ),
        ];
        for (pallet, name, fields) in cases {
            let effects = conclude(&runtime, vec![event(pallet, name, fields), success()]);
            let failure = effects.unwrap().failure().unwrap();
            assert_eq!(failure.pallet, "SubtensorModule", "{name}");
            assert_eq!(failure.error, "SettingWeightsTooFast", "{name}");
            assert_eq!(failure.inside, Some(format!("{pallet}.{name}")));
        }
        let errors = event(
            "Utility",
            "BatchCompletedWithErrors",
            ChainValue::Record(vec![]),
        );
        let effects = conclude(&runtime, vec![errors, success()]).unwrap();
        assert_eq!(effects.failure().unwrap().error, "BatchCompletedWithErrors");
    }

    #[test]
    fn a_success_inside_of_a_success_is_one() {
        let runtime = runtime();
        let ok = ChainValue::variant("Ok", [ChainValue::List(vec![])]);
        let fields = ChainValue::Record(vec![("sudo_result".to_owned(), ok)]);
        let events = vec![event("Sudo", "Sudid", fields), success()];
        let effects = conclude(&runtime, events).unwrap();
        assert!(effects.failure().is_none() && effects.events.len() == 2);
        assert!(conclude(&runtime, vec![]).is_err(), "no word about the end");
    }

    #[test]
    fn errors_of_no_pallet_have_names_too() {
        let runtime = runtime();
        let token = ChainValue::variant("Token", [ChainValue::variant("FundsUnavailable", [])]);
        assert_eq!(
            name_failure(&runtime, &token).to_string(),
            "Token.FundsUnavailable"
        );
        let origin = ChainValue::variant("BadOrigin", []);
        assert_eq!(
            name_failure(&runtime, &origin).to_string(),
            "System.BadOrigin"
        );
        for nonsense in [ChainValue::Bool(true), ChainValue::variant("Module", [])] {
            assert!(
                name_failure(&runtime, &nonsense)
                    .error
                    .contains("unknown shape")
            );
        }
        let fields = vec![
            ("index".to_owned(), 254_u8.into()),
            ("error".to_owned(), ChainValue::list([9_u8, 0, 0, 0])),
        ];
        let unknown = ChainValue::variant("Module", [ChainValue::Record(fields)]);
        assert_eq!(
            name_failure(&runtime, &unknown).to_string(),
            "pallet 254.error 9"
        );
    }
}
