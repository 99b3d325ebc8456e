//! Ledger to dataset, ended at every step: each record is in the dataset exactly once.

use std::{fs, path::Path};

use adit_storage::{DatasetReader, DatasetRow, DatasetWriter, Ledger};

use crate::sample::{hotkey, rows, spaces};

/// Steps of a flush, after which the process may end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    RowsRead,
    ShardHalfWritten,
    ShardRenamed,
    ManifestReplaced,
    Marked,
}

/// One life of the validator API: it reconciles, flushes two rows at a time and ends after `end`
/// of its second flush.
async fn live(folder: &Path, end: Step) {
    let ledger = Ledger::open(&folder.join("ledger.db"), spaces())
        .await
        .unwrap();
    let dataset = folder.join("dataset");
    let mut writer = DatasetWriter::open(&dataset, spaces()).unwrap();
    ledger.reconcile(writer.last_sequence()).await.unwrap();
    for flush in 0..2 {
        let waiting = ledger.unflushed(2).await.unwrap();
        let Some(first) = waiting.first().map(|row| row.sequence) else {
            break;
        };
        let batch: Vec<DatasetRow> = waiting.into_iter().map(|one| one.row).collect();
        let last = flush == 1;
        if last && end == Step::RowsRead {
            break;
        }
        let manifest = dataset.join("manifest.jsonl");
        let before = fs::read(&manifest).ok();
        let shard = writer.append(first, &batch).unwrap();
        if last && matches!(end, Step::ShardHalfWritten | Step::ShardRenamed) {
            // What the disk looks like when the process ended earlier.
            match before {
                Some(before) => fs::write(&manifest, before).unwrap(),
                None => fs::remove_file(&manifest).unwrap(),
            }
            if end == Step::ShardHalfWritten {
                let path = dataset.join(&shard.file);
                let bytes = fs::read(&path).unwrap();
                fs::remove_file(&path).unwrap();
                fs::write(
                    path.with_extension("parquet.tmp"),
                    &bytes[..bytes.len() / 2],
                )
                .unwrap();
            }
            break;
        }
        if last && end == Step::ManifestReplaced {
            break;
        }
        ledger.mark_flushed(shard.last_sequence).await.unwrap();
    }
    ledger.close().await;
}

#[tokio::test]
async fn each_record_enters_the_dataset_exactly_once() {
    let steps = [
        Step::RowsRead,
        Step::ShardHalfWritten,
        Step::ShardRenamed,
        Step::ManifestReplaced,
        Step::Marked,
    ];
    for first in steps {
        for second in steps {
            let folder = tempfile::tempdir().unwrap();
            let ledger = Ledger::open(&folder.path().join("ledger.db"), spaces())
                .await
                .unwrap();
            ledger
                .submit("a", &hotkey(1), &rows(0..9), 5)
                .await
                .unwrap();
            ledger.close().await;
            live(folder.path(), first).await;
            live(folder.path(), second).await;
            for _ in 0..3 {
                live(folder.path(), Step::Marked).await;
            }
            let reader = DatasetReader::open(&folder.path().join("dataset")).unwrap();
            let held: Vec<DatasetRow> = reader
                .shards()
                .iter()
                .flat_map(|shard| reader.rows(shard).unwrap())
                .collect();
            assert_eq!(
                held,
                rows(0..9),
                "ended after {first:?}, then after {second:?}"
            );
        }
    }
}
