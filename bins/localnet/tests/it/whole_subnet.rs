//! `adit-localnet up`, as a person runs it.

use serde_json::Value;

use crate::{
    books::{assert_audited, assert_complete, assert_kept_once, audit},
    harness::{Localnet, sql, until},
};

fn incentives(report: &Value, behaviour: &str) -> Vec<u64> {
    let neurons = report["neurons"].as_array().unwrap();
    neurons
        .iter()
        .filter(|row| row["behaviour"] == behaviour)
        .map(|row| row["incentive"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn honesty_pays_and_every_score_can_be_computed_again() {
    let miners = "honest,honest,copycat,liar";
    let mut localnet = Localnet::up(&["--rounds", "3", "--miners", miners, "--seed", "7"]).await;
    let status = localnet.up.end("adit-localnet up").await;
    assert!(status.success(), "{status}\n{}", localnet.story());
    let report = localnet.report();
    assert_eq!(report["failures"], Value::Array(Vec::new()));
    assert_eq!(report["weights_on_chain"], true);
    let least_honest = incentives(&report, "honest").into_iter().min().unwrap();
    assert_eq!(incentives(&report, "honest").len(), 2);
    assert!(incentives(&report, "copycat")[0] < least_honest);
    assert_eq!(incentives(&report, "liar"), [0]);
    assert!(report["dataset"]["rows"].as_u64().unwrap() > 0);
    assert!(report["dataset"]["unique_sources"].as_u64().unwrap() > 1);

    let state = localnet.path("validator.db");
    assert_complete(&state, 3).await;
    assert_kept_once(&[&state], &localnet.path("dataset"));
    assert_audited(&state);

    // One part in a thousand more for one answer.
    sql(
        &state,
        "UPDATE scores SET score = score * 1.001 WHERE sequence = \
         (SELECT min(sequence) FROM scores WHERE score > 0)",
    );
    let output = audit(&state);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.trim_end().ends_with(" 1 differences"), "{said}");

    let processes = localnet.processes();
    assert!(processes.len() >= 8, "{processes:?}");
    until("every process to be gone", || {
        processes.iter().all(|process| !process.runs())
    })
    .await;
}
