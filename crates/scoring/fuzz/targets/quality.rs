//! Quality of answers of language models: signals lie in their ranges, likeness is symmetric.
#![no_main]

use adit_scoring::inference::{
    TextStatistics, answer_shape, discourse_markers, lexical_similarity, prompt_components,
    sentences,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (prompt, answer) = texts;
    let _ = discourse_markers(answer);
    let _ = prompt_components(prompt);
    for sentence in sentences(answer) {
        assert!(answer.contains(sentence));
    }
    let statistics = TextStatistics::of(answer);
    let signals = [
        answer_shape(prompt, answer),
        statistics.density(),
        statistics.specificity(),
        statistics.heuristic_coherence(),
    ];
    for signal in signals {
        assert!((0.0..=1.0).contains(&signal), "{signal}");
    }
    if let Ok(matrix) = lexical_similarity(&[prompt, answer, prompt]) {
        assert_eq!(matrix.get(0, 1), matrix.get(1, 0));
        for (_, _, likeness) in matrix.pairs() {
            assert!((-1e-9..=1.0 + 1e-9).contains(&likeness), "{likeness}");
        }
    }
});
