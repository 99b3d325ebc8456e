//! A subnet of its own: miners split numbers into factors, and who finds the most earns the most.
//!
//! The mechanism and the worker are all that a subnet team writes. Here miners live in the same
//! process; in a subnet, `query` calls them over gRPC (see the video mechanism).

use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

use adit::{
    chain::testing::FakeChain,
    neuron::{
        Assigned, Call, JudgedAnswer, Judgement, QueryFailure, Received, Unavailable, Validator,
        ValidatorConfig,
    },
    prelude::*,
    primitives::{AxonInfo, Block, BlockHash, Coldkey, Neuron, Rao, SubnetParameters, SystemClock},
    storage::{AverageRow, Store},
};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub(crate) struct Factoriser {
    largest_divisor: u64,
}

impl Worker for Factoriser {
    type Task = u64;
    type Answer = Vec<u64>;

    async fn work(&self, task: u64, _time_left: Duration) -> Result<Vec<u64>, Unavailable> {
        let (mut rest, mut factors) = (task, Vec::new());
        for divisor in 2..=self.largest_divisor {
            while rest > divisor && rest % divisor == 0 {
                rest /= divisor;
                factors.push(divisor);
            }
        }
        factors.push(rest);
        Ok(factors)
    }
}

pub(crate) struct Factoring {
    miners: BTreeMap<Hotkey, Factoriser>,
}

impl Mechanism for Factoring {
    type Task = u64;
    type Answer = Vec<u64>;

    fn name(&self) -> &'static str {
        "factoring"
    }

    fn policy(&self) -> String {
        "factoring/1".to_owned()
    }

    async fn next_task(&self, rng: &mut ChaCha8Rng) -> Result<u64, Unavailable> {
        Ok((0..4).map(|_| rng.random_range(2..1_000)).product())
    }

    async fn query(&self, call: Call<'_, u64>) -> Result<Vec<u64>, QueryFailure> {
        let nobody = || QueryFailure::Unreachable("nobody there".to_owned());
        let miner = self.miners.get(&call.miner.hotkey).ok_or_else(nobody)?;
        let answer = miner.work(*call.task, call.time_left).await;
        answer.map_err(|down| QueryFailure::Refused(down.to_string()))
    }

    async fn judge(
        &self,
        task: &Assigned<u64>,
        answers: &[Received<Vec<u64>>],
        _rng: &mut ChaCha8Rng,
    ) -> Result<Judgement, Unavailable> {
        // An answer may hold anything: ones to look longer, or numbers whose product overflows.
        let found = |answer: &Vec<u64>| {
            let product = answer.iter().try_fold(1_u64, |product, factor| {
                product.checked_mul(*factor).filter(|_| *factor > 1)
            });
            if product == Some(task.task) {
                answer.len()
            } else {
                0
            }
        };
        let most = answers.iter().map(|received| found(&received.answer)).max();
        let scores = answers.iter().map(|received| {
            let evidence = json!({ "found": found(&received.answer), "most": most });
            JudgedAnswer {
                uid: received.uid,
                hotkey: received.hotkey,
                score: self.recompute("factoring/1", &evidence).unwrap_or_default(),
                verdict: "scored".to_owned(),
                reasons: Vec::new(),
                evidence,
            }
        });
        Ok(Judgement {
            scores: scores.collect(),
            items: Vec::new(),
            batch: None,
        })
    }

    async fn deliver(&self, _batch_id: &str, _batch: &Value) -> Result<Value, Unavailable> {
        Ok(Value::Null)
    }

    fn recompute(&self, _policy: &str, evidence: &Value) -> Result<Score, String> {
        let number = |name: &str| evidence[name].as_f64().ok_or(format!("no {name}"));
        Score::new(number("found")? / number("most")?.max(1.0)).map_err(|error| error.to_string())
    }
}

fn neuron(uid: u16) -> Neuron {
    Neuron {
        uid: Uid(uid),
        hotkey: Hotkey::new([uid as u8; 32]),
        coldkey: Coldkey::new([99; 32]),
        axon: Some(AxonInfo {
            ip: [127, 0, 0, 1].into(),
            port: 8091,
            protocol: 4,
            version: 1,
            block: Block(0),
        }),
        stake: Rao(0),
        validator_permit: uid == 0,
        active: true,
        incentive: 0,
        dividends: 0,
        consensus: 0,
        validator_trust: 0,
        emission: Rao(0),
        last_update: Block(0),
        registered_at: Block(0),
    }
}

/// Five rounds of one validator (uid 0) and three miners; the averages they earn.
pub(crate) async fn run() -> Result<Vec<AverageRow>, Box<dyn Error>> {
    let parameters = SubnetParameters {
        tempo: 360,
        min_allowed_weights: 1,
        max_weights_limit: u16::MAX,
        weights_rate_limit: 0,
        weights_version: 0,
        commit_reveal: false,
    };
    let (netuid, neurons) = (NetUid(1), (0..4).map(neuron).collect());
    let metagraph = Metagraph::new(netuid, Block(1), BlockHash::default(), parameters, neurons)?;
    let own = neuron(0).hotkey;
    let miners = [(1, 1_000), (2, 10), (3, 1)]
        .map(|(uid, largest_divisor)| (neuron(uid).hotkey, Factoriser { largest_divisor }));
    let chain = Arc::new(FakeChain::new(metagraph, own));
    let store = Store::in_memory().await?;
    let config = ValidatorConfig {
        rounds: Some(5),
        round_interval_ms: 0,
        ..ValidatorConfig::default()
    };
    let validator = Validator::new(
        Arc::new(Factoring {
            miners: miners.into(),
        }),
        Arc::clone(&chain),
        store.clone(),
        Arc::new(SystemClock),
        netuid,
        own,
        7,
        config,
    );
    validator.run(&CancellationToken::new()).await?;
    Ok(store.averages().await?)
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    for average in run().await? {
        println!("uid {} earned {:.3}", average.uid, average.value);
    }
    Ok(())
}
