//! A subnet whose neurons embed by ImageBind: tiny and random, but whole.

use adit_storage::DatasetReader;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::{
    books::{assert_audited, assert_complete, assert_kept_once},
    harness::{Life, Localnet, binary, events, sql, until},
};

/// A folder with an instance of its own.
fn instance(seed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    adit_testkit::write_imagebind(folder.path(), &mut rng).unwrap();
    folder
}

/// What a process said of the spaces it embeds in.
fn spaces(localnet: &Localnet, process: &str) -> [String; 3] {
    let said = events(&localnet.log(process), "models");
    assert_eq!(said.len(), 1, "{process}: {said:?}");
    ["video", "audio", "text"].map(|what| said[0][what].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn one_space_for_all_three_modalities() {
    let weights = instance(1);
    let weights = weights.path().display().to_string();
    let mut localnet = Localnet::kept(&[
        "--miners",
        "honest,liar",
        "--models",
        "imagebind",
        "--weights",
        &weights,
        "--answer-timeout-ms",
        "60000",
    ])
    .await;
    let [video, audio, text] = spaces(&localnet, "validator");
    assert!(
        video.starts_with("imagebind-") && video.ends_with("/32"),
        "{video}"
    );
    assert_eq!((&audio, &text), (&video, &video));
    assert_eq!(spaces(&localnet, "miner-1"), spaces(&localnet, "validator"));

    // A validator with the standard models does not touch what waits in this one's state, and is not
    // answered by miners that embed elsewhere.
    strange_state(&localnet).await;
    strange_questions(&localnet).await;

    assert!(localnet.stop().await.success(), "{}", localnet.story());
    let report = localnet.report();
    assert_eq!(report["failures"], Value::Array(Vec::new()));
    let state = localnet.path("validator.db");
    assert_complete(&state, 1).await;
    assert_audited(&state);
    assert_kept_once(&[&state], &localnet.path("dataset"));
    let reader = DatasetReader::open(&localnet.path("dataset")).unwrap();
    let mut rows = 0;
    for shard in reader.shards() {
        for row in reader.rows(shard).unwrap() {
            rows += 1;
            for vector in [Some(&row.video), row.audio.as_ref(), Some(&row.text)] {
                let space = vector.map(|vector| vector.space().to_string());
                assert!(space.is_none_or(|space| space == video));
            }
        }
    }
    assert!(rows > 0, "{report}");

    // The dataset's folder serves no other space, and keeps what it has.
    strange_dataset(&localnet, &video).await;
    assert_eq!(
        DatasetReader::open(&localnet.path("dataset"))
            .unwrap()
            .totals()
            .unwrap()
            .rows,
        rows
    );
}

/// With a batch that waits, a state belongs to its models.
async fn strange_state(localnet: &Localnet) {
    let (_, state) = localnet.validator("moved", 1);
    let copy = format!("VACUUM INTO '{}'", state.display());
    sql(&localnet.path("validator.db"), &copy);
    sql(
        &state,
        "UPDATE batches SET delivered_at_ms = NULL, receipt = NULL",
    );
    with_models(localnet, "moved", "standard");
    let mut moved = localnet.start_validator("moved");
    assert!(!moved.end("a validator with other models").await.success());
    let said = std::fs::read_to_string(localnet.log("moved")).unwrap();
    assert!(
        said.contains("batches to deliver of other models"),
        "{said}"
    );
    assert!(said.contains("imagebind-"), "{said}");
    let waiting = sql(
        &state,
        "SELECT count(*) FROM batches WHERE delivered_at_ms IS NULL",
    );
    assert_eq!(waiting.trim(), "1");
}

/// A miner says what it embeds in instead of answering.
async fn strange_questions(localnet: &Localnet) {
    localnet.validator("stranger", 1);
    with_models(localnet, "stranger", "standard");
    let stranger = localnet.start_validator("stranger");
    let refused = || events(&localnet.log("miner-1"), "foreign_space");
    until("a refusal", || !refused().is_empty()).await;
    let reason = refused()[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("in the space imagebind-"), "{reason}");
    assert!(reason.contains("not in perceptual-video-v1/"), "{reason}");
    drop(stranger);
}

async fn strange_dataset(localnet: &Localnet, space: &str) {
    let api = localnet.process("api");
    let mut command = api.command.clone();
    let place = command.iter().position(|word| word == space).unwrap();
    command[place] = "imagebind-0000000000000000/32".to_owned();
    command[0] = binary("adit-validator-api").display().to_string();
    let log = localnet.log("strange-api");
    let mut strange = Life::start(&command, &log);
    assert!(!strange.end("an API of another space").await.success());
    let said = std::fs::read_to_string(log).unwrap();
    let expected =
        format!("this holds vectors of space {space}, not of imagebind-0000000000000000/32");
    assert!(said.contains(&expected), "{said}");
}

fn with_models(localnet: &Localnet, name: &str, models: &str) {
    let file = localnet.path(&format!("{name}.toml"));
    let mut config: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    config.insert("models".to_owned(), models.into());
    config.remove("weights");
    std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
}
