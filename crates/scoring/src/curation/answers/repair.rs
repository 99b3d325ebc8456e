use crate::characters::is_space;
use std::collections::BTreeMap;

use super::json::{self, JsonValue};

/// What a model answered to each label; spaces in labels became underscores.
pub type LabelAnswers = BTreeMap<String, JsonValue>;

/// Reads the labels of an answer as cosmos-curate does. What stands before the last `</think>` is
/// dropped, `<answer>` tags are removed, an escaped quote becomes an apostrophe, a missing comma
/// between two texts on consecutive lines is inserted, and what stands between the first brace and
/// the one that closes it, counting those within texts too, is read as JSON. Nothing where that
/// fails. Two labels that become one keep the later answer. Linear in the answer.
///
/// ```
/// use adit_scoring::curation::answers::{JsonValue, read_labels};
///
/// let labels = read_labels("Sure: {\"low quality\": \"yes\"\n\"static\": \"no\"} Thanks!").unwrap();
/// assert_eq!(labels["low_quality"], JsonValue::Text("yes".to_owned()));
/// assert_eq!(labels["static"], JsonValue::Text("no".to_owned()));
/// assert!(read_labels(r#"{"quote": "has } brace"}"#).is_none());
/// ```
pub fn read_labels(answer: &str) -> Option<LabelAnswers> {
    let answer = without_answer_tags(after_thinking(answer));
    let answer = answer.replace("\\\"", "'").replace("\r\n", "\n");
    let answer = with_missing_commas(&answer);
    labels(json::read(
        balanced(&answer, false)?,
        json::Controls::Refused,
    )?)
}

/// [`read_labels`] without its defects: braces and escaped quotes within texts are part of the text,
/// and line breaks in texts are taken as they are. Missing commas are still inserted.
///
/// ```
/// use adit_scoring::curation::answers::read_labels_with_care;
///
/// assert!(read_labels_with_care(r#"{"quote": "has } brace and \" quote"}"#).is_some());
/// ```
pub fn read_labels_with_care(answer: &str) -> Option<LabelAnswers> {
    let answer = without_answer_tags(after_thinking(answer));
    let found = balanced(&answer, true)?;
    let read = json::read(found, json::Controls::Taken);
    labels(match read {
        Some(read) => read,
        None => json::read(&with_missing_commas(found), json::Controls::Taken)?,
    })
}

fn labels(read: JsonValue) -> Option<LabelAnswers> {
    let JsonValue::Object(entries) = read else {
        return None;
    };
    let entries = entries.into_iter();
    Some(
        entries
            .map(|(label, answer)| (label.replace(' ', "_"), answer))
            .collect(),
    )
}

fn after_thinking(answer: &str) -> &str {
    answer
        .rsplit_once("</think>")
        .map_or(answer, |(_, rest)| rest)
}

/// Removes `<answer>` and `</answer>`, in one pass: what then stands together makes no new tag.
fn without_answer_tags(answer: &str) -> String {
    let mut kept = String::with_capacity(answer.len());
    let mut rest = answer;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let tag = ["<answer>", "</answer>"]
            .into_iter()
            .find(|tag| from.starts_with(tag));
        let taken = tag.map_or(1, str::len);
        if tag.is_none() {
            kept.push('<');
        }
        rest = from.get(taken..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

/// Where a quote, white space with a line break and another quote follow each other, a comma belongs.
fn with_missing_commas(answer: &str) -> String {
    let mut kept = String::with_capacity(answer.len());
    let mut rest = answer;
    while let Some((before, after)) = rest.split_once('"') {
        kept.push_str(before);
        kept.push('"');
        let text = after.trim_start_matches(is_space);
        let space = after.get(..after.len() - text.len()).unwrap_or_default();
        rest = match text.strip_prefix('"') {
            Some(next) if space.contains('\n') => {
                kept.push_str(",\n\"");
                next
            }
            _ => after,
        };
    }
    kept.push_str(rest);
    kept
}

/// From the first opening brace to the one that closes it.
fn balanced(answer: &str, texts: bool) -> Option<&str> {
    let start = answer.find('{')?;
    let object = answer.get(start..)?;
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in object.bytes().enumerate() {
        if texts && in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return object.get(..=at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_the_object_is_dropped() {
        let found = |answer: &str| read_labels(answer).map(|labels| labels.len());
        assert_eq!(
            found("<think>{\"a\":\"no\"}</think>\n{\"a\":\"yes\"}"),
            Some(1)
        );
        assert_eq!(found("<answer>{\"x\":\"yes\"}</answer>"), Some(1));
        assert_eq!(found("{\"a\": {\"b\": 1}, \"c\": 2} {\"d\": 3}"), Some(2));
        assert_eq!(found("\u{feff}\r\n {\"k k\": \"No\"}"), Some(1));
        assert_eq!(found("[{\"a\": 1}]"), Some(1));
        assert_eq!(found("{}"), Some(0));
        for malformed in [
            "",
            "none",
            "{\"a\": 1",
            "{\"a\": 1,}",
            "{\"a\": \\\"yes\\\"}",
        ] {
            assert_eq!(found(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn tags_are_removed_once() {
        assert_eq!(
            without_answer_tags("<ans<answer>wer></answer><a>"),
            "<answer><a>"
        );
    }

    #[test]
    fn commas_are_only_inserted_across_lines() {
        assert_eq!(with_missing_commas("\"a\" \n\t\"b\""), "\"a\",\n\"b\"");
        assert_eq!(with_missing_commas("\"a\"  \"b\""), "\"a\"  \"b\"");
        assert_eq!(
            with_missing_commas("\"a\":\n\"b\",\n\"c\""),
            "\"a\":\n\"b\",\n\"c\""
        );
        // The quote that ends one gap does not begin the next.
        assert_eq!(with_missing_commas("\"\n\"\n\""), "\",\n\"\n\"");
    }

    #[test]
    fn care_reads_what_the_field_cannot() {
        let care = |answer: &str| read_labels_with_care(answer).map(|labels| labels.len());
        assert_eq!(care("{\"a\": \"\\\"}\"}"), Some(1));
        assert_eq!(care("{\"a\": \"yes\"\n\"b\": \"no\"}"), Some(2));
        assert_eq!(care("{\"a\": \"two\nlines\"}"), Some(1));
        assert_eq!(care("{\"a\": \"never ends}"), None);
    }
}
