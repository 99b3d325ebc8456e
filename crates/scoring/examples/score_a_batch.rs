//! Scores one batch of miners' answers of each family, and turns each batch's scores into the u16
//! weights of a `set_weights` call.
//!
//! ```text
//! cargo run -p adit-scoring --example score_a_batch
//! ```
//!
//! The vectors stand for what an embedding model gives; with a real one, only they change.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use adit_primitives::{Uid, WeightVector};
use adit_scoring::{
    Result,
    conversation::{ConversationPolicy, TagReference, TagVector, TaggingTask, evaluate_all},
    inference::{InferencePolicy, Round, RoundAnswer, evaluate_round},
    long_context::{
        LongContextEvidence, LongContextPolicy, judge as judge_reading, needle, overlap::answer_f1,
    },
    video::{
        AnswerEvidence, ClipEvidence, SoundComparison, Verification, VideoPolicy,
        judge as judge_video, measure_description,
    },
    weights::{WeightLimits, quantise},
};

/// What a family's miners earned.
pub(crate) struct Batch {
    /// The family.
    pub(crate) family: &'static str,
    /// Who the miners are, what they answered in a word, and their scores.
    pub(crate) scores: Vec<(Uid, &'static str, f64)>,
    /// Their weights.
    pub(crate) weights: WeightVector,
}

impl Batch {
    fn new(family: &'static str, scores: &[(&'static str, f64)]) -> Result<Self> {
        let uids = (0..).map(Uid);
        let scores: Vec<(Uid, &str, f64)> = uids
            .zip(scores)
            .map(|(uid, (answer, score))| (uid, *answer, *score))
            .collect();
        let paid: Vec<(Uid, f64)> = scores
            .iter()
            .map(|(uid, _, score)| (*uid, *score))
            .collect();
        Ok(Self {
            family,
            scores,
            weights: quantise(&paid, WeightLimits::default())?,
        })
    }
}

/// All batches.
pub(crate) fn batches() -> Result<[Batch; 5]> {
    Ok([videos()?, tags()?, questions()?, needles()?, consensus()?])
}

/// Clips for the topic "rabbit": fetched and found as described, or not.
fn videos() -> Result<Batch> {
    let clip = |description: &str, cosine: f64, novelty: f64| ClipEvidence {
        place: 0,
        clip_id: "clip".to_owned(),
        source: "https://origin.example/clip.mp4".to_owned(),
        start_ms: 1_000,
        end_ms: 9_000,
        source_duration_ms: Some(60_000),
        description: measure_description(description, "rabbit"),
        defect: None,
        verification: Verification::Compared {
            video: cosine,
            sound: SoundComparison::Compared { cosine: 0.99 },
        },
        global_novelty: Some(novelty),
        nearest_in_task: None,
        query_relevance: Some(0.5),
        text_similarity: Some(1.0),
        joint: None,
    };
    let story = "A grey rabbit wakes in a green meadow, stretches, and hops to a clover patch";
    let answers = [
        ("new, well described", clip(story, 0.99, 0.9)),
        ("known footage", clip(story, 0.99, 0.1)),
        ("other footage than claimed", clip(story, 0.3, 0.9)),
    ];
    let policy = VideoPolicy::hardened();
    let scores = answers.map(|(name, clip)| {
        let evidence = AnswerEvidence {
            clips_wanted: 1,
            answered_within_deadline: true,
            clips: vec![clip],
            within_answer: Vec::new(),
        };
        (name, judge_video(&policy, &evidence).score.get())
    });
    Batch::new("video: clips for a topic", &scores)
}

/// Tags of a window of a conversation about the coast.
fn tags() -> Result<Batch> {
    let policy = ConversationPolicy::hardened();
    let truth: [&[f32]; 3] = [&[1.0, 0.2, 0.0], &[0.8, 0.6, 0.0], &[0.9, 0.0, 0.3]];
    let reference = TagReference::new(&policy, &["sea", "beach", "tide"], &truth)?;
    let tag = |tag, vector| TagVector {
        tag,
        vector: Some(vector),
    };
    let near = [
        tag("sea", &[1.0_f32, 0.2, 0.0][..]),
        tag("beaches", &[0.7, 0.7, 0.0]),
        tag("tides", &[0.9, 0.0, 0.4]),
    ];
    let loose = [
        tag("summer", &[0.5_f32, 0.9, 0.1][..]),
        tag("holiday", &[0.3, 1.0, 0.2]),
        tag("moon", &[0.4, 0.0, 1.0]),
    ];
    let beside = [
        tag("tax", &[-0.2_f32, -0.1, 1.0][..]),
        tag("invoice", &[-0.5, 0.1, 0.9]),
        tag("audit", &[-0.4, -0.3, 0.8]),
    ];
    let answers = [&near[..], &loose[..], &beside[..]];
    let verdicts = evaluate_all(&policy, TaggingTask::Conversation, &reference, answers);
    let names = ["close tags", "loose tags", "tags of something else"];
    let scores = names
        .into_iter()
        .zip(verdicts.iter().map(|verdict| verdict.score));
    Batch::new("conversation: tags", &scores.collect::<Vec<_>>())
}

/// Answers to a question over 512,000 tokens.
fn questions() -> Result<Batch> {
    let expected = "the harbour of Palermo";
    let answers = [
        ("right", "The harbour of Palermo."),
        ("half right", "In Palermo, I think"),
        ("wrong", "Naples"),
    ];
    let scores = answers.map(|(name, answer)| (name, read(answer_f1(answer, expected), 512_000)));
    Batch::new("long context: questions", &scores)
}

/// A number hidden in 124,000 tokens.
fn needles() -> Result<Batch> {
    let needle = "48213";
    let echo = format!("{} {needle} {}", "hay ".repeat(500), "hay ".repeat(500));
    let answers = [
        ("found", "The access code is 48213.".to_owned()),
        ("repeats the haystack", echo),
        ("not found", "The code is 48214.".to_owned()),
    ];
    let scores = answers.map(|(name, answer)| {
        (
            name,
            read(needle::grade(needle, &answer, 12).found, 124_000),
        )
    });
    Batch::new("long context: a needle", &scores)
}

fn read(accuracy: f64, context_tokens: u64) -> f64 {
    let evidence = LongContextEvidence {
        answered_within_deadline: true,
        answered: true,
        context_tokens,
        accuracy: Some(accuracy),
        ..LongContextEvidence::default()
    };
    judge_reading(&LongContextPolicy::hardened(), &evidence)
        .score
        .get()
}

/// Answers to one prompt: what most agree on is paid.
fn consensus() -> Result<Batch> {
    let prompt: &[f32] = &[1.0, 0.3, 0.1];
    let given = [
        (
            "agrees",
            "Water boils at 100 degrees at sea level.",
            [1.0_f32, 0.31, 0.1],
            900.0,
        ),
        (
            "agrees, slower",
            "At sea level water boils at 100 °C.",
            [0.98, 0.33, 0.12],
            4_000.0,
        ),
        (
            "agrees too",
            "It boils at 100 degrees Celsius there.",
            [0.97, 0.28, 0.15],
            1_500.0,
        ),
        (
            "disagrees",
            "My favourite colour is a kind of green.",
            [0.1, -0.2, 1.0],
            800.0,
        ),
    ];
    let answers = given
        .each_ref()
        .map(|(_, text, embedding, response_time_ms)| RoundAnswer {
            text: Some(*text),
            embedding: embedding.as_slice(),
            quality: 0.8,
            response_time_ms: *response_time_ms,
            entity: None,
        });
    let round = Round {
        prompt,
        answers: &answers,
    };
    let evaluation = evaluate_round(&InferencePolicy::hardened(), &round)?;
    let names = given.iter().map(|(name, ..)| *name);
    let emissions = evaluation
        .emissions
        .iter()
        .map(|emission| emission.unwrap_or(0.0));
    Batch::new(
        "inference: consensus",
        &names.zip(emissions).collect::<Vec<_>>(),
    )
}

/// Prints every batch.
pub(crate) fn main() -> Result<()> {
    for batch in batches()? {
        println!("{}", batch.family);
        for (uid, answer, score) in &batch.scores {
            let pairs = batch.weights.pairs().iter();
            let weight = pairs.into_iter().find(|(paid, _)| paid == uid);
            let weight = weight.map_or(0, |(_, weight)| *weight);
            println!(
                "  uid {:>3}  score {score:.3}  weight {weight:>6}  {answer}",
                uid.0
            );
        }
    }
    Ok(())
}
