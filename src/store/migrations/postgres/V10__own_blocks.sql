-- A block is of the room where it was made, so that the one who blocked can name it: two rooms with one
-- person are two blocks, and a list of them tells nothing about who was in two of them. Blocks from before
-- have a name that means nothing.
ALTER TABLE blocks ADD COLUMN room uuid, ADD COLUMN since bigint;
UPDATE blocks SET room = gen_random_uuid(), since = used_at;
ALTER TABLE blocks ALTER COLUMN room SET NOT NULL, ALTER COLUMN since SET NOT NULL,
    DROP CONSTRAINT blocks_by_whom_key, ADD CONSTRAINT blocks_by_room_key UNIQUE (by, room);

-- So that what was held because of a block goes with it.
ALTER TABLE holds ADD COLUMN room uuid;
UPDATE holds SET room = gen_random_uuid();
ALTER TABLE holds ALTER COLUMN room SET NOT NULL,
    DROP CONSTRAINT holds_by_mark_key, ADD CONSTRAINT holds_by_room_mark_key UNIQUE (by, room, mark);

-- As before, with the room's name.
CREATE OR REPLACE FUNCTION block(p_now bigint, p_by uuid, p_whom uuid, p_room uuid, p_most bigint, p_brief bigint)
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
    INSERT INTO blocks (by, whom, room, since, used_at, until)
        VALUES (p_by, p_whom, p_room, moment(p_now), moment(p_now), v_until)
        ON CONFLICT (by, room) DO UPDATE SET used_at = excluded.used_at,
            until = CASE WHEN blocks.until IS NULL THEN NULL ELSE excluded.until END;
    DELETE FROM blocks WHERE no IN (SELECT no FROM blocks WHERE by = p_by ORDER BY no DESC OFFSET p_most);
    INSERT INTO holds (by, room, mark, until)
        SELECT p_by, p_room, mark, v_brief FROM marks WHERE room = p_room AND side = v_side
        ON CONFLICT (by, room, mark) DO UPDATE SET until = excluded.until;
    DELETE FROM holds WHERE no IN (SELECT no FROM holds WHERE by = p_by ORDER BY no DESC OFFSET p_most);
END
$$;
