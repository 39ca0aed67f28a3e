-- A block of somebody who has said nothing ends by itself; NULL: it lasts as long as the browser that
-- blocked comes back.
ALTER TABLE blocks ADD COLUMN until bigint;
CREATE INDEX blocks_until ON blocks (until) WHERE until IS NOT NULL;

-- By what the people of a room would be known without their cookie, should they be blocked: a keyed hash
-- of a network with a free tag that both named. Rooms without such a tag have none. Written beside the
-- room, perhaps before it; `made_at` is for those whose room was never made.
CREATE TABLE marks (
    room    uuid     NOT NULL,
    side    smallint NOT NULL,
    mark    bigint   NOT NULL,
    made_at bigint   NOT NULL,
    PRIMARY KEY (room, side, mark)
);
CREATE INDEX marks_made ON marks (made_at);

-- Marks of those whom a session blocked lately.
CREATE TABLE holds (
    no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the newest has the largest
    by    uuid   NOT NULL,
    mark  bigint NOT NULL,
    until bigint NOT NULL,
    UNIQUE (by, mark)
);
CREATE INDEX holds_until ON holds (until);

CREATE FUNCTION mark_people(p_now bigint, p_room uuid, p_sides smallint[], p_marks bigint[])
RETURNS void LANGUAGE sql AS $$
    INSERT INTO marks (room, side, mark, made_at)
        SELECT p_room, side, mark, moment(p_now) FROM unnest(p_sides, p_marks) AS t (side, mark)
        ON CONFLICT DO NOTHING
$$;

-- These two sessions do not meet again: for good when the blocked one has said something in the room, else
-- for `p_brief`; so long the marks of the blocked one are held against others as well. A session keeps its
-- newest `p_most` of each.
DROP FUNCTION block(bigint, uuid, uuid, bigint);
CREATE FUNCTION block(p_now bigint, p_by uuid, p_whom uuid, p_room uuid, p_most bigint, p_brief bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_brief bigint := moment(p_now) + p_brief;
    v_room rooms;
    v_side smallint;
    v_until bigint;
BEGIN
    SELECT * INTO v_room FROM rooms WHERE id = p_room AND NOT erasing;
    v_side := CASE p_whom WHEN v_room.session_a THEN 0 WHEN v_room.session_b THEN 1 END;
    IF NOT EXISTS (SELECT FROM entries WHERE room = v_room.no AND side = v_side AND kind = 0) THEN
        v_until := v_brief;
    END IF;
    INSERT INTO blocks (by, whom, used_at, until) VALUES (p_by, p_whom, moment(p_now), v_until)
        ON CONFLICT (by, whom) DO UPDATE SET no = DEFAULT, used_at = excluded.used_at,
            until = CASE WHEN blocks.until IS NULL THEN NULL ELSE excluded.until END;
    DELETE FROM blocks WHERE no IN (SELECT no FROM blocks WHERE by = p_by ORDER BY no DESC OFFSET p_most);
    INSERT INTO holds (by, mark, until)
        SELECT p_by, mark, v_brief FROM marks WHERE room = p_room AND side = v_side
        ON CONFLICT (by, mark) DO UPDATE SET no = DEFAULT, until = excluded.until;
    DELETE FROM holds WHERE no IN (SELECT no FROM holds WHERE by = p_by ORDER BY no DESC OFFSET p_most);
END
$$;

-- As before, and marks go with their room, blocks and holds when their time is over.
CREATE OR REPLACE FUNCTION erase(p_now bigint, p_retention bigint, p_lifetime bigint, p_rooms bigint, p_budget bigint,
    OUT o_erased bigint, OUT o_more boolean) LANGUAGE plpgsql AS $$
DECLARE
    v_now bigint := moment(p_now);
    v_left bigint := p_budget;
    v_seen bigint := 0;
    v_last bigint;
    v_count bigint;
    v_no bigint;
    v_id uuid;
BEGIN
    o_erased := 0;
    o_more := false;
    FOR v_no, v_id IN SELECT no, id FROM rooms WHERE closed_at <= v_now - p_retention
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
            DELETE FROM marks WHERE room = v_id;
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
    DELETE FROM blocks WHERE no IN (SELECT no FROM blocks WHERE until <= v_now
        LIMIT p_budget FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    o_more := o_more OR v_count = p_budget;
    DELETE FROM holds WHERE no IN (SELECT no FROM holds WHERE until <= v_now
        LIMIT p_budget FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    o_more := o_more OR v_count = p_budget;
    -- A room that is not there after an hour never was made.
    DELETE FROM marks WHERE (room, side, mark) IN (SELECT m.room, m.side, m.mark FROM marks m
        WHERE m.made_at <= v_now - 3600000 AND NOT EXISTS (SELECT FROM rooms r WHERE r.id = m.room)
        ORDER BY m.made_at LIMIT p_budget);
    -- An hour is longer than any process is frozen; and who comes back is entered again.
    DELETE FROM nodes n WHERE n.until <= v_now - 3600000
        AND NOT EXISTS (SELECT FROM rooms WHERE closed_at IS NULL AND node_a = n.node)
        AND NOT EXISTS (SELECT FROM rooms WHERE closed_at IS NULL AND node_b = n.node);
    DELETE FROM lanes l WHERE NOT EXISTS (SELECT FROM nodes n WHERE n.node = l.node);
END
$$;
