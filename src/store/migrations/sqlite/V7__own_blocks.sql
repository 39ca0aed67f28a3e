-- A block is of the room where it was made, so that the one who blocked can name it: two rooms with one
-- person are two blocks, and a list of them tells nothing about who was in two of them. Blocks from before
-- have a name that means nothing.
CREATE TABLE blocks_of_rooms (
    no      INTEGER PRIMARY KEY,             -- the newest has the largest
    by      BLOB    NOT NULL,
    whom    BLOB    NOT NULL,
    room    BLOB    NOT NULL,                -- its id, also when it is erased
    since   INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    until   INTEGER,                         -- NULL: as long as the browser that blocked comes back
    UNIQUE (by, room)
) STRICT;
INSERT INTO blocks_of_rooms SELECT no, by, whom, randomblob(16), used_at, used_at, until FROM blocks ORDER BY no;
DROP TABLE blocks;
ALTER TABLE blocks_of_rooms RENAME TO blocks;
CREATE INDEX blocks_whom ON blocks (whom);
CREATE INDEX blocks_used ON blocks (used_at);
CREATE INDEX blocks_until ON blocks (until) WHERE until IS NOT NULL;

-- So that what was held because of a block goes with it.
CREATE TABLE holds_of_rooms (
    no    INTEGER PRIMARY KEY,               -- the newest has the largest
    by    BLOB    NOT NULL,
    room  BLOB    NOT NULL,
    mark  INTEGER NOT NULL,
    until INTEGER NOT NULL,
    UNIQUE (by, room, mark)
) STRICT;
INSERT INTO holds_of_rooms SELECT no, by, randomblob(16), mark, until FROM holds ORDER BY no;
DROP TABLE holds;
ALTER TABLE holds_of_rooms RENAME TO holds;
CREATE INDEX holds_until ON holds (until);

PRAGMA user_version = 7;
