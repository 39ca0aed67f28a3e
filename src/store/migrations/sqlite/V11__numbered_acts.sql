-- What made reports invalid has a number: two such acts may be of one moment.
CREATE TABLE invalidations (
    no   INTEGER PRIMARY KEY AUTOINCREMENT,
    by   INTEGER,                            -- operators.no; NULL: a command on the machine
    mute INTEGER                             -- sanctions.no: of the reporter, that came with it
) STRICT;
ALTER TABLE reports ADD COLUMN invalidation INTEGER; -- of an invalid one
ALTER TABLE cases   ADD COLUMN emptied INTEGER;      -- of a case that is closed because it left no report in it

-- Those from before are told apart by their moment.
INSERT INTO invalidations (no, by, mute)
SELECT min(r.no),
    (SELECT a.by FROM audit a WHERE a.act = 13 AND a.at = r.decided_at ORDER BY a.by IS NOT NULL, a.no LIMIT 1),
    (SELECT s.no FROM sanctions s WHERE s.session = r.reporter AND s.kind = 6 AND s.at = r.decided_at AND s.lifts IS NULL LIMIT 1)
FROM reports r WHERE r.verdict = 3 GROUP BY r.reporter, r.decided_at;
UPDATE reports SET invalidation =
    (SELECT min(o.no) FROM reports o WHERE o.verdict = 3 AND o.reporter = reports.reporter AND o.decided_at = reports.decided_at)
WHERE verdict = 3;
UPDATE cases SET emptied =
    (SELECT min(r.invalidation) FROM reports r WHERE r.case_no = cases.no AND r.verdict = 3 AND r.decided_at = cases.closed_at)
WHERE state = 4;
CREATE INDEX reports_invalid ON reports (invalidation) WHERE invalidation IS NOT NULL;

-- The number of the row in the audit log that put it: who changes a setting says which they saw.
ALTER TABLE settings ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

PRAGMA user_version = 11;
