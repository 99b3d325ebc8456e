use std::time::Duration;

use adit_media::{Error, Fault, FetchConfig, Fetcher, Media, MediaConfig};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

use crate::origin::{Origin, file};

/// Files of this size and more are refused.
const LIMIT: u64 = 1 << 20;

fn config(folder: &TempDir) -> FetchConfig {
    FetchConfig {
        allow_private_origins: true,
        cache_dir: folder.path().join("cache"),
        max_bytes: LIMIT,
        idle_timeout: Duration::from_secs(60),
        wall_clock: Duration::from_secs(60),
        ..FetchConfig::default()
    }
}

/// What fetching `path` ends with, and that nothing of it stays on disk.
async fn refusal(path: &str, change: impl FnOnce(&mut FetchConfig)) -> Error {
    let origin = Origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    change(&mut config);
    let fetcher = Fetcher::new(config).unwrap();
    let error = fetcher.fetch(&origin.url(path)).await.unwrap_err();
    let left: Vec<_> = std::fs::read_dir(folder.path().join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"], "{path}");
    error
}

#[tokio::test]
async fn a_file_arrives_whole() {
    let origin = Origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(config(&folder)).unwrap();
    for path in ["/file/100000/a", "/file/0/empty"] {
        let fetched = fetcher.fetch(&origin.url(path)).await.unwrap();
        let bytes = std::fs::read(fetched.path()).unwrap();
        assert_eq!(bytes, file(path));
        assert_eq!(fetched.bytes(), bytes.len() as u64);
        assert_eq!(
            fetched.content_hash(),
            blake3::hash(&bytes).to_hex().as_str()
        );
    }
    let chunked = fetcher.fetch(&origin.url("/chunked")).await.unwrap();
    assert_eq!(std::fs::read(chunked.path()).unwrap(), b"hello world");
    let moved = fetcher
        .fetch(&origin.url("/to//to//file/50/b"))
        .await
        .unwrap();
    assert_eq!(moved.bytes(), 50);
    // What it holds is for the prober to judge.
    let media = Media::new(MediaConfig::default()).unwrap();
    let error = media.probe(chunked.path()).await.unwrap_err();
    assert!(matches!(error, Error::NotMedia { .. }), "{error}");
}

#[tokio::test]
async fn a_ten_gigabyte_file_is_refused_at_its_header() {
    let error = refusal("/huge", |_| ()).await;
    assert!(
        matches!(error, Error::FileTooLarge { limit: LIMIT }),
        "{error}"
    );
    assert_eq!(error.fault(), Fault::Media);
}

#[tokio::test]
async fn an_endless_file_is_refused_at_the_limit() {
    let error = refusal("/endless", |_| ()).await;
    assert!(
        matches!(error, Error::FileTooLarge { limit: LIMIT }),
        "{error}"
    );
}

#[tokio::test]
async fn slow_origins_are_given_up() {
    let short = Duration::from_millis(300);
    let idle = |config: &mut FetchConfig| config.idle_timeout = short;
    for (path, error) in [
        (
            "/drip",
            refusal("/drip", |config| config.wall_clock = short).await,
        ),
        ("/stall", refusal("/stall", idle).await),
        ("/silent", refusal("/silent", idle).await),
    ] {
        assert!(matches!(error, Error::TooSlow { .. }), "{path}: {error}");
        assert_eq!(error.fault(), Fault::Origin);
    }
}

#[tokio::test]
async fn broken_transfers_never_look_whole() {
    let error = refusal("/short", |_| ()).await;
    assert!(
        matches!(
            error,
            Error::ShortBody {
                received: 9,
                announced: 1000
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.fault(), Fault::Origin);
    for path in ["/broken-chunks", "/garbage", "/hang-up"] {
        let error = refusal(path, |_| ()).await;
        assert!(
            matches!(error, Error::Unreachable { .. }),
            "{path}: {error}"
        );
        assert_eq!(error.fault(), Fault::Origin);
    }
}

#[tokio::test]
async fn statuses_say_whose_fault_it_is() {
    for (path, fault) in [
        ("/status/404", Fault::Media),
        ("/status/410", Fault::Media),
        ("/status/403", Fault::Origin),
        ("/status/429", Fault::Origin),
        ("/status/500", Fault::Origin),
        ("/status/503", Fault::Origin),
        ("/status/206", Fault::Origin),
        ("/status/304", Fault::Origin),
    ] {
        let error = refusal(path, |_| ()).await;
        assert_eq!(error.fault(), fault, "{path}: {error}");
    }
}

#[tokio::test]
async fn redirects_are_bounded_and_checked() {
    let error = refusal("/loop", |_| ()).await;
    assert!(
        matches!(error, Error::TooManyRedirects { limit: 5 }),
        "{error}"
    );
    let error = refusal("/nowhere", |_| ()).await;
    assert!(matches!(error, Error::BadRedirect), "{error}");
    for target in [
        "file:///etc/passwd",
        "ftp://8.8.8.8/a",
        "http://user:word@8.8.8.8/",
    ] {
        let error = refusal(&format!("/to/{target}"), |_| ()).await;
        assert!(
            matches!(error, Error::RefusedAddress { .. }),
            "{target}: {error}"
        );
        assert_eq!(error.fault(), Fault::Media);
    }
}

#[tokio::test]
async fn a_redirect_into_private_space_is_refused() {
    let trusted = Origin::start().await;
    let inner = Origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(FetchConfig {
        allow_private_origins: false,
        trusted_origins: vec![trusted.address],
        ..config(&folder)
    })
    .unwrap();
    let inner_port = inner.address.port();
    for target in [
        inner.url("/file/10/secret").to_string(),
        format!("http://localhost:{inner_port}/file/10/secret"),
        format!("http://[::ffff:127.0.0.1]:{inner_port}/file/10/secret"),
        format!("http://2130706433:{inner_port}/file/10/secret"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let url = trusted.url(&format!("/to/{target}"));
        let error = fetcher.fetch(&url).await.unwrap_err();
        assert!(
            matches!(error, Error::PrivateOrigin { .. }),
            "{target}: {error}"
        );
        assert_eq!(error.fault(), Fault::Media);
    }
    assert_eq!(inner.requests(), 0);
    // The trusted one itself still serves.
    assert!(fetcher.fetch(&trusted.url("/file/10/a")).await.is_ok());
}

#[tokio::test]
async fn private_origins_are_refused_by_default() {
    let origin = Origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(FetchConfig {
        cache_dir: folder.path().join("cache"),
        ..FetchConfig::default()
    })
    .unwrap();
    for url in [
        origin.url("/file/10/a"),
        Url::parse(&format!(
            "http://localhost:{}/file/10/a",
            origin.address.port()
        ))
        .unwrap(),
    ] {
        let error = fetcher.fetch(&url).await.unwrap_err();
        assert!(matches!(error, Error::PrivateOrigin { .. }), "{error}");
    }
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn unreachable_origins_are_the_origins_fault() {
    let folder = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(config(&folder)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let origin = Origin::start().await;
    for url in [
        format!("http://{address}/a.mp4"),
        // Plain HTTP is no TLS.
        format!("https://{}/file/10/a", origin.address),
        "http://no-such-host.invalid/a.mp4".to_owned(),
    ] {
        let error = fetcher.fetch(&Url::parse(&url).unwrap()).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Origin, "{url}: {error}");
    }
}
