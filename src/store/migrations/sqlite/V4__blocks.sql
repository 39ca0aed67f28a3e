-- A block of somebody who has said nothing ends by itself; NULL: it lasts as long as the browser that
-- blocked comes back.
ALTER TABLE blocks ADD COLUMN until INTEGER;
CREATE INDEX blocks_until ON blocks (until) WHERE until IS NOT NULL;

-- By what the people of a room would be known without their cookie, should they be blocked: a keyed hash
-- of a network with a free tag that both named. Rooms without such a tag have none.
CREATE TABLE marks (
    room INTEGER NOT NULL,                   -- rooms.no
    side INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    PRIMARY KEY (room, side, mark)
) STRICT, WITHOUT ROWID;

-- Marks of those whom a session blocked lately.
CREATE TABLE holds (
    no    INTEGER PRIMARY KEY,               -- the newest has the largest
    by    BLOB    NOT NULL,
    mark  INTEGER NOT NULL,
    until INTEGER NOT NULL,
    UNIQUE (by, mark)
) STRICT;
CREATE INDEX holds_until ON holds (until);

PRAGMA user_version = 4;
