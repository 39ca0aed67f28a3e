-- The server's clock may be set, by hand or by NTP. What lasts is measured by `moment`, which goes on evenly:
-- a node that ran while the clock was set knows how long that was, and has `moment` leave the step out.

-- By how much the clock is ahead of `moment` because it was set, and how often it was.
ALTER TABLE service ADD COLUMN clock_ahead bigint NOT NULL DEFAULT 0;
ALTER TABLE service ADD COLUMN clock_steps bigint NOT NULL DEFAULT 0;

-- What nodes read last, for those that start later: `moment`, and how long a run of a machine had lasted then
-- by a clock that cannot be set.
CREATE TABLE machines (
    boot  bigint PRIMARY KEY,
    steps bigint NOT NULL,                     -- service.clock_steps at that time
    time  bigint NOT NULL,
    up    bigint NOT NULL
);

CREATE OR REPLACE FUNCTION moment(p_now bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
        - (SELECT clock_ahead FROM service))
$$;

-- The clock was set by `p_by` within the last `p_within`, as a node has found that knew of `p_steps` such
-- steps. False: another node has put it right before. Absences begin anew, as after an outage, and what was
-- written by the wrong clock in between, and would be erased early, gets the right time.
CREATE FUNCTION leave_out(p_steps bigint, p_by bigint, p_within bigint, p_lease bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_wrong bigint := moment(NULL);
    v_now bigint;
BEGIN
    UPDATE service SET clock_ahead = clock_ahead + p_by, clock_steps = clock_steps + 1
        WHERE clock_steps = p_steps;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    v_now := moment(NULL);
    UPDATE service SET since = v_now;
    UPDATE nodes SET until = least(until, v_now + p_lease);
    UPDATE rooms SET claimed = 0 WHERE closed_at IS NULL AND claimed > v_now;
    UPDATE rooms SET closed_at = closed_at - p_by WHERE closed_at BETWEEN v_wrong - p_within AND v_wrong;
    RETURN true;
END
$$;

-- As before, and with all tables that hold people's data. Of the small ones the server itself knows about how
-- many rows there are; each takes about 150 bytes with its indexes.
CREATE OR REPLACE FUNCTION data_size(p_from bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_files bigint := pg_total_relation_size('rooms') + pg_total_relation_size('entries')
        + pg_total_relation_size('blocks') + pg_total_relation_size('marks') + pg_total_relation_size('holds');
    v_live bigint;
    v_more bigint;
BEGIN
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
    RETURN least(v_files, v_live + v_more);
END
$$;
