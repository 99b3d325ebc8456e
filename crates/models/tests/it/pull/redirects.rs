//! Servers that lead elsewhere, and the token that must not follow.

use std::fs;

use adit_models::PullError;
use url::Url;

use super::{
    Bench, bytes, published,
    server::{Reply, Server},
};

/// Settings whose hub is this server, with a token for it.
fn with_token(bench: &mut Bench, hub: &str) {
    bench.settings.hub = Url::parse(hub).unwrap();
    bench.settings.token = Some("hf_secret".to_owned().into());
}

#[tokio::test]
async fn the_token_stays_with_the_hub() {
    let body = bytes(10_000);
    let served = body.clone();
    let elsewhere = Server::start(move |asked, before| match before {
        0 => Reply::announced(served.len(), &served[..4_000]),
        _ => Reply::ranged(asked, &served),
    });
    let signed = elsewhere.url("/blob?signature=s3cr3t");
    let hub = Server::start(move |asked, _| match asked.line.as_str() {
        "GET /o/m/resolve/r/a.bin" => Reply::redirect("/o/renamed/resolve/r/a.bin"),
        _ => Reply::redirect(&signed),
    });
    let mut bench = Bench::new();
    with_token(&mut bench, &hub.url(""));
    let source = "https://huggingface.co/o/m/resolve/r/a.bin".to_owned();
    assert!(bench.pull(&published(&body, &[source])).await.unwrap());
    assert_eq!(fs::read(bench.file()).unwrap(), body);
    let asked = hub.asked();
    assert_eq!(asked.len(), 4, "{asked:?}");
    for asked in asked {
        assert_eq!(asked.header("authorization"), Some("Bearer hf_secret"));
    }
    let led = elsewhere.asked();
    assert_eq!(led.len(), 2);
    for asked in &led {
        assert_eq!(asked.line, "GET /blob?signature=s3cr3t");
        assert_eq!(asked.header("authorization"), None);
        assert_eq!(asked.header("referer"), None);
    }
    assert_eq!(led[1].from(), Some(4_000));
    assert_eq!(led[1].header("if-range"), Some("\"one\""));
}

#[tokio::test]
async fn other_sources_never_see_the_token() {
    let body = bytes(1_000);
    let served = body.clone();
    let hub = Server::start(|_, _| Reply::status("404 Not Found"));
    let mirror = Server::start(move |_, _| Reply::whole(&served));
    let mut bench = Bench::new();
    with_token(&mut bench, &hub.url(""));
    assert!(
        bench
            .pull(&published(&body, &[mirror.url("/a")]))
            .await
            .unwrap()
    );
    assert_eq!(mirror.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn errors_tell_no_secrets() {
    let hub = Server::start(|_, _| Reply::status("403 Forbidden"));
    let mut bench = Bench::new();
    with_token(&mut bench, &hub.url(""));
    let source = hub
        .url("/a.bin?key=s3cr3t")
        .replace("http://", "http://me:passw0rd@");
    let error = bench.refused(&published(&bytes(10), &[source])).await;
    let told = format!("{error} {error:?} {:?}", bench.settings);
    assert!(told.contains("403"), "{told}");
    for secret in ["s3cr3t", "passw0rd", "hf_secret"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test]
async fn without_a_token_the_hub_says_that_one_may_help() {
    let hub = Server::start(|_, _| Reply::status("401 Unauthorized"));
    let mut bench = Bench::new();
    bench.settings.hub = Url::parse(&hub.url("/prefix/")).unwrap();
    let source = "https://huggingface.co/o/m/resolve/r/a.bin".to_owned();
    let error = bench.refused(&published(&bytes(10), &[source])).await;
    assert!(error.to_string().contains("HF_TOKEN"), "{error}");
    assert_eq!(hub.asked()[0].line, "GET /prefix/o/m/resolve/r/a.bin");
}

#[tokio::test]
async fn circles_and_long_ways_end() {
    let circle = Server::start(|asked, _| match asked.line.as_str() {
        "GET /a" => Reply::redirect("/b"),
        _ => Reply::redirect("/a#again"),
    });
    let error = Bench::new()
        .refused(&published(&bytes(10), &[circle.url("/a")]))
        .await;
    assert!(error.to_string().contains("circle"), "{error}");
    assert_eq!(circle.asked().len(), 2);

    let far = Server::start(|_, before| Reply::redirect(&format!("/{before}")));
    let error = Bench::new()
        .refused(&published(&bytes(10), &[far.url("/a")]))
        .await;
    assert!(error.to_string().contains("more than 10 times"), "{error}");
    assert_eq!(far.asked().len(), 11);
}

#[tokio::test]
async fn redirects_to_nowhere_are_refused() {
    for to in [
        "",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "http://",
        "data:,x",
    ] {
        let server = Server::start(move |_, before| match (before, to) {
            (0, "") => Reply::status("302 Found"),
            _ => Reply::redirect(to),
        });
        let error = Bench::new()
            .refused(&published(&bytes(10), &[server.url("/a")]))
            .await;
        assert!(
            matches!(error, PullError::NoSource { .. }),
            "{to:?}: {error}"
        );
        assert_eq!(server.asked().len(), 1, "{to:?}");
    }
}
