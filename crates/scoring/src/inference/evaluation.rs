use serde::{Deserialize, Serialize};

use super::{
    AnswerConsensus, Component, ConsensusInput, ConsensusPolicy, EmissionPolicy, EmissionShare,
    Entity, EntityCap, consensus,
    consensus::relevance,
    emissions, entity_weights,
    words::{trim, words},
};
use crate::Result;

/// An answer that begins with this says that its miner only tests.
const TEST_MARK: &str = "[TEST MODE]";

/// All rules of one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InferencePolicy {
    /// Name and version.
    pub name: String,
    /// How many votes an entity has.
    pub entities: EntityCap,
    /// How answers become a consensus.
    pub consensus: ConsensusPolicy,
    /// How a consensus is paid.
    pub emission: EmissionPolicy,
    /// Whether a miner that was asked and did not answer has an emission of 0, so that its average
    /// falls.
    pub silence_counts: bool,
}

impl InferencePolicy {
    /// The rules of the system in the field.
    pub fn original() -> Self {
        Self {
            name: "inference/original-1".into(),
            entities: EntityCap::default(),
            consensus: ConsensusPolicy::original(),
            emission: EmissionPolicy::original(),
            silence_counts: false,
        }
    }

    /// The hardened [`ConsensusPolicy`] and [`EmissionPolicy`]; and silence counts: in the original a
    /// miner that answers only what it likes keeps its average.
    pub fn hardened() -> Self {
        Self {
            name: "inference/hardened-1".into(),
            entities: EntityCap::default(),
            consensus: ConsensusPolicy::hardened(),
            emission: EmissionPolicy::hardened(),
            silence_counts: true,
        }
    }

    /// Checks that every constant is in its range.
    ///
    /// # Errors
    /// [`crate::Error::Constant`] names the first that is not.
    pub fn validate(&self) -> Result<()> {
        self.consensus.validate()?;
        self.emission.validate()
    }
}

/// One miner's part in a round.
#[derive(Debug, Clone, Copy)]
pub struct RoundAnswer<'a, T> {
    /// What it answered; none when it was asked and said nothing.
    pub text: Option<&'a str>,
    /// The answer's embedding; not looked at without one.
    pub embedding: &'a [T],
    /// The answer's quality, 0 to 1.
    pub quality: f64,
    /// How long it took, as the validator measured it.
    pub response_time_ms: f64,
    /// Who stands behind the miner; none when the chain does not know it.
    pub entity: Option<Entity<'a>>,
}

/// A prompt and what miners answered.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a, T> {
    /// The prompt's embedding.
    pub prompt: &'a [T],
    /// One entry for each miner that was asked.
    pub answers: &'a [RoundAnswer<'a, T>],
}

/// What a round comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// How far the answers agree; see [`AnswerConsensus::agreement`].
    pub agreement: f64,
    /// The emission of each miner; none for one that said nothing, where silence does not count.
    pub emissions: Vec<Option<f64>>,
    /// The answer to forward: the one with the highest emission, the first of equals; none when no
    /// emission is above 0.
    pub best: Option<usize>,
    /// The consensus of the answers that took part; none of fewer than two.
    pub consensus: Option<AnswerConsensus>,
    /// The number of each answer that took part: entry `i` is what the consensus calls answer `i`.
    pub took_part: Vec<usize>,
}

/// Evaluates a round as the inference system in the field does: answers of miners that only test earn
/// nothing and take no part; a lone answer has the policy's agreement and emission if it is to the
/// point; of several, the consensus is paid.
///
/// Where this is an error, the original gives nobody an emission.
///
/// # Errors
/// As [`consensus`], [`emissions`] and [`entity_weights`].
pub fn evaluate_round<T: Component>(
    policy: &InferencePolicy,
    round: &Round<'_, T>,
) -> Result<Evaluation> {
    policy.validate()?;
    let silence = policy.silence_counts.then_some(0.0);
    let mut evaluation = Evaluation::default();
    let mut texts = Vec::new();
    for (place, answer) in round.answers.iter().enumerate() {
        evaluation
            .emissions
            .push(answer.text.map_or(silence, |_| Some(0.0)));
        if let Some(text) = answer
            .text
            .filter(|text| !trim(text).starts_with(TEST_MARK))
        {
            evaluation.took_part.push(place);
            texts.push(text);
        }
    }
    let valid: Vec<&RoundAnswer<'_, T>> = evaluation
        .took_part
        .iter()
        .filter_map(|place| round.answers.get(*place))
        .collect();
    let paid = match valid.as_slice() {
        [] => Vec::new(),
        [only] => {
            let to_the_point =
                relevance(round.prompt, only.embedding)? >= policy.emission.lone_relevance;
            evaluation.agreement = if to_the_point {
                policy.emission.lone_answer
            } else {
                0.0
            };
            vec![evaluation.agreement]
        }
        several => {
            let entities: Vec<_> = several.iter().map(|answer| answer.entity).collect();
            let votes = entity_weights(&policy.entities, &entities)?;
            let embeddings: Vec<&[T]> = several.iter().map(|answer| answer.embedding).collect();
            let quality: Vec<f64> = several.iter().map(|answer| answer.quality).collect();
            let counts: Vec<usize> = texts.iter().map(|text| words(text).count()).collect();
            let input = ConsensusInput {
                prompt: Some(round.prompt),
                embeddings: &embeddings,
                quality: &quality,
                words: &counts,
                votes: Some(&votes),
            };
            let found = consensus(&policy.consensus, &input)?;
            let paid = pay(&policy.emission, several, &found)?;
            evaluation.agreement = found.agreement;
            evaluation.consensus = Some(found);
            paid
        }
    };
    let mut most = 0.0;
    for (place, emission) in evaluation.took_part.iter().zip(paid) {
        if emission > most {
            most = emission;
            evaluation.best = Some(*place);
        }
        if let Some(slot) = evaluation.emissions.get_mut(*place) {
            *slot = Some(emission);
        }
    }
    Ok(evaluation)
}

fn pay<T>(
    policy: &EmissionPolicy,
    answers: &[&RoundAnswer<'_, T>],
    found: &AnswerConsensus,
) -> Result<Vec<f64>> {
    let mut shares: Vec<EmissionShare> = answers
        .iter()
        .zip(found.quality.iter().zip(&found.votes))
        .map(|(answer, (quality, vote))| EmissionShare {
            response_time_ms: answer.response_time_ms,
            member: false,
            quality: *quality,
            vote: *vote,
        })
        .collect();
    for member in &found.members {
        if let Some(share) = shares.get_mut(*member) {
            share.member = true;
        }
    }
    emissions(policy, &shares, found.agreement, &found.scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: Option<&'static str>, embedding: &'static [f32]) -> RoundAnswer<'static, f32> {
        RoundAnswer {
            text,
            embedding,
            quality: 0.8,
            response_time_ms: 100.0,
            entity: None,
        }
    }

    #[test]
    fn silence_and_answering_alone_pay_only_in_the_original() {
        let answers = [
            answer(None, &[]),
            answer(Some("an answer"), &[1.0, 0.0]),
            answer(Some(" [TEST MODE] none"), &[1.0, 0.0]),
        ];
        let round = Round {
            prompt: &[1.0, 0.2],
            answers: &answers,
        };
        let original = evaluate_round(&InferencePolicy::original(), &round).unwrap();
        assert_eq!(original.emissions, [None, Some(1.0), Some(0.0)]);
        let hardened = evaluate_round(&InferencePolicy::hardened(), &round).unwrap();
        assert_eq!(hardened.emissions, [Some(0.0), Some(0.5), Some(0.0)]);
        assert_eq!((hardened.best, hardened.took_part), (Some(1), vec![1]));
        let off = Round {
            prompt: &[0.0, 1.0],
            answers: &answers,
        };
        let none = evaluate_round(&InferencePolicy::original(), &off).unwrap();
        assert_eq!((none.best, none.agreement), (None, 0.0));
    }

    #[test]
    fn the_best_answer_is_forwarded() {
        let mut answers = [
            answer(Some("one two three"), &[1.0, 0.1]),
            answer(Some("one two three"), &[1.0, 0.0]),
            answer(Some("one two three"), &[1.0, -0.1]),
        ];
        answers[2].quality = 0.95;
        answers[2].response_time_ms = 150.0;
        let round = Round {
            prompt: &[1.0, 0.0],
            answers: &answers,
        };
        let original = evaluate_round(&InferencePolicy::original(), &round).unwrap();
        assert!(original.best == Some(0) && original.agreement > 0.9);
        let hardened = evaluate_round(&InferencePolicy::hardened(), &round).unwrap();
        assert_eq!(hardened.best, Some(2));
    }
}
