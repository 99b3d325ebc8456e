//! What does not depend on servers: licences, digests, room, other runs.

use std::{fs, fs::File, time::Duration};

use adit_models::{FileState, PullError, Puller, model_in, verify};

use super::{
    Bench, FILE, HEAD, bytes, described, listed, parsed, published,
    server::{Reply, Server},
    sha256, why,
};

#[tokio::test]
async fn a_licence_is_accepted_before_anything_is_asked() {
    let body = bytes(100);
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::whole(&served));
    let mut model = published(&body, &[server.url("/a")]);
    model.must_accept = true;
    model.licence = "CC BY-NC-SA 4.0".to_owned();
    let bench = Bench::new();
    let error = bench.refused(&model).await;
    assert!(matches!(error, PullError::Licence { .. }), "{error}");
    assert!(error.to_string().contains("CC BY-NC-SA 4.0"), "{error}");
    assert!(server.asked().is_empty() && !bench.folder().exists());
    let order = bench.order().accept_licence();
    assert!(bench.pull_as(&model, &order).await.unwrap());
    let notice = fs::read_to_string(bench.folder().join("NOTICE")).unwrap();
    assert!(notice.contains("CC BY-NC-SA 4.0"), "{notice}");
}

#[tokio::test]
async fn a_file_without_a_digest_needs_one_that_is_trusted() {
    let body = bytes(100);
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::whole(&served));
    let model = described("limit = 1000", &[server.url("/a")]);
    let bench = Bench::new();
    let error = bench.refused(&model).await;
    assert!(matches!(error, PullError::NoDigest { .. }), "{error}");
    assert!(server.asked().is_empty());

    let other = bench.order().trust(FILE, &sha256(b"other")).unwrap();
    let error = why(bench.pull_as(&model, &other).await);
    assert!(matches!(error, PullError::WrongBytes { .. }), "{error}");

    let order = bench
        .order()
        .trust(FILE, &sha256(&body).to_uppercase())
        .unwrap();
    assert!(bench.pull_as(&model, &order).await.unwrap());
    let states = verify(&model, &bench.folder()).unwrap();
    assert_eq!(states, [(FILE.to_owned(), FileState::AsPulled)]);
    fs::remove_file(bench.folder().join("SHA256SUMS")).unwrap();
    let states = verify(&model, &bench.folder()).unwrap();
    assert!(
        matches!(&states[..], [(_, FileState::Unknown { .. })]),
        "{states:?}"
    );
}

#[tokio::test]
async fn digests_that_fit_nothing_are_refused() {
    let body = bytes(100);
    let model = published(&body, &["http://127.0.0.1:9/a".to_owned()]);
    let bench = Bench::new();
    assert!(bench.order().trust(FILE, "abc").is_err());
    for (file, digest) in [("other.bin", sha256(&body)), (FILE, sha256(b"other"))] {
        let order = bench.order().trust(file, &digest).unwrap();
        let error = why(bench.pull_as(&model, &order).await);
        assert!(matches!(error, PullError::Digest { .. }), "{error}");
    }
}

#[tokio::test]
async fn what_does_not_fit_on_the_disk_is_not_begun() {
    let server = Server::start(|_, _| Reply::status("500 Internal Server Error"));
    let facts = format!("size = {}\nsha256 = \"{}\"", i64::MAX, sha256(b""));
    let error = Bench::new()
        .refused(&described(&facts, &[server.url("/a")]))
        .await;
    match error {
        PullError::NoRoom { needed, free, .. } => {
            assert!(needed == i64::MAX as u64 && free < needed, "{free}");
        }
        other => panic!("{other:?}"),
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn what_turns_out_not_to_fit_is_not_begun() {
    // More than the limit, and near what can be counted.
    let huge = usize::MAX / 4 * 3;
    let server = Server::start(move |_, _| Reply::announced(huge, b"").hang());
    let facts = format!("limit = {}\nsha256 = \"{}\"", i64::MAX, sha256(b""));
    let error = Bench::new()
        .refused(&described(&facts, &[server.url("/a")]))
        .await;
    assert!(matches!(error, PullError::WrongSize { .. }), "{error}");
    let server = Server::start(|_, _| Reply::announced(1 << 60, b"").hang());
    let bench = Bench::new();
    let error = bench.refused(&described(&facts, &[server.url("/a")])).await;
    assert!(matches!(error, PullError::NoRoom { .. }), "{error}");
    assert!(listed(&bench.folder()).is_empty());
}

#[tokio::test]
async fn two_runs_at_once_fetch_once() {
    let body = bytes(500_000);
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::whole(&served));
    let model = published(&body, &[server.url("/a")]);
    let bench = Bench::new();
    let (one, other) = tokio::join!(bench.pull(&model), bench.pull(&model));
    assert_ne!(one.unwrap(), other.unwrap());
    assert_eq!(server.asked().len(), 1);
    assert_eq!(fs::read(bench.file()).unwrap(), body);
}

#[tokio::test]
async fn a_run_that_does_not_end_is_not_waited_for_for_ever() {
    let mut bench = Bench::new();
    bench.settings.lock_wait = Duration::ZERO;
    fs::create_dir_all(bench.folder()).unwrap();
    let lock = File::create(bench.folder().join(".lock")).unwrap();
    lock.lock().unwrap();
    let model = published(b"x", &["http://127.0.0.1:9/a".to_owned()]);
    let error = bench.refused(&model).await;
    assert!(matches!(error, PullError::Busy { .. }), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let bench = Bench::new();
    fs::write(bench.folder(), b"in the way").unwrap();
    let model = published(b"x", &["http://127.0.0.1:9/a".to_owned()]);
    let error = bench.refused(&model).await;
    assert!(matches!(error, PullError::Write { .. }), "{error}");
}

#[tokio::test]
async fn files_may_lie_in_folders() {
    let (weights, pooling) = (bytes(5_000), bytes(190));
    let (big, small) = (weights.clone(), pooling.clone());
    let server = Server::start(move |asked, _| match asked.line.as_str() {
        "GET /w" => Reply::whole(&big),
        _ => Reply::whole(&small),
    });
    let file = |name: &str, bytes: &[u8], path: &str| {
        let (size, digest, url) = (bytes.len(), sha256(bytes), server.url(path));
        format!(
            "[[model.file]]\nname = \"{name}\"\nsize = {size}\nsha256 = \"{digest}\"\nsources = [\"{url}\"]\n"
        )
    };
    let model = parsed(&format!(
        "{HEAD}{}{}",
        file("weights.bin", &weights, "/w"),
        file("1_Pooling/config.json", &pooling, "/p"),
    ));
    let bench = Bench::new();
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(
        listed(&bench.folder()),
        [
            "1_Pooling/config.json",
            "NOTICE",
            "SHA256SUMS",
            "weights.bin"
        ]
    );
    assert_eq!(model_in(&bench.folder()).as_deref(), Some("tiny"));
    let states = verify(&model, &bench.folder()).unwrap();
    assert!(states.iter().all(|(_, state)| *state == FileState::Sound));

    fs::write(bench.folder().join("1_Pooling/config.json"), b"{}").unwrap();
    fs::remove_file(bench.file()).unwrap();
    let states = verify(&model, &bench.folder()).unwrap();
    assert_eq!(states[0].1, FileState::Missing);
    assert_eq!(
        states[1].1,
        FileState::Wrong {
            expected: sha256(&pooling),
            found: sha256(b"{}"),
        }
    );
    assert!(!states.iter().any(|(_, state)| state.is_sound()));
    // Only what is wrong is fetched again.
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_pull_that_is_dropped_leaves_its_part_and_no_lock() {
    let body = bytes(200_000);
    let served = body.clone();
    let server = Server::start(move |asked, before| match before {
        0 => Reply::announced(served.len(), &served[..90_000]).hang(),
        _ => Reply::ranged(asked, &served),
    });
    let model = published(&body, &[server.url("/a")]);
    let bench = Bench::new();
    let puller = Puller::new(bench.settings.clone()).unwrap();
    let order = bench.order();
    let stopped =
        tokio::time::timeout(Duration::from_millis(700), puller.pull(&model, &order, &()));
    assert!(stopped.await.is_err());
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
}
