//! Metrics of long-context answers: every score of any two texts lies in 0 to 1.
#![no_main]

use adit_scoring::long_context::{
    chinese, classification, code, longbench, matching_blocks, normalise, overlap, recall,
    retrieval, rouge,
};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static SEGMENTER: chinese::ChineseSegmenter = chinese::ChineseSegmenter::new();
}

fuzz_target!(|texts: (&str, &str)| {
    let (prediction, reference) = texts;
    let _ = normalise::normalise_answer(prediction);
    let _ = normalise::normalise_chinese_answer(prediction);
    let _ = longbench::extract_choice(prediction);
    let mut scores = vec![
        overlap::answer_f1(prediction, reference),
        overlap::exact_match(prediction, reference),
        matching_blocks::block_ratio(prediction, reference),
        code::indel_ratio(prediction, reference),
        retrieval::count_share(prediction, reference),
    ];
    for ratio in [code::TextRatio::Indel, code::TextRatio::Blocks] {
        scores.push(recall::recall_score(prediction, reference, ratio));
        for line in [
            code::CodeLine::FirstClean,
            code::CodeLine::FirstCleanOrAll,
            code::CodeLine::FirstFilled,
        ] {
            scores.push(code::code_similarity(prediction, reference, line, ratio));
        }
    }
    let classes: Vec<&str> = reference.split(',').collect();
    for overlapping in [
        classification::OverlappingClasses::SkippedAfterRemoval,
        classification::OverlappingClasses::Removed,
    ] {
        scores.push(classification::classification_score(
            prediction,
            reference,
            &classes,
            overlapping,
        ));
    }
    scores.extend(retrieval::retrieval_share(prediction, reference));
    scores.extend(retrieval::chinese_retrieval_share(prediction, reference));
    scores.extend(rouge::rouge_l(prediction, reference).map(|score| score.f1));
    SEGMENTER.with(|segmenter| {
        scores.push(segmenter.answer_f1(prediction, reference));
        scores.extend(
            segmenter
                .rouge_l(prediction, reference)
                .map(|score| score.f1),
        );
    });
    for score in scores {
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
});
