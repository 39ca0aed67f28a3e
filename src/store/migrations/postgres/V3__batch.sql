-- What is done to rooms, one batch at a time. A batch locks all its rooms first; whatever it reads
-- afterwards is read by a later statement, whose snapshot has everything that was committed while it
-- waited. Nothing that has taken a seq can be refused later, so seqs have no holes.

-- How one deed ended; which columns mean something depends on the deed.
-- outcome: 0 done, 1 repeat, 2 room closed, 3 room full, 4 no such message, 5 not yours,
-- 6 already recalled, 7 client id reused, 8 conflict, 9 nothing to do.
CREATE TYPE answer AS (
    outcome     smallint,
    at          bigint,
    seq         bigint,
    side        smallint,
    reason      smallint,
    name        bytea,
    body        bytea,
    quoted      bigint,
    quoted_side smallint,
    quoted_body bytea,
    version     bigint
);

CREATE FUNCTION refusal(p_outcome int) RETURNS answer LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW(p_outcome::smallint, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::answer
$$;

-- The message that this side names by its seq, or by its own name for it.
CREATE FUNCTION named(p_room bigint, p_side smallint, p_seq bigint, p_name bytea)
RETURNS entries LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found entries;
BEGIN
    IF p_seq IS NOT NULL THEN
        SELECT * INTO v_found FROM entries WHERE room = p_room AND seq = p_seq AND kind = 0;
    ELSIF p_name IS NOT NULL THEN
        SELECT * INTO v_found FROM entries WHERE room = p_room AND side = p_side AND client_id = p_name AND kind = 0;
    END IF;
    RETURN v_found;
END
$$;

CREATE FUNCTION append(p_room rooms, p_now bigint, p_most bigint, p_side smallint, p_name bytea, p_body bytea,
    p_reply bigint, p_reply_name bytea) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_known entries;
    v_quote entries;
    v_answer answer;
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
    ELSIF p_room.last_seq >= p_most THEN
        RETURN refusal(3);
    ELSE
        v_quote := named(p_room.no, p_side, p_reply, p_reply_name);
        v_answer.outcome := 0;
        v_answer.at := p_now;
        v_answer.seq := p_room.last_seq + 1;
        v_answer.body := p_body;
        INSERT INTO entries (room, seq, kind, side, client_id, body, target, at)
            VALUES (p_room.no, v_answer.seq, 0, p_side, p_name, p_body, v_quote.seq, p_now);
        UPDATE rooms SET last_seq = v_answer.seq WHERE no = p_room.no;
    END IF;
    v_answer.side := p_side;
    v_answer.name := p_name;
    v_answer.quoted := v_quote.seq;
    v_answer.quoted_side := v_quote.side;
    v_answer.quoted_body := v_quote.body;
    RETURN v_answer;
END
$$;

CREATE FUNCTION recall(p_room rooms, p_now bigint, p_side smallint, p_seq bigint, p_name bytea, p_as bytea)
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
    UPDATE rooms SET last_seq = v_answer.seq WHERE no = p_room.no;
    RETURN v_answer;
END
$$;

CREATE FUNCTION hide(p_room rooms, p_side smallint, p_seq bigint, p_name bytea)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_target entries := named(p_room.no, p_side, p_seq, p_name);
    v_answer answer;
BEGIN
    IF v_target.seq IS NULL THEN
        RETURN refusal(4);
    END IF;
    UPDATE entries SET hidden = hidden | (1 << p_side)::smallint
        WHERE room = p_room.no AND seq = v_target.seq AND hidden & (1 << p_side) = 0;
    v_answer.outcome := 0;
    v_answer.quoted := v_target.seq;
    RETURN v_answer;
END
$$;

CREATE FUNCTION open_room(p_now bigint, p_arrival bigint, p_room uuid, p_people bytea, p_tags bytea,
    p_a uuid, p_b uuid, p_bot boolean) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_room rooms;
BEGIN
    INSERT INTO rooms (id, people, common_tags, is_bot, session_a, session_b, opened_at, due_at)
        VALUES (p_room, p_people, p_tags, p_bot, p_a, p_b, p_now, p_now + p_arrival)
        ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
        RETURN refusal(0);
    END IF;
    -- Another node may have made it since the batch locked its rooms.
    SELECT * INTO v_room FROM rooms WHERE id = p_room FOR UPDATE;
    IF v_room.closed_at IS NULL AND v_room.people = p_people
        AND v_room.session_a = p_a AND v_room.session_b = p_b
    THEN
        RETURN refusal(9);
    END IF;
    RETURN refusal(8);
END
$$;

-- Writes who is there, and when the sweeper must look.
CREATE FUNCTION save_sides(p_room rooms, p_arrival bigint, p_grace bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rooms SET due_at = due(p_room, p_arrival, p_grace),
        joined_a = p_room.joined_a, node_a = p_room.node_a, number_a = p_room.number_a,
        away_a = p_room.away_a, version_a = p_room.version_a,
        joined_b = p_room.joined_b, node_b = p_room.node_b, number_b = p_room.number_b,
        away_b = p_room.away_b, version_b = p_room.version_b
    WHERE no = p_room.no;
END
$$;

CREATE FUNCTION arrive(p_room rooms, p_now bigint, p_lease bigint, p_arrival bigint, p_grace bigint,
    p_side smallint, p_session uuid, p_node bigint, p_number bigint, p_if_free boolean)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_room rooms := p_room;
    v_answer answer;
    v_own record;
BEGIN
    SELECT own.side, own.gone IS NULL AND (own.node, own.number) <> (p_node, p_number) AS taken INTO v_own FROM (VALUES
        (0, v_room.session_a, v_room.node_a, v_room.number_a,
            gone_since(v_room.opened_at, v_room.joined_a, v_room.away_a, v_room.node_a, p_now)),
        (1, v_room.session_b, v_room.node_b, v_room.number_b,
            gone_since(v_room.opened_at, v_room.joined_b, v_room.away_b, v_room.node_b, p_now))
    ) AS own (side, session, node, number, gone)
        WHERE own.side = p_side OR p_side IS NULL AND own.session = p_session
        ORDER BY own.gone IS NULL, own.side LIMIT 1;
    IF NOT FOUND THEN
        RETURN refusal(9);
    END IF;
    IF v_room.closed_at IS NULL AND NOT (p_if_free AND v_own.taken) THEN
        -- Whoever brings somebody is alive.
        IF NOT EXISTS (SELECT FROM nodes WHERE node = p_node AND until > p_now) THEN
            PERFORM renew(p_now, p_node, p_lease);
        END IF;
        IF v_own.side = 0 THEN
            v_room.joined_a := coalesce(v_room.joined_a, p_now);
            v_room.node_a := p_node;
            v_room.number_a := p_number;
            v_room.away_a := NULL;
            v_room.version_a := v_room.version_a + 1;
        ELSE
            v_room.joined_b := coalesce(v_room.joined_b, p_now);
            v_room.node_b := p_node;
            v_room.number_b := p_number;
            v_room.away_b := NULL;
            v_room.version_b := v_room.version_b + 1;
        END IF;
        PERFORM save_sides(v_room, p_arrival, p_grace);
    END IF;
    v_answer.outcome := 0;
    v_answer.side := v_own.side;
    RETURN v_answer;
END
$$;

CREATE FUNCTION depart(p_room rooms, p_now bigint, p_arrival bigint, p_grace bigint,
    p_side smallint, p_node bigint, p_number bigint) RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_room rooms := p_room;
    v_answer answer;
BEGIN
    IF p_side = 0 AND v_room.node_a = p_node AND v_room.number_a = p_number THEN
        v_room.node_a := NULL;
        v_room.number_a := NULL;
        v_room.away_a := p_now;
        v_room.version_a := v_room.version_a + 1;
        v_answer.version := v_room.version_a;
    ELSIF p_side = 1 AND v_room.node_b = p_node AND v_room.number_b = p_number THEN
        v_room.node_b := NULL;
        v_room.number_b := NULL;
        v_room.away_b := p_now;
        v_room.version_b := v_room.version_b + 1;
        v_answer.version := v_room.version_b;
    ELSE
        RETURN refusal(9);
    END IF;
    PERFORM save_sides(v_room, p_arrival, p_grace);
    v_answer.outcome := 0;
    RETURN v_answer;
END
$$;

-- Never back, and never past the end of the log. Answers the row as it is then.
CREATE FUNCTION mark(p_room rooms, p_side smallint, p_cursor bigint, p_read bigint)
RETURNS rooms LANGUAGE plpgsql AS $$
DECLARE
    v_room rooms := p_room;
BEGIN
    IF p_side = 0 THEN
        v_room.cursor_a := greatest(v_room.cursor_a, least(p_cursor, v_room.last_seq));
        v_room.read_a := greatest(v_room.read_a, least(p_read, v_room.last_seq));
    ELSE
        v_room.cursor_b := greatest(v_room.cursor_b, least(p_cursor, v_room.last_seq));
        v_room.read_b := greatest(v_room.read_b, least(p_read, v_room.last_seq));
    END IF;
    IF v_room IS DISTINCT FROM p_room THEN
        UPDATE rooms SET cursor_a = v_room.cursor_a, read_a = v_room.read_a,
            cursor_b = v_room.cursor_b, read_b = v_room.read_b WHERE no = v_room.no;
    END IF;
    RETURN v_room;
END
$$;

CREATE FUNCTION close_room(p_room rooms, p_now bigint, p_side smallint, p_reason smallint)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_answer answer;
BEGIN
    IF p_room.closed_at IS NOT NULL THEN
        RETURN refusal(9);
    END IF;
    v_answer.outcome := 0;
    v_answer.at := p_now;
    v_answer.seq := p_room.last_seq + 1;
    v_answer.side := p_side;
    v_answer.reason := p_reason;
    INSERT INTO entries (room, seq, kind, side, reason, at)
        VALUES (p_room.no, v_answer.seq, 2, p_side, p_reason, p_now);
    UPDATE rooms SET last_seq = v_answer.seq, closed_at = p_now, due_at = NULL,
        left_seq = v_answer.seq, left_side = p_side, left_reason = p_reason WHERE no = p_room.no;
    RETURN v_answer;
END
$$;

-- Closes the room because of the longest of the absences that lasted too long. Without one, notes
-- when to look again.
CREATE FUNCTION expire(p_room rooms, p_now bigint, p_arrival bigint, p_grace bigint)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_a bigint := gone_since(p_room.opened_at, p_room.joined_a, p_room.away_a, p_room.node_a, p_now);
    v_b bigint := gone_since(p_room.opened_at, p_room.joined_b, p_room.away_b, p_room.node_b, p_now);
    v_due_a bigint := v_a + CASE WHEN p_room.joined_a IS NULL THEN p_arrival ELSE p_grace END;
    v_due_b bigint := v_b + CASE WHEN p_room.joined_b IS NULL THEN p_arrival ELSE p_grace END;
    v_late record;
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
    UPDATE rooms SET claimed = 0, due_at = least(v_due_a, v_due_b) WHERE no = p_room.no;
    RETURN refusal(9);
END
$$;

-- Runs a batch; deed by deed in the given order, each seeing what the ones before it did. All or
-- nothing. deed: 0 append, 1 recall, 2 hide, 3 open, 4 arrive, 5 depart, 6 mark, 7 close, 8 expire.
CREATE FUNCTION run_batch(
    p_now bigint, p_node bigint, p_lane smallint, p_epoch bigint, p_batch bigint,
    p_lease bigint, p_arrival bigint, p_grace bigint, p_most bigint,
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
            v_answer := append(v_room, v_now, p_most, d.side, d.name, d.body, d.seq, d.reference);
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
            v_answer := expire(v_room, v_now, p_arrival, p_grace);
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

-- A batcher begins, or comes back: from now on nothing it sent before can happen. Answers the last
-- batch that did, and the seqs it took; nothing when there was none.
CREATE FUNCTION take_lane(p_node bigint, p_lane smallint, OUT o_epoch bigint, OUT o_batch bigint, OUT o_seqs bigint[])
LANGUAGE sql AS $$
    INSERT INTO lanes AS l (node, lane, epoch) VALUES (p_node, p_lane, 1)
        ON CONFLICT (node, lane) DO UPDATE SET epoch = l.epoch + 1
        RETURNING epoch, batch, seqs
$$;
