-- People's safety: reports, cases with their evidence, sanctions, notices, operators, the audit log. Texts are
-- bytea, as those of entries are. Sessions are named as in `rooms`; a network is its length in bits and its
-- keyed hash, and two of them are one after the other (34 bytes).

-- The line that all changes stand in: who changes any of this locks it first. The last row of `audit`.
CREATE TABLE audit_head (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    no   bigint  NOT NULL,
    hash bytea   NOT NULL
);
INSERT INTO audit_head (no, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE TABLE audit (
    no       bigint   PRIMARY KEY,             -- 1, 2, 3 … without a gap
    at       bigint   NOT NULL,
    name     bytea,
    by       bigint,
    act      smallint NOT NULL,
    case_id  bigint,
    sanction bigint,
    took_ms  bigint,
    details  bytea    NOT NULL,
    before   bytea    NOT NULL,
    hash     bytea    NOT NULL
);
CREATE INDEX audit_figures ON audit (at) WHERE act IN (1, 2, 12, 14, 15, 16);

-- How many reports arrived in a month: outlives them.
CREATE TABLE report_months (
    month   integer PRIMARY KEY,               -- year * 12 + month - 1, by UTC
    reports bigint  NOT NULL
);

CREATE TABLE cases (
    id            bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          smallint NOT NULL,           -- 1 reports, 2 by hand, 3 appeal
    sanction      bigint,                      -- of an appeal
    subject       uuid     NOT NULL,
    state         smallint NOT NULL,           -- 1 open, 2 escalated, 3 decided, 4 skipped
    own_reason    smallint,                    -- by hand: what it was opened for; of an appeal: the rule
    reason        smallint NOT NULL,
    priority      bigint   NOT NULL DEFAULT 0,
    reports       integer  NOT NULL DEFAULT 0, -- that stand
    claimed_by    bigint,
    claimed_until bigint,
    opened_at     bigint   NOT NULL,
    closed_at     bigint,
    reopened      boolean  NOT NULL DEFAULT false,
    held_until    bigint,
    text          bytea    NOT NULL DEFAULT '',
    bare          boolean  NOT NULL DEFAULT false -- its evidence was erased
);
CREATE INDEX cases_queue ON cases (priority DESC, opened_at, id) WHERE closed_at IS NULL;
CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX cases_dressed ON cases (closed_at) WHERE closed_at IS NOT NULL AND NOT bare;
CREATE INDEX cases_subject ON cases (subject, id);
CREATE INDEX cases_sanction ON cases (sanction) WHERE sanction IS NOT NULL;

CREATE TABLE reports (
    no         bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid     NOT NULL UNIQUE,
    case_id    bigint   NOT NULL,
    reporter   uuid     NOT NULL,
    reported   uuid     NOT NULL,
    room       uuid     NOT NULL,
    side       smallint NOT NULL,              -- the reported one
    reason     smallint NOT NULL,
    note       bytea    NOT NULL,
    chosen     bigint[],                       -- NULL: all
    claims     bytea    NOT NULL,              -- JSON
    weight     integer  NOT NULL,              -- thousandths
    networks   bytea,
    met        boolean  NOT NULL,
    spent      boolean  NOT NULL DEFAULT false,
    at         bigint   NOT NULL,
    withdrawn  bigint,
    verdict    smallint,                       -- 1 upheld, 2 not upheld, 3 invalid
    decided_at bigint,
    automatic  bigint                          -- the sanction that followed by itself
);
CREATE INDEX reports_case ON reports (case_id, no);
CREATE INDEX reports_reporter ON reports (reporter, no);
CREATE INDEX reports_decided ON reports (reporter, decided_at) WHERE verdict IS NOT NULL AND withdrawn IS NULL;

-- In which networks the sides of a room are, as was said last: gone with it.
CREATE TABLE room_networks (
    room     bigint   NOT NULL REFERENCES rooms (no) ON DELETE CASCADE,
    side     smallint NOT NULL,
    networks bytea    NOT NULL,
    PRIMARY KEY (room, side)
);

CREATE TABLE evidence (
    no         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    bigint  NOT NULL,
    room       uuid    NOT NULL,
    at         bigint  NOT NULL,
    opened_at  bigint  NOT NULL,
    session_a  uuid    NOT NULL,
    session_b  uuid    NOT NULL,
    people     bytea   NOT NULL,
    networks_a bytea,
    networks_b bytea,
    damaged    boolean NOT NULL,
    UNIQUE (case_id, room)
);

-- As in `entries`, with what a reply quoted when it was frozen.
CREATE TABLE evidence_entries (
    evidence    bigint   NOT NULL,
    seq         bigint   NOT NULL,
    kind        smallint NOT NULL,
    side        smallint NOT NULL,
    client_id   bytea,
    body        bytea,
    target      bigint,
    target_side smallint,
    target_body bytea,
    reason      smallint,
    at          bigint   NOT NULL,
    PRIMARY KEY (evidence, seq)
);

CREATE TABLE decisions (
    no      bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint   NOT NULL,
    at      bigint   NOT NULL,
    by      bigint,
    finding smallint NOT NULL,                 -- 1 violation, 2 none
    rule    smallint NOT NULL,
    note    bytea    NOT NULL,
    text    bytea    NOT NULL
);
CREATE INDEX decisions_case ON decisions (case_id, no);

-- Rows are never changed: lifting one is another. Numbers are given in the line, so a row with a larger one is
-- never seen before one with a smaller.
CREATE TABLE sanctions (
    id        bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session   uuid,
    network   bytea,                           -- where `session` is NULL
    kind      smallint NOT NULL,
    rule      smallint NOT NULL,
    at        bigint   NOT NULL,
    until     bigint,
    lifts     bigint   UNIQUE,
    automatic boolean  NOT NULL,
    by        bigint,
    case_id   bigint
);
CREATE INDEX sanctions_session ON sanctions (session, id);
CREATE INDEX sanctions_network ON sanctions (network, id) WHERE network IS NOT NULL;
CREATE INDEX sanctions_case ON sanctions (case_id) WHERE case_id IS NOT NULL;

CREATE TABLE notices (
    no           bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid     NOT NULL UNIQUE,
    recipient    uuid     NOT NULL,
    kind         smallint NOT NULL,
    rule         smallint,
    text         bytea    NOT NULL,
    at           bigint   NOT NULL,
    until        bigint,
    automatic    boolean  NOT NULL,
    acted        boolean,
    sanction     bigint,
    acknowledged bigint,
    appealed     bigint                        -- the case of its appeal
);
CREATE INDEX notices_recipient ON notices (recipient, no);
CREATE INDEX notices_sanction ON notices (sanction) WHERE sanction IS NOT NULL;
CREATE INDEX notices_at ON notices (at);

CREATE TABLE operators (
    id        bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      bytea    NOT NULL,
    key       bytea    NOT NULL UNIQUE,        -- the name as names are compared
    role      smallint NOT NULL,
    password  bytea    NOT NULL,
    totp      bytea,
    totp_step bigint   NOT NULL DEFAULT -1,    -- the last that was used
    since     bigint   NOT NULL,
    disabled  bigint
);

CREATE TABLE recovery_codes (
    operator bigint NOT NULL REFERENCES operators (id),
    hash     bytea  NOT NULL,
    PRIMARY KEY (operator, hash)
);

CREATE TABLE operator_sessions (
    no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash     bytea  NOT NULL UNIQUE,
    operator bigint NOT NULL REFERENCES operators (id),
    since    bigint NOT NULL,
    used     bigint NOT NULL,
    visitor  uuid
);
CREATE INDEX operator_sessions_operator ON operator_sessions (operator, no);

-- The sessions that an operator uses the site with.
CREATE TABLE operator_visitors (
    no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator bigint NOT NULL REFERENCES operators (id),
    visitor  uuid   NOT NULL,
    UNIQUE (operator, visitor)
);

-- The link with which the first administrator is made.
CREATE TABLE setup_link (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    hash  bytea   NOT NULL,
    until bigint  NOT NULL
);

-- As before, and with what is kept for people's safety: about so much as its rows take, for the files and indexes
-- of these tables have a size before anything is in them.
CREATE OR REPLACE FUNCTION data_size(p_from bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_safety regclass[] := ARRAY['cases', 'reports', 'evidence', 'evidence_entries', 'notices', 'audit']::regclass[];
    v_kept bigint;
    v_files bigint;
    v_live bigint;
    v_more bigint;
BEGIN
    SELECT coalesce(sum((n_live_tup + n_dead_tup) * 512), 0) INTO v_kept
        FROM pg_stat_user_tables WHERE relid = ANY (v_safety);
    v_files := v_kept + pg_total_relation_size('rooms') + pg_total_relation_size('entries')
        + pg_total_relation_size('blocks') + pg_total_relation_size('marks') + pg_total_relation_size('holds');
    IF v_files < p_from THEN
        RETURN v_files;
    END IF;
    SELECT coalesce(sum(bytes + 256 * last_seq + 2048), 0) INTO v_live FROM rooms;
    SELECT coalesce(sum(CASE relid
            WHEN 'rooms'::regclass THEN n_dead_tup * 2048
            WHEN 'entries'::regclass THEN n_dead_tup * 512
            ELSE (n_live_tup + n_dead_tup) * 150 END), 0) INTO v_more
        FROM pg_stat_user_tables WHERE relid IN ('rooms'::regclass, 'entries'::regclass,
            'blocks'::regclass, 'marks'::regclass, 'holds'::regclass);
    RETURN least(v_files, v_kept + v_live + v_more);
END
$$;
