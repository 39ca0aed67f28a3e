-- People's safety: reports, cases with their evidence, sanctions, notices, operators, the audit log. A network is its
-- length in bits and its keyed hash (17 bytes); two of them stand one after the other.

-- `installation`: what hashes of networks are made with.
CREATE TABLE safety_keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- In which networks the sides of a room are, as was said last; erased with it.
CREATE TABLE room_networks (
    room     INTEGER NOT NULL,               -- rooms.no
    side     INTEGER NOT NULL,
    networks BLOB    NOT NULL,
    PRIMARY KEY (room, side)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       INTEGER NOT NULL,             -- 1 reports, 2 by hand, 3 appeal
    sanction   INTEGER,                      -- of an appeal
    subject    BLOB    NOT NULL,
    state      INTEGER NOT NULL DEFAULT 1,   -- 1 open, 2 escalated, 3 decided, 4 skipped
    own_reason INTEGER,                      -- by hand: what it was opened for; appeal: the sanction's rule
    reason     INTEGER NOT NULL,
    priority   INTEGER NOT NULL DEFAULT 0,
    reports    INTEGER NOT NULL DEFAULT 0,   -- that stand
    claim_by   INTEGER,
    claim_until INTEGER,
    opened_at  INTEGER NOT NULL,
    closed_at  INTEGER,
    reopened   INTEGER NOT NULL DEFAULT 0,
    held_until INTEGER,
    text       TEXT    NOT NULL DEFAULT '',
    bare       INTEGER NOT NULL DEFAULT 0    -- its evidence was erased
) STRICT;
CREATE INDEX cases_queue   ON cases (priority DESC, opened_at, no) WHERE closed_at IS NULL;
CREATE INDEX cases_subject ON cases (subject, no);
CREATE INDEX cases_closed  ON cases (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX cases_dressed ON cases (closed_at) WHERE closed_at IS NOT NULL AND bare = 0;
CREATE INDEX cases_appeals ON cases (sanction) WHERE sanction IS NOT NULL;

CREATE TABLE reports (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB    NOT NULL UNIQUE,
    case_no    INTEGER NOT NULL,
    reporter   BLOB    NOT NULL,
    reported   BLOB    NOT NULL,
    room       BLOB    NOT NULL,             -- its id, also when it is erased
    side       INTEGER NOT NULL,             -- the reported one
    reason     INTEGER NOT NULL,
    note       TEXT    NOT NULL,
    chosen     TEXT,                         -- JSON: seqs; NULL: all
    claims     TEXT    NOT NULL,             -- JSON
    weight     INTEGER NOT NULL,             -- thousandths
    networks   BLOB,
    met        INTEGER NOT NULL,
    spent      INTEGER NOT NULL DEFAULT 0,
    at         INTEGER NOT NULL,
    withdrawn  INTEGER,
    verdict    INTEGER,                      -- 1 upheld, 2 not upheld, 3 invalid
    decided_at INTEGER,
    automatic  INTEGER                       -- the sanction that followed by itself
) STRICT;
CREATE INDEX reports_case     ON reports (case_no);
CREATE INDEX reports_reporter ON reports (reporter, no);
CREATE INDEX reports_decided  ON reports (reporter, decided_at) WHERE verdict IS NOT NULL;

CREATE TABLE evidence (
    no         INTEGER PRIMARY KEY,
    case_no    INTEGER NOT NULL,
    room       BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    opened_at  INTEGER NOT NULL,
    session_a  BLOB    NOT NULL,
    session_b  BLOB    NOT NULL,
    people     TEXT    NOT NULL,             -- JSON: both personas
    networks_a BLOB,
    networks_b BLOB,
    damaged    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (case_no, room)
) STRICT;

-- As in `entries`, with what a reply quoted when it was frozen.
CREATE TABLE evidence_entries (
    evidence    INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        INTEGER NOT NULL,            -- 0 message, 1 recall, 2 departure, 3 reaction
    side        INTEGER NOT NULL,
    client_id   TEXT,
    body        TEXT,
    target      INTEGER,                     -- a seq
    reason      INTEGER,
    quoted_side INTEGER,
    quoted      TEXT,
    quoted_cut  INTEGER,
    PRIMARY KEY (evidence, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
    no      INTEGER PRIMARY KEY,
    case_no INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      INTEGER,
    finding INTEGER NOT NULL,                -- 1 violation, 2 none
    rule    INTEGER NOT NULL,
    note    TEXT    NOT NULL,
    text    TEXT    NOT NULL
) STRICT;
CREATE INDEX decisions_case ON decisions (case_no);

-- Rows are never changed: lifting one is another.
CREATE TABLE sanctions (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    session   BLOB,
    network   BLOB,                          -- where `session` is NULL
    kind      INTEGER NOT NULL,
    rule      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    until     INTEGER,
    lifts     INTEGER,
    automatic INTEGER NOT NULL,
    by        INTEGER,
    case_no   INTEGER
) STRICT;
CREATE INDEX sanctions_session ON sanctions (session, no) WHERE session IS NOT NULL;
CREATE INDEX sanctions_network ON sanctions (network, no) WHERE network IS NOT NULL;
CREATE INDEX sanctions_case    ON sanctions (case_no) WHERE case_no IS NOT NULL;
CREATE UNIQUE INDEX sanctions_lifts ON sanctions (lifts) WHERE lifts IS NOT NULL;

CREATE TABLE notices (
    no           INTEGER PRIMARY KEY AUTOINCREMENT,
    id           BLOB    NOT NULL UNIQUE,
    recipient    BLOB    NOT NULL,
    kind         INTEGER NOT NULL,
    rule         INTEGER,
    text         TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    until        INTEGER,
    automatic    INTEGER NOT NULL,
    acted        INTEGER,
    sanction     INTEGER,
    acknowledged INTEGER,
    appealed     INTEGER                     -- the case of its appeal
) STRICT;
CREATE INDEX notices_recipient ON notices (recipient, no);
CREATE INDEX notices_at        ON notices (at);

CREATE TABLE operators (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT    NOT NULL,
    key       TEXT    NOT NULL UNIQUE,       -- the name as names are compared
    role      INTEGER NOT NULL,
    password  TEXT    NOT NULL,
    totp      BLOB,
    totp_step INTEGER NOT NULL DEFAULT -1,   -- the last that was used
    since     INTEGER NOT NULL,
    disabled  INTEGER
) STRICT;

CREATE TABLE recovery_codes (
    operator INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    PRIMARY KEY (operator, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_sessions (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    hash     BLOB    NOT NULL UNIQUE,
    operator INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    visitor  BLOB
) STRICT;
CREATE INDEX operator_sessions_of ON operator_sessions (operator, no);

-- The sessions that an operator uses the site with.
CREATE TABLE operator_visitors (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    operator INTEGER NOT NULL,
    visitor  BLOB    NOT NULL,
    UNIQUE (operator, visitor)
) STRICT;

-- The link with which the first administrator is made: one row at most.
CREATE TABLE setup_link (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    hash  BLOB    NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    no       INTEGER PRIMARY KEY,            -- 1, 2, 3 … without a gap
    at       INTEGER NOT NULL,
    name     TEXT,
    by       INTEGER,
    act      INTEGER NOT NULL,
    case_no  INTEGER,
    sanction INTEGER,
    took_ms  INTEGER,
    details  TEXT    NOT NULL,
    before   BLOB    NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_figures ON audit (at) WHERE act IN (1, 2, 12, 14, 15, 16);

-- The last row of `audit`, kept apart: else some could be cut off the end unseen.
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    no   INTEGER NOT NULL,
    hash BLOB    NOT NULL
) STRICT;
INSERT INTO audit_head (one, no, hash) VALUES (1, 0, zeroblob(32));

-- How many reports arrived in a month: outlives them.
CREATE TABLE report_months (
    month   INTEGER PRIMARY KEY,             -- year * 12 + month - 1, by UTC
    reports INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 8;
