//! Tags of conversations: cleaned tags are few, short and stay as they are when cleaned again.
#![no_main]

use adit_scoring::conversation::{
    ConversationPolicy, checked_tags, clean_tags, compare_tags, normalise_tag, split_tags,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (answer, reply) = texts;
    let tags: Vec<&str> = answer.lines().collect();
    let replied: Vec<&str> = reply.lines().collect();
    let _ = compare_tags(&tags, &replied);
    let _ = split_tags(answer);
    for policy in [
        ConversationPolicy::original(),
        ConversationPolicy::hardened(),
    ] {
        let rules = &policy.tags;
        for tag in &tags {
            let _ = normalise_tag(rules.form, tag);
        }
        let cleaned = clean_tags(rules, tags.iter().copied());
        assert!(cleaned.len() <= tags.len());
        let again = clean_tags(rules, cleaned.iter().map(String::as_str));
        assert_eq!(again, cleaned, "{}", policy.name);
        let _ = checked_tags(rules, &tags, Some(reply));
    }
});
