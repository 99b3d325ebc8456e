//! Ctrl-C stops everything `up` started, and nothing else.

use std::path::Path;

use crate::harness::{Life, Localnet, until};

#[tokio::test]
async fn ctrl_c_stops_what_up_started_and_nothing_else() {
    let mut localnet = Localnet::up(&["--rounds", "50", "--miners", "honest,liar"]).await;
    let nowhere = Path::new("/dev/null");
    let mut bystander = Life::start(&["sleep", "600"], nowhere);
    // A process of the same program that another person started.
    let elsewhere = localnet.path("elsewhere");
    let mut namesake = Life::start(
        &[
            env!("CARGO_BIN_EXE_adit-localnet"),
            "origin",
            "--dir",
            elsewhere.to_str().unwrap(),
        ],
        nowhere,
    );
    let mut ended = None;
    until("the first answers", || {
        ended = localnet.up.ended();
        let answers = crate::harness::events(&localnet.log("validator"), "answer");
        ended.is_some() || !answers.is_empty()
    })
    .await;
    assert!(ended.is_none(), "{}", localnet.story());
    let processes = localnet.processes();
    let running = processes.iter().filter(|process| process.runs()).count();
    assert_eq!(running, processes.len(), "{processes:?}");
    assert_eq!(running, 6, "devnet, origin, api, two miners, validator");

    let status = localnet.stop().await;
    assert_eq!(status.code(), Some(130), "{}", localnet.story());
    for process in &processes {
        assert!(!process.runs(), "{process:?} outlived Ctrl-C");
    }
    assert!(bystander.ended().is_none());
    assert!(namesake.ended().is_none());
}
