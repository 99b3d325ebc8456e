use std::collections::BTreeMap;

use adit_primitives::Uid;
use adit_scoring::inference::{
    AveragedMiner, ServingCandidate, WeightEvidence, WeightShares, WeightSharesPolicy,
    weight_shares,
};
use adit_testkit::{GoldenSuite, Outcome, Real, real};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{reals, settled, uids};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("loosh", "set_weights_pipeline", |file, case| {
        let input: Input = case.input_as().unwrap();
        let found = input.shares().map(|shares| told(&shares));
        // The report is sent penalty by penalty; its order says nothing.
        let mut case = case.clone();
        sort_report(&mut case.expected);
        let raises = case.raises().is_some();
        settled(found, raises, |found| Outcome::compare(file, &case, found))
    });
}

#[derive(Deserialize)]
struct Input {
    nodes: Vec<Node>,
    validator_hotkey: String,
    validator_hotkeys: Option<Vec<String>>,
    blocks_since_update: Option<u64>,
    rate_limit: u64,
    ema: BTreeMap<String, Real>,
    last_success_age_seconds: BTreeMap<String, Option<Real>>,
    sybil: Option<BTreeMap<String, Real>>,
}

#[derive(Deserialize)]
struct Node {
    hotkey: String,
    uid: u16,
    ip: String,
    port: u16,
    stake: Real,
}

impl Input {
    fn shares(&self) -> adit_scoring::Result<WeightShares> {
        let neurons: Vec<(Uid, ServingCandidate<'_>)> = self
            .nodes
            .iter()
            .map(|node| {
                let candidate = ServingCandidate {
                    hotkey: &node.hotkey,
                    ip: &node.ip,
                    port: node.port,
                    stake: node.stake.0,
                };
                (Uid(node.uid), candidate)
            })
            .collect();
        let validators: Option<Vec<&str>> = self
            .validator_hotkeys
            .as_ref()
            .map(|list| list.iter().map(String::as_str).collect());
        let miners: Vec<AveragedMiner<'_>> = self
            .ema
            .iter()
            .map(|(hotkey, average)| AveragedMiner {
                hotkey,
                average: average.0,
                success_age_seconds: self
                    .last_success_age_seconds
                    .get(hotkey)
                    .and_then(|age| age.map(|age| age.0)),
                suspicion: self
                    .sybil
                    .as_ref()
                    .and_then(|known| known.get(hotkey))
                    .map(|score| score.0),
            })
            .collect();
        weight_shares(
            &WeightSharesPolicy::original(),
            &WeightEvidence {
                neurons: &neurons,
                own_hotkey: &self.validator_hotkey,
                validators: validators.as_deref(),
                blocks_since_update: self.blocks_since_update,
                rate_limit: self.rate_limit,
                miners: &miners,
            },
        )
    }
}

fn told(shares: &WeightShares) -> Value {
    let report: Vec<Value> = shares
        .penalised
        .iter()
        .map(|miner| {
            json!({
                "miner_hotkey": miner.hotkey,
                "miner_uid": miner.uid.map(|uid| uid.0),
                "penalty_type": if miner.average > 0.0 { "graduated" } else { "zeroed" },
                "sybil_score": real(miner.suspicion),
            })
        })
        .collect();
    let report = if report.is_empty() {
        Value::Null
    } else {
        report.into()
    };
    let mut told = match &shares.shares {
        Ok(shares) => json!({
            "action": "set",
            "uids": uids(shares),
            "weights": reals(shares.iter().map(|(_, share)| *share)),
            "penalty_report": report,
        }),
        Err(_) => json!({"action": "skip", "penalty_report": report}),
    };
    sort_report(&mut told);
    told
}

fn sort_report(answer: &mut Value) {
    let report = answer
        .get_mut("penalty_report")
        .and_then(Value::as_array_mut);
    if let Some(report) = report {
        report.sort_by_key(|entry| entry["miner_hotkey"].to_string());
    }
}
