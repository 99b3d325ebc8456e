use adit_primitives::Block;
use adit_scoring::{
    average::update_averages,
    weights::{BlendPart, SyncRules, blend, follow_hotkeys_sharing_growth, may_be_asked},
};
use adit_testkit::{GoldenSuite, Outcome, Real};
use serde::Deserialize;
use serde_json::json;

use super::reals;

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("omega", "weights.set_weights_raw", |file, case| {
        let input: Raw = case.input_as().unwrap();
        let kinds = [
            (plain(&input.scores), input.pct_youtube),
            (plain(&input.focus_scores), input.pct_focus),
            (plain(&input.audio_scores), input.pct_audio),
        ];
        let parts = kinds.each_ref().map(|(scores, share)| BlendPart {
            scores,
            share: share.0,
        });
        let found = blend(&parts, input.n_metagraph_uids).map(reals);
        super::settled(found, case.raises().is_some(), |found| {
            Outcome::compare(file, case, found)
        })
    });
    suite.on("omega", "weights.resync_metagraph", |file, case| {
        let input: Resync = case.input_as().unwrap();
        let kinds =
            [&input.scores, &input.focus_scores, &input.audio_scores].map(|kind| plain(kind));
        let [scores, focus, audio] = follow_hotkeys_sharing_growth(
            &input.old_hotkeys,
            &input.new_hotkeys,
            kinds.each_ref().map(Vec::as_slice),
        );
        let found = json!({
            "scores": reals(scores),
            "focus_scores": reals(focus),
            "audio_scores": reals(audio),
        });
        Outcome::compare(file, case, &found)
    });
    suite.on("omega", "weights.sync_predicates", |file, case| {
        let input: Sync = case.input_as().unwrap();
        let rules = SyncRules {
            interval_blocks: input.epoch_length,
            disable_set_weights: input.disable_set_weights,
        };
        let (block, last) = (Block(input.block), Block(input.last_update));
        let validates = input.neuron_type != "MinerNeuron";
        let found = json!({
            "should_sync_metagraph": rules.resync_is_due(block, last),
            "should_set_weights": rules.weights_are_due(block, last, input.step, validates),
        });
        Outcome::compare(file, case, &found)
    });
    suite.on("omega", "weights.check_uid_availability", |file, case| {
        let input: Neurons = case.input_as().unwrap();
        let asked: Vec<usize> = (0..input.is_serving.len())
            .filter(|uid| {
                may_be_asked(
                    input.is_serving[*uid],
                    input.validator_permit[*uid],
                    input.stake[*uid].0,
                    input.vpermit_tao_limit.0,
                )
            })
            .collect();
        Outcome::compare(file, case, &json!(asked))
    });
    suite.on("conversation", "check_uid_availability", |file, case| {
        let input: Neuron = case.input_as().unwrap();
        let asked = may_be_asked(
            input.is_serving,
            input.validator_permit,
            input.stake.0,
            input.limit.0,
        );
        Outcome::compare(file, case, &json!(asked))
    });
    suite.on("omega", "weights.update_audio_scores", |file, case| {
        let input: Rounds = case.input_as().unwrap();
        let mut averages = plain(&input.initial);
        let done = input.rounds.iter().try_for_each(|round| {
            update_averages(
                &mut averages,
                &round.uids,
                &plain(&round.rewards),
                input.alpha.0,
            )
        });
        super::settled(
            done.map(|()| reals(averages)),
            case.raises().is_some(),
            |found| Outcome::compare(file, case, found),
        )
    });
    // Focus scores are replaced, which is an average without memory.
    suite.on("omega", "weights.update_focus_scores", |file, case| {
        let input: Rounds = case.input_as().unwrap();
        let mut scores = plain(&input.initial);
        let done = input.rounds.iter().try_for_each(|round| {
            update_averages(&mut scores, &round.uids, &plain(&round.rewards), 1.0)
        });
        super::settled(
            done.map(|()| reals(scores)),
            case.raises().is_some(),
            |found| Outcome::compare(file, case, found),
        )
    });
}

fn plain(numbers: &[Real]) -> Vec<f64> {
    numbers.iter().map(|number| number.0).collect()
}

#[derive(Deserialize)]
struct Raw {
    scores: Vec<Real>,
    focus_scores: Vec<Real>,
    audio_scores: Vec<Real>,
    pct_youtube: Real,
    pct_focus: Real,
    pct_audio: Real,
    n_metagraph_uids: usize,
}

#[derive(Deserialize)]
struct Resync {
    old_hotkeys: Vec<String>,
    new_hotkeys: Vec<String>,
    scores: Vec<Real>,
    focus_scores: Vec<Real>,
    audio_scores: Vec<Real>,
}

#[derive(Deserialize)]
struct Sync {
    epoch_length: u64,
    block: u64,
    last_update: u64,
    disable_set_weights: bool,
    step: u64,
    neuron_type: String,
}

#[derive(Deserialize)]
struct Neurons {
    is_serving: Vec<bool>,
    validator_permit: Vec<bool>,
    stake: Vec<Real>,
    vpermit_tao_limit: Real,
}

#[derive(Deserialize)]
struct Neuron {
    is_serving: bool,
    validator_permit: bool,
    stake: Real,
    limit: Real,
}

#[derive(Deserialize)]
struct Rounds {
    alpha: Real,
    initial: Vec<Real>,
    rounds: Vec<Round>,
}

#[derive(Deserialize)]
struct Round {
    uids: Vec<usize>,
    rewards: Vec<Real>,
}
