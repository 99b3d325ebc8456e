use std::fs;

use adit_embedding::Space;
use adit_storage::{DatasetReader, DatasetRow, DatasetSpaces, DatasetTotals, DatasetWriter, Error};

use crate::sample::{row, rows, spaces, vector};

fn read_all(folder: &std::path::Path) -> Vec<DatasetRow> {
    let reader = DatasetReader::open(folder).unwrap();
    reader
        .shards()
        .iter()
        .flat_map(|shard| reader.rows(shard).unwrap())
        .collect()
}

#[test]
fn rows_read_back_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::open(folder.path(), spaces()).unwrap();
    let shard = writer.append(1, &rows(0..5)).unwrap();
    assert_eq!(
        (
            shard.rows,
            shard.first_sequence,
            shard.last_sequence,
            shard.duration_ms
        ),
        (5, 1, 5, 25_000)
    );
    // A shard without any sound, and one with nothing else.
    let silent: Vec<_> = [1, 3].map(row).to_vec();
    let loud: Vec<_> = [2, 4]
        .map(|number| DatasetRow {
            record_id: format!("loud-{number}"),
            ..row(number)
        })
        .to_vec();
    writer.append(6, &silent).unwrap();
    writer.append(8, &loud).unwrap();
    assert_eq!(writer.next_sequence(), 10);
    let expected: Vec<_> = rows(0..5).into_iter().chain(silent).chain(loud).collect();
    assert_eq!(read_all(folder.path()), expected);
    drop(writer);

    let writer = DatasetWriter::open(folder.path(), spaces()).unwrap();
    assert_eq!((writer.last_sequence(), writer.shards().len()), (9, 3));
    let bytes = writer.shards().iter().map(|shard| shard.bytes).sum();
    let totals = DatasetReader::open(folder.path())
        .unwrap()
        .totals()
        .unwrap();
    assert_eq!(
        totals,
        DatasetTotals {
            rows: 9,
            duration_ms: 45_000,
            unique_sources: 3,
            shards: 3,
            bytes
        }
    );
}

#[test]
fn what_an_interrupted_writer_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::open(folder.path(), spaces()).unwrap();
    writer.append(1, &rows(0..2)).unwrap();
    let manifest = folder.path().join("manifest.jsonl");
    let before = fs::read(&manifest).unwrap();
    // Killed while the shard was written, after its rename, and while the manifest was written.
    let shard = writer.append(3, &rows(2..4)).unwrap();
    let bytes = fs::read(folder.path().join(&shard.file)).unwrap();
    drop(writer);
    fs::write(&manifest, &before).unwrap();
    fs::write(
        folder
            .path()
            .join("rows-000000000005-000000000009.parquet.tmp"),
        &bytes[..bytes.len() / 2],
    )
    .unwrap();
    fs::write(folder.path().join("manifest.jsonl.tmp"), &before[..10]).unwrap();
    fs::write(folder.path().join("notes.txt"), "a person's own file").unwrap();

    let mut writer = DatasetWriter::open(folder.path(), spaces()).unwrap();
    assert_eq!(writer.next_sequence(), 3);
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let first = writer.shards()[0].file.clone();
    assert_eq!(
        names,
        ["manifest.jsonl", "notes.txt", &first, "writer.lock"]
    );
    writer.append(3, &rows(2..4)).unwrap();
    assert_eq!(read_all(folder.path()), rows(0..4));
}

#[test]
fn damage_is_told_and_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.jsonl");
    assert!(matches!(
        DatasetReader::open(folder.path()),
        Err(Error::Corrupt { .. })
    ));
    let mut writer = DatasetWriter::open(folder.path(), spaces()).unwrap();
    writer.append(1, &rows(0..3)).unwrap();
    let shard = folder.path().join(&writer.shards()[0].file);
    drop(writer);
    let good = fs::read(&manifest).unwrap();
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(&manifest, &bad).unwrap();
        let opened = DatasetReader::open(folder.path());
        assert!(
            matches!(opened, Err(Error::Corrupt { .. })),
            "byte {place} may change unseen"
        );
    }
    for length in [0, 1, good.len() / 2, good.len() - 2] {
        fs::write(&manifest, &good[..length]).unwrap();
        assert!(matches!(
            DatasetWriter::open(folder.path(), spaces()),
            Err(Error::Corrupt { .. })
        ));
    }
    fs::write(&manifest, &good).unwrap();
    let reader = DatasetReader::open(folder.path()).unwrap();
    let mut bytes = fs::read(&shard).unwrap();
    bytes[40] ^= 1;
    fs::write(&shard, &bytes).unwrap();
    assert!(matches!(
        reader.rows(&reader.shards()[0]),
        Err(Error::Corrupt { .. })
    ));
    fs::remove_file(&shard).unwrap();
    assert!(matches!(reader.totals(), Err(Error::File { .. })));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::open(folder.path(), spaces()).unwrap();
    assert!(matches!(
        writer.append(2, &rows(0..1)),
        Err(Error::Sequence {
            expected: 1,
            found: 2
        })
    ));
    assert!(matches!(writer.append(1, &[]), Err(Error::TooLarge { .. })));
    let stranger = DatasetRow {
        text: vector(&Space::new("other-v1", 5).unwrap(), 1),
        ..row(0)
    };
    assert!(matches!(
        writer.append(1, &[row(1), stranger]),
        Err(Error::SpaceMismatch { .. })
    ));
    assert!(matches!(
        writer.append(
            1,
            &[DatasetRow {
                end_ms: 0,
                ..row(0)
            }]
        ),
        Err(Error::Row { .. })
    ));
    assert_eq!(writer.next_sequence(), 1);
    assert!(
        matches!(
            DatasetWriter::open(folder.path(), spaces()),
            Err(Error::File { .. })
        ),
        "one writer at a time"
    );
    writer.append(1, &rows(0..1)).unwrap();
    drop(writer);
    let other = DatasetSpaces {
        audio: Space::new("audio-v2", 4).unwrap(),
        ..spaces()
    };
    assert!(matches!(
        DatasetWriter::open(folder.path(), other),
        Err(Error::SpaceMismatch { .. })
    ));
}

/// A child process whose files may not grow beyond a few KiB: to the program the same as a full
/// disk, and it needs no mount.
mod full_disk {
    use std::{
        path::Path,
        process::{Command, Stdio},
    };

    use super::*;

    const CHILD: &str = "shards::full_disk::child_meets_a_full_disk";
    const WHERE: &str = "ADIT_TEST_FULL_DISK";

    #[test]
    #[ignore = "the child half of a test"]
    fn child_meets_a_full_disk() {
        let Some(folder) = std::env::var_os(WHERE) else {
            return;
        };
        let mut writer = DatasetWriter::open(Path::new(&folder), spaces()).unwrap();
        let next = writer.next_sequence();
        let refused = writer.append(next, &rows(100..600)).unwrap_err();
        assert!(
            matches!(&refused, Error::File { doing: "write", .. }),
            "{refused:?}"
        );
        assert!(refused.is_transient());
        assert_eq!(writer.next_sequence(), next, "nothing was committed");
        // The same writer goes on where there is room again.
        writer.append(next, &rows(2..3)).unwrap();
        println!("met and survived");
    }

    #[test]
    fn a_full_disk_is_an_error_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = DatasetWriter::open(folder.path(), spaces()).unwrap();
        writer.append(1, &rows(0..2)).unwrap();
        drop(writer);
        // SIGXFSZ is ignored, so that the limit shows as an error of write(2), as ENOSPC does.
        let script = r#"trap '' XFSZ; ulimit -f 24; exec "$0" "$@""#;
        let output = Command::new("bash")
            .args(["-c", script])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                CHILD,
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(WHERE, folder.path())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains("met and survived"),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(read_all(folder.path()), rows(0..3));
        let left = fs::read_dir(folder.path()).unwrap();
        assert!(
            left.flatten()
                .all(|entry| !entry.path().to_string_lossy().ends_with(".tmp"))
        );
    }
}
