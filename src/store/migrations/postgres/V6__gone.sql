-- `left_reason` and `entries.reason` have two more values: 4, no_show, and 5, timeout, where the other side
-- was away as well when the room closed: its people read who was.

-- Closes the room because of the longest of the absences that lasted too long, else because its time is
-- up. A room whose time will be up is told so first (outcome 10, `at`: when it closes), the notice
-- ahead at least, whatever the clock did. Without any of it, notes when to look again.
CREATE OR REPLACE FUNCTION expire(p_room rooms, p_now bigint, p_arrival bigint, p_grace bigint, p_longest bigint, p_notice bigint)
RETURNS answer LANGUAGE plpgsql AS $$
DECLARE
    v_a bigint := gone_since(p_room.opened_at, p_room.joined_a, p_room.away_a, p_room.node_a, p_now);
    v_b bigint := gone_since(p_room.opened_at, p_room.joined_b, p_room.away_b, p_room.node_b, p_now);
    v_due_a bigint := v_a + CASE WHEN p_room.joined_a IS NULL THEN p_arrival ELSE p_grace END;
    v_due_b bigint := v_b + CASE WHEN p_room.joined_b IS NULL THEN p_arrival ELSE p_grace END;
    v_late record;
    v_both boolean;
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
        v_both := v_a IS NOT NULL AND v_b IS NOT NULL;
        RETURN close_room(p_room, p_now, v_late.side::smallint,
            (CASE WHEN v_late.came THEN 2 ELSE 1 END + CASE WHEN v_both THEN 3 ELSE 0 END)::smallint);
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
