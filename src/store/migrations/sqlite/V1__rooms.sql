-- The first schema. `auto_vacuum` and `application_id` are set before this runs: the former only
-- takes hold before the first table exists.

-- Single numbers. `mark`: every room's `head` and `last_seq` are right as far as entries up to this
-- row id are concerned; a start reads only the entries after it.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('mark', 0);

-- Always empty: asking whether a write would succeed is writing here.
CREATE TABLE probe (filler BLOB) STRICT;

-- One row a room, with everything that changes about it, so that a change is one UPDATE.
CREATE TABLE rooms (
    no          INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE,     -- the UUID
    people      TEXT    NOT NULL,            -- JSON: both personas
    common_tags TEXT    NOT NULL,            -- JSON: words
    is_bot      INTEGER NOT NULL,
    session_a   BLOB    NOT NULL,
    session_b   BLOB    NOT NULL,
    opened_at   INTEGER NOT NULL,
    closed_at   INTEGER,                     -- with it the departure: its place, who, why
    left_seq    INTEGER,
    left_side   INTEGER,
    left_reason INTEGER,
    due_at      INTEGER,                     -- open: when the first absence has lasted too long
    erasing     INTEGER NOT NULL DEFAULT 0,  -- some entries are gone already; nobody sees it
    head        INTEGER NOT NULL DEFAULT 0,  -- row id of the newest entry, lazily
    last_seq    INTEGER NOT NULL DEFAULT 0,  -- its seq, lazily
    joined_a INTEGER, away_a INTEGER, node_a INTEGER, number_a INTEGER,
    cursor_a INTEGER NOT NULL DEFAULT 0, read_a INTEGER NOT NULL DEFAULT 0,
    joined_b INTEGER, away_b INTEGER, node_b INTEGER, number_b INTEGER,
    cursor_b INTEGER NOT NULL DEFAULT 0, read_b INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX rooms_open   ON rooms (due_at)    WHERE closed_at IS NULL;
CREATE INDEX rooms_closed ON rooms (closed_at) WHERE closed_at IS NOT NULL;

-- Which rooms a session is in, newest last; open ones apart, so that a session with thousands of
-- closed rooms finds its open one at once. Immutable but for `open`.
CREATE TABLE members (
    session BLOB    NOT NULL,
    open    INTEGER NOT NULL,
    room    INTEGER NOT NULL,
    side    INTEGER NOT NULL,
    partner BLOB    NOT NULL,
    PRIMARY KEY (session, open, room, side)
) STRICT, WITHOUT ROWID;

-- The logs of all rooms in the order they were written. No second index: each row names its room's
-- previous one, and the writer remembers the row ids of the rooms in use.
CREATE TABLE entries (
    id        INTEGER PRIMARY KEY,           -- counted by the writer, never used twice
    room      INTEGER NOT NULL,              -- rooms.no
    seq       INTEGER NOT NULL,
    prev      INTEGER NOT NULL,              -- row id of seq - 1; 0 for the first
    kind      INTEGER NOT NULL,              -- 0 message, 1 recall, 2 departure
    side      INTEGER NOT NULL,
    client_id TEXT,                          -- message, recall
    body      TEXT,                          -- message: NULL once recalled
    target    INTEGER,                       -- message: quoted row; recall: the recalled row
    reason    INTEGER,                       -- departure: 0 left, 1 no_show, 2 timeout
    at        INTEGER NOT NULL,
    hidden    INTEGER NOT NULL DEFAULT 0     -- bit 0: from side A; bit 1: from side B
) STRICT;

CREATE TABLE blocks (
    no      INTEGER PRIMARY KEY,             -- the newest has the largest
    by      BLOB    NOT NULL,
    whom    BLOB    NOT NULL,
    used_at INTEGER NOT NULL,
    UNIQUE (by, whom)
) STRICT;
CREATE INDEX blocks_whom ON blocks (whom);
CREATE INDEX blocks_used ON blocks (used_at);

PRAGMA user_version = 1;
