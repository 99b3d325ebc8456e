//! Metrics of long-context answers.
//!
//! `cargo bench -p adit-benches --features text-metrics --bench text_metrics`. Beside it,
//! `benches/peers/text_metrics.py` runs the Python packages on the same texts.

#![expect(
    clippy::print_stderr,
    reason = "what was scored is told, to be held against the peer's"
)]

use std::hint::black_box;

use adit_scoring::long_context::{
    chinese::ChineseSegmenter,
    code::{CodeLine, TextRatio, code_similarity},
    matching_blocks::block_ratio,
    overlap::answer_f1,
    rouge::{RougeScores, rouge_l},
};
use criterion::{Criterion, criterion_group, criterion_main};

const SHORT: [&str; 2] = [
    "The treaty was signed in Vienna by both sides.",
    "the treaty, signed in Paris by all sides in 1856",
];
const CODE: [&str; 2] = [
    "return valuye * scale + ofset",
    "return value * scale + offset",
];
const CHINESE: [&str; 2] = [
    "小明昨天在图书馆看书，他喜欢吃苹果",
    "他在图书馆看书，小明喜欢吃苹果",
];
const CHINESE_TEXT: &str =
    "这座桥建于一九五八年。今天天气很好，研究人员发现了新的材料，请问最近的地铁站在哪里？";

/// SplitMix64, as the peer has it.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A reference of so many words and a prediction that has every fifth wrong. The smaller of two
/// numbers makes some words common and most rare.
fn words(count: usize) -> [Vec<String>; 2] {
    let mut numbers = Numbers(1);
    let word = |numbers: &mut Numbers| {
        let number = numbers.below(1_500).min(numbers.below(1_500));
        format!("word{number}")
    };
    let reference: Vec<String> = (0..count).map(|_| word(&mut numbers)).collect();
    let mut prediction = reference.clone();
    for place in &mut prediction {
        if numbers.below(5) == 0 {
            *place = word(&mut numbers);
        }
    }
    [prediction, reference]
}

/// The words in sentences of so many.
fn sentences(words: &[String], length: usize) -> String {
    let sentences: Vec<String> = words
        .chunks(length)
        .map(|sentence| sentence.join(" "))
        .collect();
    sentences.join(". ") + "."
}

fn run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("text");
    let texts = words(2_000);
    for (name, length) in [("15-word", 15), ("40-word", 40), ("one", usize::MAX)] {
        let [prediction, reference] = [0, 1].map(|side| sentences(&texts[side], length.min(2_000)));
        eprintln!(
            "rouge-l, {name} sentences: {:?}",
            rouge_l(&prediction, &reference)
        );
        group.bench_function(format!("rouge_l/2000/{name}"), |bencher| {
            bencher.iter(|| rouge_l(black_box(&prediction), black_box(&reference)));
        });
    }
    let [prediction, reference] = [0, 1].map(|side| sentences(&texts[side], 15));
    group.bench_function("rouge_1_2_l/2000/15-word", |bencher| {
        bencher.iter(|| RougeScores::of(black_box(&prediction), black_box(&reference)));
    });
    eprintln!(
        "answer F1: {} and {}",
        answer_f1(SHORT[0], SHORT[1]),
        answer_f1(&prediction, &reference)
    );
    group.bench_function("answer_f1/short", |bencher| {
        bencher.iter(|| answer_f1(black_box(SHORT[0]), black_box(SHORT[1])));
    });
    group.bench_function("answer_f1/2000", |bencher| {
        bencher.iter(|| answer_f1(black_box(&prediction), black_box(&reference)));
    });
    for (name, ratio) in [("indel", TextRatio::Indel), ("blocks", TextRatio::Blocks)] {
        let of = |a: &str, b: &str| code_similarity(a, b, CodeLine::FirstClean, ratio);
        eprintln!("code similarity by {name}: {}", of(CODE[0], CODE[1]));
        group.bench_function(format!("code_similarity/{name}"), |bencher| {
            bencher.iter(|| of(black_box(CODE[0]), black_box(CODE[1])));
        });
    }
    eprintln!("block ratio: {}", block_ratio(&prediction, &reference));
    group.bench_function("block_ratio/13000", |bencher| {
        bencher.iter(|| block_ratio(black_box(&prediction), black_box(&reference)));
    });
    let segmenter = ChineseSegmenter::new();
    let text = CHINESE_TEXT.repeat(250);
    eprintln!(
        "Chinese answer F1: {}; words of {} characters: {}",
        segmenter.answer_f1(CHINESE[0], CHINESE[1]),
        text.chars().count(),
        segmenter.words(&text).len()
    );
    group.bench_function("chinese/answer_f1", |bencher| {
        bencher.iter(|| segmenter.answer_f1(black_box(CHINESE[0]), black_box(CHINESE[1])));
    });
    group.bench_function("chinese/words/10000", |bencher| {
        bencher.iter(|| segmenter.words(black_box(&text)).len());
    });
    group.finish();
}

criterion_group!(benches, run);
criterion_main!(benches);
