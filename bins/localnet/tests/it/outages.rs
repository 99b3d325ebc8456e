//! A validator that dies, an API that dies, a chain that dies: nothing is lost, nothing is twice.

use std::fs;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;
use tokio::time::Duration;

use crate::{
    books::{assert_audited, assert_complete, assert_kept_once},
    harness::{Life, Listed, Localnet, events, signal, until},
};

/// Rounds of the validator that is killed.
const ROUNDS: u64 = 20;
/// Times it is killed.
const KILLS: usize = 10;
/// Most lines it says before it is killed; twenty rounds say more than ten times this.
const LINES: usize = 14;

fn seed() -> u64 {
    let given = std::env::var_os("ADIT_TEST_SEED");
    given.map_or(20_261_121, |seed| seed.to_str().unwrap().parse().unwrap())
}

/// Starts a listed process anew, at the address it had.
fn restart(localnet: &Localnet, was: &Listed, flag: &str, address: &str) -> Life {
    let mut command = was.command.clone();
    let place = command.iter().position(|word| word == flag).unwrap();
    command[place + 1] = address.to_owned();
    Life::start(&command, &localnet.log(&format!("{}-again", was.name)))
}

async fn kill(process: &Listed) {
    signal(process.pid.unwrap(), Signal::KILL);
    until("a killed process to be gone", || !process.runs()).await;
}

#[tokio::test]
async fn a_validator_killed_ten_times_loses_nothing_and_keeps_nothing_twice() {
    let seed = seed();
    println!("ADIT_TEST_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut localnet = Localnet::kept(&["--miners", "honest,copycat,liar"]).await;
    let (_, state) = localnet.validator("mortal", ROUNDS);
    for kill in 0..KILLS {
        let mut life = localnet.start_validator("mortal");
        // Lines tell how far it is, whatever the machine's speed; a little time puts the end
        // anywhere between two of them.
        let lines = rng.random_range(1..=LINES);
        let more = Duration::from_millis(rng.random_range(0..400));
        let mut ended = None;
        until("a validator to say something", || {
            ended = life.ended();
            ended.is_some() || life.lines() >= lines
        })
        .await;
        tokio::time::sleep(more).await;
        let ended = ended.or_else(|| life.ended());
        assert!(
            ended.is_none(),
            "life {kill} (seed {seed}) ended: {ended:?}"
        );
        life.kill();
    }
    let mut last = localnet.start_validator("mortal");
    last.succeed("the last life").await;
    localnet.stop().await;

    assert_complete(&state, ROUNDS).await;
    assert_audited(&state);
    let first = localnet.path("validator.db");
    assert_kept_once(&[&first, &state], &localnet.path("dataset"));
}

#[tokio::test]
async fn what_is_judged_while_the_api_is_down_is_delivered_later() {
    const ROUNDS: u64 = 6;
    let mut localnet = Localnet::kept(&["--miners", "honest,honest"]).await;
    let (_, state) = localnet.validator("patient", ROUNDS);
    let log = localnet.log("patient");
    let mut validator = localnet.start_validator("patient");
    until("the second round", || events(&log, "round").len() >= 2).await;
    let api = localnet.process("api");
    kill(&api).await;
    // Without it nothing can be judged or delivered, and there is no topic to ask for.
    let postponed = || {
        let text = fs::read_to_string(&log).unwrap();
        events(&log, "postponed").len() + events(&log, "undelivered").len() > 0
            || text.contains("no task; trying again later")
    };
    until("the outage to be noticed", postponed).await;
    assert!(validator.ended().is_none());
    let address = fs::read_to_string(localnet.path("api.address")).unwrap();
    let port = address.trim().rsplit_once(':').unwrap().1;
    let mut again = restart(&localnet, &api, "--axon.port", port);
    validator.succeed("the validator").await;
    again.signal(Signal::TERM);
    again.succeed("the API").await;

    assert_complete(&state, ROUNDS).await;
    assert_audited(&state);
    let first = localnet.path("validator.db");
    assert_kept_once(&[&first, &state], &localnet.path("dataset"));
    localnet.stop().await;
}

#[tokio::test]
async fn a_validator_outlives_a_restart_of_the_chain() {
    const ROUNDS: u64 = 6;
    let mut localnet = Localnet::kept(&["--miners", "honest,honest"]).await;
    let (_, state) = localnet.validator("steady", ROUNDS);
    let log = localnet.log("steady");
    let mut validator = localnet.start_validator("steady");
    until("the second round", || events(&log, "round").len() >= 2).await;
    let devnet = localnet.process("devnet");
    let weights_before = events(&log, "weights").len();
    kill(&devnet).await;
    let lost = || {
        let text = fs::read_to_string(&log).unwrap();
        text.contains("cannot refresh the metagraph")
    };
    until("the outage to be noticed", lost).await;
    let address = fs::read_to_string(localnet.path("devnet.address")).unwrap();
    let _again = restart(&localnet, &devnet, "--listen", address.trim());
    validator.succeed("the validator").await;

    assert_complete(&state, ROUNDS).await;
    assert!(
        events(&log, "weights").len() > weights_before,
        "no weights on the restarted chain"
    );
    localnet.stop().await;
    let first = localnet.path("validator.db");
    assert_kept_once(&[&first, &state], &localnet.path("dataset"));
}
