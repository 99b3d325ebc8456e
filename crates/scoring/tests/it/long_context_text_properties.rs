//! Text metrics on any text: always a number between 0 and 1, and the same in whatever way it is
//! computed.

use std::sync::LazyLock;

use adit_scoring::{
    Error,
    long_context::{
        TextMetricPolicy,
        chinese::ChineseSegmenter,
        classification::{OverlappingClasses, classification_score},
        code::{CodeLine, TextRatio, code_similarity, indel_ratio, rounded_ratio},
        longbench::{
            Choice, ChoiceAccuracy, ChoiceResult, LongBench, LongBenchAnswer, LongBenchDataset,
            LongBenchLength, extract_choice,
        },
        matching_blocks::block_ratio,
        normalise::{normalise_answer, normalise_chinese_answer},
        overlap::{answer_f1, exact_match, token_f1},
        recall::recall_score,
        retrieval::{chinese_retrieval_share, count_share, retrieval_share},
        rouge::{RougeScore, RougeScores, rouge_l, rouge_l_of_sequences},
    },
};
use proptest::prelude::*;

static SEGMENTER: LazyLock<ChineseSegmenter> = LazyLock::new(ChineseSegmenter::new);

/// Words, signs and scripts that the metrics treat apart, and sometimes anything.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(vec![
            "the", "The", "a", "an", "cat", "cats", "x", "zebra crossing", "internationalisation",
            " ", "  ", ".", "..", ",", "-", "_", "\n", "\r\n", "\t", "\u{1c}", "\u{85}", "\u{3000}",
            "\u{200b}", "\0", "`", "#", "//", "7", "12", "１２", "Paragraph 7", "段落7", "%", "3.14",
            "WES-5.4", "中", "国", "北京", "大学", "我们", "《", "》", "。", "鿿", "㐀", "İ", "Σ", "ß",
            "é", "e\u{301}", "🦀", "The correct answer is (B)", "The correct answer is C", "*",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,4}".prop_map(|text| text),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn is_share(score: f64) -> bool {
    (0.0..=1.0).contains(&score)
}

fn is_rouge(score: RougeScore) -> bool {
    is_share(score.recall) && is_share(score.precision) && is_share(score.f1)
}

proptest! {
    #[test]
    fn every_metric_gives_a_share(prediction in text(), reference in text(), third in text()) {
        let classes = [prediction.as_str(), reference.as_str(), third.as_str(), ""];
        for overlapping in [OverlappingClasses::SkippedAfterRemoval, OverlappingClasses::Removed] {
            let score = classification_score(&prediction, &reference, &classes, overlapping);
            prop_assert!(is_share(score));
        }
        for ratio in [TextRatio::Indel, TextRatio::Blocks] {
            for line in [CodeLine::FirstClean, CodeLine::FirstCleanOrAll, CodeLine::FirstFilled] {
                prop_assert!(is_share(code_similarity(&prediction, &reference, line, ratio)));
            }
            prop_assert!(is_share(ratio.of(&prediction, &reference)));
            prop_assert!(is_share(rounded_ratio(&prediction, &reference, ratio)));
            prop_assert!(is_share(recall_score(&prediction, &reference, ratio)));
        }
        prop_assert!(is_share(count_share(&prediction, &reference)));
        for share in [retrieval_share, chinese_retrieval_share] {
            prop_assert!(share(&prediction, &reference).map_or(true, is_share));
        }
        prop_assert!(is_share(answer_f1(&prediction, &reference)));
        prop_assert!(is_share(SEGMENTER.answer_f1(&prediction, &reference)));
        for rouge in [rouge_l, rouge_l_of_sequences] {
            prop_assert!(rouge(&prediction, &reference).map_or(true, is_rouge));
        }
        prop_assert!(SEGMENTER.rouge_l(&prediction, &reference).map_or(true, is_rouge));
        let scores = RougeScores::of(&prediction, &reference);
        let parts = scores.clone().map(|all| [all.rouge_1, all.rouge_2, all.rouge_l]);
        let fine = parts.map_or(true, |parts| parts.into_iter().all(is_rouge));
        prop_assert!(fine);
        prop_assert_eq!(scores.map(|all| all.rouge_l), rouge_l(&prediction, &reference));
    }

    #[test]
    fn a_text_is_like_itself(text in text()) {
        prop_assert_eq!(exact_match(&text, &text), 1.0);
        prop_assert_eq!(indel_ratio(&text, &text), 1.0);
        let normalised = normalise_answer(&text);
        let f1 = answer_f1(&text, &text);
        prop_assert_eq!(f1, if normalised.is_empty() { 0.0 } else { 1.0 });
        if let Ok(score) = rouge_l(&text, &text) {
            prop_assert_eq!((score.precision, score.recall), (1.0, 1.0));
        }
    }

    #[test]
    fn f1_is_that_of_the_normalised_words(prediction in text(), reference in text()) {
        let tokens = |text| -> Vec<String> {
            let text = normalise_answer(text);
            text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let (left, right) = (tokens(&prediction), tokens(&reference));
        prop_assert_eq!(answer_f1(&prediction, &reference), token_f1(&left, &right));
        prop_assert_eq!(exact_match(&prediction, &reference) == 1.0, left == right);
    }

    #[test]
    fn normalising_leaves_nothing_to_remove(text in text()) {
        let normalised = normalise_answer(&text);
        prop_assert!(!normalised.contains(|c: char| c.is_ascii_punctuation()));
        let chinese = normalise_chinese_answer(&text);
        prop_assert!(!chinese.contains(|c: char| c.is_whitespace() || c == '。'));
    }

    #[test]
    fn chinese_words_together_are_the_text(text in text()) {
        prop_assert_eq!(SEGMENTER.words(&text).concat(), text);
    }

    #[test]
    fn blocks_are_a_common_subsequence(first in text(), second in text()) {
        prop_assert!(block_ratio(&first, &second) <= indel_ratio(&first, &second) + 1e-12);
    }

    #[test]
    fn datasets_score_whatever_is_answered(
        prediction in text(),
        reference in text(),
        length in any::<usize>(),
    ) {
        for policy in [
            TextMetricPolicy::original(),
            TextMetricPolicy::longbench(),
            TextMetricPolicy::hardened(),
        ] {
            let required = policy.passage_required;
            let judge = LongBench::new(policy);
            let references = [reference.as_str()];
            let answer = LongBenchAnswer { prediction: &prediction, references: &references, length };
            for dataset in LongBenchDataset::ALL {
                if dataset.name().ends_with("zh") || ["dureader", "vcsum"].contains(&dataset.name()) {
                    // The dictionary would be read for each judge.
                    continue;
                }
                match judge.score(*dataset, &[answer], &[&reference]) {
                    Ok(score) => prop_assert!((0.0..=100.0).contains(&score)),
                    Err(error) => {
                        let is_empty = matches!(error, Error::Empty { .. });
                        prop_assert!(required && is_empty);
                    }
                }
                if let Ok(buckets) = judge.score_by_length(*dataset, &[answer], &[&reference]) {
                    let all = [buckets.below_4k, buckets.below_8k, buckets.from_8k];
                    prop_assert_eq!(all.iter().flatten().count(), 1);
                }
            }
        }
    }

    #[test]
    fn choices_are_read_from_any_text(text in text(), unnamed in any::<f64>()) {
        let named = extract_choice(&text);
        prop_assert!(named.is_none() || text.contains("answer is"));
        let result = ChoiceResult {
            named,
            right: Choice::B,
            hard: false,
            length: LongBenchLength::Long,
        };
        let accuracy = ChoiceAccuracy::of(&[result], unnamed);
        prop_assert_eq!(accuracy.is_ok(), unnamed.is_finite() && unnamed >= 0.0);
    }
}

#[test]
fn texts_without_sentences_are_refused() {
    for empty in ["", ".", "..."] {
        for (prediction, reference) in [(empty, "a"), ("a", empty)] {
            assert!(matches!(
                RougeScores::of(prediction, reference),
                Err(Error::Empty { .. })
            ));
            assert!(rouge_l(prediction, reference).is_err());
            assert!(rouge_l_of_sequences(prediction, reference).is_err());
            assert!(SEGMENTER.rouge_l(prediction, reference).is_err());
        }
    }
    assert!(RougeScores::mean([]).is_err());
    // White space is a sentence of one empty word.
    assert!(rouge_l(" ", " ").unwrap().f1 > 0.99);
}

#[test]
fn long_sentences_are_scored_where_the_original_gives_up() {
    let words: Vec<String> = (0..5_000).map(|number| format!("w{number}")).collect();
    let text = words.join(" ");
    assert_eq!(rouge_l(&text, &text).unwrap().recall, 1.0);
    let others: Vec<String> = words.iter().step_by(2).rev().cloned().collect();
    let backwards = rouge_l(&others.join(" "), &text).unwrap();
    assert_eq!(backwards.recall, 1.0 / 5_000.0);
}

#[test]
fn the_hardened_policy_closes_what_it_says() {
    let original = LongBench::new(TextMetricPolicy::original());
    let hardened = LongBench::new(TextMetricPolicy::hardened());
    let both = |dataset: LongBenchDataset, prediction: &str, reference: &str, classes: &[&str]| {
        [&original, &hardened].map(|judge| {
            judge
                .compare(dataset.metric(), prediction, reference, classes)
                .ok()
        })
    };
    let [free, costly] = both(
        LongBenchDataset::GovReport,
        "d. c. b. a. a. a. a. a. a",
        "a b c d",
        &[],
    );
    assert!(free.unwrap() > 0.99 && costly.unwrap() < 0.2);
    let [whole, line] = both(
        LongBenchDataset::Lcc,
        "# so:\n\nlet x = 1;",
        "let x = 1;",
        &[],
    );
    assert!(whole.unwrap() < 1.0 && line.unwrap() == 1.0);
    let poem = "roses are red and violets are blue ".repeat(12);
    let [blind, seeing] = both(
        LongBenchDataset::OpenAiMrcrCode,
        &format!("0123456789 X{poem}"),
        &format!("0123456789 Y{poem}"),
        &[],
    );
    assert!(blind.unwrap() < 0.1 && seeing.unwrap() > 0.99);
    let classes = ["Eco", "Econ", "Economy"];
    let [halved, whole] = both(LongBenchDataset::Trec, "Economy", "Economy", &classes);
    assert_eq!((halved, whole), (Some(0.5), Some(1.0)));
    let [zero, refused] = both(LongBenchDataset::PassageRetrievalEn, "3", "the third", &[]);
    assert_eq!((zero, refused), (Some(0.0), None));
}

#[test]
fn names_are_those_of_the_field() {
    for dataset in LongBenchDataset::ALL {
        assert_eq!(serde_json::to_value(dataset).unwrap(), dataset.name());
        let metric = dataset.metric();
        assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
    }
}
