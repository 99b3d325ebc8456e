//! A miner whose hotkey is encrypted.

use super::{Operator, said};

#[test]
fn the_miner_opens_an_encrypted_hotkey_from_its_configured_source() {
    let operator = Operator::new();
    let secret = operator.secret("uri", "//Alice");
    let (right, wrong) = (
        operator.secret("right", "correct horse"),
        operator.secret("wrong", "wrong horse"),
    );
    operator.json(&[
        "regen",
        "--key",
        "hotkey",
        "--secret-file",
        &secret,
        "--password-file",
        &right,
        "--format",
        "ansible-vault",
    ]);
    let start = |args: &[&str]| {
        let output = operator.command().args(args).output().unwrap();
        assert!(!output.status.success());
        said(&output)
    };
    let locked = start(&[]);
    assert!(locked.contains("no terminal to ask on"), "{locked}");
    let refused = start(&["--wallet.password_file", &wrong]);
    assert!(
        refused.contains("wrong password or changed file"),
        "{refused}"
    );
    let twice = start(&[
        "--wallet.password_file",
        &right,
        "--wallet.password_env",
        "X",
    ]);
    assert!(
        twice.contains("more than one of wallet.password_file"),
        "{twice}"
    );
    // Once it is open, the miner misses the next thing: it has no model here.
    let opened = start(&["--wallet.password_file", &right]);
    assert!(!opened.contains("password"), "{opened}");
    assert!(opened.contains("model"), "{opened}");
    let printed = operator
        .command()
        .args(["--print-config", "--wallet.password_file", &right])
        .output()
        .unwrap();
    assert!(said(&printed).contains(&format!("wallet.password_file = {right:?}")));
}
