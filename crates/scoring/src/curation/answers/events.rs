use super::json::{self, JsonValue};
use crate::characters::is_space;

/// The events of an answer: the list under `events`, or the answer itself where it is a list. Code
/// fences around it are dropped, line breaks within texts are taken as they are. Where the whole is
/// not JSON, what stands between the first brace and the last is read instead, or between the first
/// bracket and the last where there is no such pair of braces. Nothing readable: no events. Linear
/// in the answer.
///
/// ```
/// use adit_scoring::curation::answers::{JsonValue, extract_events};
///
/// let events = extract_events("```json\n{\"events\": [1, 2]}\n```");
/// assert_eq!(events, [JsonValue::Number(1.0), JsonValue::Number(2.0)]);
/// assert!(extract_events("nothing happens").is_empty());
/// ```
pub fn extract_events(answer: &str) -> Vec<JsonValue> {
    let answer = without_fences(answer);
    let read = json::read(answer, json::Controls::Taken).or_else(|| {
        let part = between(answer, '{', '}').or_else(|| between(answer, '[', ']'))?;
        json::read(part, json::Controls::Taken)
    });
    match read {
        Some(JsonValue::List(events)) => events,
        Some(JsonValue::Object(entries)) => {
            let events = entries.into_iter().find(|(name, _)| name == "events");
            match events {
                Some((_, JsonValue::List(events))) => events,
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn without_fences(answer: &str) -> &str {
    let answer = answer.trim_matches(is_space);
    let answer = match answer.strip_prefix("```") {
        Some(rest) => rest
            .strip_prefix("json")
            .unwrap_or(rest)
            .trim_start_matches(is_space),
        None => answer,
    };
    match answer.strip_suffix("```") {
        Some(rest) => rest.trim_end_matches(is_space),
        None => answer,
    }
}

fn between(answer: &str, open: char, close: char) -> Option<&str> {
    let (start, end) = (answer.find(open)?, answer.rfind(close)?);
    // One that closes before any opens closes nothing.
    (start < end).then(|| answer.get(start..=end)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_in_what_models_write() {
        let count = |answer: &str| extract_events(answer).len();
        assert_eq!(count("{\"events\":[{\"id\":1}]}"), 1);
        assert_eq!(count("noise {\"events\":[{\"c\":\"x\ny\"}]} tail"), 1);
        assert_eq!(count("text [1,2,3] more"), 3);
        assert_eq!(count("``` [1]```"), 1);
        assert_eq!(count("{\"events\": 5}"), 0);
        assert_eq!(count("{\"other\": [1]}"), 0);
        assert_eq!(count("{\"events\":[1,"), 0);
        assert_eq!(count("} {"), 0);
        assert_eq!(count("[1, 2] }{"), 2);
        // Braces are tried first, and what they hold is not valid.
        assert_eq!(count("see [{\"a\": 1}, {\"a\": 2}]!"), 0);
        assert_eq!(count("7"), 0);
        assert_eq!(count("```"), 0);
    }
}
