use super::words::{
    behind_bullet, behind_number, behind_spaces, is_decimal, line_starts, spelled,
    starts_with_space,
};

const LIST_CUES: [&str; 5] = ["list", "enumerate", "name ", "what are", "give me"];
const CODE_CUES: [&str; 5] = [
    "code",
    "implement",
    "write a function",
    "write a program",
    "script",
];
const STEP_CUES: [&str; 5] = [
    "how to",
    "step by step",
    "steps to",
    "instructions",
    "explain how",
];
const COMPARISON_CUES: [&str; 5] = ["compare", "contrast", "difference", "versus", "vs"];
const CODE_WORDS: [&str; 7] = [
    "def ",
    "class ",
    "import ",
    "function ",
    "const ",
    "let ",
    "var ",
];
const COMPARISON_WORDS: [&str; 5] = [
    "however",
    "whereas",
    "on the other hand",
    "in contrast",
    "while",
];

/// How well the outer form of an answer fits what the prompt asks for, 0 to 1: 0.5, and for each
/// thing that words of the prompt ask for, more if the answer has it and less if not. A list: +0.25 or
/// −0.15; code: +0.25 or −0.15; steps: +0.25 or −0.10; a comparison: +0.20 or −0.05.
///
/// The field records it and does not score by it.
///
/// ```
/// use adit_scoring::inference::answer_shape;
///
/// assert_eq!(answer_shape("List three birds", "- owl\n- tit\n- jay"), 0.75);
/// assert_eq!(answer_shape("List three birds", "owl, tit, jay"), 0.35);
/// ```
pub fn answer_shape(prompt: &str, answer: &str) -> f64 {
    let prompt = prompt.to_lowercase();
    let asks = |cues: &[&str]| cues.iter().any(|cue| prompt.contains(cue));
    let mut shape: f64 = 0.5;
    if asks(&LIST_CUES) {
        let has_list = line_starts(answer).any(|line| is_numbered(line) || is_bulleted(line));
        shape += if has_list { 0.25 } else { -0.15 };
    }
    if asks(&CODE_CUES) {
        let has_code =
            has_code_fence(answer) || CODE_WORDS.iter().any(|word| answer.contains(word));
        shape += if has_code { 0.25 } else { -0.15 };
    }
    if asks(&STEP_CUES) {
        let has_steps = line_starts(answer).any(is_step);
        shape += if has_steps { 0.25 } else { -0.10 };
    }
    if asks(&COMPARISON_CUES) {
        let answer = answer.to_lowercase();
        let has_comparison = COMPARISON_WORDS.iter().any(|word| answer.contains(word));
        shape += if has_comparison { 0.2 } else { -0.05 };
    }
    shape.clamp(0.0, 1.0)
}

/// A list number and a space.
pub(super) fn is_numbered(line: &str) -> bool {
    behind_number(line).is_some_and(starts_with_space)
}

/// A bullet and a space.
pub(super) fn is_bulleted(line: &str) -> bool {
    behind_bullet(line).is_some_and(starts_with_space)
}

pub(super) fn has_code_fence(text: &str) -> bool {
    text.contains("```")
}

fn is_step(line: &str) -> bool {
    let begins = |word: &str| line.get(spelled(line, word)?..);
    is_numbered(line)
        || ["first", "second", "third"]
            .iter()
            .any(|ordinal| begins(ordinal).is_some())
        || begins("step").is_some_and(|behind| {
            starts_with_space(behind) && behind_spaces(behind).starts_with(is_decimal)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_alone() {
        assert_eq!(answer_shape("", ""), 0.5);
        assert_eq!(answer_shape("write code", "x\n```"), 0.75);
        assert_eq!(answer_shape("how to", "a\n  STEP \n7"), 0.75);
        assert_eq!(answer_shape("how to", "a step 7"), 0.4);
        assert_eq!(answer_shape("how to", "\u{3000}thİrdly"), 0.75);
        assert_eq!(answer_shape("Compare", "WHILE"), 0.7);
        assert_eq!(answer_shape("name three", "\n\n٣) x"), 0.75);
        assert_eq!(answer_shape("name three", "3)x"), 0.35);
    }
}
