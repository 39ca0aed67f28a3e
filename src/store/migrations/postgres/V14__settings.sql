-- What administrators set for all nodes while the site runs.
CREATE TABLE settings (
    name  text PRIMARY KEY,
    value bytea NOT NULL,           -- JSON
    at    bigint NOT NULL,
    by    bigint                      -- operators.id; NULL: a command on the machine
);
