-- How a side that is away is called by its browser's push service, until the room is over: nothing of it is kept
-- longer than that, and it says nothing about the person.
CREATE TABLE subscriptions (
    room       bigint   NOT NULL REFERENCES rooms (no) ON DELETE CASCADE,
    side       smallint NOT NULL,
    endpoint   text     NOT NULL,
    p256dh     text     NOT NULL,
    auth       text     NOT NULL,
    called_at  bigint,
    message_at bigint,                         -- when it was last called because of a message
    PRIMARY KEY (room, side)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- How long at least a side that can be called is waited for, in milliseconds; NULL: it cannot be called.
ALTER TABLE rooms ADD COLUMN call_for_a bigint, ADD COLUMN call_for_b bigint;

-- As before. A room whose side can be called is left alone until that side is due, also when the node that the side
-- was connected to is dead: `due_at` says when, once a sweeper has looked at it.
CREATE OR REPLACE FUNCTION claim(p_now bigint, p_node bigint, p_lease bigint, p_grace bigint, p_claim bigint, p_most bigint,
    p_told bigint) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := moment(p_now);
BEGIN
    -- A node that judges absences is alive.
    IF NOT EXISTS (SELECT FROM nodes WHERE node = p_node AND until > v_now) THEN
        PERFORM renew(v_now, p_node, p_lease);
    END IF;
    RETURN QUERY
        WITH dead AS MATERIALIZED (
            SELECT n.node FROM nodes n, service s WHERE greatest(n.until, s.since) + p_grace <= v_now
        ), late AS (
            SELECT no FROM rooms WHERE closed_at IS NULL AND due_at <= v_now AND claimed <= v_now
                ORDER BY due_at LIMIT p_most FOR UPDATE SKIP LOCKED
        ), lost_a AS (
            SELECT no FROM rooms WHERE closed_at IS NULL AND claimed <= v_now
                AND (call_for_a IS NULL OR due_at IS NULL OR due_at <= v_now)
                AND node_a = ANY (ARRAY(SELECT node FROM dead)) LIMIT p_most FOR UPDATE SKIP LOCKED
        ), lost_b AS (
            SELECT no FROM rooms WHERE closed_at IS NULL AND claimed <= v_now
                AND (call_for_b IS NULL OR due_at IS NULL OR due_at <= v_now)
                AND node_b = ANY (ARRAY(SELECT node FROM dead)) LIMIT p_most FOR UPDATE SKIP LOCKED
        ), aged AS (
            SELECT no FROM rooms WHERE closed_at IS NULL AND closes_at IS NULL AND claimed <= v_now
                AND opened_at <= v_now - p_told
                ORDER BY opened_at LIMIT p_most FOR UPDATE SKIP LOCKED
        ), over AS (
            SELECT no FROM rooms WHERE closed_at IS NULL AND closes_at IS NOT NULL AND claimed <= v_now
                AND closes_at <= v_now AND p_told IS NOT NULL
                ORDER BY closes_at LIMIT p_most FOR UPDATE SKIP LOCKED
        ), found AS (
            SELECT no FROM late UNION SELECT no FROM lost_a UNION SELECT no FROM lost_b
                UNION SELECT no FROM aged UNION SELECT no FROM over LIMIT p_most
        )
        UPDATE rooms r SET claimed = v_now + p_claim FROM found WHERE r.no = found.no RETURNING r.id;
END
$$;

-- As before, with subscriptions, which take up to a kilobyte and a half each.
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
        + pg_total_relation_size('blocks') + pg_total_relation_size('marks') + pg_total_relation_size('holds')
        + pg_total_relation_size('subscriptions');
    IF v_files < p_from THEN
        RETURN v_files;
    END IF;
    SELECT coalesce(sum(bytes + 256 * last_seq + 2048), 0) INTO v_live FROM rooms;
    SELECT coalesce(sum(CASE relid
            WHEN 'rooms'::regclass THEN n_dead_tup * 2048
            WHEN 'entries'::regclass THEN n_dead_tup * 512
            WHEN 'subscriptions'::regclass THEN (n_live_tup + n_dead_tup) * 1536
            ELSE (n_live_tup + n_dead_tup) * 150 END), 0) INTO v_more
        FROM pg_stat_user_tables WHERE relid IN ('rooms'::regclass, 'entries'::regclass,
            'blocks'::regclass, 'marks'::regclass, 'holds'::regclass, 'subscriptions'::regclass);
    RETURN least(v_files, v_kept + v_live + v_more);
END
$$;
