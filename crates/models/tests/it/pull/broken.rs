//! Servers whose connections break.

use std::{fs, time::Duration};

use adit_models::{PullError, Puller};

use super::{
    Bench, FILE, Pauses, bytes, listed, published,
    server::{Reply, Server},
};

#[tokio::test]
async fn a_file_is_fetched_once_and_stands_alone_with_its_notes() {
    let body = bytes(300_000);
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::whole(&served));
    let model = published(&body, &[server.url("/a.bin")]);
    let bench = Bench::new();
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    assert_eq!(listed(&bench.folder()), ["NOTICE", "SHA256SUMS", FILE]);
    assert!(!bench.pull(&model).await.unwrap());
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].line, "GET /a.bin");
    assert_eq!(asked[0].header("accept-encoding"), Some("identity"));
    assert_eq!(asked[0].header("authorization"), None);
}

#[tokio::test]
async fn a_broken_body_goes_on_where_it_broke() {
    let body = bytes(300_000);
    let served = body.clone();
    let server = Server::start(move |asked, before| match (before, asked.from()) {
        (0, _) => Reply::announced(served.len(), &served[..100_000]),
        (1, Some(from)) => {
            let range = format!("bytes {from}-{}/{}", served.len() - 1, served.len());
            let length = (served.len() - from).to_string();
            let headers = [
                ("Content-Length", length.as_str()),
                ("Content-Range", &range),
            ];
            Reply::raw("206 Partial Content", &headers, &served[from..200_000])
        }
        _ => Reply::ranged(asked, &served),
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let bench = Bench::new();
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    assert_eq!(listed(&bench.folder()), ["NOTICE", "SHA256SUMS", FILE]);
    let asked = server.asked();
    let asked: Vec<_> = asked
        .iter()
        .map(|asked| (asked.from(), asked.header("if-range")))
        .collect();
    // The second answer named no version, so the third question could not.
    assert_eq!(
        asked,
        [
            (None, None),
            (Some(100_000), Some("\"one\"")),
            (Some(200_000), None)
        ]
    );
}

#[tokio::test]
async fn a_later_run_goes_on_where_an_earlier_one_gave_up() {
    let body = bytes(300_000);
    let served = body.clone();
    let server = Server::start(move |asked, before| match before {
        0 => Reply::announced(served.len(), &served[..50_000]),
        _ => Reply::ranged(asked, &served),
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let mut bench = Bench::new();
    bench.settings.attempts = 1;
    let error = bench.refused(&model).await;
    assert!(matches!(error, PullError::NoSource { .. }), "{error}");
    assert_eq!(fs::read(bench.part()).unwrap(), body[..50_000]);
    assert!(!bench.file().exists());
    bench.settings.attempts = 5;
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    let asked = server.asked();
    assert_eq!(asked[1].from(), Some(50_000));
    assert_eq!(asked[1].header("if-range"), Some("\"one\""));
}

#[tokio::test]
async fn a_server_that_ignores_ranges_starts_over() {
    let body = bytes(300_000);
    let served = body.clone();
    let server = Server::start(move |_, before| match before {
        0 => Reply::announced(served.len(), &served[..123_457]),
        _ => Reply::whole(&served),
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let bench = Bench::new();
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    assert_eq!(server.asked()[1].from(), Some(123_457));
}

#[tokio::test]
async fn a_refused_range_starts_over() {
    let body = bytes(10_000);
    let served = body.clone();
    let server = Server::start(move |asked, before| match (before, asked.from()) {
        (0, _) => Reply::announced(served.len(), &served[..5_000]),
        (_, Some(_)) => Reply::status("416 Range Not Satisfiable"),
        (_, None) => Reply::whole(&served),
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let bench = Bench::new();
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_silent_server_is_asked_again() {
    let body = bytes(300_000);
    let served = body.clone();
    let server = Server::start(move |asked, before| match before {
        0 => Reply::nothing(),
        1 => Reply::announced(served.len(), &served[..100_000]).hang(),
        _ => Reply::ranged(asked, &served),
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let mut bench = Bench::new();
    bench.settings.idle_timeout = Duration::from_secs(1);
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    let asked = server.asked();
    assert_eq!(asked[1].from(), None);
    assert_eq!(asked[2].from(), Some(100_000));
}

#[tokio::test]
async fn a_server_that_stays_silent_is_given_up() {
    let server = Server::start(|_, _| Reply::nothing());
    let model = published(&bytes(10), &[server.url("/a.bin")]);
    let mut bench = Bench::new();
    bench.settings.idle_timeout = Duration::from_millis(300);
    let error = bench.refused(&model).await;
    assert!(matches!(error, PullError::NoSource { .. }), "{error}");
    assert!(error.to_string().contains("no answer for 300ms"), "{error}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let body = bytes(1_000);
    let served = body.clone();
    let server = Server::start(move |_, before| match before {
        0 => Reply::raw("429 Too Many Requests", &[("Retry-After", "0")], b"later"),
        1 => Reply::raw("503 Service Unavailable", &[("Retry-After", "soon")], b""),
        2 => Reply::status("500 Internal Server Error"),
        _ => Reply::whole(&served),
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let bench = Bench::new();
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_wait_is_as_long_as_the_server_asks() {
    let body = bytes(1_000);
    let served = body.clone();
    let server = Server::start(move |_, before| match before {
        0 => Reply::raw("503 Service Unavailable", &[("Retry-After", "1")], b""),
        _ => Reply::whole(&served),
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let mut bench = Bench::new();
    bench.settings.longest_pause = Duration::from_secs(5);
    let pauses = Pauses::default();
    let puller = Puller::new(bench.settings.clone()).unwrap();
    assert!(puller.pull(&model, &bench.order(), &pauses).await.unwrap());
    assert_eq!(pauses.taken(), [Duration::from_secs(1)]);
}

#[tokio::test]
async fn a_server_that_asks_for_an_hour_is_given_up() {
    let server =
        Server::start(|_, _| Reply::raw("429 Too Many Requests", &[("Retry-After", "3600")], b""));
    let model = published(&bytes(10), &[server.url("/a.bin")]);
    let error = Bench::new().refused(&model).await;
    assert!(
        error.to_string().contains("asks to wait for 3600s"),
        "{error}"
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn progress_makes_a_failure_a_first_one() {
    // Each answer gains 2 MiB, so that far more failures than attempts are borne.
    let body = bytes(20 << 20);
    let served = body.clone();
    let server = Server::start(move |asked, _| {
        let from = asked.from().unwrap_or(0);
        let until = (from + (2 << 20)).min(served.len());
        let range = format!("bytes {from}-{}/{}", served.len() - 1, served.len());
        let length = (served.len() - from).to_string();
        let piece = &served[from..until];
        let headers = [
            ("Content-Length", length.as_str()),
            ("Content-Range", &range),
        ];
        match from {
            0 => Reply::announced(served.len(), piece),
            _ => Reply::raw("206 Partial Content", &headers, piece),
        }
    });
    let model = published(&body, &[server.url("/a.bin")]);
    let mut bench = Bench::new();
    bench.settings.attempts = 2;
    assert!(bench.pull(&model).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    assert_eq!(server.asked().len(), 10);
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_it_to_the_next() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/a.bin", gone.local_addr().unwrap());
    drop(gone);
    let body = bytes(1_000);
    let served = body.clone();
    let missing = Server::start(|_, _| Reply::status("404 Not Found"));
    let server = Server::start(move |_, _| Reply::whole(&served));
    let sources = [address.clone(), missing.url("/x"), server.url("/a.bin")];
    let bench = Bench::new();
    assert!(bench.pull(&published(&body, &sources)).await.unwrap());
    assert_eq!(missing.asked().len(), 1);
    let error = Bench::new().refused(&published(&body, &sources[..2])).await;
    let told = error.to_string();
    assert!(told.contains(&address) && told.contains("404"), "{told}");
}
