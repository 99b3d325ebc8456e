use adit_embedding::Space;
use adit_storage::{DatasetSpaces, Error, Ledger, Receipt};

use crate::sample::{hotkey, row, rows, spaces, vector};

#[tokio::test]
async fn a_batch_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path, spaces()).await.unwrap();
    let first = ledger
        .submit("a", &hotkey(1), &rows(0..4), 5)
        .await
        .unwrap();
    assert_eq!(
        first,
        Receipt {
            stored: 4,
            duplicates: 0,
            replayed: false
        }
    );
    ledger.close().await;

    let ledger = Ledger::open(&path, spaces()).await.unwrap();
    let again = ledger
        .submit("a", &hotkey(1), &rows(0..4), 9)
        .await
        .unwrap();
    assert_eq!(
        again,
        Receipt {
            replayed: true,
            ..first
        }
    );
    let conflict = ledger.submit("a", &hotkey(1), &rows(0..3), 9).await;
    assert!(matches!(conflict, Err(Error::BatchConflict { .. })));
    let overlap = ledger
        .submit("b", &hotkey(1), &rows(2..6), 9)
        .await
        .unwrap();
    assert_eq!(
        overlap,
        Receipt {
            stored: 2,
            duplicates: 2,
            replayed: false
        }
    );
    let elsewhere = ledger
        .submit("a", &hotkey(2), &rows(6..7), 9)
        .await
        .unwrap();
    assert_eq!(
        elsewhere.stored, 1,
        "another validator's batch ids are its own"
    );

    let waiting = ledger.unflushed(100).await.unwrap();
    let numbers: Vec<u64> = waiting.iter().map(|one| one.sequence).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    assert!(
        waiting.into_iter().map(|one| one.row).eq(rows(0..7)),
        "to the last bit"
    );
    let totals = ledger.totals().await.unwrap();
    assert_eq!(
        (
            totals.rows,
            totals.duration_ms,
            totals.unique_sources,
            totals.batches
        ),
        (7, 35_000, 3, 3)
    );
}

#[tokio::test]
async fn one_bad_row_refuses_its_batch_and_leaves_no_trace() {
    let ledger = Ledger::in_memory(spaces()).await.unwrap();
    let spoiled: [fn(&mut adit_storage::DatasetRow); 7] = [
        |row| row.end_ms = row.start_ms,
        |row| row.end_ms = u64::MAX,
        |row| row.score = f64::NAN,
        |row| row.record_id.clear(),
        |row| row.description = "x".repeat(1 << 20),
        |row| row.submitted_at_ms = u64::MAX,
        |row| row.video = vector(&Space::new("video-v2", 6).unwrap(), 1),
    ];
    for spoil in spoiled {
        let mut batch = rows(0..3);
        spoil(&mut batch[2]);
        assert!(ledger.submit("a", &hotkey(1), &batch, 5).await.is_err());
        assert_eq!(
            ledger.totals().await.unwrap(),
            adit_storage::LedgerTotals::default()
        );
    }
    let long = "x".repeat(257);
    assert!(matches!(
        ledger.submit(&long, &hotkey(1), &[], 5).await,
        Err(Error::TooLarge { .. })
    ));
    let flood = vec![row(1); 16_385];
    assert!(matches!(
        ledger.submit("a", &hotkey(1), &flood, 5).await,
        Err(Error::TooLarge { .. })
    ));
    assert_eq!(
        ledger.submit("a", &hotkey(1), &[], 5).await.unwrap().stored,
        0
    );
}

#[tokio::test]
async fn flushing_goes_forward_only() {
    let ledger = Ledger::in_memory(spaces()).await.unwrap();
    ledger
        .submit("a", &hotkey(1), &rows(0..6), 5)
        .await
        .unwrap();
    assert_eq!(ledger.unflushed(2).await.unwrap().len(), 2);
    ledger.mark_flushed(4).await.unwrap();
    ledger.mark_flushed(2).await.unwrap();
    assert_eq!(ledger.unflushed(9).await.unwrap()[0].sequence, 5);
    assert!(matches!(
        ledger.mark_flushed(7).await,
        Err(Error::LedgerBehind {
            dataset: 7,
            ledger: 6
        })
    ));
    assert!(matches!(
        ledger.reconcile(9).await,
        Err(Error::LedgerBehind { .. })
    ));
    assert!(matches!(
        ledger.reconcile(3).await,
        Err(Error::DatasetBehind {
            dataset: 3,
            ledger: 4
        })
    ));
    ledger.reconcile(6).await.unwrap();
    assert!(ledger.unflushed(9).await.unwrap().is_empty());
    let again = ledger
        .submit("b", &hotkey(1), &rows(0..7), 5)
        .await
        .unwrap();
    assert_eq!(
        (again.stored, again.duplicates),
        (1, 6),
        "ids outlast their records"
    );
    assert_eq!(ledger.totals().await.unwrap().flushed, 6);
}

#[tokio::test]
async fn a_ledger_keeps_its_spaces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    Ledger::open(&path, spaces()).await.unwrap().close().await;
    let other = DatasetSpaces {
        text: Space::new("text-v2", 5).unwrap(),
        ..spaces()
    };
    assert!(matches!(
        Ledger::open(&path, other).await,
        Err(Error::SpaceMismatch { .. })
    ));
}

#[tokio::test]
async fn the_same_batch_at_once_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.db"), spaces())
        .await
        .unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let ledger = ledger.clone();
        callers.spawn(async move { ledger.submit("a", &hotkey(1), &rows(0..5), 5).await });
    }
    let receipts: Vec<Receipt> = callers
        .join_all()
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        receipts.iter().filter(|receipt| !receipt.replayed).count(),
        1
    );
    assert_eq!(ledger.totals().await.unwrap().rows, 5);
}
