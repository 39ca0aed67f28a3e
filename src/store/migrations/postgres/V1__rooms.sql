-- The first schema. Times are milliseconds since the Unix epoch by the server's clock. What people
-- wrote is kept as bytes: no encoding or collation of the server has a say in it.

-- Made by the first node, read by all: `identity`, `session_key`.
CREATE TABLE meta (
    name  text  PRIMARY KEY,
    value bytea NOT NULL
);

-- Processes. One whose lease is over is taken for dead: who was connected to it is away since then.
-- It may only have been frozen; if it renews, they are there again.
CREATE TABLE nodes (
    node  bigint PRIMARY KEY,
    until bigint NOT NULL
) WITH (fillfactor = 50);

-- Since when at least one node has been alive without a break: nobody could come before.
CREATE TABLE service (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    since bigint  NOT NULL
);
INSERT INTO service (since) VALUES (0);

-- What became of each batcher's last batch, for when the answer was lost: the batch's number, and
-- the seq that each of its deeds took (0 for none). Who raises `epoch` makes sure that a statement
-- still on its way changes nothing.
CREATE TABLE lanes (
    node  bigint   NOT NULL,
    lane  smallint NOT NULL,
    epoch bigint   NOT NULL,
    batch bigint   NOT NULL DEFAULT 0,
    seqs  bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (node, lane)
) WITH (fillfactor = 50);

-- One row a room. Space is left in each page, so that the next version of a row fits beside the last
-- and no index has to learn of it.
CREATE TABLE rooms (
    no          bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          uuid     NOT NULL UNIQUE,
    people      bytea    NOT NULL,             -- JSON: both personas
    common_tags bytea    NOT NULL,             -- JSON: words
    is_bot      boolean  NOT NULL,
    session_a   uuid     NOT NULL,
    session_b   uuid     NOT NULL,
    opened_at   bigint   NOT NULL,
    last_seq    bigint   NOT NULL DEFAULT 0,
    closed_at   bigint,                        -- with it the departure: its place, who, why
    left_seq    bigint,
    left_side   smallint,
    left_reason smallint,                      -- 0 left, 1 no_show, 2 timeout
    due_at      bigint,                        -- open: no absence has lasted too long before this
    claimed     bigint   NOT NULL DEFAULT 0,   -- some node's sweeper is at it until then
    erasing     boolean  NOT NULL DEFAULT false, -- some entries are gone already; nobody sees it
    -- Of each side: first arrival; its connection; since when there is none; how often it came and
    -- went; how far it was sent, and has read.
    joined_a bigint, node_a bigint, number_a bigint, away_a bigint,
    version_a bigint NOT NULL DEFAULT 0, cursor_a bigint NOT NULL DEFAULT 0, read_a bigint NOT NULL DEFAULT 0,
    joined_b bigint, node_b bigint, number_b bigint, away_b bigint,
    version_b bigint NOT NULL DEFAULT 0, cursor_b bigint NOT NULL DEFAULT 0, read_b bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX rooms_due       ON rooms (due_at) INCLUDE (is_bot) WHERE closed_at IS NULL;
CREATE INDEX rooms_closed    ON rooms (closed_at)     WHERE closed_at IS NOT NULL;
CREATE INDEX rooms_node_a    ON rooms (node_a)        WHERE closed_at IS NULL AND node_a IS NOT NULL;
CREATE INDEX rooms_node_b    ON rooms (node_b)        WHERE closed_at IS NULL AND node_b IS NOT NULL;
CREATE INDEX rooms_open_a    ON rooms (session_a, no) WHERE closed_at IS NULL;
CREATE INDEX rooms_open_b    ON rooms (session_b, no) WHERE closed_at IS NULL;
CREATE INDEX rooms_session_a ON rooms (session_a, no);
CREATE INDEX rooms_session_b ON rooms (session_b, no);

-- The logs of all rooms. Vacuumed early: until then what was erased is still on the disk.
CREATE TABLE entries (
    room      bigint   NOT NULL,               -- rooms.no
    seq       bigint   NOT NULL,               -- 1, 2, 3 …
    kind      smallint NOT NULL,               -- 0 message, 1 recall, 2 departure
    side      smallint NOT NULL,
    client_id bytea,                           -- message, recall
    body      bytea,                           -- message: NULL once recalled
    target    bigint,                          -- message: the quoted seq; recall: the recalled one
    reason    smallint,                        -- departure
    hidden    smallint NOT NULL DEFAULT 0,     -- bit 0: from side A; bit 1: from side B
    at        bigint   NOT NULL,
    PRIMARY KEY (room, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        toast.autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX entries_names ON entries (room, side, client_id) WHERE kind = 0;

CREATE TABLE blocks (
    no      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the newest has the largest
    by      uuid   NOT NULL,
    whom    uuid   NOT NULL,
    used_at bigint NOT NULL,
    UNIQUE (by, whom)
);
CREATE INDEX blocks_whom ON blocks (whom);
CREATE INDEX blocks_used ON blocks (used_at);
