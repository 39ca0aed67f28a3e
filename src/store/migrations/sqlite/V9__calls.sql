-- How a side that is away is called by its browser's push service, until the room is over: nothing of it is kept
-- longer than that, and it says nothing about the person.
CREATE TABLE subscriptions (
    room        INTEGER NOT NULL,            -- rooms.no
    side        INTEGER NOT NULL,
    endpoint    TEXT    NOT NULL,
    p256dh      TEXT    NOT NULL,
    auth        TEXT    NOT NULL,
    called_at   INTEGER,
    message_at  INTEGER,                     -- when it was last called because of a message
    PRIMARY KEY (room, side)
) STRICT, WITHOUT ROWID;

-- How long at least a side that can be called is waited for, in milliseconds; NULL: it cannot be called.
ALTER TABLE rooms ADD COLUMN call_for_a INTEGER;
ALTER TABLE rooms ADD COLUMN call_for_b INTEGER;

-- Secrets that are no single number. `push`: the key by which push services know this site.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 9;
