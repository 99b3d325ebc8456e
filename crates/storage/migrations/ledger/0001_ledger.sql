-- Times are milliseconds since the Unix epoch. Hotkeys are SS58 text.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE batches (
    validator  TEXT    NOT NULL,
    batch_id   TEXT    NOT NULL,
    blake3     BLOB    NOT NULL,
    stored     INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (validator, batch_id)
) STRICT, WITHOUT ROWID;

-- One row per record for ever, so that no id enters twice; the record itself only until it is in
-- the dataset.
CREATE TABLE records (
    sequence    INTEGER PRIMARY KEY,
    record_id   TEXT    NOT NULL UNIQUE,
    source_url  TEXT    NOT NULL,
    duration_ms INTEGER NOT NULL,
    record      BLOB
) STRICT;
CREATE INDEX records_by_source ON records (source_url);

CREATE TABLE sums (
    only        INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    records     INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    batches     INTEGER NOT NULL,
    sources     INTEGER NOT NULL,
    flushed     INTEGER NOT NULL
) STRICT;
INSERT INTO sums VALUES (1, 0, 0, 0, 0, 0);
