use super::words::{
    behind_bullet, behind_number, behind_spaces, has_words, is_space, is_word, spelled,
    starts_in_word, trim,
};

/// Fewer words are no component.
const LEAST_WORDS: usize = 3;

/// Words that open a clause behind a comma.
const CLAUSE_OPENERS: [&str; 18] = [
    "which",
    "who",
    "that",
    "where",
    "when",
    "while",
    "although",
    "because",
    "since",
    "if",
    "unless",
    "whereas",
    "though",
    "even though",
    "after",
    "before",
    "until",
    "once",
];

/// Words that open a clause with a verb behind them.
const PRONOUNS: [&str; 3] = ["which", "who", "that"];
const VERBS: [&str; 7] = ["is", "are", "was", "were", "has", "have", "had"];
/// Words between the pronoun and its verb at most.
const WORDS_TO_VERB: usize = 3;

/// What a prompt asks for, part by part: the first of these cuts that gives two parts of three words
/// or more wins, else the whole prompt is one part, and a prompt of spaces has none.
///
/// 1. after each `?` (two questions of any length end the search, though short ones are left out),
/// 2. list numbers and bullets at the start of a line,
/// 3. new lines, 4. colons, 5. semicolons, 6. the words *and* and *or*,
/// 7. before a comma with a word that opens a clause, and before *which*, *who* or *that* with one of
///    *is are was were has have had* at most three words later.
///
/// Linear in the prompt.
///
/// ```
/// use adit_scoring::inference::prompt_components;
///
/// let parts = prompt_components("Name the largest planet, because we wonder");
/// assert_eq!(parts, ["Name the largest planet", ", because we wonder"]);
/// ```
pub fn prompt_components(prompt: &str) -> Vec<String> {
    let questions: Vec<String> = prompt
        .split('?')
        .map(trim)
        .filter(|question| !question.is_empty())
        .map(|question| format!("{question}?"))
        .collect();
    if questions.len() >= 2 {
        return questions
            .into_iter()
            .filter(|question| has_words(question, LEAST_WORDS))
            .collect();
    }
    let cuts: [fn(&str) -> Vec<&str>; 6] = [
        list_items,
        |prompt| prompt.split('\n').collect(),
        |prompt| prompt.split(':').collect(),
        |prompt| prompt.split(';').collect(),
        conjuncts,
        clauses,
    ];
    for cut in cuts {
        let parts = cut(prompt);
        let long = parts
            .into_iter()
            .filter(|part| has_words(part, LEAST_WORDS));
        let parts: Vec<String> = long.map(|part| trim(part).to_owned()).collect();
        if parts.len() >= 2 {
            return parts;
        }
    }
    let whole = trim(prompt);
    if whole.is_empty() {
        Vec::new()
    } else {
        vec![whole.to_owned()]
    }
}

/// The parts of `text` between cuts, each given by where it starts and how long it is.
fn between(
    text: &str,
    mut cut_at_or_after: impl FnMut(usize) -> Option<(usize, usize)>,
) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some((cut, end)) = cut_at_or_after(start) {
        parts.push(text.get(start..cut).unwrap_or_default());
        start = end;
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Cuts out list numbers and bullets at the start of lines, with the new line and the spaces around.
fn list_items(prompt: &str) -> Vec<&str> {
    let new_line = |from: usize| Some(from + prompt.get(from..)?.find('\n')?);
    between(prompt, |start| {
        let mut line = if start == 0 { Some(0) } else { new_line(start) };
        while let Some(cut) = line {
            // Every new line among these spaces leads to the same text.
            let text = behind_spaces(prompt.get(cut..)?);
            if let Some(behind) = behind_number(text).or_else(|| behind_bullet(text)) {
                return Some((cut, prompt.len() - behind_spaces(behind).len()));
            }
            line = new_line(prompt.len() - text.len());
        }
        None
    })
}

/// Cuts out the words *and* and *or* with the spaces around them.
fn conjuncts(prompt: &str) -> Vec<&str> {
    between(prompt, |start| {
        let mut from = start;
        loop {
            let cut = from + prompt.get(from..)?.find(is_space)?;
            let word = behind_spaces(prompt.get(cut..)?);
            let behind = ["and", "or"]
                .iter()
                .find_map(|conjunction| word.get(spelled(word, conjunction)?..));
            if let Some(behind) = behind {
                let later = behind_spaces(behind);
                if later.len() < behind.len() {
                    return Some((cut, prompt.len() - later.len()));
                }
            }
            from = prompt.len() - word.len();
        }
    })
}

/// Cuts before each clause, taking nothing away.
fn clauses(prompt: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut from = 0;
    let mut in_word = false;
    while let Some(rest) = prompt.get(from..).filter(|rest| !rest.is_empty()) {
        if let Some(length) = clause_opening(rest, in_word) {
            parts.push(prompt.get(start..from).unwrap_or_default());
            start = from;
            from += length;
            // The opening ended with a word.
            in_word = true;
        } else {
            let first = rest.chars().next().unwrap_or_default();
            in_word = is_word(first);
            from += first.len_utf8();
        }
    }
    parts.push(prompt.get(start..).unwrap_or_default());
    parts
}

/// How many bytes at the start of `text` open a clause, if any.
fn clause_opening(text: &str, in_word: bool) -> Option<usize> {
    if let Some(behind) = text.strip_prefix(',') {
        let word = behind_spaces(behind);
        return CLAUSE_OPENERS
            .iter()
            .find_map(|opener| whole_word(word, opener))
            .map(|behind| text.len() - behind.len());
    }
    if in_word {
        return None;
    }
    let mut rest = PRONOUNS
        .iter()
        .find_map(|pronoun| whole_word(text, pronoun))?;
    let mut verb_end = None;
    for _ in 0..=WORDS_TO_VERB {
        let word = behind_spaces(rest);
        if word.len() == rest.len() {
            break;
        }
        if let Some(behind) = VERBS.iter().find_map(|verb| whole_word(word, verb)) {
            verb_end = Some(text.len() - behind.len());
        }
        rest = word.trim_start_matches(is_word);
        if rest.len() == word.len() {
            break;
        }
    }
    verb_end
}

/// What follows a word at the start of `text`, in any case.
fn whole_word<'text>(text: &'text str, word: &str) -> Option<&'text str> {
    let behind = text.get(spelled(text, word)?..)?;
    (!starts_in_word(behind)).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cut_in_turn() {
        let parts = |prompt: &str| prompt_components(prompt);
        assert_eq!(
            parts("What is it? And why so"),
            ["What is it?", "And why so?"]
        );
        assert_eq!(parts("Eh? And why so?"), ["And why so?"]);
        assert_eq!(
            parts("Do\n \n1) one is a\n\n * two is b"),
            ["one is a", "two is b"]
        );
        assert_eq!(parts("a b c\nd e f\rg"), ["a b c", "d e f\rg"]);
        assert_eq!(parts("a b c:d e f"), ["a b c", "d e f"]);
        assert_eq!(parts("a b c;d e f;g"), ["a b c", "d e f"]);
        assert_eq!(parts("a b c  AND d e f or g"), ["a b c", "d e f"]);
        assert_eq!(
            parts("the cat that you all know was here"),
            ["the cat that you all know was here"]
        );
        assert_eq!(
            parts("see the cat that you all know was here"),
            ["see the cat", "that you all know was here"]
        );
        assert_eq!(parts("  one\n"), ["one"]);
        assert!(parts(" \n ").is_empty());
    }

    #[test]
    fn clause_words_stand_alone() {
        assert_eq!(clauses("x, whenever y"), ["x, whenever y"]);
        assert_eq!(clauses("x,WHEREAS y"), ["x", ",WHEREAS y"]);
        assert_eq!(clauses("x, İf y, ıf z"), ["x", ", İf y", ", ıf z"]);
        assert_eq!(clauses("athat is"), ["athat is"]);
        assert_eq!(clauses("that a b c d is"), ["that a b c d is"]);
        assert_eq!(clauses("which is that is"), ["", "which is that is"]);
    }

    #[test]
    fn hostile_prompts_take_linear_time() {
        for unit in ["\n", "- ", "\n- ", ", ", "which ", " and", "and ", "?", "1"] {
            let prompt = unit.repeat(200_000);
            prompt_components(&prompt);
        }
    }
}
