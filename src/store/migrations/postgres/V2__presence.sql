-- Who is there: leases, absences, and what a room's row means at a given moment.
-- `p_now` is NULL everywhere but in tests, which move the clock.

-- The store's clock.
CREATE FUNCTION moment(p_now bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
$$;

-- Since when a side has had no connection; NULL while it has one. Who never came has been gone since
-- they could have come. No absence began before the present service did: nobody could come then.
CREATE FUNCTION gone_since(p_opened bigint, p_joined bigint, p_away bigint, p_node bigint, p_now bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_until bigint;
    v_since bigint;
BEGIN
    IF p_node IS NOT NULL THEN
        SELECT until INTO v_until FROM nodes WHERE node = p_node;
        IF v_until > p_now THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT since INTO v_since FROM service;
    IF p_node IS NOT NULL THEN
        RETURN greatest(v_until, v_since, p_joined);
    END IF;
    RETURN greatest(CASE WHEN p_joined IS NULL THEN p_opened ELSE p_away END, v_since);
END
$$;

-- When the sweeper must look at an open room at the earliest; leases aside.
CREATE FUNCTION due(p_room rooms, p_arrival bigint, p_grace bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_room.closed_at IS NULL THEN least(
        CASE WHEN p_room.node_a IS NULL THEN coalesce(p_room.away_a + p_grace, p_room.opened_at + p_arrival) END,
        CASE WHEN p_room.node_b IS NULL THEN coalesce(p_room.away_b + p_grace, p_room.opened_at + p_arrival) END
    ) END
$$;

-- Everything about a room that changes, as numbers, at this moment. `postgres/rows.rs` reads it.
CREATE FUNCTION state_of(p_room rooms, p_now bigint) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_a bigint := gone_since(p_room.opened_at, p_room.joined_a, p_room.away_a, p_room.node_a, p_now);
    v_b bigint := gone_since(p_room.opened_at, p_room.joined_b, p_room.away_b, p_room.node_b, p_now);
BEGIN
    RETURN ARRAY[
        p_room.opened_at, p_room.last_seq, p_room.is_bot::int,
        p_room.closed_at, p_room.left_seq, p_room.left_side, p_room.left_reason,
        p_room.joined_a, CASE WHEN p_room.joined_a IS NOT NULL THEN v_a END,
        CASE WHEN v_a IS NULL THEN p_room.node_a END, CASE WHEN v_a IS NULL THEN p_room.number_a END,
        p_room.version_a, p_room.cursor_a, p_room.read_a,
        p_room.joined_b, CASE WHEN p_room.joined_b IS NOT NULL THEN v_b END,
        CASE WHEN v_b IS NULL THEN p_room.node_b END, CASE WHEN v_b IS NULL THEN p_room.number_b END,
        p_room.version_b, p_room.cursor_b, p_room.read_b
    ];
END
$$;

-- The node is alive for another `p_lease`. When nobody was, the service begins anew.
CREATE FUNCTION renew(p_now bigint, p_node bigint, p_lease bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := moment(p_now);
BEGIN
    IF NOT EXISTS (SELECT FROM nodes WHERE until > v_now) THEN
        UPDATE service SET since = greatest(since, v_now);
    END IF;
    INSERT INTO nodes AS n (node, until) VALUES (p_node, v_now + p_lease)
        ON CONFLICT (node) DO UPDATE SET until = greatest(n.until, excluded.until);
END
$$;

-- A node begins. Nodes that rooms name and nobody knows are dead.
CREATE FUNCTION register(p_now bigint, p_node bigint, p_lease bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := moment(p_now);
BEGIN
    PERFORM renew(v_now, p_node, p_lease);
    INSERT INTO nodes (node, until)
        SELECT node_a, v_now FROM rooms WHERE closed_at IS NULL AND node_a IS NOT NULL
        UNION
        SELECT node_b, v_now FROM rooms WHERE closed_at IS NULL AND node_b IS NOT NULL
        ON CONFLICT (node) DO NOTHING;
END
$$;

-- A node ends in good order: its lease is over now.
CREATE FUNCTION retire(p_now bigint, p_node bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := moment(p_now);
BEGIN
    UPDATE nodes SET until = least(until, v_now) WHERE node = p_node;
    DELETE FROM lanes WHERE node = p_node;
END
$$;

-- Open rooms where an absence may have lasted too long. They are this caller's for `p_claim`: other
-- nodes' sweepers look at others.
CREATE FUNCTION claim(p_now bigint, p_node bigint, p_lease bigint, p_grace bigint, p_claim bigint, p_most bigint)
RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := moment(p_now);
BEGIN
    -- Who judges others' absence is alive.
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
                AND node_a = ANY (ARRAY(SELECT node FROM dead)) LIMIT p_most FOR UPDATE SKIP LOCKED
        ), lost_b AS (
            SELECT no FROM rooms WHERE closed_at IS NULL AND claimed <= v_now
                AND node_b = ANY (ARRAY(SELECT node FROM dead)) LIMIT p_most FOR UPDATE SKIP LOCKED
        ), found AS (
            SELECT no FROM late UNION SELECT no FROM lost_a UNION SELECT no FROM lost_b LIMIT p_most
        )
        UPDATE rooms r SET claimed = v_now + p_claim FROM found WHERE r.no = found.no RETURNING r.id;
END
$$;

-- Erases what has been kept for long enough: at most `p_budget` entries or blocks, of at most
-- `p_rooms` rooms. Answers how many rooms are gone, and whether more is due.
CREATE FUNCTION erase(p_now bigint, p_retention bigint, p_lifetime bigint, p_rooms bigint, p_budget bigint,
    OUT o_erased bigint, OUT o_more boolean) LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := moment(p_now);
    v_left bigint := p_budget;
    v_seen bigint := 0;
    v_last bigint;
    v_count bigint;
    v_no bigint;
BEGIN
    o_erased := 0;
    o_more := false;
    FOR v_no IN SELECT no FROM rooms WHERE closed_at <= v_now - p_retention
        ORDER BY closed_at LIMIT p_rooms FOR UPDATE SKIP LOCKED
    LOOP
        v_seen := v_seen + 1;
        -- From the newest backwards: what is left is still without a gap.
        SELECT max(seq) INTO v_last FROM entries WHERE room = v_no;
        DELETE FROM entries WHERE room = v_no AND seq > v_last - v_left;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_left := v_left - v_count;
        IF v_count < v_last THEN
            UPDATE rooms SET erasing = true WHERE no = v_no;
        ELSE
            DELETE FROM rooms WHERE no = v_no;
            o_erased := o_erased + 1;
        END IF;
        IF v_left <= 0 THEN
            o_more := true;
            EXIT;
        END IF;
    END LOOP;
    o_more := o_more OR v_seen = p_rooms;
    DELETE FROM blocks WHERE no IN (SELECT no FROM blocks WHERE used_at <= v_now - p_lifetime
        LIMIT p_budget FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    o_more := o_more OR v_count = p_budget;
    -- An hour is longer than any process is frozen; and who comes back is entered again.
    DELETE FROM nodes n WHERE n.until <= v_now - 3600000
        AND NOT EXISTS (SELECT FROM rooms WHERE closed_at IS NULL AND node_a = n.node)
        AND NOT EXISTS (SELECT FROM rooms WHERE closed_at IS NULL AND node_b = n.node);
    DELETE FROM lanes l WHERE NOT EXISTS (SELECT FROM nodes n WHERE n.node = l.node);
END
$$;

-- These two sessions never meet again. A session keeps its newest `p_most`.
CREATE FUNCTION block(p_now bigint, p_by uuid, p_whom uuid, p_most bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO blocks (by, whom, used_at) VALUES (p_by, p_whom, moment(p_now))
        ON CONFLICT (by, whom) DO UPDATE SET no = DEFAULT, used_at = excluded.used_at;
    DELETE FROM blocks WHERE no IN (SELECT no FROM blocks WHERE by = p_by ORDER BY no DESC OFFSET p_most);
END
$$;
