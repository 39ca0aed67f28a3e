-- What is done to rooms is decided by the nodes from now on, and written by plain statements
-- (`postgres/batch.rs`). Nodes of the version before may go on calling `run_batch` beside them, which locks the
-- same rows in the same order.

-- Once its rooms are locked: makes sure that this batch is not too late, and that nobody can ask what became
-- of it before it has ended. Answers the moment by which things last, and what a clock on the wall shows.
CREATE FUNCTION begin_batch(p_now bigint, p_node bigint, p_lane smallint, p_epoch bigint,
    OUT o_now bigint, OUT o_label bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM lanes WHERE node = p_node AND lane = p_lane AND epoch = p_epoch FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this batch came too late' USING ERRCODE = 'MY001';
    END IF;
    o_label := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    o_now := coalesce(p_now, o_label - (SELECT clock_ahead FROM service));
END
$$;

-- What not even the version before calls any more.
DO $$
DECLARE
    v_old regprocedure;
BEGIN
    FOR v_old IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
        AND (p.proname, p.pronargs) IN (('run_batch', 23), ('append', 8), ('expire', 4), ('claim', 6))
    LOOP
        EXECUTE 'DROP FUNCTION ' || v_old;
    END LOOP;
END
$$;
