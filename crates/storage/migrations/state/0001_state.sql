-- Times are milliseconds since the Unix epoch. Hotkeys are SS58 text, task ids ULID text.
CREATE TABLE tasks (
    task           TEXT    NOT NULL PRIMARY KEY,
    mechanism      TEXT    NOT NULL,
    netuid         INTEGER NOT NULL,
    policy         TEXT    NOT NULL,
    -- The 64 bits of the seed, read as a signed number.
    seed           INTEGER NOT NULL,
    payload        TEXT    NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    deadline_at_ms INTEGER NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'judged')),
    judged_at_ms   INTEGER,
    judged_policy  TEXT,
    CHECK ((state = 'judged') = (judged_at_ms IS NOT NULL)),
    CHECK ((state = 'judged') = (judged_policy IS NOT NULL))
) STRICT;
CREATE INDEX tasks_waiting ON tasks (created_at_ms, task) WHERE state <> 'judged';

CREATE TABLE asked (
    task   TEXT    NOT NULL REFERENCES tasks (task),
    hotkey TEXT    NOT NULL,
    uid    INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    PRIMARY KEY (task, hotkey)
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    task           TEXT    NOT NULL,
    hotkey         TEXT    NOT NULL,
    uid            INTEGER NOT NULL,
    status         TEXT    NOT NULL,
    detail         TEXT,
    payload        TEXT,
    received_at_ms INTEGER NOT NULL,
    elapsed_ms     INTEGER NOT NULL,
    UNIQUE (task, hotkey),
    FOREIGN KEY (task, hotkey) REFERENCES asked (task, hotkey)
) STRICT;
CREATE INDEX answers_by_hotkey ON answers (hotkey, status);

CREATE TABLE scores (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    task     TEXT    NOT NULL,
    hotkey   TEXT    NOT NULL,
    uid      INTEGER NOT NULL,
    score    REAL    NOT NULL,
    verdict  TEXT    NOT NULL,
    reasons  TEXT    NOT NULL,
    evidence TEXT    NOT NULL,
    UNIQUE (task, hotkey),
    FOREIGN KEY (task, hotkey) REFERENCES asked (task, hotkey)
) STRICT;
CREATE INDEX scores_by_hotkey ON scores (hotkey, score);

CREATE TABLE items (
    task      TEXT    NOT NULL,
    record_id TEXT    NOT NULL,
    hotkey    TEXT    NOT NULL,
    uid       INTEGER NOT NULL,
    accepted  INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    reason    TEXT,
    payload   TEXT    NOT NULL,
    PRIMARY KEY (task, record_id),
    FOREIGN KEY (task, hotkey) REFERENCES asked (task, hotkey)
) STRICT;
CREATE INDEX items_by_hotkey ON items (hotkey, accepted, reason);

CREATE TABLE averages (
    hotkey        TEXT    NOT NULL PRIMARY KEY,
    uid           INTEGER NOT NULL,
    value         REAL    NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE batches (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id        TEXT    NOT NULL UNIQUE,
    task            TEXT    NOT NULL UNIQUE REFERENCES tasks (task),
    payload         TEXT    NOT NULL,
    delivered_at_ms INTEGER,
    receipt         TEXT,
    failures        INTEGER NOT NULL DEFAULT 0,
    last_failure    TEXT,
    failed_at_ms    INTEGER,
    CHECK ((delivered_at_ms IS NULL) = (receipt IS NULL))
) STRICT;
CREATE INDEX batches_pending ON batches (sequence) WHERE delivered_at_ms IS NULL;

CREATE TABLE weights (
    sequence  INTEGER PRIMARY KEY AUTOINCREMENT,
    netuid    INTEGER NOT NULL,
    block     INTEGER,
    weights   TEXT    NOT NULL,
    outcome   TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    extrinsic TEXT,
    at_ms     INTEGER NOT NULL,
    UNIQUE (netuid, at_ms)
) STRICT;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
