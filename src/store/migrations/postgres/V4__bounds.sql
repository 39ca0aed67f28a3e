-- Bounds of a room in bytes and in time, and the size of all data. Functions with new parameters stand
-- beside those of before, which nodes of the previous version go on calling until they are replaced.

-- What the texts of a room's entries count towards `limits.room_bytes`.
ALTER TABLE rooms ADD COLUMN bytes bigint NOT NULL DEFAULT 0;
UPDATE rooms r SET bytes = (
    SELECT coalesce(sum(coalesce(octet_length(client_id), 0) + coalesce(octet_length(body), 0)), 0)
        FROM entries WHERE room = r.no
) WHERE EXISTS (SELECT FROM entries WHERE room = r.no);

-- When a room closes by itself, once its people were told; until then that follows from `opened_at`.
-- `left_reason` 3: its time was up.
ALTER TABLE rooms ADD COLUMN closes_at bigint;
CREATE INDEX rooms_age     ON rooms (opened_at) WHERE closed_at IS NULL AND closes_at IS NULL;
CREATE INDEX rooms_closing ON rooms (closes_at) WHERE closed_at IS NULL AND closes_at IS NOT NULL;

CREATE OR REPLACE FUNCTION state_of(p_room rooms, p_now bigint) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
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
        p_room.version_b, p_room.cursor_b, p_room.read_b,
        p_room.closes_at
    ];
END
$$;

-- `p_bytes`: most bytes of a room's texts. `p_at_max`: the data has the size it may have; what is new is
-- refused by outcome 11.
CREATE FUNCTION append(p_room rooms, p_now bigint, p_most bigint, p_bytes bigint, p_at_max boolean,
    p_side smallint, p_name bytea, p_body bytea, p_reply bigint, p_reply_name bytea)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_known entries;
    v_quote entries;
    v_answer answer;
    v_length bigint := octet_length(p_name) + octet_length(p_body);
BEGIN
    v_known := named(p_room.no, p_side, NULL, p_name);
    IF v_known.seq IS NOT NULL THEN
        IF v_known.body <> p_body THEN
            RETURN refusal(7);
        END IF;
        v_quote := named(p_room.no, p_side, v_known.target, NULL);
        v_answer.outcome := 1;
        v_answer.at := v_known.at;
        v_answer.seq := v_known.seq;
        v_answer.body := v_known.body;
    ELSIF p_room.closed_at IS NOT NULL THEN
        RETURN refusal(2);
    ELSIF p_room.last_seq >= p_most OR p_room.bytes + v_length > p_bytes THEN
        RETURN refusal(3);
    ELSIF p_at_max THEN
        RETURN refusal(11);
    ELSE
        v_quote := named(p_room.no, p_side, p_reply, p_reply_name);
        v_answer.outcome := 0;
        v_answer.at := p_now;
        v_answer.seq := p_room.last_seq + 1;
        v_answer.body := p_body;
        INSERT INTO entries (room, seq, kind, side, client_id, body, target, at)
            VALUES (p_room.no, v_answer.seq, 0, p_side, p_name, p_body, v_quote.seq, p_now);
        UPDATE rooms SET last_seq = v_answer.seq, bytes = p_room.bytes + v_length WHERE no = p_room.no;
    END IF;
    v_answer.side := p_side;
    v_answer.name := p_name;
    v_answer.quoted := v_quote.seq;
    v_answer.quoted_side := v_quote.side;
    v_answer.quoted_body := v_quote.body;
    RETURN v_answer;
END
$$;

CREATE OR REPLACE FUNCTION recall(p_room rooms, p_now bigint, p_side smallint, p_seq bigint, p_name bytea, p_as bytea)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_target entries := named(p_room.no, p_side, p_seq, p_name);
    v_answer answer;
BEGIN
    IF v_target.seq IS NULL THEN
        RETURN refusal(4);
    ELSIF v_target.side <> p_side THEN
        RETURN refusal(5);
    ELSIF v_target.body IS NULL THEN
        RETURN refusal(6);
    END IF;
    v_answer.outcome := 0;
    v_answer.at := p_now;
    v_answer.seq := p_room.last_seq + 1;
    v_answer.side := p_side;
    v_answer.name := coalesce(p_as, v_target.client_id);
    v_answer.quoted := v_target.seq;
    UPDATE entries SET body = NULL WHERE room = p_room.no AND seq = v_target.seq;
    INSERT INTO entries (room, seq, kind, side, client_id, target, at)
        VALUES (p_room.no, v_answer.seq, 1, p_side, v_answer.name, v_target.seq, p_now);
    UPDATE rooms SET last_seq = v_answer.seq,
        bytes = bytes - octet_length(v_target.body) + octet_length(v_answer.name) WHERE no = p_room.no;
    RETURN v_answer;
END
$$;

-- Open rooms where an absence may have lasted too long, and those whose people are to be told that they
-- close, or which close: opened `p_told` ago and not told, or told and over. NULL: rooms have no age.
CREATE FUNCTION claim(p_now bigint, p_node bigint, p_lease bigint, p_grace bigint, p_claim bigint, p_most bigint,
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
                AND node_a = ANY (ARRAY(SELECT node FROM dead)) LIMIT p_most FOR UPDATE SKIP LOCKED
        ), lost_b AS (
            SELECT no FROM rooms WHERE closed_at IS NULL AND claimed <= v_now
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

-- Closes the room because of the longest of the absences that lasted too long, else because its time is
-- up. A room whose time will be up is told so first (outcome 10, `at`: when it closes), the notice
-- ahead at least, whatever the clock did. Without any of it, notes when to look again.
CREATE FUNCTION expire(p_room rooms, p_now bigint, p_arrival bigint, p_grace bigint, p_longest bigint, p_notice bigint)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_a bigint := gone_since(p_room.opened_at, p_room.joined_a, p_room.away_a, p_room.node_a, p_now);
    v_b bigint := gone_since(p_room.opened_at, p_room.joined_b, p_room.away_b, p_room.node_b, p_now);
    v_due_a bigint := v_a + CASE WHEN p_room.joined_a IS NULL THEN p_arrival ELSE p_grace END;
    v_due_b bigint := v_b + CASE WHEN p_room.joined_b IS NULL THEN p_arrival ELSE p_grace END;
    v_late record;
    v_answer answer;
BEGIN
    IF p_room.closed_at IS NOT NULL THEN
        RETURN refusal(9);
    END IF;
    SELECT side, came INTO v_late
        FROM (VALUES (0, p_room.joined_a IS NOT NULL, v_a, v_due_a), (1, p_room.joined_b IS NOT NULL, v_b, v_due_b))
            AS gone (side, came, since, deadline)
        WHERE deadline <= p_now ORDER BY since, came, side LIMIT 1;
    IF FOUND THEN
        RETURN close_room(p_room, p_now, v_late.side::smallint, (CASE WHEN v_late.came THEN 2 ELSE 1 END)::smallint);
    END IF;
    v_answer.outcome := 9;
    IF p_longest IS NOT NULL AND p_room.closes_at <= p_now THEN
        RETURN close_room(p_room, p_now, 0::smallint, 3::smallint);
    ELSIF p_room.closes_at IS NULL AND p_room.opened_at + p_longest - p_notice <= p_now THEN
        v_answer.outcome := 10;
        v_answer.at := greatest(p_room.opened_at + p_longest, p_now + p_notice);
    END IF;
    UPDATE rooms SET claimed = 0, due_at = least(v_due_a, v_due_b), closes_at = coalesce(v_answer.at, closes_at)
        WHERE no = p_room.no;
    RETURN v_answer;
END
$$;

-- As before, with the bounds: see `append` and `expire`. Outcome 10: the room's people are to be told;
-- 11: the data has the size it may have.
CREATE FUNCTION run_batch(
    p_now bigint, p_node bigint, p_lane smallint, p_epoch bigint, p_batch bigint,
    p_lease bigint, p_arrival bigint, p_grace bigint, p_most bigint,
    p_bytes bigint, p_at_max boolean, p_longest bigint, p_notice bigint,
    p_deeds smallint[], p_rooms uuid[], p_sides smallint[], p_names bytea[], p_bodies bytea[],
    p_seqs bigint[], p_references bytea[], p_sessions uuid[], p_others uuid[],
    p_nodes bigint[], p_numbers bigint[], p_cursors bigint[], p_reads bigint[], p_flags boolean[]
) RETURNS TABLE (
    o_outcome smallint, o_at bigint, o_seq bigint, o_side smallint, o_reason smallint,
    o_name bytea, o_body bytea, o_quoted bigint, o_quoted_side smallint, o_quoted_body bytea,
    o_version bigint, o_people bytea, o_tags bytea, o_session_a uuid, o_session_b uuid, o_state bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    d record;
    v_now bigint;
    v_room rooms;
    v_answer answer;
    v_taken bigint[] := '{}';
BEGIN
    PERFORM FROM rooms WHERE id = ANY (p_rooms) ORDER BY id FOR UPDATE;
    v_now := moment(p_now);
    FOR d IN SELECT * FROM unnest(p_deeds, p_rooms, p_sides, p_names, p_bodies, p_seqs, p_references,
            p_sessions, p_others, p_nodes, p_numbers, p_cursors, p_reads, p_flags)
        AS t (deed, room, side, name, body, seq, reference, session, other, node, number, cursor, read, flag)
    LOOP
        SELECT * INTO v_room FROM rooms WHERE id = d.room AND NOT erasing;
        IF d.deed = 3 THEN
            v_answer := open_room(v_now, p_arrival, d.room, d.body, d.name, d.session, d.other, d.flag);
        ELSIF v_room.no IS NULL THEN
            v_answer := refusal(CASE WHEN d.deed <= 2 THEN 2 ELSE 9 END);
        ELSIF d.deed = 0 THEN
            v_answer := append(v_room, v_now, p_most, p_bytes, p_at_max, d.side, d.name, d.body, d.seq, d.reference);
        ELSIF d.deed = 1 THEN
            v_answer := recall(v_room, v_now, d.side, d.seq, d.reference, d.name);
        ELSIF d.deed = 2 THEN
            v_answer := hide(v_room, d.side, d.seq, d.reference);
        ELSIF d.deed = 4 THEN
            v_answer := arrive(v_room, v_now, p_lease, p_arrival, p_grace, d.side, d.session, d.node, d.number, d.flag);
        ELSIF d.deed = 5 THEN
            v_room := mark(v_room, d.side, d.cursor, d.read);
            v_answer := depart(v_room, v_now, p_arrival, p_grace, d.side, d.node, d.number);
        ELSIF d.deed = 6 THEN
            v_room := mark(v_room, d.side, d.cursor, d.read);
            v_answer := refusal(0);
        ELSIF d.deed = 7 THEN
            v_answer := close_room(v_room, v_now, d.side, d.seq::smallint);
        ELSE
            v_answer := expire(v_room, v_now, p_arrival, p_grace, p_longest, p_notice);
        END IF;

        o_outcome := v_answer.outcome;
        o_at := v_answer.at;
        o_seq := v_answer.seq;
        o_side := v_answer.side;
        o_reason := v_answer.reason;
        o_name := v_answer.name;
        o_body := v_answer.body;
        o_quoted := v_answer.quoted;
        o_quoted_side := v_answer.quoted_side;
        o_quoted_body := v_answer.quoted_body;
        o_version := v_answer.version;
        o_people := NULL;
        o_tags := NULL;
        o_session_a := NULL;
        o_session_b := NULL;
        o_state := NULL;
        IF v_answer.outcome = 0 AND d.deed = 4 THEN
            SELECT people, common_tags, session_a, session_b, state_of(r, v_now)
                INTO o_people, o_tags, o_session_a, o_session_b, o_state FROM rooms r WHERE no = v_room.no;
        ELSIF v_answer.outcome = 0 AND v_answer.seq IS NOT NULL THEN
            o_state := ARRAY[v_room.is_bot::int::bigint];
            IF d.flag THEN
                o_people := v_room.people;
            END IF;
        END IF;
        v_taken := v_taken || CASE WHEN v_answer.outcome = 0 THEN coalesce(v_answer.seq, 0) ELSE 0 END;
        RETURN NEXT;
    END LOOP;
    -- Last: whoever came in between to ask what became of this batch was told that it is not there.
    UPDATE lanes SET batch = p_batch, seqs = v_taken
        WHERE node = p_node AND lane = p_lane AND epoch = p_epoch;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this batch came too late' USING ERRCODE = 'MY001';
    END IF;
END
$$;

-- Bytes that the data needs. What vacuuming has made free inside the tables' files is used again before
-- they grow, but the server does not say how much that is, and the files hardly ever shrink. So from
-- `p_from` on the files are not asked, but what is in them is counted: texts, about 256 bytes beside the
-- texts for an entry with its indexes and 2 KiB for a room with its own, and rows that are dead and not
-- vacuumed yet. That reads every room, and is worth it only then.
CREATE FUNCTION data_size(p_from bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_files bigint := pg_total_relation_size('rooms') + pg_total_relation_size('entries')
        + pg_total_relation_size('blocks');
    v_live bigint;
    v_dead bigint;
BEGIN
    IF v_files < p_from THEN
        RETURN v_files;
    END IF;
    SELECT coalesce(sum(bytes + 256 * last_seq + 2048), 0) INTO v_live FROM rooms;
    SELECT coalesce(sum(n_dead_tup * CASE relid WHEN 'rooms'::regclass THEN 2048 ELSE 512 END), 0) INTO v_dead
        FROM pg_stat_user_tables WHERE relid IN ('rooms'::regclass, 'entries'::regclass);
    RETURN least(v_files, v_live + v_dead);
END
$$;
