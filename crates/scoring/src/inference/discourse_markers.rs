use super::words::{is_word, spelled, starts_in_word};

/// Longer ones first, so that none hides a longer one.
const MARKERS: [&str; 44] = [
    "on the other hand",
    "nevertheless",
    "consequently",
    "additionally",
    "specifically",
    "subsequently",
    "for instance",
    "as a result",
    "accordingly",
    "nonetheless",
    "in contrast",
    "for example",
    "furthermore",
    "in addition",
    "in particular",
    "to illustrate",
    "conversely",
    "therefore",
    "owing to",
    "although",
    "moreover",
    "because",
    "however",
    "whereas",
    "despite",
    "such as",
    "that is",
    "finally",
    "namely",
    "due to",
    "second",
    "lastly",
    "since",
    "hence",
    "while",
    "first",
    "third",
    "thus",
    "next",
    "then",
    "also",
    "but",
    "yet",
    "so",
];

/// The words and phrases in a text that tell how its parts hang together (*because*, *however*,
/// *for example*, *first*, …), in order, in any case, whole words only, none within another. Linear in
/// the text.
///
/// ```
/// use adit_scoring::inference::discourse_markers;
///
/// let found = discourse_markers("First it rains, so as a result we stay. That is, soon.");
/// assert_eq!(found, ["First", "so", "as a result", "That is"]);
/// ```
pub fn discourse_markers(text: &str) -> Vec<&str> {
    let mut markers = Vec::new();
    let mut rest = text;
    let mut in_word = false;
    while let Some(first) = rest.chars().next() {
        let marker = if in_word || !first.is_alphabetic() {
            None
        } else {
            MARKERS.iter().find_map(|marker| whole(rest, marker))
        };
        if let Some(marker) = marker {
            markers.push(marker);
            in_word = true;
        } else {
            // The field lower-cases first, which takes İ apart into an i and a dot, no letter.
            in_word = is_word(first) && first != 'İ';
        }
        let step = marker.map_or(first.len_utf8(), str::len);
        rest = rest.get(step..).unwrap_or_default();
    }
    markers
}

fn whole<'text>(text: &'text str, marker: &str) -> Option<&'text str> {
    let (found, behind) = text.split_at_checked(spelled(text, marker)?)?;
    (!starts_in_word(behind) && !found.contains('İ')).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_marker_hides_a_longer_one() {
        for (place, marker) in MARKERS.iter().enumerate() {
            let hidden = MARKERS[place..].iter().skip(1);
            assert!(hidden.clone().all(|later| !later.starts_with(marker)));
        }
    }

    #[test]
    fn whole_words_only() {
        assert_eq!(
            discourse_markers("also; ALSO_ alsothen_so so-so"),
            ["also", "so", "so"]
        );
        assert_eq!(discourse_markers("in contrastive, in  contrast"), [""; 0]);
        assert_eq!(
            discourse_markers("fırst fİrst İso soİ ſo"),
            ["fırst", "so", "ſo"]
        );
        assert_eq!(discourse_markers("due to to"), ["due to"]);
    }
}
