-- What administrators set for all nodes while the site runs.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,           -- JSON
    at    INTEGER NOT NULL,
    by    INTEGER                      -- operators.no; NULL: a command on the machine
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 10;
