//! Servers that send something else than was published.

use std::fs;

use adit_models::PullError;

use super::{
    Bench, FILE, bytes, described, listed, published,
    server::{Reply, Server},
    sha256,
};

#[tokio::test]
async fn wrong_bytes_are_removed_and_the_next_source_asked() {
    let body = bytes(100_000);
    let mut wrong = body.clone();
    wrong[77_777] ^= 1;
    let found = sha256(&wrong);
    let liar = Server::start(move |_, _| Reply::whole(&wrong));
    let served = body.clone();
    let honest = Server::start(move |_, _| Reply::whole(&served));
    let bench = Bench::new();
    let error = bench
        .refused(&published(&body, &[liar.url("/a.bin")]))
        .await;
    match &error {
        PullError::WrongBytes {
            file,
            from,
            expected,
            found: told,
        } => {
            assert_eq!((file.as_str(), from), (FILE, &liar.url("/a.bin")));
            assert_eq!((expected, told), (&sha256(&body), &found));
        }
        other => panic!("{other:?}"),
    }
    assert!(listed(&bench.folder()).is_empty());
    let sources = [liar.url("/a.bin"), honest.url("/a.bin")];
    assert!(bench.pull(&published(&body, &sources)).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
}

#[tokio::test]
async fn wrong_bytes_are_told_before_silence() {
    let body = bytes(1_000);
    let liar = Server::start(|_, _| Reply::whole(&[7; 1_000]));
    let missing = Server::start(|_, _| Reply::status("404 Not Found"));
    let sources = [missing.url("/a"), liar.url("/a"), missing.url("/b")];
    let error = Bench::new().refused(&published(&body, &sources)).await;
    assert!(matches!(error, PullError::WrongBytes { .. }), "{error}");
}

#[tokio::test]
async fn another_size_is_refused_before_its_body() {
    let body = bytes(1_000);
    for announced in [999_usize, 1_001, 1 << 40] {
        // Nothing of the body comes: whoever reads it would wait.
        let server = Server::start(move |_, _| Reply::announced(announced, b"").hang());
        let bench = Bench::new();
        let error = bench
            .refused(&published(&body, &[server.url("/a.bin")]))
            .await;
        match error {
            PullError::WrongSize {
                expected, found, ..
            } => {
                assert_eq!((expected, found), (1_000, announced as u64));
            }
            other => panic!("{other:?}"),
        }
        assert!(listed(&bench.folder()).is_empty());
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn less_than_announced_is_asked_for_again_and_kept() {
    let body = bytes(1_000);
    let served = body.clone();
    let server = Server::start(move |_, before| match before {
        0 => Reply::announced(1_000, &served[..600]),
        _ => Reply::status("503 Service Unavailable"),
    });
    let bench = Bench::new();
    let error = bench
        .refused(&published(&body, &[server.url("/a.bin")]))
        .await;
    assert!(matches!(error, PullError::NoSource { .. }), "{error}");
    assert_eq!(fs::read(bench.part()).unwrap(), body[..600]);
}

#[tokio::test]
async fn more_than_published_is_cut_off() {
    let body = bytes(1_000);
    // Without a length, by chunks, and without end: a gigabyte of it would be noticed.
    let mut endless = Vec::new();
    for _ in 0..64 {
        endless.extend_from_slice(b"10000\r\n");
        endless.extend_from_slice(&[0; 0x1_0000]);
        endless.extend_from_slice(b"\r\n");
    }
    let server = Server::start(move |_, _| {
        Reply::raw("200 OK", &[("Transfer-Encoding", "chunked")], &endless).hang()
    });
    let bench = Bench::new();
    let error = bench
        .refused(&published(&body, &[server.url("/a.bin")]))
        .await;
    assert!(
        matches!(
            error,
            PullError::WrongSize {
                expected: 1_000,
                ..
            }
        ),
        "{error}"
    );
    assert!(listed(&bench.folder()).is_empty());
}

#[tokio::test]
async fn a_file_of_unknown_size_is_bounded_and_verified() {
    let body = bytes(5_000);
    let facts = format!("limit = 6000\nsha256 = \"{}\"", sha256(&body));
    let served = body.clone();
    let server = Server::start(move |asked, before| match before {
        0 => Reply::announced(served.len(), &served[..2_000]),
        _ => Reply::ranged(asked, &served),
    });
    let bench = Bench::new();
    assert!(
        bench
            .pull(&described(&facts, &[server.url("/a")]))
            .await
            .unwrap()
    );
    assert_eq!(server.asked()[1].from(), Some(2_000));
    let large = Server::start(|_, _| Reply::announced(6_001, b"").hang());
    let error = Bench::new()
        .refused(&described(&facts, &[large.url("/a")]))
        .await;
    assert!(
        matches!(
            error,
            PullError::WrongSize {
                expected: 6_000,
                found: 6_001,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_part_that_does_not_fit_is_begun_anew_once() {
    let body = bytes(10_000);
    let served = body.clone();
    let server = Server::start(move |asked, _| Reply::ranged(asked, &served));
    let model = published(&body, &[server.url("/a.bin")]);
    // Shorter, whole, and longer than the file.
    for part in [vec![9; 4_000], vec![9; 10_000], vec![9; 20_000]] {
        let bench = Bench::new();
        fs::create_dir_all(bench.folder()).unwrap();
        fs::write(bench.part(), &part).unwrap();
        assert!(bench.pull(&model).await.unwrap());
        assert_eq!(fs::read(bench.file()).unwrap(), body);
    }
    let from: Vec<_> = server.asked().iter().map(|asked| asked.from()).collect();
    assert_eq!(from, [Some(4_000), None, None, None]);
}

#[tokio::test]
async fn a_part_that_is_whole_already_asks_nobody() {
    let body = bytes(10_000);
    let server = Server::start(|_, _| Reply::status("404 Not Found"));
    let model = published(&body, &[server.url("/a.bin")]);
    let bench = Bench::new();
    fs::create_dir_all(bench.folder()).unwrap();
    fs::write(bench.part(), &body).unwrap();
    assert!(bench.pull(&model).await.unwrap());
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn another_range_than_asked_for_is_refused() {
    let body = bytes(10_000);
    for range in [
        "bytes 0-9999/10000",
        "bytes 4001-9999/10000",
        "nonsense",
        "bytes 4000-3999/10000",
    ] {
        let served = body.clone();
        let server = Server::start(move |_, _| {
            let headers = [("Content-Length", "6000"), ("Content-Range", range)];
            Reply::raw("206 Partial Content", &headers, &served[4_000..])
        });
        let bench = Bench::new();
        fs::create_dir_all(bench.folder()).unwrap();
        fs::write(bench.part(), &body[..4_000]).unwrap();
        let error = bench
            .refused(&published(&body, &[server.url("/a.bin")]))
            .await;
        assert!(
            matches!(error, PullError::NoSource { .. }),
            "{range}: {error}"
        );
        assert_eq!(fs::read(bench.part()).unwrap(), body[..4_000]);
    }
}

#[tokio::test]
async fn a_rest_of_another_file_is_refused() {
    let body = bytes(10_000);
    let server = Server::start(move |_, _| {
        let headers = [
            ("Content-Length", "1"),
            ("Content-Range", "bytes 4000-4000/4001"),
        ];
        Reply::raw("206 Partial Content", &headers, b"x")
    });
    let bench = Bench::new();
    fs::create_dir_all(bench.folder()).unwrap();
    fs::write(bench.part(), &body[..4_000]).unwrap();
    let error = bench
        .refused(&published(&body, &[server.url("/a.bin")]))
        .await;
    assert!(
        matches!(error, PullError::WrongSize { found: 4_001, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_unasked_for_piece_or_encoding_is_refused() {
    let body = bytes(1_000);
    let piece = Server::start(|_, _| {
        let headers = [
            ("Content-Length", "1000"),
            ("Content-Range", "bytes 0-999/1000"),
        ];
        Reply::raw("206 Partial Content", &headers, &[0; 1_000])
    });
    let encoded = Server::start(|_, _| {
        let headers = [("Content-Length", "1000"), ("Content-Encoding", "gzip")];
        Reply::raw("200 OK", &headers, &[0; 1_000])
    });
    let empty = Server::start(|_, _| Reply::status("204 No Content"));
    for server in [piece, encoded, empty] {
        let error = Bench::new()
            .refused(&published(&body, &[server.url("/a")]))
            .await;
        assert!(matches!(error, PullError::NoSource { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_file_in_place_is_replaced() {
    let body = bytes(1_000);
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::whole(&served));
    let bench = Bench::new();
    fs::create_dir_all(bench.folder()).unwrap();
    fs::write(bench.file(), [0; 1_000]).unwrap();
    assert!(
        bench
            .pull(&published(&body, &[server.url("/a")]))
            .await
            .unwrap()
    );
    assert_eq!(fs::read(bench.file()).unwrap(), body);
}

#[tokio::test]
async fn noise_is_no_answer() {
    let server = Server::start(|_, before| match before {
        0 => Reply::raw(
            "200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
            &[],
            b"hello",
        ),
        1 => Reply::raw("999 Odd", &[], b""),
        _ => Reply::raw("banana", &[], &[0xff; 100]),
    });
    let error = Bench::new()
        .refused(&published(&bytes(10), &[server.url("/a")]))
        .await;
    assert!(matches!(error, PullError::NoSource { .. }), "{error}");
}
