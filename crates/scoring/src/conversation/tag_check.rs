//! Having a language model tell words from gibberish: what to ask, and what its reply means.

use std::collections::HashSet;

use rand::{Rng, seq::IteratorRandom as _};

use super::{TagRules, clean_tags, normalise_tag};
use crate::{Error, Result};

/// What stands between the good and the malformed words of a reply.
const MARKER: &str = "malformed";

/// The tags to ask about: clean, a random choice of [`TagRules::sample_most`] when there are as many
/// or more, each cut to [`TagRules::asked_length_most`] characters. The same generator state gives
/// the same choice.
///
/// # Errors
/// [`Error::Empty`] when no tag is clean, where the field's system crashes and loses its whole round.
pub fn tags_to_check(rules: &TagRules, tags: &[&str], rng: &mut impl Rng) -> Result<Vec<String>> {
    let mut asked = sample_tags(rules, tags, rng);
    if asked.is_empty() {
        return Err(Error::Empty {
            what: "the list of clean tags",
        });
    }
    for tag in &mut asked {
        if let Some((cut, _)) = tag.char_indices().nth(rules.asked_length_most) {
            tag.truncate(cut);
        }
    }
    Ok(asked)
}

/// The clean tags, and a random choice of [`TagRules::sample_most`] in random order when there are
/// as many or more: what named entities go through instead of a check.
pub fn sample_tags(rules: &TagRules, tags: &[&str], rng: &mut impl Rng) -> Vec<String> {
    let clean = clean_tags(rules, tags.iter().copied());
    if clean.len() < rules.sample_most {
        return clean;
    }
    clean.into_iter().choose_multiple(rng, rules.sample_most)
}

/// The tags that a reply calls good words, of those that the miner gave; none for an empty reply.
///
/// A reply is read as: everything before the first "malformed", in lower case, without the heading
/// and asterisks, split at commas. `original` drops the last character of a reply without
/// "malformed", and keeps only tags that the miner spelled in their one form ([`clean_tags`]), so
/// that every tag with a capital, a hyphen or punctuation is lost; `hardened` does neither: each
/// side is compared in its one form.
///
/// # Errors
/// [`Error::Unavailable`] when there is no reply, where the field's system crashes.
pub fn checked_tags(
    rules: &TagRules,
    tags: &[&str],
    reply: Option<&str>,
) -> Result<Option<Vec<String>>> {
    let reply = reply.ok_or(Error::Unavailable {
        what: "the check of tags",
    })?;
    if reply.is_empty() {
        return Ok(None);
    }
    let reply = reply.to_lowercase();
    let good = match reply.split_once(MARKER) {
        Some((good, _)) => good,
        None if rules.unmarked_reply_loses_last => {
            let last = reply.char_indices().next_back();
            last.and_then(|(last, _)| reply.get(..last)).unwrap_or("")
        }
        None => &reply,
    };
    // A line's end separates nothing in the field's reading.
    let line_end = if rules.any_spelling { "," } else { "" };
    let good = good
        .replace("good english keywords:", "")
        .replace("***", "")
        .replace('\n', line_end);
    let good = clean_tags(rules, good.split(','));
    let given: HashSet<_> = if rules.any_spelling {
        let forms = tags.iter().map(|tag| normalise_tag(rules.form, tag));
        forms.collect()
    } else {
        tags.iter().map(|tag| (*tag).into()).collect()
    };
    let kept = good.into_iter().filter(|tag| given.contains(tag.as_str()));
    Ok(Some(kept.collect()))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::conversation::ConversationPolicy;

    fn checked(policy: &ConversationPolicy, tags: &[&str], reply: &str) -> Vec<String> {
        checked_tags(&policy.tags, tags, Some(reply))
            .unwrap()
            .unwrap()
    }

    #[test]
    fn the_original_loses_spellings_and_the_last_character() {
        let policy = ConversationPolicy::original();
        let tags = ["New York", "self-care", "music", "travel"];
        let reply = "Good English keywords: New York, self-care, music, travel";
        assert_eq!(checked(&policy, &tags, reply), ["music"]);
        let marked = format!("{reply}\nMalformed keywords:");
        assert_eq!(checked(&policy, &tags, &marked), ["music", "travel"]);
    }

    #[test]
    fn hardened_keeps_every_spelling_and_the_last_character() {
        let policy = ConversationPolicy::hardened();
        let tags = ["New York", "self-care", "music"];
        let reply = "Good English keywords: new york, self care\nmusic, invented";
        assert_eq!(
            checked(&policy, &tags, reply),
            ["new york", "self care", "music"]
        );
        let marked = "***Good English Keywords:***\nNew York\n\n***Malformed Keywords:***\nmusic";
        assert_eq!(checked(&policy, &tags, marked), ["new york"]);
    }

    #[test]
    fn crashes_of_the_original_are_refusals() {
        let rules = ConversationPolicy::original().tags;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for tags in [&[][..], &["!!"], &["ab"]] {
            assert!(matches!(
                tags_to_check(&rules, tags, &mut rng),
                Err(Error::Empty { .. })
            ));
        }
        assert!(matches!(
            checked_tags(&rules, &["music"], None),
            Err(Error::Unavailable { .. })
        ));
        assert_eq!(checked_tags(&rules, &["music"], Some("")), Ok(None));
    }

    #[test]
    fn a_choice_is_twenty_different_clean_tags_and_repeatable() {
        let rules = ConversationPolicy::original().tags;
        let tags: Vec<String> = (100..140).map(|number| format!("Tag{number}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let choose = |seed| sample_tags(&rules, &tags, &mut ChaCha8Rng::seed_from_u64(seed));
        let chosen = choose(7);
        assert_eq!(chosen, choose(7));
        assert_ne!(chosen, choose(8));
        assert_eq!(chosen.iter().collect::<HashSet<_>>().len(), 20);
        assert!(chosen.iter().all(|tag| tag.starts_with("tag1")));
        let few = tags.get(..19).unwrap();
        assert_eq!(
            sample_tags(&rules, few, &mut ChaCha8Rng::seed_from_u64(1)).len(),
            19
        );
    }

    #[test]
    fn long_tags_are_cut_in_the_question_only() {
        let rules = ConversationPolicy::original().tags;
        let long = "x".repeat(60);
        let asked = tags_to_check(&rules, &[&long], &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert_eq!(asked, ["x".repeat(50)]);
    }
}
