use std::time::Duration;

use adit_media::{Error, FetchConfig, Fetcher};
use tempfile::TempDir;

use crate::origin::{Origin, file};

fn config(folder: &TempDir) -> FetchConfig {
    FetchConfig {
        allow_private_origins: true,
        cache_dir: folder.path().join("cache"),
        ..FetchConfig::default()
    }
}

#[tokio::test]
async fn a_fresh_file_is_not_asked_for_again() {
    let (origin, folder) = (Origin::start().await, tempfile::tempdir().unwrap());
    let fetcher = Fetcher::new(config(&folder)).unwrap();
    let first = fetcher.fetch(&origin.url("/file/1000/a")).await.unwrap();
    let second = fetcher
        .fetch(&origin.url("/file/1000/a#fragment"))
        .await
        .unwrap();
    assert_eq!(first.path(), second.path());
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn a_stale_file_is_confirmed_without_sending_it_again() {
    let (origin, folder) = (Origin::start().await, tempfile::tempdir().unwrap());
    let stale = FetchConfig {
        fresh_for: Duration::ZERO,
        ..config(&folder)
    };
    let fetcher = Fetcher::new(stale.clone()).unwrap();
    let url = origin.url("/file/1000/a");
    for _ in 0..3 {
        fetcher.fetch(&url).await.unwrap();
    }
    assert_eq!((origin.requests(), origin.bodies()), (3, 1));
    // Another process finds it again, and asks before it trusts.
    drop(fetcher);
    let fetcher = Fetcher::new(config(&folder)).unwrap();
    let fetched = fetcher.fetch(&url).await.unwrap();
    assert_eq!(std::fs::read(fetched.path()).unwrap(), file("/file/1000/a"));
    assert_eq!((origin.requests(), origin.bodies()), (4, 1));
}

#[tokio::test]
async fn concurrent_calls_fetch_once() {
    let (origin, folder) = (Origin::start().await, tempfile::tempdir().unwrap());
    let fetcher = Fetcher::new(config(&folder)).unwrap();
    let url = origin.url("/file/200000/a");
    let all = futures::future::join_all((0..10).map(|_| fetcher.fetch(&url))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(origin.bodies(), 1);
}

#[tokio::test]
async fn the_least_recently_used_file_goes_first_and_never_one_in_use() {
    let (origin, folder) = (Origin::start().await, tempfile::tempdir().unwrap());
    let fetcher = Fetcher::new(FetchConfig {
        cache_bytes: 2500,
        ..config(&folder)
    })
    .unwrap();
    let url = |name: &str| origin.url(&format!("/file/1000/{name}"));
    let a = fetcher.fetch(&url("a")).await.unwrap();
    let a_path = a.path().to_owned();
    let b_path = fetcher.fetch(&url("b")).await.unwrap().path().to_owned();
    let c_path = fetcher.fetch(&url("c")).await.unwrap().path().to_owned();
    // `a` is older than `b`, but held.
    assert!(a_path.exists() && !b_path.exists() && c_path.exists());
    drop(a);
    let d = fetcher.fetch(&url("d")).await.unwrap();
    assert!(!a_path.exists() && c_path.exists() && d.path().exists());
    // What was forgotten is fetched again.
    let bodies = origin.bodies();
    assert!(fetcher.fetch(&url("a")).await.unwrap().path().exists());
    assert_eq!(origin.bodies(), bodies + 1);
}

#[tokio::test]
async fn rubbish_and_unfinished_files_are_swept_at_the_start() {
    let (origin, folder) = (Origin::start().await, tempfile::tempdir().unwrap());
    let cache = folder.path().join("cache");
    let fetcher = Fetcher::new(config(&folder)).unwrap();
    let url = origin.url("/file/1000/a");
    let kept = fetcher.fetch(&url).await.unwrap().path().to_owned();
    let lost = fetcher
        .fetch(&origin.url("/file/500/b"))
        .await
        .unwrap()
        .path()
        .to_owned();
    drop(fetcher);
    // Truncated behind our back.
    std::fs::write(&lost, b"short").unwrap();
    std::fs::write(cache.join(".transfer-left"), b"half a film").unwrap();
    std::fs::write(cache.join("0000.media"), b"nobody's").unwrap();
    std::fs::write(cache.join("0000.json"), b"{\"content_hash\": \"../../x\"}").unwrap();
    let fetcher = Fetcher::new(config(&folder)).unwrap();
    assert!(kept.exists() && !lost.exists());
    // The lock, one record and its file.
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 3);
    assert!(fetcher.fetch(&origin.url("/file/500/b")).await.is_ok());
}

#[tokio::test]
async fn two_processes_cannot_share_a_cache() {
    let folder = tempfile::tempdir().unwrap();
    let first = Fetcher::new(config(&folder)).unwrap();
    let second = Fetcher::new(config(&folder));
    assert!(matches!(second, Err(Error::Configuration { .. })));
    drop(first);
    assert!(Fetcher::new(config(&folder)).is_ok());
}
