//! What a dataset still knows after its process ended, whatever became of its index.

use std::{fs, path::Path, sync::Arc, time::Duration};

use adit_mechanism_video::dataset::VideoDataset;
use adit_primitives::Hotkey;
use adit_storage::DatasetReader;
use tokio_util::sync::CancellationToken;

use crate::records::{config, frames, open, rows};

const VALIDATOR: Hotkey = Hotkey::new([9; 32]);

async fn submit(dataset: &VideoDataset, id: &str, numbers: std::ops::Range<u64>) {
    dataset.submit(id, &VALIDATOR, rows(numbers)).await.unwrap();
}

/// Every row is known by its vector, and no other vector is.
async fn knows(dataset: &VideoDataset, count: u64) {
    let hits = dataset.nearest((0..count).map(frames).collect()).await;
    for (number, hit) in hits.unwrap().into_iter().enumerate() {
        let hit = hit.unwrap();
        assert_eq!(hit.id, format!("{number:032x}"));
        assert!(hit.cosine > 0.999_999);
    }
    let hits = dataset.nearest(vec![frames(count)]).await.unwrap();
    assert!(hits[0].as_ref().is_none_or(|hit| hit.cosine < 0.99));
}

/// The ids in the shards, in order.
fn shards(folder: &Path) -> Vec<Vec<String>> {
    let reader = DatasetReader::open(folder).unwrap();
    let ids = |shard| {
        let rows = reader.rows(shard).unwrap();
        rows.into_iter().map(|row| row.record_id).collect()
    };
    reader.shards().iter().map(ids).collect()
}

fn ids(count: u64) -> Vec<String> {
    (0..count).map(|number| format!("{number:032x}")).collect()
}

/// Something that befalls a dataset's files while nobody has it open.
type Accident = (&'static str, fn(&Path, &Path));

const ACCIDENTS: &[Accident] = &[
    ("nothing", |_, _| {}),
    ("no index", |index, _| fs::remove_file(index).unwrap()),
    ("no ids", |_, ids| fs::remove_file(ids).unwrap()),
    ("neither", |index, ids| {
        fs::remove_file(index).unwrap();
        fs::remove_file(ids).unwrap();
    }),
    ("index cut", |index, _| {
        let bytes = fs::read(index).unwrap();
        fs::write(index, &bytes[..bytes.len() - 10]).unwrap();
    }),
    ("a bit of the index flipped", |index, _| {
        let mut bytes = fs::read(index).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(index, bytes).unwrap();
    }),
    ("ids garbled", |_, ids| {
        let length = fs::read(ids).unwrap().len();
        fs::write(ids, vec![0xaa; length]).unwrap();
    }),
    ("index is text", |index, _| {
        fs::write(index, "what?").unwrap()
    }),
];

#[tokio::test]
async fn restarts_and_damaged_indexes_lose_nothing() {
    for (what, happen) in ACCIDENTS {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), 3);
        let dataset = open(&config).await.unwrap();
        submit(&dataset, "one", 0..4).await;
        dataset.flush().await.unwrap();
        submit(&dataset, "two", 4..6).await;
        let (before, _) = dataset.totals().await.unwrap();
        drop(dataset);

        let index = folder.path().join("state/video.index");
        happen(&index, &folder.path().join("state/video.index.ids"));
        let dataset = open(&config).await.expect(what);
        let (after, closed) = dataset.totals().await.unwrap();
        assert_eq!((after, closed), (before, 2), "{what}");
        assert_eq!((after.rows, after.flushed), (6, 4), "{what}");
        knows(&dataset, 6).await;
        let again = dataset.submit("two", &VALIDATOR, rows(4..6)).await;
        assert!(again.unwrap().replayed, "{what}");

        dataset.flush().await.unwrap();
        drop(dataset);
        let dataset = open(&config).await.unwrap();
        dataset.flush().await.unwrap();
        knows(&dataset, 6).await;
        assert_eq!(shards(folder.path()).concat(), ids(6), "{what}");
        assert_eq!(dataset.totals().await.unwrap().0.flushed, 6, "{what}");
    }
}

#[tokio::test]
async fn an_index_short_of_flushed_rows_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), 2);
    let state = folder.path().join("state");
    let files = ["video.index", "video.index.ids"];
    let dataset = open(&config).await.unwrap();
    submit(&dataset, "one", 0..2).await;
    drop(dataset);
    let old = files.map(|name| fs::read(state.join(name)).unwrap());
    let dataset = open(&config).await.unwrap();
    submit(&dataset, "two", 2..4).await;
    dataset.flush().await.unwrap();
    submit(&dataset, "three", 4..8).await;
    drop(dataset);
    // As after a disk that took the shard, but not the index.
    for (name, bytes) in files.iter().zip(old) {
        fs::write(state.join(name), bytes).unwrap();
    }
    knows(&open(&config).await.unwrap(), 8).await;
}

#[tokio::test]
async fn other_spaces_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), 2);
    drop(open(&config).await.unwrap());
    let mut other = crate::records::spaces();
    other.text = adit_embedding::Space::new("text-v2", 8).unwrap();
    let clock = Arc::new(adit_primitives::SystemClock);
    let opened = VideoDataset::open(&config, other, clock).await;
    assert!(matches!(
        opened.unwrap_err(),
        adit_mechanism_video::Error::Storage(adit_storage::Error::SpaceMismatch { .. })
    ));
}

/// Waits, for at most half a minute, until so many shards are closed.
async fn closed(dataset: &VideoDataset, shards: u64) {
    let waiting = async {
        while dataset.totals().await.unwrap().1 < shards {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.expect("the shard is not closed");
}

#[tokio::test]
async fn full_shards_are_closed_until_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(open(&config(folder.path(), 3)).await.unwrap());
    let shutdown = CancellationToken::new();
    let flushing = tokio::spawn(dataset.clone().flush_until(shutdown.clone()));
    submit(&dataset, "one", 0..2).await;
    assert_eq!(dataset.totals().await.unwrap().1, 0);
    submit(&dataset, "two", 2..3).await;
    closed(&dataset, 1).await;
    submit(&dataset, "three", 3..6).await;
    closed(&dataset, 2).await;
    shutdown.cancel();
    flushing.await.unwrap();
    let expected: Vec<Vec<String>> = ids(6).chunks(3).map(<[String]>::to_vec).collect();
    assert_eq!(shards(folder.path()), expected);
}

#[tokio::test]
async fn old_rows_do_not_wait_for_a_full_shard() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), 1_000);
    config.flush_after_ms = 1;
    let dataset = Arc::new(open(&config).await.unwrap());
    let shutdown = CancellationToken::new();
    let flushing = tokio::spawn(dataset.clone().flush_until(shutdown.clone()));
    submit(&dataset, "one", 0..1).await;
    closed(&dataset, 1).await;
    shutdown.cancel();
    flushing.await.unwrap();
    assert_eq!(shards(folder.path()).concat(), ids(1));
}
